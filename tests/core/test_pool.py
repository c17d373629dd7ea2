"""The pool: first come, first served, and nothing lost on the way."""

import asyncio

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from fast_zero.core import database, errors
from tests.core.expect import comes_true


@pytest.fixture
async def state(settings):
    one = settings.model_copy(update={"database_pool_size": 1})
    async with database.connected(one) as state:
        yield state


def queue_of(state):
    return state["autocommit"].engine.pool._pool


async def test_nobody_is_overtaken(state):
    order = []

    async def ask(name: str, times: int) -> None:
        for _ in range(times):
            await state["autocommit"].execute(select(1))
            order.append(name)

    # One comes back for more each time; those who came later each get their turn in between.
    await asyncio.gather(ask("greedy", 6), ask("b", 1), ask("c", 1), ask("d", 1))

    assert order[:4] == ["greedy", "b", "c", "d"]


async def test_a_connection_on_its_way_to_one_who_leaves_goes_back(state):
    async with AsyncSession(AsyncEngine(state["autocommit"].engine)) as session:
        await session.execute(select(1))
        queue = queue_of(state)
        waiting = asyncio.create_task(state["autocommit"].execute(select(1)))
        await comes_true(lambda: queue.waiting)
    waiting.cancel()  # its turn was called and it has not run yet
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert queue.qsize() == 1
    assert (await state["autocommit"].execute(select(1))).scalar() == 1


async def test_a_cancelled_statement_gives_its_connection_back(state):
    sleeping = asyncio.create_task(state["autocommit"].execute(text("SELECT pg_sleep(60)")))
    pool = state["autocommit"].engine.pool
    await comes_true(lambda: pool.checkedout() == 1)
    sleeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sleeping

    assert pool.checkedout() == 0
    assert (await state["autocommit"].execute(select(1))).scalar() == 1


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
