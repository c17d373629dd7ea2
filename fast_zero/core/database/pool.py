"""psycopg's pool, which replaces dead connections and fails fast if the database is down."""

import asyncio
import logging
import select
from typing import Any

import psycopg
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from fast_zero.core.observability.metrics import WAITS

# Our own log reports an outage once.
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)


class Connection(psycopg.AsyncConnection[TupleRow]):
    """A connection that returns to its pool when SQLAlchemy closes it, even if it was lost.

    psycopg's own `close_returns` does not return a connection that is closed already, and the pool
    would wait for it forever.
    """

    lender: "Pool | None" = None
    has_notice_handler = False

    async def close(self) -> None:
        if self.lender:
            await self.lender.putconn(self)
        else:
            await super().close()

    def add_notice_handler(self, callback: Any) -> None:  # noqa: ANN401  # psycopg's type is not public
        """Keep one handler, since SQLAlchemy adds another one at each checkout."""
        if not self.has_notice_handler:
            self.has_notice_handler = True
            super().add_notice_handler(callback)


class PoolerConnection(Connection):
    """A connection through PgBouncer, which is sent no request to cancel a statement.

    PgBouncer 1.18 may crash when it gets many (pgbouncer issue 822). A statement whose request is
    cancelled has five seconds to end; then the connection is closed, which ends the statement.
    """

    async def cancel_safe(self, *, timeout: float = 30.0) -> None:  # noqa: ASYNC109  # psycopg's signature
        pass


class Pool(AsyncConnectionPool[Connection]):
    """A pool of connections in autocommit mode, unless a session has begun a transaction."""

    def __init__(
        self,
        conninfo: str,
        size: int,
        timeout: float,
        options: dict[str, Any],
        kind: type[Connection] = Connection,
    ) -> None:
        """`timeout` is how long a request waits for a connection, in seconds."""
        super().__init__(
            conninfo,
            connection_class=kind,
            kwargs={"autocommit": True, **options},
            min_size=1,  # it grows when requests wait
            max_size=size,
            timeout=timeout,
            open=False,
            reset=commit_each_statement,
            reconnect_timeout=0,  # each request tries again, without a growing delay
            reconnect_failed=fail_waiting_requests,
        )
        self.waiting: set[asyncio.Timeout] = set()

    async def getconn(self, timeout: float | None = None) -> Connection:  # noqa: ASYNC109  # psycopg's signature
        """Check out a connection, and replace those that were closed while they were idle.

        An idle connection has nothing to read. If there is something, the server or the operating
        system has closed it. This check takes two microseconds and no round trip.
        """
        while True:
            connection = await self.take(timeout)
            connection.lender = self
            try:
                if is_readable(connection):
                    await self.check_connection(connection)
            except psycopg.Error:
                await self.putconn(connection)  # the pool sees that it is closed, and opens another
            except BaseException:  # usually a cancellation
                await self.putconn(connection)
                raise
            else:
                return connection

    async def putconn(self, conn: Connection) -> None:
        conn.lender = None
        await super().putconn(conn)

    async def take(self, timeout: float | None) -> Connection:  # noqa: ASYNC109  # as above
        has_free = self.get_stats().get("pool_available")
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(None) as limit:
                self.waiting.add(limit)
                return await super().getconn(timeout)
        except TimeoutError:
            message = "the database cannot be connected to"
            raise psycopg.OperationalError(message) from None
        finally:
            self.waiting.discard(limit)
            if not has_free:
                WAITS.observe(asyncio.get_running_loop().time() - began)


async def commit_each_statement(connection: Connection) -> None:
    """Switch autocommit on again, which a session may have switched off."""
    if not connection.autocommit:
        await connection.set_autocommit(True)


async def fail_waiting_requests(pool: AsyncConnectionPool[Any]) -> None:
    """Fail waiting requests if the pool has no connection and could not open one."""
    if isinstance(pool, Pool) and not pool.get_stats()["pool_size"]:
        for limit in pool.waiting:
            limit.reschedule(asyncio.get_running_loop().time())


def is_readable(connection: Connection) -> bool:
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))
