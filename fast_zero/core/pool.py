"""A pool of connections that is fair to those who wait, and hands out none that is dead."""

import asyncio
import select
from collections import deque
from typing import Literal

from sqlalchemy import AsyncAdaptedQueuePool
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util import await_
from sqlalchemy.util.queue import Empty, Full, QueueCommon

from fast_zero.core.metrics import WAITS


class FairQueue(QueueCommon[ConnectionPoolEntry]):
    """A queue in which nobody overtakes: what is put goes straight to the first who waits.

    asyncio's own queue wakes that one and leaves the item lying there; whoever comes before it
    runs takes the item, and the one who waited goes to the end.
    """

    # The signatures are SQLAlchemy's, so flags are positional and some arguments unused.

    def __init__(self, maxsize: int = 0, use_lifo: bool = False) -> None:  # noqa: FBT001, FBT002  # see above
        self.maxsize = maxsize
        self.use_lifo = use_lifo
        self.items: deque[ConnectionPoolEntry] = deque()
        self.waiting: deque[asyncio.Future[ConnectionPoolEntry | None]] = deque()

    def empty(self) -> bool:
        return not self.items

    def full(self) -> bool:
        return 0 < self.maxsize <= len(self.items)

    def qsize(self) -> int:
        return len(self.items)

    def put_nowait(self, item: ConnectionPoolEntry) -> None:
        if self.call_first(item):
            return
        if self.full():
            raise Full
        self.items.append(item)

    def put(
        self,
        item: ConnectionPoolEntry,
        block: bool = True,  # noqa: ARG002, FBT001, FBT002  # SQLAlchemy's signature
        timeout: float | None = None,  # noqa: ARG002  # SQLAlchemy's signature
    ) -> None:
        self.put_nowait(item)

    def get_nowait(self) -> ConnectionPoolEntry:
        if not self.items:
            raise Empty
        return self.items.popleft()

    def get(
        self,
        block: bool = True,  # noqa: FBT001, FBT002  # SQLAlchemy's signature
        timeout: float | None = None,
    ) -> ConnectionPoolEntry:
        if self.items or not block:
            return self.get_nowait()
        with WAITS.time():
            item = await_(self.wait(timeout))
        if item is None:
            raise Empty
        return item

    def call_first(self, item: ConnectionPoolEntry | None) -> bool:
        """Hand something to the first who still waits; None tells them that they wait in vain."""
        while self.waiting:
            turn = self.waiting.popleft()
            if not turn.done():
                turn.set_result(item)
                return True
        return False

    async def wait(self, timeout: float | None) -> ConnectionPoolEntry | None:  # noqa: ASYNC109  # get's
        turn: asyncio.Future[ConnectionPoolEntry | None] = asyncio.Future()
        self.waiting.append(turn)
        try:
            async with asyncio.timeout(timeout):
                return await self.take(turn)
        except TimeoutError:
            return None

    async def take(
        self, turn: asyncio.Future[ConnectionPoolEntry | None]
    ) -> ConnectionPoolEntry | None:
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and (item := turn.result()):
                self.put_nowait(item)  # called and gone in the same instant
            raise


class FairPool(AsyncAdaptedQueuePool):
    _queue_class = FairQueue
    _pool: FairQueue

    def waiting(self) -> int:
        return len(self._pool.waiting)

    def _dec_overflow(self) -> Literal[True]:
        """Let the first who waits try to connect, when another has failed to.

        It would wait for a connection that is never put back.
        """
        super()._dec_overflow()
        self._pool.call_first(None)
        return True


def refuse_if_closed(
    connection: DBAPIConnection, entry: ConnectionPoolEntry, _fairy: object
) -> None:
    """Have a connection replaced that the other end closed while nobody used it.

    An idle connection has nothing to read; one that has was ended by the server, or by the
    operating system. Asking costs two microseconds and no round trip, and comes before
    anything is sent, so it saves a write as well, which could not be sent twice.

    A connection that is new is not asked: SQLAlchemy tries two and then speaks of a mistake,
    where the database is going away and the statement would say so.
    """
    if not entry.info.setdefault("used"):
        entry.info["used"] = True
        return
    poll = select.poll()
    poll.register(connection.driver_connection.fileno(), select.POLLIN)
    if poll.poll(0):
        raise DisconnectionError
