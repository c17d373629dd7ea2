import asyncio

import pytest

from fast_zero.core.errors import TooManyRequests, Unavailable
from fast_zero.core.security.password_queue import OPERATOR, Caller, PasswordQueue
from tests.core.expect import wait_until


@pytest.fixture
def queue():
    return PasswordQueue()


async def enter(queue: PasswordQueue, done: list[str], *callers: Caller) -> list[asyncio.Task]:
    """Start callers one after the other. Each records its name when its work runs."""
    tasks = [
        asyncio.create_task(queue.run(caller, lambda caller=caller: done.append(caller.name)))
        for caller in callers
    ]
    await wait_until(lambda: queue.pending.total() == len(callers))
    return tasks


async def test_callers_take_turns_regardless_of_their_number_of_passwords(queue):
    done: list[str] = []
    flood, ana, eva = Caller("flood"), Caller("ana"), Caller("eva")

    async with queue.hashing:
        tasks = await enter(queue, done, *[flood] * 20, ana, eva, ana)
    await asyncio.gather(*tasks)

    assert done[:3] == ["flood", "ana", "eva"]
    assert done.index("ana", 2) < 6
    assert done.count("flood") == 20


async def test_a_new_caller_waits_for_one_password_of_each_other(queue):
    done: list[str] = []
    others = [Caller(f"caller {number}") for number in range(5)]
    async with queue.hashing:
        tasks = await enter(queue, done, *(caller for caller in others for _ in range(4)))
        late = asyncio.create_task(queue.run(Caller("late"), lambda: done.append("late")))
        await wait_until(lambda: queue.pending["late"] == 1)
    await asyncio.gather(*tasks, late)

    assert done.index("late") == len(others)


async def test_a_caller_above_its_limit_is_refused(queue):
    ana = Caller("ana", limit=2, limit_of_all=4)
    async with queue.hashing:
        tasks = await enter(queue, [], ana, ana)
        for _ in range(3):
            with pytest.raises(TooManyRequests) as refusal:
                await queue.run(ana, list)
        tasks += [asyncio.create_task(queue.run(Caller(name), list)) for name in ("eva", "bia")]
        await wait_until(lambda: queue.pending.total() == 4)
        with pytest.raises(Unavailable):
            await queue.run(Caller("caio", limit=2, limit_of_all=4), list)
        operator = asyncio.create_task(queue.run(OPERATOR, list))
    await asyncio.gather(*tasks, operator)

    assert refusal.value.headers["Retry-After"] == "1"
    assert await queue.run(ana, lambda: "again") == "again"


async def test_a_cancelled_caller_leaves_the_queue(queue):
    ana, eva = Caller("ana", limit=3), Caller("eva")
    done: list[str] = []
    async with queue.hashing:
        tasks = await enter(queue, done, ana, ana, eva, ana)
        for task in (tasks[0], tasks[3]):
            task.cancel()
        await asyncio.wait([tasks[0], tasks[3]])
        assert queue.pending["ana"] == 1
    await asyncio.gather(tasks[1], tasks[2])

    assert sorted(done) == ["ana", "eva"]
    assert not queue.pending
    assert not queue.locks


async def test_failed_work_leaves_the_queue(queue):
    def fail() -> None:
        raise LookupError

    for _ in range(3):
        with pytest.raises(LookupError):
            await queue.run(Caller("ana", limit=1), fail)

    assert queue.waiting() == 0
    assert not queue.locks
