"""What todos that recur announce, and what counts as finished."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from fast_zero.notifications import reports

COUNTED = text(
    "SELECT todo_id, occurrence, finished_at FROM completions WHERE owner_id = :user_id"
    " ORDER BY occurrence NULLS LAST, todo_id"
)


@pytest.fixture
def posts(client, user):
    """Return the texts of the posts of the user, oldest first."""

    async def posts():
        page = (await client.get(f"/users/{user.id}/posts")).json()
        return [post["text"] for post in reversed(page["posts"])]

    return posts


@pytest.fixture
def counted(sessions, user):
    """Return what counts as finished: the todo, and the day of the occurrence."""

    async def counted():
        async with sessions.begin() as session:
            rows = await session.execute(COUNTED, {"user_id": user.id})
            return [(row.todo_id, row.occurrence and str(row.occurrence)) for row in rows]

    return counted


@pytest.fixture
async def item(client, create):
    """Return a shared todo that recurs, and the path of an item of its checklist."""
    todo = await create(due_on="2031-01-06", share="public")
    body = {"title": "Balcony", "parent_id": todo["id"], "share": "public"}
    item = (await client.post("/todos", json=body)).json()
    return todo, f"/todos/{item['id']}"


async def test_each_occurrence_is_announced_and_counted(client, create, posts, counted, clock):
    todo = await create("FREQ=DAILY;COUNT=3", due_on="2031-01-06", share="public")
    path = f"/todos/{todo['id']}"
    await client.post(f"{path}/complete")
    await client.patch(path, json={"state": "done", "title": "Water all"})
    await client.patch(path, json={"title": "Water none"})
    await client.post(f"{path}/skip")

    assert await posts() == ["Water the plants", "Water all"]
    assert await counted() == [(todo["id"], "2031-01-06"), (todo["id"], "2031-01-07")]


async def test_the_last_occurrence_is_announced_and_counted_once(client, create, posts, counted):
    todo = await create("FREQ=DAILY;COUNT=1", due_on="2031-01-06", share="public")
    path = f"/todos/{todo['id']}"
    await client.post(f"{path}/complete")
    await client.patch(path, json={"state": "doing"})
    await client.patch(path, json={"state": "done"})

    assert await posts() == ["Water the plants"]
    assert await counted() == [(todo["id"], "2031-01-06")]


async def test_taking_an_occurrence_back_withdraws_its_own(client, create, posts, counted):
    todo = await create("FREQ=DAILY", due_on="2031-01-06", share="public")
    for _ in range(2):
        await client.post(f"/todos/{todo['id']}/complete")
    await client.delete(f"/todos/{todo['id']}/occurrences/2031-01-07")

    assert len(await posts()) == 1
    assert await counted() == [(todo["id"], "2031-01-06")]


async def test_opening_a_checklist_again_withdraws_nothing(client, item, posts, counted):
    todo, path = item
    item_id = int(path.removeprefix("/todos/"))
    for _ in range(2):
        await client.post(f"{path}/complete")
        await client.post(f"/todos/{todo['id']}/complete")
        assert (await client.get(path)).json()["state"] == "todo"

    assert await posts() == ["Balcony", "Water the plants"] * 2
    assert await counted() == [
        (todo["id"], "2031-01-06"),
        (item_id, "2031-01-06"),
        (todo["id"], "2031-01-09"),
        (item_id, "2031-01-09"),
    ]


async def test_an_item_that_its_owner_opens_again_is_withdrawn(client, item, posts, counted):
    todo, path = item
    await client.post(f"{path}/complete")
    await client.post(f"/todos/{todo['id']}/complete")
    await client.post(f"{path}/complete")
    await client.patch(path, json={"state": "todo"})

    assert await posts() == ["Balcony", "Water the plants"]
    assert len(await counted()) == 2


async def test_taken_back_the_items_keep_what_they_announced(client, item, posts, counted):
    todo, path = item
    item_id = int(path.removeprefix("/todos/"))
    await client.post(f"{path}/complete")
    await client.post(f"/todos/{todo['id']}/complete")
    await client.post(f"{path}/complete")
    await client.delete(f"/todos/{todo['id']}/occurrences/2031-01-06")

    assert (await client.get(path)).json()["state"] == "done"
    assert await posts() == ["Balcony"]
    assert await counted() == [(item_id, None)]
    await client.patch(path, json={"state": "todo"})
    assert (await posts(), await counted()) == ([], [])


async def test_an_item_that_is_completed_with_its_list_is_not_announced(client, item, posts):
    todo, _ = item
    await client.patch(f"/todos/{todo['id']}", json={"recurrence": None})
    await client.post(f"/todos/{todo['id']}/complete")
    assert await posts() == ["Water the plants"]


async def test_a_todo_that_recurs_below_a_completed_one_is_not_announced(
    client, create, posts, counted
):
    parent = (await client.post("/todos", json={"title": "Garden", "share": "public"})).json()
    todo = await create(due_on="2031-01-06", parent_id=parent["id"], share="public")
    await client.post(f"/todos/{parent['id']}/complete")
    assert await posts() == ["Garden"]
    assert await counted() == [(todo["id"], "2031-01-06"), (parent["id"], None)]


async def test_in_the_trash_nothing_is_shown(client, item, posts):
    todo, path = item
    await client.post(f"{path}/complete")
    await client.post(f"/todos/{todo['id']}/complete")
    await client.delete(f"/todos/{todo['id']}")
    assert await posts() == []
    await client.post(f"/todos/{todo['id']}/restore")
    assert await posts() == ["Balcony", "Water the plants"]


async def test_deleted_for_good_it_still_counts_but_is_not_announced(client, item, posts, counted):
    todo, path = item
    await client.post(f"{path}/complete")
    await client.post(f"/todos/{todo['id']}/complete")
    await client.delete(f"/todos/{todo['id']}")
    await client.delete("/trash")
    assert await posts() == []
    assert await counted() == [(None, "2031-01-06"), (None, "2031-01-06")]


@pytest.mark.parametrize("share", ["off", "followers", None])
async def test_shared_with_fewer_its_posts_are_withdrawn(client, create, posts, share):
    todo = await create(due_on="2031-01-06", share="public")
    path = f"/todos/{todo['id']}"
    await client.post(f"{path}/complete")
    await client.patch(path, json={"share": share})
    assert await posts() == []


async def test_the_account_decides_and_can_withdraw(client, create, posts):
    await client.patch("/users/me", json={"share_todos": "public"})
    todo = await create(due_on="2031-01-06")
    await client.post(f"/todos/{todo['id']}/complete")
    assert await posts() == ["Water the plants"]
    await client.patch("/users/me", json={"share_todos": "off"})
    assert await posts() == []


async def test_each_occurrence_is_in_the_statistics(client, clock, create, user):
    todo = await create("FREQ=DAILY", due_on="2031-01-06")
    for day in (6, 7, 8):
        clock.move_to(f"2031-01-{day:02}T08:00:00Z")
        await client.post(f"/todos/{todo['id']}/complete")
    stats = (await client.get(f"/users/{user.id}/stats")).json()
    assert stats["current_streak"] == 3


async def test_each_occurrence_is_in_the_weekly_report(client, clock, create, user, sessions):
    todo = await create("FREQ=DAILY;COUNT=2", due_on="2031-01-06")
    for day in (6, 7):
        clock.move_to(f"2031-01-{day:02}T08:00:00Z")
        await client.post(f"/todos/{todo['id']}/complete")
    began, ended = (datetime(2031, 1, day, tzinfo=UTC) for day in (6, 13))
    async with sessions.begin() as session:
        week = await reports.select_week(session, user.id, began, ended, began)

    assert (week.finished, week.open) == (2, 0)
    assert week.finished_titles == ["Water the plants"] * 2
