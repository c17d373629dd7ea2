"""Backups and their restoration, made by PostgreSQL's own programs."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple

import psycopg
from sqlalchemy import URL

from fast_zero.core import embedded, revisions
from fast_zero.core.database import CONNECT_SECONDS, conninfo
from fast_zero.core.errors import StartError
from fast_zero.core.settings import Settings

DEBIAN = "usr/lib/postgresql/*/bin"
MAGIC = b"PGDMP"  # how a dump in custom format begins
LOCK_SECONDS = 10
SPARED_IDS = 1_000_000
# What was given out since the backup was made must not be given out again: an access token, which
# no table knows, names a user and a session, and lives on for some minutes.
SPARE_IDS = f"""
SET search_path = public;
SELECT setval(sequence, last + {SPARED_IDS}) FROM (
    SELECT pg_get_serial_sequence('users', 'id') AS sequence, last_value AS last FROM users_id_seq
    UNION ALL
    SELECT pg_get_serial_sequence('login_sessions', 'id'), last_value FROM login_sessions_id_seq
) AS given;
"""  # noqa: S608  # a number of our own
BEGIN = f"""
SET lock_timeout = '{LOCK_SECONDS}s';
DROP SCHEMA public CASCADE;
CREATE SCHEMA public;
-- As it is in a database that is new, so that the next backup does not speak of it.
ALTER SCHEMA public OWNER TO pg_database_owner;
COMMENT ON SCHEMA public IS 'standard public schema';
"""


class Database(NamedTuple):
    """A database as PostgreSQL's programs are told of it, and where these are."""

    url: URL
    programs: Path

    def start(self, program: str, *words: str | Path, **streams: Any) -> subprocess.Popen[bytes]:  # noqa: ANN401  # Popen's
        variables = {"PGCONNECT_TIMEOUT": str(CONNECT_SECONDS), "LC_ALL": "C"}
        if self.url.password:
            variables["PGPASSWORD"] = str(self.url.password)
        return subprocess.Popen(
            [self.programs / program, *words], env=os.environ | variables, **streams
        )

    def run(self, program: str, *words: str | Path) -> tuple[int, str, str]:
        """Run a program to its end; give its status and what it wrote."""
        with self.start(program, *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            output, errors = process.communicate()
        return process.returncode, output.decode(), errors.decode()

    def address(self) -> str:
        """Give the address without the password, which a list of processes would show."""
        return conninfo(self.url._replace(password=None))

    def ask(self, statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(conninfo(self.url), connect_timeout=CONNECT_SECONDS) as connection:
            return connection.execute(statement.encode()).fetchall()


def reached(settings: Settings, folder: Path | None, *, is_embedded: bool) -> Database:
    """Find programs that are as new as the server, or say which are needed."""
    url = settings.direct_address()
    if folder is None and is_embedded:
        return Database(url, embedded.find_programs())
    places = [folder] if folder else installed()
    try:
        [(server,)] = Database(url, Path()).ask("SELECT current_setting('server_version_num')")
    except psycopg.OperationalError as error:
        raise StartError(f"The database was not reached: {first_line(str(error))}") from None
    needed = int(str(server)) // 10_000
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
    """Write a dump, whole or not at all, for its owner's eyes only; give its size in bytes."""
    if file.exists() and not force:
        raise StartError(f"{file} exists. Choose another name, or replace it with --force.")
    part = file.with_name(f".{file.name}.part")
    try:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        status, _, errors = database.run(
            *("pg_dump", "--format=custom", "--no-owner", "--no-privileges"),
            *(f"--file={part}", f"--dbname={database.address()}"),
        )
        if status:
            raise StartError(f"The backup failed: {first_line(errors)}")
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.rename(file)
    except OSError as error:
        raise StartError(f"Cannot write {file}: {error.strerror}.") from None
    finally:
        with suppress(OSError):  # where nothing can be written there is nothing to take away
            part.unlink(missing_ok=True)
    return file.stat().st_size


def revision_in(database: Database, file: Path) -> str:
    """Read how far the backup is migrated; refuse what is no backup, or is newer than this code."""
    try:
        with file.open("rb") as opened:
            begins = opened.read(len(MAGIC))
    except OSError as error:
        raise StartError(f"Cannot read {file}: {error.strerror}.") from None
    if begins != MAGIC:
        raise StartError(f"{file} is no backup that `fast-zero backup` made.")
    status, output, errors = database.run(
        "pg_restore", "--data-only", "--table=alembic_version", "--file=-", file
    )
    found = re.search(r"FROM stdin;\n(\w+)\n", output)
    if status or found is None:
        raise StartError(f"{file} is damaged: {first_line(errors)}")
    head, older = revisions.known()
    if found[1] not in older | {head}:
        raise StartError(
            f"{file} has the revision {found[1]}, and this release knows none after {head}. "
            "Restore it with the release that made it, or a newer one."
        )
    return found[1]


def holds_tables(database: Database) -> bool:
    tables = database.ask("SELECT FROM pg_tables WHERE schemaname = 'public' LIMIT 1")
    return bool(tables)


def restore(database: Database, file: Path) -> None:
    """Put the backup in place of all that is there, in one transaction: all of it or nothing."""
    with TemporaryFile("w+") as reading, TemporaryFile("w+") as writing:
        reader = database.start(
            *("pg_restore", "--no-owner", "--no-privileges", "--file=-", file),
            stdout=subprocess.PIPE,
            stderr=reading,
        )
        writer = database.start(
            *("psql", "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"),
            f"--dbname={database.address()}",
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=writing,
        )
        with reader, writer, suppress(BrokenPipeError):  # psql gives up at the first error
            hand_over(reader, writer)
        if writer.returncode or reader.returncode:
            raise StartError(f"{complaint(reading, writing)} Nothing was changed.")


def hand_over(reader: subprocess.Popen[bytes], writer: subprocess.Popen[bytes]) -> None:
    """Let one program write what the other reads; what is not whole is not committed."""
    if reader.stdout is None or writer.stdin is None:
        return
    writer.stdin.write(BEGIN.encode())
    shutil.copyfileobj(reader.stdout, writer.stdin)
    if reader.wait():
        writer.kill()
        return
    writer.stdin.write(SPARE_IDS.encode())


def complaint(reading: IO[str], writing: IO[str]) -> str:
    for output, sentence in (
        (writing, "The restoration failed: {}."),
        (reading, "The backup is damaged: {}."),
    ):
        output.seek(0)
        if told := output.read():
            reason = first_line(told)
            if "lock timeout" in told:
                reason = "somebody works with the database; stop the servers and workers first"
            return sentence.format(reason)
    return "The restoration was cut off."


def first_line(text: str) -> str:
    lines: Sequence[str] = text.strip().splitlines() or ["no reason was given"]
    return re.sub(r"^(pg_\w+|psql): (error: )?", "", lines[0])
