"""One connection of its own that hears what other processes notify (`LISTEN`).

It goes to the database directly: through a pooler in transaction mode `LISTEN` is accepted and
hears nothing. While it lives it shares the lock that says that the database is in use.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import psycopg
from sqlalchemy import URL

from fast_zero.core.database import CONNECT_SECONDS, conninfo, in_use

logger = logging.getLogger(__name__)

# A connection that died without a word is found out within the sum of the two, a second.
PING_SECONDS = 0.25
ANSWER_SECONDS = 0.75
RETRY_SECONDS = 0.5
BEGIN_SECONDS = 30
AGAIN_SECONDS = 600


class NotDirectError(Exception):
    """What answers is no PostgreSQL server but something in front of it."""


@asynccontextmanager
async def listening(
    url: URL,
    channel: str,
    *,
    begin: Callable[[psycopg.AsyncConnection], Awaitable[None]],
    hear: Callable[[str], None],
    end: Callable[[], None],
) -> AsyncIterator[None]:
    """Hear a channel in the background, connecting again for as long as the block lasts.

    `begin` runs when the channel is open, before anything is heard: there is the time to read
    what was missed. It runs again every ten minutes, and what is notified meanwhile waits, so it
    has to be short. `hear` takes each payload. `end` says that from now on things may be missed.
    """
    loop = asyncio.get_running_loop()
    failures = 0

    async def listen() -> None:
        nonlocal failures
        async with await connect(url) as connection:
            await connection.execute(f"LISTEN {channel}")
            due = loop.time()
            while True:
                if loop.time() >= due:
                    async with asyncio.timeout(BEGIN_SECONDS):
                        await begin(connection)
                    failures = 0
                    due = loop.time() + AGAIN_SECONDS
                async for notification in connection.notifies(timeout=PING_SECONDS):
                    hear(notification.payload)
                async with asyncio.timeout(ANSWER_SECONDS):
                    await connection.execute("SELECT 1")

    async def keep_listening() -> None:
        nonlocal failures
        while True:
            try:
                await listen()
            except Exception as error:  # noqa: BLE001  # nothing may end this but a cancellation
                # One line for an outage, however long it lasts.
                level = logging.DEBUG if failures else logging.WARNING
                logger.log(level, "not listening to %s: %s", channel, str(error) or repr(error))
                failures += 1
            finally:
                end()
            await asyncio.sleep(RETRY_SECONDS)

    task = asyncio.create_task(keep_listening(), name=f"listen to {channel}")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def connect(url: URL) -> psycopg.AsyncConnection:
    connection = await psycopg.AsyncConnection.connect(
        conninfo(url),
        autocommit=True,
        connect_timeout=CONNECT_SECONDS,
        application_name="fast_zero listener",
    )
    try:
        refuse_a_pooler(
            connection.info.backend_pid,
            await (await connection.execute("SELECT pg_backend_pid()")).fetchone(),
        )
        await in_use.hold(connection)
    except BaseException:
        await connection.close()
        raise
    return connection


def refuse_a_pooler(promised: int, answering: tuple[int] | None) -> None:
    """Tell a pooler by the process number that it makes up when one connects."""
    if answering != (promised,):
        raise NotDirectError(
            "this leads to a pooler, through which nothing is heard; set DATABASE_DIRECT_URL"
        )
