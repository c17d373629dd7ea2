"""Replaces the content of a database with a backup: completely or not at all.

`pg_restore` writes the backup as SQL, which one connection executes in one transaction. `psql` is
not used: a manipulated backup could make it run programs (CVE-2025-8714).
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
from fast_zero.core.database.listener import NotDirectError, refuse_pooler
from fast_zero.core.errors import StartError
from fast_zero.operations.backup import Database, first_line

MAGIC = b"PGDMP"  # the first bytes of a dump in custom format
LOCK_SECONDS = 10
# Waits a second at most for each lock, since others queue behind it. If this process is killed or
# its machine becomes unreachable, the server notices within seconds and rolls back.
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
# Commands of `psql` alone, and a setting that servers before PostgreSQL 17 do not have.
NOT_SENT = re.compile(rb"\\(un)?restrict \w+\n|SET transaction_timeout = 0;\n")
END_OF_ROWS = b"\\.\n"
EMPTY = """
DROP SCHEMA public CASCADE;
CREATE SCHEMA public;
-- As in a new database, so that the next backup does not contain it.
ALTER SCHEMA public OWNER TO pg_database_owner;
COMMENT ON SCHEMA public IS 'standard public schema';
"""
SPARED_IDS = 1_000_000
# Ids that were assigned after the backup must not be assigned again: access tokens, which are not
# stored, contain the ids of a user and a session, and stay valid for some minutes.
SPARE_IDS = """
SELECT setval(sequence, last + %s) FROM (
    SELECT pg_get_serial_sequence('public.users', 'id') AS sequence, last_value AS last
    FROM public.users_id_seq
    UNION ALL
    SELECT pg_get_serial_sequence('public.login_sessions', 'id'), last_value
    FROM public.login_sessions_id_seq
) AS given
"""
# The ids of transactions in the log of changes are those of another cluster: clients start again.
FORGET_CHANGES = """
DO $$ BEGIN
    IF to_regclass('public.change_log') IS NOT NULL THEN
        TRUNCATE public.changes;
        UPDATE public.change_log SET epoch = gen_random_uuid(), kept_since = NULL;
    END IF;
END $$
"""
# Before PostgreSQL 16, a role with CREATEROLE can grant membership in these roles.
MAY_RUN_PROGRAMS = """
SELECT FROM pg_roles WHERE pg_has_role(session_user, oid, 'MEMBER') AND (
    rolsuper
    OR rolname IN ('pg_execute_server_program', 'pg_write_server_files', 'pg_read_server_files')
    OR rolcreaterole AND current_setting('server_version_num')::int < 160000
)
"""
# Within a transaction, `pg_stat_activity` is otherwise a snapshot of its first read.
LOOK_AGAIN = "SELECT pg_stat_clear_snapshot()"
# For sessions of other roles, most columns are hidden.
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
    """Read the revision of a backup; refuse other files, and revisions newer than this release."""
    try:
        with file.open("rb") as opened:
            begins = opened.read(len(MAGIC))
    except OSError as error:
        raise StartError(f"Cannot read {file}: {error.strerror}.") from None
    if begins != MAGIC:
        raise StartError(f"{file} was not written by `fast-zero backup`.")
    done = database.run("pg_restore", "--data-only", "--table=alembic_version", "--file=-", file)
    found = re.search(r"FROM stdin;\n(\w+)\n", done.stdout.decode())
    if done.returncode or found is None:
        raise StartError(f"{file} is damaged: {first_line(done.stderr.decode())}")
    head, older = revisions.known()
    if found[1] not in older | {head}:
        raise StartError(
            f"{file} has the revision {found[1]}, which is newer than {head}, the newest of this "
            "release. Restore it with the release that wrote it, or a newer one."
        )
    return found[1]


def refuse_powerful_role(database: Database) -> None:
    """Refuse to run a backup's SQL as a role that can run programs on the database server."""
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
    """Replace everything in the database, or change nothing.

    If others use the database, it is refused; `force` disconnects them.
    """
    with database.connect() as connection:
        try:
            answering = connection.execute("SELECT pg_backend_pid()").fetchone()
            refuse_pooler(connection.info.backend_pid, answering)
            connection.execute(SETTINGS)
            with connection.transaction():
                empty(connection, force=force)
                replay(connection, database, file)
                connection.execute(SPARE_IDS, [SPARED_IDS])
                connection.execute(FORGET_CHANGES)
        except NotDirectError as error:
            raise StartError(f"Nothing was changed: {error}.") from None
        except psycopg.Error as error:
            raise StartError(
                f"The restore failed: {first_line(str(error))}. Nothing was changed."
            ) from None


def empty(connection: psycopg.Connection, *, force: bool) -> None:
    """Delete all tables once nobody else uses them. They stay locked until the transaction ends."""
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        if force:
            disconnect(connection)
        try:
            with connection.transaction():  # a savepoint: its rollback releases the locks
                take_lock(connection, force=force)
                connection.execute(EMPTY)
            break
        except (LockNotAvailable, DeadlockDetected):
            if time.monotonic() > deadline:
                raise database_in_use(sessions(connection, OTHERS), force=force) from None
    if force:
        disconnect(connection)  # those that reconnected before the tables were locked
    elif ours := sessions(connection, OURS):
        # A process that is reconnecting does not hold the lock, but may have written.
        raise database_in_use(ours, force=force)


def take_lock(connection: psycopg.Connection, *, force: bool) -> None:
    """Take the lock that all processes share, until the transaction ends."""
    if force:
        # While this waits, nobody else can acquire the shared lock.
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [in_use.LOCK])
        return
    taken = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", [in_use.LOCK]).fetchone()
    if taken != (True,):
        raise database_in_use(sessions(connection, HOLDERS), force=force)


def disconnect(connection: psycopg.Connection) -> None:
    connection.execute(LOOK_AGAIN)
    connection.execute(DISCONNECT)


def sessions(connection: psycopg.Connection, which: str) -> list[str]:
    """Describe the connected sessions; `which` is one of the conditions above."""
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
    """Execute the SQL of a backup; refuse a backup that is incomplete."""
    with TemporaryFile() as errors:
        reader = subprocess.Popen(
            [database.programs / "pg_restore", "--no-owner", "--no-privileges", "--file=-", file],
            env=os.environ | {"LC_ALL": "C"},
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        with reader:
            send(connection, cast("IO[bytes]", reader.stdout))  # a pipe
        if reader.returncode:
            errors.seek(0)
            reason = first_line(errors.read().decode(errors="replace"))
            raise StartError(f"The backup is damaged: {reason}. Nothing was changed.")


def send(connection: psycopg.Connection, script: IO[bytes]) -> None:
    """Execute the output of `pg_restore`: statements, and the rows after each `COPY`."""
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
