"""A dedicated connection that receives notifications from other processes (`LISTEN`).

It connects to the database directly: a pooler in transaction mode accepts `LISTEN`, but delivers no
notifications. While it is open it holds the shared lock that marks the database as in use.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import psycopg
from sqlalchemy import URL

from fast_zero.core.database import CONNECT_SECONDS, conninfo, in_use

logger = logging.getLogger(__name__)

# A dead connection is detected within the sum of both, one second.
PING_SECONDS = 0.25
PING_TIMEOUT_SECONDS = 0.75
RETRY_SECONDS = 0.5
CONNECT_CALLBACK_SECONDS = 30
REFRESH_SECONDS = 600


class NotDirectError(Exception):
    """The connection leads to a pooler and not to a PostgreSQL server."""


@dataclass
class Listener:
    """A background task that listens to a channel, and the callbacks for it: see `listening`."""

    url: URL
    channel: str
    on_connect: Callable[[psycopg.AsyncConnection], Awaitable[None]]
    on_notify: Callable[[str], None]
    on_disconnect: Callable[[], None]
    failures: int = 0

    async def run(self) -> None:
        while True:
            try:
                async with await connect(self.url) as connection:
                    await self.listen(connection)
            except Exception as error:  # noqa: BLE001  # only a cancellation may end the loop
                # Log one line for each outage, however long it lasts.
                level = logging.DEBUG if self.failures else logging.WARNING
                reason = str(error) or repr(error)
                logger.log(level, "not listening to %s: %s", self.channel, reason)
                self.failures += 1
            finally:
                self.on_disconnect()
            await asyncio.sleep(RETRY_SECONDS)

    async def listen(self, connection: psycopg.AsyncConnection) -> None:
        await connection.execute(f"LISTEN {self.channel}")
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            if loop.time() >= due:
                async with asyncio.timeout(CONNECT_CALLBACK_SECONDS):
                    await self.on_connect(connection)
                self.failures = 0
                due = loop.time() + REFRESH_SECONDS
            async for notification in connection.notifies(timeout=PING_SECONDS):
                self.on_notify(notification.payload)
            async with asyncio.timeout(PING_TIMEOUT_SECONDS):
                await connection.execute("SELECT 1")


@asynccontextmanager
async def listening(
    url: URL,
    channel: str,
    *,
    on_connect: Callable[[psycopg.AsyncConnection], Awaitable[None]],
    on_notify: Callable[[str], None],
    on_disconnect: Callable[[], None],
) -> AsyncIterator[None]:
    """Listen to a channel in the background, and reconnect as long as the block lasts.

    `on_connect` runs after `LISTEN` and before the first notification, so it can read what was
    missed. It runs again every ten minutes, and delays notifications meanwhile, so it has to be
    fast. `on_notify` is called with each payload. `on_disconnect` is called when notifications may
    be missed from now on.
    """
    listener = Listener(url, channel, on_connect, on_notify, on_disconnect)
    task = asyncio.create_task(listener.run(), name=f"listen to {channel}")
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
        refuse_pooler(
            connection.info.backend_pid,
            await (await connection.execute("SELECT pg_backend_pid()")).fetchone(),
        )
        await in_use.hold(connection)
    except BaseException:
        await connection.close()
        raise
    return connection


def refuse_pooler(announced: int, actual: tuple[int] | None) -> None:
    """Raise NotDirectError for a pooler, which announces a made-up process id on connect."""
    if actual != (announced,):
        raise NotDirectError(
            "this leads to a pooler, which delivers no notifications; set DATABASE_DIRECT_URL"
        )
