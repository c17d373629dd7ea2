"""Backups, written by `pg_dump`."""

import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

import psycopg
from sqlalchemy import URL

from fast_zero.core.database import CONNECT_SECONDS, conninfo
from fast_zero.core.database.embedded import programs
from fast_zero.core.errors import StartError
from fast_zero.core.settings import Settings

DEBIAN = "usr/lib/postgresql/*/bin"
APPLICATION_NAME = "fast-zero backup or restore"
NEW_FILE = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_WRONLY


class Database(NamedTuple):
    """A database, and the directory of PostgreSQL's client programs."""

    url: URL
    programs: Path

    def run(
        self, program: str, *words: str | Path, output: int | IO[bytes] = subprocess.PIPE
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a client program to its end."""
        variables = {"PGCONNECT_TIMEOUT": str(CONNECT_SECONDS), "LC_ALL": "C"}
        if self.url.password:
            variables["PGPASSWORD"] = str(self.url.password)
        return subprocess.run(
            [self.programs / program, *words],
            env=os.environ | variables,
            stdout=output,
            stderr=subprocess.PIPE,
            check=False,
        )

    def address(self) -> str:
        """Return the connection string without the password, which a process list would show."""
        return conninfo(self.url._replace(password=None))

    def connect(self) -> psycopg.Connection:
        try:
            return psycopg.connect(
                conninfo(self.url),
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
                application_name=APPLICATION_NAME,
            )
        except psycopg.OperationalError as error:
            raise StartError(f"Cannot connect to the database: {first_line(str(error))}") from None


def find_client_programs(settings: Settings, folder: Path | None, *, is_embedded: bool) -> Database:
    """Find client programs as new as the server, or raise an error that says which are needed."""
    url = settings.direct_address()
    if folder is None and is_embedded:
        return Database(url, programs.find())
    places = [folder] if folder else program_directories()
    with Database(url, Path()).connect() as connection:
        needed = connection.info.server_version // 10_000
    for place in places:
        if (version_of(place) or 0) >= needed:
            return Database(url, place)
    where = f"in {folder}" if folder else "on the path or in /usr/lib/postgresql"
    raise StartError(
        f"The server is PostgreSQL {needed}, and there is no pg_dump of {needed} or later {where}. "
        f"Install it (Debian: postgresql-client-{needed}), or pass its directory with --programs."
    )


def program_directories() -> list[Path]:
    """List the directories with PostgreSQL's client programs, newest version first."""
    on_path = shutil.which("pg_dump")
    found = [*Path("/").glob(DEBIAN), *([Path(on_path).parent] if on_path else [])]
    return sorted(found, key=lambda folder: version_of(folder) or 0, reverse=True)


def version_of(folder: Path) -> int | None:
    try:
        done = subprocess.run(
            [folder / "pg_dump", "--version"], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    found = re.search(r"(\d+)", done.stdout)
    return int(found[1]) if found else None


def back_up(database: Database, file: Path, *, force: bool) -> int:
    """Write a dump, completely or not at all, readable only by its owner; return its size in bytes.

    Other users may be able to write to the directory. So the temporary file has a name that cannot
    be guessed, it is opened once, and it is renamed only if it is still the file that was opened.
    """
    if os.path.lexists(file) and not force:
        raise StartError(f"{file} exists. Choose another name, or replace it with --force.")
    part = file.with_name(f".fast_zero-{secrets.token_hex(8)}.part")
    try:
        with os.fdopen(os.open(part, NEW_FILE, 0o600), "wb") as output:
            done = database.run(
                *("pg_dump", "--format=custom", "--no-owner", "--no-privileges"),
                "--exclude-table-data=public.changes*",  # a restore empties the log of changes
                # As a named file: pg_dump cannot seek in standard output, so it could not write
                # the offsets of the tables' rows.
                *("--file=/dev/stdout", f"--dbname={database.address()}"),
                output=output,
            )
            if done.returncode:
                raise StartError(f"The backup failed: {first_line(done.stderr.decode())}")
            os.fsync(output.fileno())
            refuse_another_file(part, os.fstat(output.fileno()))
            part.rename(file)
            return os.fstat(output.fileno()).st_size
    except OSError as error:
        raise StartError(f"Cannot write {file}: {error.strerror}.") from None
    finally:
        with suppress(OSError):  # if nothing can be written, there is nothing to delete
            part.unlink(missing_ok=True)


def refuse_another_file(part: Path, written: os.stat_result) -> None:
    """Refuse a temporary file that was replaced, or belongs to another user."""
    if not os.path.samestat(part.lstat(), written) or written.st_uid != os.geteuid():
        raise StartError(
            f"The file that was written in {part.parent} was replaced, or belongs to another "
            "account. Choose a folder that only you can write to."
        )


def first_line(text: str) -> str:
    """Return the first line of an error message, without control characters."""
    lines: Sequence[str] = text.strip().splitlines() or ["no reason was given"]
    reason = re.sub(r"^(pg_\w+): (error: )?", "", lines[0])
    return "".join(filter(str.isprintable, reason))
