"""psycopg's pool, made to lend no dead connection, and not to wait for a database that is away."""

import asyncio
import logging
import select
from typing import Any

import psycopg
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from fast_zero.core.observability.metrics import WAITS

# An outage is told once, by us.
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)


class Connection(psycopg.AsyncConnection[TupleRow]):
    """A connection that goes back to its pool when SQLAlchemy closes it.

    Also when it was lost: psycopg's own `close_returns` leaves out one that is closed already, and
    the pool would wait for it for ever.
    """

    lender: "Pool | None" = None
    has_notice_handler = False

    async def close(self) -> None:
        if self.lender:
            await self.lender.putconn(self)
        else:
            await super().close()

    def add_notice_handler(self, callback: Any) -> None:  # noqa: ANN401  # psycopg's type is not public
        """Keep one handler: SQLAlchemy adds another each time that it is lent a connection."""
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
    """Connections that commit each statement, unless a session has begun a transaction."""

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
            min_size=1,  # it grows where requests wait
            max_size=size,
            timeout=timeout,
            open=False,
            reset=commit_each_statement,
            reconnect_timeout=0,  # a request tries again; nobody waits for a growing delay
            reconnect_failed=fail_waiting_requests,
        )
        self.waiting: set[asyncio.Timeout] = set()

    async def getconn(self, timeout: float | None = None) -> Connection:  # noqa: ASYNC109  # psycopg's signature
        """Lend a connection; replace those that the other end closed while they were idle.

        An idle connection has nothing to read; one that has was ended by the server or by the
        operating system. Asking the operating system costs two microseconds and no round trip.
        """
        while True:
            connection = await self.take(timeout)
            connection.lender = self
            try:
                if is_readable(connection):
                    await self.check_connection(connection)
            except psycopg.Error:
                await self.putconn(connection)  # which sees that it is closed, and opens another
            except BaseException:  # cancelled, above all
                await self.putconn(connection)
                raise
            else:
                return connection

    async def putconn(self, conn: Connection) -> None:
        conn.lender = None
        await super().putconn(conn)

    async def take(self, timeout: float | None) -> Connection:  # noqa: ASYNC109  # as above
        is_free = self.get_stats().get("pool_available")
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
            if not is_free:
                WAITS.observe(asyncio.get_running_loop().time() - began)


async def commit_each_statement(connection: Connection) -> None:
    """Undo what a session has switched off."""
    if not connection.autocommit:
        await connection.set_autocommit(True)


async def fail_waiting_requests(pool: AsyncConnectionPool[Any]) -> None:
    """Let nobody wait for a connection where none is left and none could be opened."""
    if isinstance(pool, Pool) and not pool.get_stats()["pool_size"]:
        for limit in pool.waiting:
            limit.reschedule(asyncio.get_running_loop().time())


def is_readable(connection: Connection) -> bool:
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))
