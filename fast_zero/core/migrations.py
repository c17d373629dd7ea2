"""Bring the database to the newest revision, one process at a time."""

import asyncio
import time
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, NullPool, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from fast_zero.core.errors import StartError

LOCK = 0x6661_7374_5F7A_6572  # any number that no other program locks: "fast_zer"
POLL_SECONDS = 0.4
LOCK_MILLISECONDS = 4000
BEHIND = "The database is not migrated yet. Run: fast-zero migrate"


def config() -> Config:
    """Find the migrations: within an installed package, or beside a checkout's."""
    package = Path(__file__).parents[1]
    inside = package / "migrations"
    scripts = inside if inside.exists() else package.parent / "migrations"
    found = Config()
    found.set_main_option("script_location", str(scripts).replace("%", "%%"))
    return found


def is_behind(revision: str | None) -> bool:
    """Tell whether a database has still to be migrated for this code.

    One that is ahead has not: while a new version is rolled out, its migrations have run and the
    old processes still work.
    """
    head, older = revisions()
    return revision is None or (revision != head and revision in older)


@cache
def revisions() -> tuple[str | None, frozenset[str]]:
    """Give the newest revision that this code knows, and all others."""
    scripts = ScriptDirectory.from_config(config())
    known = {script.revision for script in scripts.walk_revisions()}
    head = scripts.get_current_head()
    return head, frozenset(known - {head})


async def upgrade(url: URL, wait: float) -> tuple[str | None, str | None]:
    """Migrate to the head, and give the revisions before and after.

    The lock is polled and never waited for: a waiting statement is a transaction, and
    `CREATE INDEX CONCURRENTLY` in another process would wait for its end for ever.
    """
    engine = create_migration_engine(url)
    single = engine.execution_options(isolation_level="AUTOCOMMIT")
    async with single.connect() as keeper:
        await take_lock(keeper, wait)
        async with engine.connect() as connection:
            revisions = await connection.run_sync(upgrade_to_head)
            await connection.commit()
    return revisions


def create_migration_engine(url: URL) -> AsyncEngine:
    """Open connections that give up on a lock soon, since all others wait behind a waiter."""
    options = f"-c lock_timeout={LOCK_MILLISECONDS}"
    return create_async_engine(url, poolclass=NullPool, connect_args={"options": options})


async def take_lock(keeper: AsyncConnection, wait: float) -> None:
    deadline = time.monotonic() + wait
    while not await keeper.scalar(select(func.pg_try_advisory_lock(LOCK))):
        if time.monotonic() > deadline:
            raise StartError(f"Another process has been migrating for more than {wait:g} s.")
        await asyncio.sleep(POLL_SECONDS)


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
