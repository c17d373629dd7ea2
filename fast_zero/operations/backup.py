"""Backups, made by PostgreSQL's own programs."""

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
    """A database as PostgreSQL's programs are told of it, and where these are."""

    url: URL
    programs: Path

    def run(
        self, program: str, *words: str | Path, output: int | IO[bytes] = subprocess.PIPE
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a program to its end, or until this one is told to end."""
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
        """Give the address without the password, which a list of processes would show."""
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
            raise StartError(f"The database was not reached: {first_line(str(error))}") from None


def reached(settings: Settings, folder: Path | None, *, is_embedded: bool) -> Database:
    """Find programs that are as new as the server, or say which are needed."""
    url = settings.direct_address()
    if folder is None and is_embedded:
        return Database(url, programs.find())
    places = [folder] if folder else installed()
    with Database(url, Path()).connect() as connection:
        needed = connection.info.server_version // 10_000
    for place in places:
        if (version_of(place) or 0) >= needed:
            return Database(url, place)
    where = f"in {folder}" if folder else "on the path or in /usr/lib/postgresql"
    raise StartError(
        f"The server is PostgreSQL {needed}, and there is no pg_dump of {needed} or later {where}. "
        f"Install it (Debian: postgresql-client-{needed}), or name its folder with --programs."
    )


def installed() -> list[Path]:
    """List the folders that have PostgreSQL's programs, the newest first."""
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
    """Write a dump, whole or not at all, for its owner's eyes only; give its size in bytes.

    Others may be able to write to the folder. So the name of the part that is written first cannot
    be guessed, it is opened once, and it is renamed only if it is still the file that was opened.
    """
    if os.path.lexists(file) and not force:
        raise StartError(f"{file} exists. Choose another name, or replace it with --force.")
    part = file.with_name(f".fast_zero-{secrets.token_hex(8)}.part")
    try:
        with os.fdopen(os.open(part, NEW_FILE, 0o600), "wb") as output:
            done = database.run(
                *("pg_dump", "--format=custom", "--no-owner", "--no-privileges"),
                # By its name, since `pg_dump` otherwise only appends, and cannot go back to note
                # where each table's rows begin.
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
        with suppress(OSError):  # where nothing can be written there is nothing to take away
            part.unlink(missing_ok=True)


def refuse_another_file(part: Path, written: os.stat_result) -> None:
    """Refuse what somebody else has put in place of the file that was written, or owns."""
    if not os.path.samestat(part.lstat(), written) or written.st_uid != os.geteuid():
        raise StartError(
            f"The file that was written in {part.parent} was replaced, or belongs to another "
            "account. Choose a folder that only you can write to."
        )


def first_line(text: str) -> str:
    """Give the reason that a program or the server named, without what a terminal would obey."""
    lines: Sequence[str] = text.strip().splitlines() or ["no reason was given"]
    reason = re.sub(r"^(pg_\w+): (error: )?", "", lines[0])
    return "".join(filter(str.isprintable, reason))
