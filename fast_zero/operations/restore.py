"""A backup in place of all that is in a database: all of it or nothing.

`pg_restore` writes the backup as SQL, and one connection of ours sends that in one transaction. It
does not go through `psql`, which would run programs that a crafted backup names (CVE-2025-8714).
"""

import os
import re
import subprocess
import time
from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, cast

import psycopg
from psycopg.errors import DeadlockDetected, LockNotAvailable

from fast_zero.core.database import in_use, revisions
from fast_zero.core.database.listener import NotDirectError, refuse_a_pooler
from fast_zero.core.errors import StartError
from fast_zero.operations.backup import Database, first_line

MAGIC = b"PGDMP"  # how a dump in custom format begins
LOCK_SECONDS = 10
# One lock is waited for a second at most, since all others wait behind a waiter. Where this process
# was killed or its machine has vanished, the server notices within seconds and rolls back.
SETTINGS = """
SET lock_timeout = '1s';
SET statement_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_connection_check_interval = '1s';
SET tcp_keepalives_idle = 10;
SET tcp_keepalives_interval = 5;
SET tcp_keepalives_count = 2;
SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'transaction_timeout';
"""
# What only `psql` takes, and what servers before PostgreSQL 17 do not know.
NOT_SENT = re.compile(rb"\\(un)?restrict \w+\n|SET transaction_timeout = 0;\n")
END_OF_ROWS = b"\\.\n"
EMPTY = """
DROP SCHEMA public CASCADE;
CREATE SCHEMA public;
-- As it is in a database that is new, so that the next backup does not speak of it.
ALTER SCHEMA public OWNER TO pg_database_owner;
COMMENT ON SCHEMA public IS 'standard public schema';
"""
SPARED_IDS = 1_000_000
# What was given out since the backup was made must not be given out again: an access token, which
# no table knows, names a user and a session, and lives on for some minutes.
SPARE_IDS = """
SELECT setval(sequence, last + %s) FROM (
    SELECT pg_get_serial_sequence('public.users', 'id') AS sequence, last_value AS last
    FROM public.users_id_seq
    UNION ALL
    SELECT pg_get_serial_sequence('public.login_sessions', 'id'), last_value
    FROM public.login_sessions_id_seq
) AS given
"""
# Before PostgreSQL 16 who may create roles may also make them members of these.
MAY_RUN_PROGRAMS = """
SELECT FROM pg_roles WHERE pg_has_role(session_user, oid, 'MEMBER') AND (
    rolsuper
    OR rolname IN ('pg_execute_server_program', 'pg_write_server_files', 'pg_read_server_files')
    OR rolcreaterole AND current_setting('server_version_num')::int < 160000
)
"""
# Within a transaction `pg_stat_activity` otherwise stays as it was first seen.
LOOK_AGAIN = "SELECT pg_stat_clear_snapshot()"
# Of sessions of other roles little more than the number is shown.
OTHERS = """
FROM pg_stat_activity AS session
WHERE datname = current_database() AND pid <> pg_backend_pid() AND usesysid IS NOT NULL
"""
HOLDERS = f"""
{OTHERS} AND EXISTS (
    SELECT FROM pg_locks WHERE pid = session.pid AND locktype = 'advisory' AND objsubid = 1
    AND classid = {in_use.LOCK >> 32} AND objid = {in_use.LOCK & 0xFFFF_FFFF}
)
"""
OURS = f"{OTHERS} AND starts_with(application_name, 'fast_zero')"
DISCONNECT = f"SELECT pg_terminate_backend(pid) {OTHERS} AND pg_has_role(usesysid, 'USAGE')"
DESCRIBE = """
SELECT format('%s (%s)', coalesce(nullif(application_name, ''), 'without a name'), concat_ws(', ',
    coalesce(host(client_addr), CASE WHEN backend_start IS NOT NULL THEN 'local' END),
    'process ' || pid,
    'since ' || to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')))
"""


def revision_in(database: Database, file: Path) -> str:
    """Read how far the backup is migrated; refuse what is no backup, or is newer than this code."""
    try:
        with file.open("rb") as opened:
            begins = opened.read(len(MAGIC))
    except OSError as error:
        raise StartError(f"Cannot read {file}: {error.strerror}.") from None
    if begins != MAGIC:
        raise StartError(f"{file} is no backup that `fast-zero backup` made.")
    done = database.run("pg_restore", "--data-only", "--table=alembic_version", "--file=-", file)
    found = re.search(r"FROM stdin;\n(\w+)\n", done.stdout.decode())
    if done.returncode or found is None:
        raise StartError(f"{file} is damaged: {first_line(done.stderr.decode())}")
    head, older = revisions.known()
    if found[1] not in older | {head}:
        raise StartError(
            f"{file} has the revision {found[1]}, and this release knows none after {head}. "
            "Restore it with the release that made it, or a newer one."
        )
    return found[1]


