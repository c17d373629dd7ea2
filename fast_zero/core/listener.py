"""One connection of its own that hears what other processes notify (`LISTEN`).

It goes to the database directly: through a pooler in transaction mode `LISTEN` is accepted and
hears nothing.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import psycopg
from sqlalchemy import URL

logger = logging.getLogger(__name__)

PING_SECONDS = 0.5  # a connection that died without a word is found out this soon
RETRY_SECONDS = 0.5
CONNECT_SECONDS = 5


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
    what was missed. `hear` takes each payload. `end` says that from now on things may be missed.
    """

    async def listen() -> None:
        async with await connect(url) as connection:
            await connection.execute(f"LISTEN {channel}")
            await begin(connection)
            while True:
                async for notification in connection.notifies(timeout=PING_SECONDS):
                    hear(notification.payload)
                async with asyncio.timeout(CONNECT_SECONDS):
                    await connection.execute("SELECT 1")

    async def keep_listening() -> None:
        while True:
            try:
                await listen()
            except (psycopg.Error, OSError, TimeoutError) as error:
                logger.warning("not listening to %s: %s", channel, error)
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
    conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return await psycopg.AsyncConnection.connect(
        conninfo,
        autocommit=True,
        connect_timeout=CONNECT_SECONDS,
        application_name="fast_zero listener",
    )
