import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from fast_zero.core.errors import TooManyRequests
from fast_zero.core.security import throttle
from fast_zero.core.security.throttle import Limit
from fast_zero.models import Throttle

KEY, OTHER = b"one", b"another"
LIMIT = Limit(KEY, free=3, longest_wait=900)
REFUSAL = "Too many emails. Try again later."


async def wait_of(attempt) -> int:
    """Return the seconds in `Retry-After`, and 0 for an attempt that is allowed."""
    try:
        await attempt
    except TooManyRequests as refusal:
        return int(refusal.headers["Retry-After"])
    return 0


async def pass_time(session, seconds: int) -> None:
    """Move stored times into the past, since `now()` is constant in a transaction."""
    earlier = {
        "free_at": Throttle.free_at - timedelta(seconds=seconds),
        "expires_at": Throttle.expires_at - timedelta(seconds=seconds),
    }
    await session.execute(update(Throttle).values(earlier))


async def test_each_wait_after_the_free_failures_doubles_up_to_a_maximum(session, statements):
    waits = []
    for _ in range(14):
        with statements() as sent:
            await throttle.record_attempt(session, LIMIT)
        assert len(sent) == 1
        wait = await wait_of(throttle.record_attempt(session, LIMIT))
        if wait:
            waits.append(wait)
            await pass_time(session, wait - 1)
            assert await wait_of(throttle.record_attempt(session, LIMIT)) == 1
            await pass_time(session, 1)

    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]


async def test_a_success_resets_the_failures(session):
    for _ in range(3):
        await throttle.record_attempt(session, LIMIT)
    assert await wait_of(throttle.record_attempt(session, LIMIT)) == 1

    await throttle.record_success(session, LIMIT)

    assert [await wait_of(throttle.record_attempt(session, LIMIT)) for _ in range(4)] == [
        0,
        0,
        0,
        1,
    ]


async def test_a_success_removes_only_its_own_attempt_from_a_shared_limit(session):
    shared = Limit(OTHER, free=3, longest_wait=900, shared=True)
    for _ in range(2):
        await throttle.record_attempt(session, LIMIT, shared)
        await throttle.record_success(session, LIMIT, shared)
        await throttle.record_attempt(session, shared)

    assert await wait_of(throttle.record_attempt(session, LIMIT, shared)) == 0
    assert await wait_of(throttle.record_attempt(session, LIMIT, shared)) == 1
    assert await wait_of(throttle.record_attempt(session, LIMIT)) == 0


async def test_an_attempt_can_be_cancelled(session):
    for _ in range(10):
        assert await wait_of(throttle.record_attempt(session, LIMIT)) == 0
        await throttle.cancel_attempt(session, LIMIT)


async def test_failures_expire_after_a_day(session):
    for _ in range(3):
        await throttle.record_attempt(session, LIMIT)

    await pass_time(session, 24 * 3600)

    assert [await wait_of(throttle.record_attempt(session, LIMIT)) for _ in range(4)] == [
        0,
        0,
        0,
        1,
    ]


async def test_an_attempt_refused_by_one_limit_is_not_counted_by_the_next(session):
    first, second = Limit(b"first", 1, 900), Limit(b"second", 2, 900)
    await throttle.record_attempt(session, first, second)
    for _ in range(5):
        assert await wait_of(throttle.record_attempt(session, first, second)) == 1

    assert [await wait_of(throttle.record_attempt(session, second)) for _ in range(2)] == [0, 1]


async def test_a_limit_that_is_off_sends_no_statement(session, statements):
    off = Limit(KEY, free=None, longest_wait=900)
    with statements() as sent:
        for _ in range(10):
            await throttle.record_attempt(session, off)
            await throttle.cancel_attempt(session, off)
            await throttle.record_success(session, off)
            await throttle.consume(session, KEY, None, 60, REFUSAL)

    assert sent == []


async def test_a_limit_of_0_allows_nothing(session):
    none_free = Limit(KEY, free=0, longest_wait=900)

    assert await wait_of(throttle.consume(session, OTHER, 0, 60, REFUSAL)) == 60
    assert [await wait_of(throttle.record_attempt(session, none_free)) for _ in range(2)] == [0, 2]


async def test_concurrent_attempts_are_limited_like_consecutive_ones(committing, commit):
    """The wait is set to its maximum, so that even a slow machine allows no second attempt."""
    limit = Limit(KEY, free=3, longest_wait=900)

    async def attempt() -> int:
        async with committing.begin() as session:
            return await wait_of(throttle.record_attempt(session, limit))

    await attempt()
    async with committing.begin() as session:
        await session.execute(update(Throttle).values(count=20))
    waits = await asyncio.gather(*(attempt() for _ in range(50)))

    assert waits.count(0) == 1
    assert all(wait > 600 for wait in waits if wait)
    async with committing() as session:
        assert await session.scalar(select(Throttle.count)) == 21


async def test_a_limit_applies_to_each_period(session, statements):
    async def spend(key: bytes = KEY) -> int:
        return await wait_of(throttle.consume(session, key, 3, 600, REFUSAL))

    with statements() as sent:
        assert [await spend() for _ in range(3)] == [0, 0, 0]
    assert len(sent) == 3
    await pass_time(session, 200)
    assert [await spend(), await spend(OTHER)] == [400, 0]
    await pass_time(session, 400)
    assert [await spend() for _ in range(4)] == [0, 0, 0, 600]
    with pytest.raises(TooManyRequests, match=REFUSAL):
        await throttle.consume(session, KEY, 3, 600, REFUSAL)


async def test_concurrent_actions_do_not_exceed_the_limit(committing, commit):

    async def spend() -> int:
        async with committing.begin() as session:
            return await wait_of(throttle.consume(session, KEY, 7, 3600, REFUSAL))

    waits = await asyncio.gather(*(spend() for _ in range(50)))

    assert waits.count(0) == 7


async def test_the_table_contains_no_address(settings, session):
    key = throttle.key(settings, "letters", "ana@example.com")
    await throttle.consume(session, key, 3, 600, REFUSAL)

    stored = (await session.scalars(text("SELECT row_to_json(throttles) FROM throttles"))).one()

    assert "ana" not in str(stored)
    assert len(key) == 32
    assert key != throttle.key(settings, "letters", "eva@example.com")
    assert key != throttle.key(settings, "log-ins", "ana@example.com")


def test_retry_after_is_in_whole_seconds_and_at_least_one():
    waits = [TooManyRequests("", seconds).headers["Retry-After"] for seconds in (-1, 0, 0.2, 1.2)]

    assert waits == ["1", "1", "1", "2"]