def refuse_powerful_role(database: Database) -> None:
    """Refuse to run a backup's SQL as a role that may run programs on the database's server."""
    with database.connect() as connection:
        if connection.execute(MAY_RUN_PROGRAMS).fetchone() is not None:
            raise StartError(
                f"The role {connection.info.user} may run programs and read files on the "
                "database's server, and so could the backup. Restore as a role that owns the "
                "database and is no superuser, or trust the file with --allow-server-programs."
            )


def holds_tables(database: Database) -> bool:
    with database.connect() as connection:
        found = connection.execute("SELECT FROM pg_tables WHERE schemaname = 'public' LIMIT 1")
        return found.fetchone() is not None


def restore(database: Database, file: Path, *, force: bool) -> None:
    """Replace all that is in the database, or change nothing.

    While others use the database it is refused, unless `force` says to disconnect them.
    """
    with database.connect() as connection:
        try:
            answering = connection.execute("SELECT pg_backend_pid()").fetchone()
            refuse_a_pooler(connection.info.backend_pid, answering)
            connection.execute(SETTINGS)
            with connection.transaction():
                empty(connection, force=force)
                replay(connection, database, file)
                connection.execute(SPARE_IDS, [SPARED_IDS])
        except NotDirectError as error:
            raise StartError(f"Nothing was changed: {error}.") from None
        except psycopg.Error as error:
            raise StartError(
                f"The restoration failed: {first_line(str(error))}. Nothing was changed."
            ) from None


def empty(connection: psycopg.Connection, *, force: bool) -> None:
    """Delete all tables once nobody else uses them; until the end they are locked."""
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        if force:
            disconnect(connection)
        try:
            with connection.transaction():  # a savepoint: what fails lets go of its locks
                take_lock(connection, force=force)
                connection.execute(EMPTY)
            break
        except (LockNotAvailable, DeadlockDetected):
            if time.monotonic() > deadline:
                raise database_in_use(sessions(connection, OTHERS), force=force) from None
    if force:
        disconnect(connection)  # those that came back before their tables were locked
    elif ours := sessions(connection, OURS):
        # A process that is connecting again shares no lock at the moment, but may have written.
        raise database_in_use(ours, force=force)


def take_lock(connection: psycopg.Connection, *, force: bool) -> None:
    """Take the lock that all processes share, for as long as the transaction lasts."""
    if force:
        # While it is waited for nobody gets a new share.
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [in_use.LOCK])
        return
    taken = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", [in_use.LOCK]).fetchone()
    if taken != (True,):
        raise database_in_use(sessions(connection, HOLDERS), force=force)


def disconnect(connection: psycopg.Connection) -> None:
    connection.execute(LOOK_AGAIN)
    connection.execute(DISCONNECT)


def sessions(connection: psycopg.Connection, which: str) -> list[str]:
    """Say who is connected; `which` is one of the conditions above."""
    connection.execute(LOOK_AGAIN)
    found = connection.execute(f"{DESCRIBE} {which} ORDER BY backend_start")
    return [session for (session,) in found]


def database_in_use(who: Iterable[str], *, force: bool) -> StartError:
    advice = (
        "These could not be disconnected:"
        if force
        else "Stop these servers and workers, or disconnect them with --force:"
    )
    return StartError("\n  ".join([f"The database is in use. Nothing was changed. {advice}", *who]))


def replay(connection: psycopg.Connection, database: Database, file: Path) -> None:
    """Send all that the backup holds; what is not whole is refused."""
    with TemporaryFile() as complaints:
        reader = subprocess.Popen(
            [database.programs / "pg_restore", "--no-owner", "--no-privileges", "--file=-", file],
            env=os.environ | {"LC_ALL": "C"},
            stdout=subprocess.PIPE,
            stderr=complaints,
        )
        with reader:
            send(connection, cast("IO[bytes]", reader.stdout))  # a pipe
        if reader.returncode:
            complaints.seek(0)
            reason = first_line(complaints.read().decode(errors="replace"))
            raise StartError(f"The backup is damaged: {reason}. Nothing was changed.")


def send(connection: psycopg.Connection, script: IO[bytes]) -> None:
    """Send what `pg_restore` wrote: statements, and a table's rows after each `COPY`."""
    statements = bytearray()
    for line in script:
        if line.startswith(b"COPY ") and line.endswith(b" FROM stdin;\n"):
            connection.execute(bytes(statements))
            statements.clear()
            with connection.cursor().copy(line) as copy:
                for row in takewhile(lambda row: row != END_OF_ROWS, script):
                    copy.write(row)
        elif not NOT_SENT.fullmatch(line):
            statements += line
    connection.execute(bytes(statements))
