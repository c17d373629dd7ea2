"""The pool: first come, first served, and nothing lost on the way."""

import asyncio

import pytest
from sqlalchemy import BigInteger, Float, bindparam, func, literal, select, text
from sqlalchemy.exc import TimeoutError as PoolTimeout

from fast_zero.core import database, errors
from tests.core.expect import comes_true

ECHO = select(bindparam("answer", type_=BigInteger))
DIVIDE = select(literal(1) / bindparam("by", type_=BigInteger))
DOZE = select(func.pg_sleep(bindparam("seconds", type_=Float)))


@pytest.fixture(params=["by SQLAlchemy", "by the driver"])
def send(state, request):
    """Send one of the statements above, with its values in it or beside it."""

    def send(statement, **values):
        if request.param == "by the driver":
            return state["autocommit"].execute(statement, values)
        return state["autocommit"].execute(statement.params(values))

    return send


def backend_of(fair) -> int:
    """Give the process of PostgreSQL behind the only connection, which nobody uses."""
    [entry] = fair._pool.items
    return entry.driver_connection.info.backend_pid


async def test_nobody_is_overtaken(send):
    order = []

    async def ask(name: str, times: int) -> None:
        for _ in range(times):
            await send(ECHO, answer=1)
            order.append(name)

    # One comes back for more each time; those who came later each get their turn in between.
    await asyncio.gather(ask("greedy", 6), ask("b", 1), ask("c", 1), ask("d", 1))

    assert order[:4] == ["greedy", "b", "c", "d"]


async def test_a_connection_on_its_way_to_one_who_leaves_goes_back(state, fair, send):
    async with state["sessions"]() as session:
        await session.execute(select(1))
        waiting = asyncio.create_task(send(ECHO, answer=1))
        await comes_true(fair.waiting)
    waiting.cancel()  # its turn was called and it has not run yet
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert fair.checkedin() == 1
    assert (await send(ECHO, answer=1)).scalar() == 1


async def test_who_waits_too_long_is_told_and_who_came_later_is_not(fair, send):
    holding = asyncio.create_task(send(DOZE, seconds=60))
    await comes_true(lambda: fair.checkedout() == 1)
    first = asyncio.create_task(send(ECHO, answer=1))
    await asyncio.sleep(0.4)
    second = asyncio.create_task(send(ECHO, answer=1))
    with pytest.raises(PoolTimeout):
        await first
    assert not second.done()
    holding.cancel()

    assert (await second).scalar() == 1
    await asyncio.gather(holding, return_exceptions=True)
    assert (fair.checkedout(), fair.waiting()) == (0, 0)


async def test_a_cancelled_statement_gives_its_connection_back(fair, send):
    sleeping = asyncio.create_task(send(DOZE, seconds=60))
    await comes_true(lambda: fair.checkedout() == 1)
    sleeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sleeping

    assert fair.checkedout() == 0
    assert (await send(ECHO, answer=1)).scalar() == 1


async def test_a_connection_that_is_lost_is_opened_anew(fair, send, engine):
    await send(ECHO, answer=1)
    pid = backend_of(fair)
    sleeping = asyncio.create_task(send(DOZE, seconds=60))
    await comes_true(lambda: fair.checkedout() == 1)
    async with engine.connect() as other:
        await other.execute(text(f"SELECT pg_terminate_backend({pid})"))
    with pytest.raises(errors.Unavailable):
        await sleeping

    assert fair.checkedout() == 0
    assert (await send(ECHO, answer=1)).scalar() == 1
    assert backend_of(fair) != pid


async def test_a_connection_that_was_closed_at_this_end_is_opened_anew(fair, send):
    await send(ECHO, answer=1)
    [entry] = fair._pool.items
    await entry.driver_connection.close()

    assert (await send(ECHO, answer=1)).scalar() == 1
    assert fair.checkedin() == 1


async def test_those_of_the_age_of_a_lost_one_are_replaced(fair, send):
    await send(ECHO, answer=1)
    pid = backend_of(fair)
    [entry] = fair._pool.items
    fair._invalidate_time = entry.starttime + 0.001
    await asyncio.sleep(0.01)

    assert (await send(ECHO, answer=1)).scalar() == 1
    assert backend_of(fair) != pid


async def test_what_the_database_refuses_costs_no_connection(fair, send):
    await send(ECHO, answer=1)
    [entry] = fair._pool.items
    with pytest.raises(errors.Invalid):
        await send(DIVIDE, by=0)

    assert list(fair._pool.items) == [entry]


async def test_those_who_wait_try_themselves_when_connecting_fails(settings):
    closed = settings.model_copy(
        update={
            "database_url": settings.database_address().set(host="127.0.0.1", port=1, query={}),
            "database_pool_size": 1,
            "database_pool_wait": 60,
        }
    )

    async def ask() -> str:
        try:
            await state["autocommit"].execute(select(1))
        except (errors.Unavailable, PoolTimeout) as error:
            return type(error).__name__
        return "answered"

    async with database.connected(closed) as state, asyncio.timeout(30):
        assert await asyncio.gather(*(ask() for _ in range(5))) == ["Unavailable"] * 5
