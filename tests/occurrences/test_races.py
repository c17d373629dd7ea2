"""Devices that complete a todo that recurs at once, each on its own connection."""

import asyncio
from collections import Counter

import pytest
from sqlalchemy import text

from tests.factories import UserFactory

AT_ONCE = 8
DAY = "2031-01-06"
OWNER = text("SELECT owner_id FROM todos WHERE id = :id")
LOCK = text("SELECT lock_lists(:user_id)")
WAITING = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")


@pytest.fixture
async def client(live, commit, log_in):
    [user] = await commit(UserFactory())
    async with live(database_pool_size=AT_ONCE) as client:
        client.headers.update(await log_in(user))
        yield client


@pytest.fixture
async def todo(client):
    body = {"title": "a", "due_on": DAY, "share": "public", "recurrence": {"rule": "FREQ=DAILY"}}
    return (await client.post("/todos", json=body)).json()


async def statuses(client, todo) -> list[tuple[str, str]]:
    listed = (await client.get(f"/todos/{todo['id']}/occurrences")).json()
    return [(each["day"], each["status"]) for each in listed["past"]]


async def test_devices_that_name_an_occurrence_complete_it_once(client, todo):
    path, body = f"/todos/{todo['id']}/complete", {"occurrence": DAY}
    answers = await asyncio.gather(*(client.post(path, json=body) for _ in range(AT_ONCE)))

    assert Counter(answer.status_code for answer in answers) == {200: AT_ONCE}
    assert {answer.json()["due_on"] for answer in answers} == {"2031-01-07"}
    assert await statuses(client, todo) == [(DAY, "done")]
    assert len((await client.get("/posts")).json()["posts"]) == 1


@pytest.mark.parametrize("operation", ["complete", "skip"])
async def test_devices_that_name_none_finish_what_they_saw(client, todo, committing, operation):
    """Both have asked before either is answered."""
    async with committing.begin() as session:
        user_id = await session.scalar(OWNER, {"id": todo["id"]})
        await session.execute(LOCK, {"user_id": user_id})
        path = f"/todos/{todo['id']}/{operation}"
        requests = [asyncio.create_task(client.post(path)) for _ in "12"]
        while await session.scalar(WAITING) < 2:  # noqa: ASYNC110  # a lock sets no event
            await asyncio.sleep(0.02)
    answers = [await request for request in requests]

    assert [answer.json()["due_on"] for answer in answers] == ["2031-01-07"] * 2
    assert [answer.json()["completed_occurrence"] for answer in answers] == [DAY] * 2
    assert len(await statuses(client, todo)) == 1


async def test_devices_that_saw_the_same_version_complete_one_occurrence(client, todo):
    seen = {"If-Match": f'"{todo["version"]}"'}
    path = f"/todos/{todo['id']}"
    requests = [
        request
        for _ in range(AT_ONCE // 2)
        for request in (
            client.post(f"{path}/complete", headers=seen),
            client.patch(path, json={"state": "done"}, headers=seen),
        )
    ]
    answers = await asyncio.gather(*requests)

    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: AT_ONCE - 1}
    assert await statuses(client, todo) == [(DAY, "done")]


async def test_of_a_completion_and_a_skip_one_wins(client, todo):
    path, body = f"/todos/{todo['id']}", {"occurrence": DAY}
    answers = await asyncio.gather(
        client.post(f"{path}/complete", json=body), client.post(f"{path}/skip", json=body)
    )

    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 1}
    assert len(await statuses(client, todo)) == 1


async def test_completions_and_new_dues_at_once_leave_a_consistent_series(client, todo):
    path = f"/todos/{todo['id']}"
    requests = [
        request
        for number in range(AT_ONCE // 2)
        for request in (
            client.post(f"{path}/complete"),
            client.patch(path, json={"due_on": f"2031-02-{number + 10}"}),
        )
    ]
    answers = await asyncio.gather(*requests)

    assert {answer.status_code for answer in answers} <= {200, 409}
    found = await statuses(client, todo)
    assert 1 <= len(found) <= AT_ONCE // 2
    current = (await client.get(path)).json()
    assert current["due_on"] == current["occurrence_on"]
    assert current["occurrence_on"] not in {day for day, _ in found}
