"""The session of a request: SQLAlchemy's, and prepared statements beside it."""

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
"""A row of a prepared statement, by the names of its columns."""

GIVEN_UP = (postgres.DeadlockDetected, postgres.SerializationFailure)
PAUSES = (0.05, 0.1, 0.2)  # seconds, at most


class Session(AsyncSession):
    """Takes a connection with its first statement, and holds none before.

    A service of several statements begins with `await session.begin()`. Without it a prepared
    statement is committed by itself, on a connection of the pool.
    """

    async def fetch_all(self, prepared: Prepared, values: Mapping[str, Any]) -> list[PreparedRow]:
        """Send a prepared statement: within the transaction if one is open, or by itself."""
        if self.in_transaction():
            result = await self.execute(prepared.statement, values)
            return [dict(row) for row in result.mappings()]
        try:
            async with self.info["pool"].connection() as connection:
                cursor = connection.cursor(row_factory=dict_row)
                with observed(prepared.text):
                    await cursor.execute(prepared.query, values)
                    rows: list[PreparedRow] = await cursor.fetchall()
                    return rows
        except psycopg.Error as error:
            if translated := translate(error):
                raise translated from error
            raise

    async def fetch_one(self, prepared: Prepared, values: Mapping[str, Any]) -> PreparedRow | None:
        """Send a prepared statement that gives one row at most."""
        rows = await self.fetch_all(prepared, values)
        return rows[0] if rows else None


Sessions = async_sessionmaker[Session]


@asynccontextmanager
async def transaction(sessions: Callable[[], Session]) -> AsyncIterator[Session]:
    """Open a session whose work the end of the block commits, and an error in it rolls back."""
    session = sessions()
    try:
        yield session
        if session.in_transaction():
            await session.commit()
    finally:
        if session.in_transaction():
            # Shielded, as AsyncSession's own end is: who is cancelled gives the connection back.
            await asyncio.shield(session.close())


async def run_again(session: Session, operation: Callable[[], Awaitable[T]]) -> T:
    """Run a whole transaction, and again up to three times where PostgreSQL has cancelled it.

    Nothing of one that was chosen as the victim of a deadlock, or could not be serialized, was
    done. The pause grows, and differs, so that the same two do not meet again.
    """
    for pause in PAUSES:
        try:
            return await operation()
        except Unavailable as error:
            if not isinstance(error.__cause__, GIVEN_UP):
                raise
        await session.rollback()
        await asyncio.sleep(random.uniform(0, pause))  # noqa: S311  # no secret
    return await operation()
