"""The session of a request: SQLAlchemy's `AsyncSession` with support for prepared statements."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import psycopg
from psycopg import errors as postgres
from psycopg.rows import dict_row
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from fast_zero.core.database.errors import translate
from fast_zero.core.database.observing import observed
from fast_zero.core.database.prepared import Prepared
from fast_zero.core.errors import Unavailable

T = TypeVar("T")

PreparedRow = dict[str, Any]
"""A row of a prepared statement: a dictionary from column names to values."""

RETRYABLE = (postgres.DeadlockDetected, postgres.SerializationFailure)
RETRY_DELAYS = (0.05, 0.1, 0.2)  # seconds, each an upper bound


class Session(AsyncSession):
    """A session that checks out a connection only for its first statement.

    A service with several statements starts with `await session.begin()`. Without it, a prepared
    statement is committed on its own, on a connection of the pool.
    """

    async def fetch_all(self, prepared: Prepared, values: Mapping[str, Any]) -> list[PreparedRow]:
        """Execute a prepared statement: in the open transaction, or else in autocommit mode."""
        if self.in_transaction():
            result = await self.execute(prepared.statement, values)
            return [dict(row) for row in result.mappings()]
        try:
            async with self.info["pool"].connection() as connection:
                cursor = connection.cursor(row_factory=dict_row)
                with observed(prepared.text):
                    await cursor.execute(prepared.query, prepared.complete(values))
                    rows: list[PreparedRow] = await cursor.fetchall()
                    return rows
        except psycopg.Error as error:
            if translated := translate(error):
                raise translated from error
            raise

    async def fetch_one(self, prepared: Prepared, values: Mapping[str, Any]) -> PreparedRow | None:
        """Execute a prepared statement that returns at most one row."""
        rows = await self.fetch_all(prepared, values)
        return rows[0] if rows else None


Sessions = async_sessionmaker[Session]


@asynccontextmanager
async def transaction(sessions: Callable[[], Session]) -> AsyncIterator[Session]:
    """Open a session that is committed at the end of the block and rolled back on an error."""
    session = sessions()
    try:
        yield session
        if session.in_transaction():
            await session.commit()
    finally:
        if session.in_transaction():
            # Shielded, as in AsyncSession, so that a cancelled request also returns its connection.
            await asyncio.shield(session.close())


async def retry_transaction(session: Session, operation: Callable[[], Awaitable[T]]) -> T:
    """Run a transaction, and retry it up to three times if PostgreSQL has cancelled it.

    A transaction that is cancelled because of a deadlock or a serialization failure has no effect.
    The delay grows and is random, so that the same two transactions do not collide again.
    """
    for delay in RETRY_DELAYS:
        try:
            return await operation()
        except Unavailable as error:
            if not isinstance(error.__cause__, RETRYABLE):
                raise
        await session.rollback()
        await asyncio.sleep(random.uniform(0, delay))  # noqa: S311  # no secret
    return await operation()
