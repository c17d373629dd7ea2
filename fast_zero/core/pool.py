"""A pool of connections that is fair to those who wait, and hands out none that is dead."""

import asyncio
import select
import time
from collections import deque
from typing import Any, Literal, cast

import psycopg
from sqlalchemy import AsyncAdaptedQueuePool
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util import await_, greenlet_spawn
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
        self.waiting: deque[tuple[float, asyncio.Future[ConnectionPoolEntry | None]]] = deque()
        self.alarm: asyncio.TimerHandle | None = None

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
        item = await_(self.wait(timeout))
        if item is None:
            raise Empty
        return item

    def call_first(self, item: ConnectionPoolEntry | None) -> bool:
        """Hand something to the first who still waits; None tells them that they wait in vain."""
        while self.waiting:
            _, turn = self.waiting.popleft()
            if not turn.done():
                turn.set_result(item)
                return True
        return False

    async def wait(self, timeout: float | None) -> ConnectionPoolEntry | None:  # noqa: ASYNC109  # get's
        loop = asyncio.get_running_loop()
        began = loop.time()
        turn: asyncio.Future[ConnectionPoolEntry | None] = loop.create_future()
        self.waiting.append((began + (timeout or 0), turn))
        if self.alarm is None:
            self.alarm = loop.call_later(timeout or 0, self.send_away, loop)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and (item := turn.result()):
                self.put_nowait(item)  # called and gone in the same instant
            raise
        finally:
            WAITS.observe(loop.time() - began)

    def send_away(self, loop: asyncio.AbstractEventLoop) -> None:
        """Tell those whose time is over. All wait equally long, so one alarm is enough for all."""
        while self.waiting and (self.waiting[0][0] <= loop.time() or self.waiting[0][1].done()):
            _, turn = self.waiting.popleft()
            if not turn.done():
                turn.set_result(None)
        self.alarm = (
            loop.call_at(self.waiting[0][0], self.send_away, loop) if self.waiting else None
        )


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

    async def take(self) -> ConnectionPoolEntry:
        """Take a connection as `connect` does, but for the proxy that it puts around it.

        That costs a fifth of a statement, and so does the greenlet to make it in, which is needed
        only where a connection has to be opened.
        """
        entry: ConnectionPoolEntry | None = None
        if self._pool.items:
            entry = self._pool.get_nowait()
        elif self._overflow >= self._max_overflow:
            entry = await self._pool.wait(self._timeout)
            if entry is None and self._overflow >= self._max_overflow:
                raise PoolTimeout
        if entry and self.is_good(entry):
            return entry
        return await greenlet_spawn(self.renew, entry)

    def is_good(self, entry: Any) -> bool:  # noqa: ANN401  # SQLAlchemy's own record
        """Tell whether it is open, and began after any of its kind was found to be lost."""
        began_after = entry.dbapi_connection and entry.starttime > self._invalidate_time
        return bool(began_after) and is_open(entry)

    def renew(self, entry: Any) -> ConnectionPoolEntry:  # noqa: ANN401  # as above
        """Open a connection, in the place of the given one if there is one."""
        record: Any = entry or self._do_get()
        try:
            if entry:
                record.invalidate()
            record.get_connection()
        except BaseException:
            self.give_back(record)
            raise
        record.info["used"] = True
        return cast("ConnectionPoolEntry", record)

    def give_back(self, entry: Any) -> None:  # noqa: ANN401  # as above
        self._do_return_conn(entry)

    def take_back(self, entry: ConnectionPoolEntry, error: BaseException) -> None:
        """Take back a connection on which something failed.

        One that was lost takes those of its age with it; one that was left in the middle of a
        statement is not used again.
        """
        try:
            if not isinstance(error, psycopg.Error):
                entry.invalidate(error)
            elif entry.driver_connection and entry.driver_connection.closed:
                self._invalidate_time = time.time()
                entry.invalidate(error)
        finally:
            self.give_back(entry)


class Taken:
    """A connection for a statement that goes straight to the driver, given back at the end."""

    def __init__(self, pool: FairPool) -> None:
        self.pool = pool
        self.entry: ConnectionPoolEntry

    async def __aenter__(self) -> psycopg.AsyncConnection[Any]:
        self.entry = await self.pool.take()
        return cast("psycopg.AsyncConnection[Any]", self.entry.driver_connection)

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None:
            self.pool.give_back(self.entry)
        else:
            await greenlet_spawn(self.pool.take_back, self.entry, error)


def is_open(entry: ConnectionPoolEntry) -> bool:
    """Tell whether the other end has closed a connection while nobody used it.

    An idle connection has nothing to read; one that has was ended by the server, or by the
    operating system. Asking costs two microseconds and no round trip, and comes before
    anything is sent, so it saves a write as well, which could not be sent twice.
    """
    driver: Any = entry.driver_connection
    if driver.closed:  # at this end
        return False
    poll = select.poll()
    poll.register(driver.fileno(), select.POLLIN)
    return not poll.poll(0)


def refuse_if_closed(
    _connection: DBAPIConnection, entry: ConnectionPoolEntry, _fairy: object
) -> None:
    """Have a connection replaced that the other end closed.

    One that is new is not asked: SQLAlchemy tries two and then speaks of a mistake, where the
    database is going away and the statement would say so.
    """
    if not entry.info.setdefault("used"):
        entry.info["used"] = True
    elif not is_open(entry):
        raise DisconnectionError
