"""File locks, which the kernel releases when the process that holds them ends."""

import fcntl
import logging
import os
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from fast_zero.core.errors import StartError

WAIT_SECONDS = 150  # longer than the 120 s within which PostgreSQL has to start
NOTICE_SECONDS = 3
POLL_SECONDS = 0.05

logger = logging.getLogger(__name__)


@contextmanager
def opened(path: Path) -> Iterator[IO[str]]:
    """Open a lock file with mode 0600, since everyone who can read a file can lock it."""
    with open(path, "a", opener=open_private) as file:
        if os.fstat(file.fileno()).st_uid == os.geteuid():
            os.fchmod(file.fileno(), 0o600)  # earlier releases made it readable by everyone
        yield file


def open_private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold an exclusive lock."""
    with opened(path) as file:
        acquire(file, fcntl.LOCK_EX)
        yield


def acquire(file: IO[str], kind: int) -> None:
    """Wait for a lock, and log a warning if it takes long. Raises StartError after a timeout."""
    began = time.monotonic()
    noticed = False
    while not try_acquire(file, kind):
        waited = time.monotonic() - began
        if waited > WAIT_SECONDS:
            raise StartError(
                f"Another process has held the lock on {file.name} for {WAIT_SECONDS} s. "
                f"Find it with `fuser -v {shlex.quote(str(file.name))}`, end it, and try again."
            )
        if waited > NOTICE_SECONDS and not noticed:
            logger.warning("Waiting for another process to release the lock on %s.", file.name)
            noticed = True
        time.sleep(POLL_SECONDS)


def try_acquire(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
