"""Upgrades the database to the newest revision, in one process at a time."""

import time

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Engine,
    NullPool,
    create_engine,
    func,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError

from fast_zero.core.database import in_use, revisions
from fast_zero.core.errors import StartError

LOCK = 0x6661_7374_5F7A_6572  # arbitrary key, unlikely to be used by another program: "fast_zer"
POLL_SECONDS = 0.4
LOCK_MILLISECONDS = 4000


def config() -> Config:
    found = Config()
    found.set_main_option("script_location", str(revisions.folder()).replace("%", "%%"))
    return found


def upgrade(url: URL, wait: float) -> tuple[str | None, str | None]:
    """Upgrade to the head. Returns the revisions before and after.

    The lock is polled and never waited for: a waiting statement is an open transaction, and
    `CREATE INDEX CONCURRENTLY` in another process would wait for its end forever.
    """
    engine = create_migration_engine(url)
    autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")
    with autocommit.connect() as lock_connection:
        exclusive = func.pg_try_advisory_lock(LOCK)
        take_lock(lock_connection, exclusive, wait, "Another process has been migrating")
        shared = func.pg_try_advisory_lock_shared(in_use.LOCK)
        take_lock(lock_connection, shared, wait, "The restore of a backup has been running")
        with engine.connect() as connection:
            before_and_after = upgrade_to_head(connection)
            connection.commit()
    return before_and_after


def empty(url: URL) -> None:
    """Drop all tables, types and functions, with their data."""
    try:
        with create_migration_engine(url).begin() as connection:
            for statement in ("DROP SCHEMA public CASCADE", "CREATE SCHEMA public"):
                connection.execute(text(statement))
    except DBAPIError as error:
        raise StartError(f"Cannot empty the database: {error.orig}") from error


def create_migration_engine(url: URL) -> Engine:
    """Create an engine with a short lock timeout: other statements queue behind a waiting one."""
    options = f"-c lock_timeout={LOCK_MILLISECONDS}"
    arguments = {"options": options, "application_name": "fast_zero migrations"}
    return create_engine(url, poolclass=NullPool, connect_args=arguments)


def take_lock(connection: Connection, lock: ColumnElement[bool], wait: float, reason: str) -> None:
    deadline = time.monotonic() + wait
    while not connection.scalar(select(lock)):
        if time.monotonic() > deadline:
            raise StartError(f"{reason} for more than {wait:g} s.")
        time.sleep(POLL_SECONDS)


def upgrade_to_head(connection: Connection) -> tuple[str | None, str | None]:
    before = MigrationContext.configure(connection).get_current_revision()
    connection.rollback()  # each migration begins its own transaction
    settings = config()
    settings.attributes["connection"] = connection
    try:
        command.upgrade(settings, "head")
    except (CommandError, DBAPIError) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        raise StartError(f"Cannot migrate the database: {reason}") from error
    return before, ScriptDirectory.from_config(settings).get_current_head()
