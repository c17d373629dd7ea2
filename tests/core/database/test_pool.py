"""The pool: requests are served in order, and no connection is lost."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import BigInteger, Float, Text, bindparam, cast, func, literal_column, select, text

from fast_zero.core import database, errors
from fast_zero.core.database import prepare, transaction
from tests.core.expect import connections_in_use, wait_until

UNAVAILABLE = "The database is not available. Try again in a moment."
BUSY = "All connections to the database are in use. Try again in a moment."

ECHO = prepare(select(bindparam("value", type_=BigInteger).label("value")))
DIVIDE = prepare(
    select((literal_column("1", BigInteger) % bindparam("by", type_=BigInteger)).label("value"))
)
SLEEP = prepare(select(cast(func.pg_sleep(bindparam("seconds", type_=Float)), Text).label("value")))


@pytest.fixture
def pool_of_one(state):
    return state["pool"]


@pytest.fixture(params=["by a session", "prepared"])
def send(state, request):
    """Send one of the statements above, either way, and return what it selects."""

    async def send(prepared, **values):
        async with transaction(state["sessions"]) as session:
            if request.param == "prepared":
                row = await session.fetch_one(prepared, values)
                assert not session.in_transaction()
                return row["value"]
            return await session.scalar(prepared.statement, values)

    return send


async def backend_of(pool_of_one) -> int:
    """Return the process of PostgreSQL behind the only connection."""
    async with pool_of_one.connection() as connection:
        return connection.info.backend_pid


async def kill(engine, process: int) -> None:
    async with engine.connect() as other:
        assert await other.scalar(select(func.pg_terminate_backend(process, 5000)))


async def test_waiting_requests_are_served_in_order(send):
    order = []

    async def send_repeatedly(name: str, times: int) -> None:
        for _ in range(times):
            await send(ECHO, value=1)
            order.append(name)

    # One client sends request after request; the other clients are served in between.
    await asyncio.gather(
        send_repeatedly("greedy", 6),
        send_repeatedly("b", 1),
        send_repeatedly("c", 1),
        send_repeatedly("d", 1),
    )

    assert order[:4] == ["greedy", "b", "c", "d"]


@pytest.mark.parametrize("steps", range(12))
async def test_a_connection_for_a_cancelled_request_returns_to_the_pool(
    state, pool_of_one, send, steps
):
    async with state["sessions"]() as session:
        await session.execute(select(1))
        waiting = asyncio.create_task(send(ECHO, value=1))
        await wait_until(lambda: pool_of_one.get_stats()["requests_waiting"])
    for _ in range(steps):  # until the request gets the connection, and for some steps after that
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    assert await send(ECHO, value=1) == 1
    await wait_until(lambda: connections_in_use(pool_of_one) == 0)


async def test_only_the_request_that_waits_too_long_times_out(pool_of_one, send):
    holding = asyncio.create_task(send(SLEEP, seconds=60))
    await wait_until(lambda: connections_in_use(pool_of_one) == 1)
    first = asyncio.create_task(send(ECHO, value=1))
    await asyncio.sleep(0.4)
    second = asyncio.create_task(send(ECHO, value=1))
    with pytest.raises(errors.Unavailable, match=BUSY):
        await first
    assert not second.done()
    holding.cancel()

    assert await second == 1
    await asyncio.gather(holding, return_exceptions=True)
    await wait_until(lambda: connections_in_use(pool_of_one) == 0)


async def test_a_cancelled_statement_returns_its_connection(pool_of_one, send):
    sleeping = asyncio.create_task(send(SLEEP, seconds=60))
    await wait_until(lambda: connections_in_use(pool_of_one) == 1)
    sleeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sleeping

    assert await send(ECHO, value=1) == 1


async def test_no_cancel_request_is_sent_to_a_pooler(settings):
    changes = {"database_direct_url": settings.database_url}
    pooled = settings.model_copy(update=changes)
    async with database.create_pool(pooled) as pool, pool.connection() as connection:
        sleeping = asyncio.create_task(connection.execute("SELECT pg_sleep(0.2), 7"))
        await wait_until(lambda: connection.pgconn.transaction_status == TransactionStatus.ACTIVE)
        await connection.cancel_safe()

        assert await (await sleeping).fetchone() == ("", 7)


async def test_a_lost_connection_is_replaced(pool_of_one, send, engine):
    process = await backend_of(pool_of_one)
    sleeping = asyncio.create_task(send(SLEEP, seconds=60))
    await wait_until(lambda: connections_in_use(pool_of_one) == 1)
    await kill(engine, process)
    with pytest.raises(errors.Unavailable, match=UNAVAILABLE):
        await sleeping

    assert await send(ECHO, value=1) == 1
    assert await backend_of(pool_of_one) != process


async def test_a_connection_lost_while_idle_fails_no_request(pool_of_one, send, engine):
    process = await backend_of(pool_of_one)
    await kill(engine, process)

    assert await send(ECHO, value=1) == 1
    assert await backend_of(pool_of_one) != process


async def test_a_request_cancelled_during_a_connection_check_returns_the_connection(
    pool_of_one, send, monkeypatch
):
    check_began = asyncio.Event()

    async def hang(_connection):
        check_began.set()
        await asyncio.sleep(60)

    with monkeypatch.context() as patch:
        patch.setattr("fast_zero.core.database.pool.is_readable", lambda _connection: True)
        patch.setattr(pool_of_one, "check_connection", hang)
        request = asyncio.create_task(send(ECHO, value=1))
        await check_began.wait()
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request

    assert await send(ECHO, value=2) == 2


async def test_many_connections_lost_while_idle_fail_no_request(settings, engine):
    """This happens if the database restarts while there are no requests."""
    many = settings.model_copy(update={"database_pool_size": 5})
    async with database.connected(many) as state:
        async with AsyncExitStack() as held:
            for _ in range(5):
                await held.enter_async_context(state["pool"].connection())
        async with engine.connect() as other:
            terminate_idle = text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE application_name = 'fast_zero' AND state = 'idle'"
                " AND datname = current_database() AND pid <> pg_backend_pid()"
            )
            assert len((await other.execute(terminate_idle)).all()) >= 5

        async def echo(number: int) -> int:
            async with transaction(state["sessions"]) as session:
                return (await session.fetch_one(ECHO, {"value": number}))["value"]

        assert await asyncio.gather(*map(echo, range(10))) == list(range(10))


async def test_a_database_error_loses_no_connection(pool_of_one, send):
    process = await backend_of(pool_of_one)
    with pytest.raises(errors.Invalid):
        await send(DIVIDE, by=0)

    assert await backend_of(pool_of_one) == process


async def test_a_session_returns_its_connection_in_autocommit_mode(state, pool_of_one):
    async with transaction(state["sessions"]) as session:
        await session.execute(select(1))
    async with pool_of_one.connection() as connection:
        assert connection.autocommit


async def test_requests_fail_fast_if_no_connection_can_be_opened(settings):
    closed = settings.model_copy(
        update={
            "database_url": settings.database_address().set(host="127.0.0.1", port=1, query={}),
            "database_pool_size": 2,
            "database_pool_wait": 60,
        }
    )

    async def send_select() -> str:
        try:
            async with transaction(state["sessions"]) as session:
                await session.execute(select(1))
        except errors.Unavailable as error:
            return error.detail
        return "no error"

    async with database.connected(closed) as state, asyncio.timeout(30):
        assert await asyncio.gather(*(send_select() for _ in range(5))) == [UNAVAILABLE] * 5
        assert await send_select() == UNAVAILABLE
