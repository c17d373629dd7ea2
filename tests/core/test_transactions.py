"""Transactions: all or nothing, and a connection for no longer than they need one."""

import asyncio

import pytest
from sqlalchemy import func, insert, select, text

from fast_zero.core import database, errors
from fast_zero.core.throttle import throttles
from tests.core.expect import comes_true

ROW = {"digest": b"one", "count": 1, "expires_at": func.now()}


pytestmark = pytest.mark.usefixtures("commit")  # which deletes at the end what was written


async def rows(state) -> int:
    return (await state["autocommit"].execute(select(func.count(throttles.c.digest)))).scalar()


async def write(session) -> None:
    await session.execute(insert(throttles).values(ROW))


async def test_what_was_written_is_kept_at_the_end(state):
    async with state["sessions"]() as session:
        await write(session)
    assert await rows(state) == 1


async def test_an_error_takes_it_back(state, fair):
    async def write_twice() -> None:
        async with state["sessions"]() as session:
            await write(session)
            await write(session)

    with pytest.raises(errors.Conflict):
        await write_twice()
    assert (fair.checkedout(), await rows(state)) == (0, 0)


async def test_no_connection_is_taken_before_the_first_statement(state, fair):
    async with state["sessions"]() as session:
        assert fair.checkedout() == 0
        await write(session)
        assert fair.checkedout() == 1
    assert fair.checkedout() == 0


async def test_who_is_cancelled_while_a_statement_runs_leaves_nothing(state, fair, engine):
    async def work() -> None:
        async with state["sessions"]() as session:
            await write(session)
            await session.execute(text("SELECT pg_sleep(60)"))

    working = asyncio.create_task(work())
    asleep = text("SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'")
    async with asyncio.timeout(30), engine.connect() as other:
        while not await other.scalar(asleep):  # the database sets no event
            await other.rollback()  # within a transaction it would see the same each time
            await asyncio.sleep(0.01)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working

    assert (fair.checkedout(), await rows(state)) == (0, 0)


async def test_who_is_cancelled_at_the_end_gives_the_connection_back(state, fair, monkeypatch):
    ending = asyncio.Event()

    async def close(session) -> None:
        ending.set()
        await closed(session)

    closed = database.Transaction.close
    monkeypatch.setattr(database.Transaction, "close", close)

    async def work() -> None:
        async with state["sessions"]() as session:
            await write(session)

    working = asyncio.create_task(work())
    await ending.wait()
    working.cancel()
    await asyncio.wait([working])

    await comes_true(lambda: fair.checkedout() == 0)
    assert await rows(state) == 1
