"""Transactions are atomic, and hold a connection only as long as they need it."""

import asyncio

import pytest
from sqlalchemy import BigInteger, bindparam, func, insert, select
from sqlalchemy.event import listen

from fast_zero.core import database
from fast_zero.core.database import prepare, transaction
from fast_zero.core.security.throttle import Throttle
from tests.core.expect import connections_in_use, wait_until

pytestmark = pytest.mark.usefixtures("commit")  # it deletes all rows at the end of a test

ECHO = prepare(select(bindparam("value", type_=BigInteger).label("value")))


@pytest.fixture
async def pool_of_one(state):
    """Return a pool whose only connection is open."""
    await state["pool"].wait()
    return state["pool"]


@pytest.fixture
def engine_of_one(pool_of_one, settings):
    """Return an engine of the test's own, to whose events it may listen."""
    return database.create_engine(pool_of_one, settings)


@pytest.fixture
def writing(engine_of_one, pool_of_one):
    """Write two rows in a transaction, in a task; `last` is awaited before it is committed."""
    sessions = database.create_sessions(engine_of_one, {"pool": pool_of_one})

    async def write_two(last) -> None:
        async with transaction(sessions) as session:
            await write(session, b"one")
            await write(session, b"two")
            await last(session)

    return lambda last: asyncio.create_task(write_two(last))


async def write(session, digest: bytes) -> None:
    await session.execute(insert(Throttle).values(digest=digest, count=1, expires_at=func.now()))


async def rows(sessions) -> int:
    async with sessions() as session:
        return await session.scalar(select(func.count()).select_from(Throttle))


async def wait_for_return(pool_of_one) -> None:
    await wait_until(lambda: connections_in_use(pool_of_one) == 0)


async def test_no_connection_is_taken_before_the_first_statement(state, pool_of_one):
    async with transaction(state["sessions"]) as session:
        assert connections_in_use(pool_of_one) == 0
        await write(session, b"one")
        assert connections_in_use(pool_of_one) == 1
    await wait_for_return(pool_of_one)


async def test_a_prepared_statement_alone_holds_no_connection(state, pool_of_one):
    async with transaction(state["sessions"]) as session:
        assert await session.fetch_one(ECHO, {"value": 1}) == {"value": 1}
        await wait_for_return(pool_of_one)


async def cancelled_in_a_statement(session) -> None:
    asyncio.current_task().cancel()  # takes effect at the next await
    await session.execute(select(func.pg_sleep(60)))


async def cancelled_between_statements(_session) -> None:
    asyncio.current_task().cancel()
    await asyncio.sleep(0)


@pytest.mark.parametrize("last", [cancelled_in_a_statement, cancelled_between_statements])
@pytest.mark.parametrize("again", [False, True])
async def test_a_cancelled_request_writes_nothing_and_returns_its_connection(
    engine_of_one, writing, pool_of_one, committing, last, again
):
    rolled_back = []

    def cancel_again(_connection) -> None:
        rolled_back.append(1)
        if again:
            task.cancel()

    listen(engine_of_one.sync_engine, "rollback", cancel_again)
    task = writing(last)
    await asyncio.wait([task])
    await wait_for_return(pool_of_one)

    assert (task.cancelled(), len(rolled_back)) == (True, 1)
    assert await rows(committing) == 0


async def test_a_request_cancelled_while_committing_returns_its_connection(
    state, engine_of_one, writing, pool_of_one
):
    listen(engine_of_one.sync_engine, "commit", lambda _: task.cancel())
    task = writing(lambda session: session.flush())
    await asyncio.wait([task])
    await wait_for_return(pool_of_one)

    assert task.cancelled()
    assert await rows(state["sessions"]) in {0, 2}  # read on the same connection
