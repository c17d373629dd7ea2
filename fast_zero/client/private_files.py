"""Files that only their owner can read, at every moment, and that are written as a whole."""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import typer

from fast_zero.client.errors import ClientError

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def folder() -> Path:
    """Return the folder of the configuration: on Linux, in $XDG_CONFIG_HOME or ~/.config."""
    given = Path(typer.get_app_dir("fast-zero"))
    # An empty or relative XDG_CONFIG_HOME is as good as none (XDG Base Directory Specification).
    return given if given.is_absolute() else Path.home() / ".config/fast-zero"


def make_folder() -> Path:
    """Create the folder of the configuration if it is missing, and close it to others."""
    made = folder()
    try:
        made.mkdir(mode=0o700, parents=True, exist_ok=True)
        if made.stat().st_mode & OTHERS:
            made.chmod(0o700)
    except OSError as error:
        raise ClientError(f"Cannot use {made}: {error.strerror}.") from None
    return made


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Write a file that takes the place of `path` if the block succeeds. Its mode is 0600."""
    try:
        number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise ClientError(f"Cannot write {path}: {error.strerror}.") from None
    try:
        with os.fdopen(number, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError as error:
        raise ClientError(f"Cannot write {path}: {error.strerror}.") from None
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()


def write(path: Path, content: str) -> None:
    with replacing(path) as file:
        file.write(content.encode())


def read(path: Path) -> str | None:
    """Return the content of a file, or None if there is no such file.

    A file that others can read or that is not ours is refused: it does not hold our secret alone.
    """
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if found.st_uid != os.geteuid():
                raise ClientError(f"{path} belongs to another account of this machine.")
            if found.st_mode & OTHERS:
                raise ClientError(
                    f"Other accounts of this machine can read {path}, or could. Delete it and log "
                    f"in again; or, if nobody did, run: chmod 600 {path}"
                )
            return file.read().decode()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ClientError(f"Cannot read {path}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ClientError(f"{path} is not a file of fast-zero. Delete it.") from None
