"""Reminders with real commits: several workers, a real mailbox, and the log of changes."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from freezegun import freeze_time
from pydantic import SecretStr
from sqlalchemy import text

from fast_zero.core.jobs import Context
from fast_zero.reminders import jobs, queries
from fast_zero.worker import JOBS
from tests.core.expect import PATIENCE
from tests.core.mailbox import receiving
from tests.factories import TodoFactory, UserFactory

DUE = datetime(2031, 1, 6, 12, tzinfo=UTC)
WORKERS = 6
IN_TIME = [{"minutes_before": 0}]
DUE_THEN = {"state": "todo", "due_at": DUE, "time_zone": "UTC", "reminders": IN_TIME}

DUE_LATER = text("""
INSERT INTO todos (owner_id, title, description, state, due_at, time_zone, reminders)
SELECT :owner_id, 'Later', '', 'todo', :later, 'UTC', '[{"minutes_before": 0}]'
FROM generate_series(1, 5000)
""")


@pytest.fixture
async def owners(commit):
    wanted = {"letters": ["reminder"], "email_verified_at": DUE}
    return await commit(*(UserFactory(**wanted) for _ in range(3)))


@pytest.fixture
def rows(engine):
    async def rows(statement: str) -> list[tuple]:
        async with engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(text(statement))]

    return rows


async def test_several_workers_remind_once(owners, commit, settings, committing, rows, monkeypatch):
    monkeypatch.setattr(jobs, "BATCH", 1)  # each goes on until nothing is due
    todos = await commit(*(TodoFactory(owner_id=one.id, **DUE_THEN) for one in owners * 5))
    context = Context(settings, committing)
    with freeze_time(DUE, real_asyncio=True):
        await asyncio.gather(*(jobs.remind(context) for _ in range(WORKERS)))

    assert await rows("SELECT count(*) FROM notifications") == [(len(todos),)]
    deferred = await rows("SELECT args -> 'todo_ids' FROM procrastinate_jobs")
    assert sorted(id_ for [ids] in deferred for id_ in ids) == sorted(todo.id for todo in todos)


async def test_an_email_lies_in_the_mailbox_once_though_its_worker_died(
    owners, commit, settings, committing, rows
):
    await commit(*(TodoFactory(owner_id=one.id, title=one.email, **DUE_THEN) for one in owners))
    with freeze_time(DUE, real_asyncio=True):
        await jobs.remind(Context(settings, committing))
    deferred = await rows("SELECT task_name, args FROM procrastinate_jobs")
    async with receiving() as mailbox:
        context = Context(
            settings.model_copy(update={"smtp_url": SecretStr(mailbox.url)}), committing
        )
        for _ in range(2):  # the second time as if the worker had died before it was noted
            for name, arguments in deferred:
                await JOBS[name](context, **arguments)

    assert sorted(one["To"] for one in mailbox.emails) == sorted(one.email for one in owners)
    assert all(one["To"] in one["Subject"] for one in mailbox.emails)


async def test_a_todo_that_is_locked_is_left_to_the_next_minute(
    owners, commit, committing, engine, settings, rows
):
    free, locked = await commit(*(TodoFactory(owner_id=owners[0].id, **DUE_THEN) for _ in range(2)))
    with freeze_time(DUE, real_asyncio=True):
        async with engine.begin() as connection:
            await connection.execute(text(f"SELECT FROM todos WHERE id = {locked.id} FOR UPDATE"))
            await asyncio.wait_for(jobs.remind(Context(settings, committing)), PATIENCE)
        assert await rows("SELECT todo_id FROM notifications") == [(free.id,)]

        await jobs.remind(Context(settings, committing))

    found = await rows("SELECT todo_id FROM notifications ORDER BY id")
    assert found == [(free.id,), (locked.id,)]


async def test_a_todo_that_is_being_deleted_is_left_alone(
    owners, commit, committing, engine, settings, rows
):
    [todo] = await commit(TodoFactory(owner_id=owners[0].id, **DUE_THEN))
    async with engine.begin() as connection:
        await connection.execute(text(f"DELETE FROM todos WHERE id = {todo.id}"))
        with freeze_time(DUE, real_asyncio=True):
            await asyncio.wait_for(jobs.remind(Context(settings, committing)), PATIENCE)
    assert await rows("SELECT todo_id FROM notifications") == []


async def test_a_batch_reads_no_more_than_is_due(owners, engine):
    async with engine.connect() as connection:
        # While a table seems to be empty, all indexes cost the same.
        await connection.execute(DUE_LATER, {"owner_id": owners[0].id, "later": DUE + timedelta(1)})
        await connection.execute(text("ANALYZE scheduled_reminders"))
        explained = text(f"EXPLAIN {queries.REMIND.text}")
        plan = await connection.execute(explained, {"now": DUE, "too_old": DUE})
        lines = "\n".join(line for [line] in plan)
    assert "ix_scheduled_reminders_fires_at_owner_id" in lines


async def test_a_change_of_reminders_is_a_change_of_the_todo(live, commit, log_in):
    [user] = await commit(UserFactory())
    async with live() as client:
        client.headers.update(await log_in(user))
        given = {"title": "Bread", "due_at": DUE.isoformat(), "reminders": IN_TIME}
        todo = (await client.post("/todos", json=given)).json()
        since = await synced(client)
        path = f"/todos/{todo['id']}"
        changed = await client.patch(path, json={"reminders": []})

        [entry, *_] = (await client.get(f"{path}/activity")).json()["activity"]
        page = {"changes": []}
        while not page["changes"]:  # it waits for transactions of other tests
            page = (await client.get("/changes", params={"since": since})).json()
        undone = await client.post(f"/change-sets/{changed.headers['x-change-set']}/undo")
        read = (await client.get(path)).json()

    [change] = entry["changes"]
    assert (change["code"], change["values"]) == (
        "todo_updated",
        {"reminders": {"before": IN_TIME, "after": None}},
    )
    [current] = page["changes"]
    assert (current["entity"], current["value"]["reminders"]) == ("todo", [])
    assert undone.json()["undone"][0]["fields"] == ["reminders"]
    assert read["reminders"] == todo["reminders"]


async def synced(client) -> str:
    page = {"more": True, "next": None}
    while page["more"]:
        params = {"since": page["next"]} if page["next"] else {}
        page = (await client.get("/changes", params=params)).json()
    return page["next"]
