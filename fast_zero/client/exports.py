"""Writes an export to a file or to standard output, as it arrives."""

import os
import sys
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import httpx2

from fast_zero.client import private_files
from fast_zero.client.api import Api
from fast_zero.client.errors import ClientError, UnreachableError

PATHS = {
    "json": "/users/me/export",
    "csv": "/users/me/export/todos.csv",
    "icalendar": "/users/me/export/todos.ics",
}
ENDINGS = {".csv": "csv", ".ics": "icalendar"}


def format_of(file: Path | None) -> str:
    return ENDINGS.get(file.suffix.lower(), "json") if file else "json"


def export(api: Api, form: str, file: Path | None, *, force: bool) -> int:
    """Write an export, and return its size. A file appears when it is complete."""
    if file is None:
        return write_to_standard_output(api, form)
    if file.exists() and not file.is_file():  # a device must not be replaced by a file
        raise ClientError(
            f"{file} is not a file. To write to a device or a pipe: export - > {file}"
        )
    if file.exists() and not force:
        raise ClientError(f"{file} exists. To replace it: --force")
    with private_files.replacing(file) as target:
        return download(api, form, target)


def write_to_standard_output(api: Api, form: str) -> int:
    try:
        size = download(api, form, sys.stdout.buffer)
        sys.stdout.flush()
    except OSError as error:
        # Python flushes the rest when it exits, and would report the same again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # its reader has seen enough
            return 0
        raise ClientError(f"Cannot write the export: {error.strerror}.") from None
    return size


def download(api: Api, form: str, target: BinaryIO) -> int:
    size = 0
    try:
        with closing(api.send("GET", PATHS[form], stream=True)) as response:
            for part in response.iter_bytes():
                target.write(part)
                size += len(part)
    except httpx2.HTTPError as error:
        raise UnreachableError(f"The export broke off: {api.reason(error)}") from None
    return size
