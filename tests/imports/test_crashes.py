"""Imports that are cancelled, killed, or asked for at once, each on its own connections."""

import asyncio

import pytest
from sqlalchemy import func, select, text

from fast_zero.core.jobs import Context
from fast_zero.imports import jobs, queries, service
from fast_zero.models import Label, Project, Todo
from tests.factories import UserFactory

ROWS = [f"task,todo {number} @new,,{1 + number % 2}," for number in range(30)]
FILE = "\n".join(("TYPE,CONTENT,PRIORITY,INDENT,DATE", *ROWS))
HEADERS = {"Content-Type": "text/csv"}


@pytest.fixture
async def user(commit):
    [user] = await commit(UserFactory())
    return user


@pytest.fixture
async def client(live, user, log_in):
    async with live(database_pool_size=20) as client:
        client.headers.update(await log_in(user))
        yield client


@pytest.fixture
def context(settings, committing) -> Context:
    return Context(settings, committing)


@pytest.fixture
def small_batches(monkeypatch) -> None:
    monkeypatch.setattr(service, "BATCH", 5)


@pytest.fixture
async def written(committing, user):
    """Count what there is of an account."""

    async def written() -> tuple[int, ...]:
        async with committing() as session:
            return tuple(
                [
                    await session.scalar(
                        select(func.count()).where(table.__table__.c.owner_id == user.id)
                    )
                    for table in (Todo, Project, Label)
                ]
            )

    return written


async def accept(client) -> dict:
    response = await client.post("/imports", content=FILE, headers=HEADERS)
    assert response.status_code == 202, response.text
    return response.json()


async def test_of_many_imports_at_once_one_is_accepted(client):
    responses = await asyncio.gather(
        *(client.post("/imports", content=FILE, headers=HEADERS) for _ in range(20))
    )

    assert sorted(response.status_code for response in responses) == [202] + [409] * 19


async def test_progress_is_seen_and_a_cancelled_import_leaves_nothing(
    client, context, written, monkeypatch, small_batches
):
    accepted = await accept(client)
    reached, forever = asyncio.Event(), asyncio.Event()
    insert = queries.insert_todos

    async def insert_slowly(session, user_id, rows):
        found = await insert(session, user_id, rows)
        if (await client.get(f"/imports/{accepted['id']}")).json()["processed"] >= 10:
            reached.set()
            await forever.wait()
        return found

    monkeypatch.setattr(queries, "insert_todos", insert_slowly)
    running = asyncio.create_task(jobs.run(context, import_id=accepted["id"]))
    await reached.wait()
    shown = (await client.get(f"/imports/{accepted['id']}")).json()
    assert (shown["status"], shown["total"], shown["processed"]) == ("running", 30, 10)
    assert await written() == (0, 0, 0)

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert await written() == (0, 0, 0)
    monkeypatch.setattr(queries, "insert_todos", insert)
    await jobs.run(context, import_id=accepted["id"])
    done = (await client.get(f"/imports/{accepted['id']}")).json()
    assert (done["status"], done["created"], done["processed"]) == ("done", 30, 30)
    assert await written() == (30, 1, 1)


async def test_two_workers_with_the_same_import_write_it_once(client, context, written):
    accepted = await accept(client)

    results = await asyncio.gather(
        *(jobs.run(context, import_id=accepted["id"]) for _ in range(4)), return_exceptions=True
    )

    assert results.count(None) >= 1
    assert await written() == (30, 1, 1)
    done = (await client.get(f"/imports/{accepted['id']}")).json()
    assert (done["status"], done["created"]) == ("done", 30)


async def test_an_import_that_has_ended_does_nothing(client, context, written):
    accepted = await accept(client)
    await jobs.run(context, import_id=accepted["id"])
    [todo, *_] = (await client.get("/todos")).json()["todos"]
    await client.delete(f"/todos/{todo['id']}")
    before = await written()

    await jobs.run(context, import_id=accepted["id"])

    assert await written() == before


async def test_an_import_that_is_given_up_meanwhile_writes_nothing(
    client, context, written, committing, monkeypatch
):
    accepted = await accept(client)
    write = service.write_todos

    async def write_and_be_late(*arguments):
        await write(*arguments)
        async with committing.begin() as session:
            await session.execute(text("UPDATE imports SET status = 'failed', content = NULL"))

    monkeypatch.setattr(service, "write_todos", write_and_be_late)
    with pytest.raises(jobs.JobError):
        await jobs.run(context, import_id=accepted["id"])

    assert await written() == (0, 0, 0)


async def test_the_deletion_of_the_account_forgets_its_imports(client, user, committing):
    await accept(client)
    await client.delete(f"/users/{user.id}")

    async with committing() as session:
        assert await session.scalar(text("SELECT count(*) FROM imports")) == 0


async def test_the_changes_are_those_of_the_request(client, context, user, committing):
    accepted = await accept(client)
    await jobs.run(context, import_id=accepted["id"])

    async with committing() as session:
        writers = (
            await session.execute(
                text(
                    "SELECT DISTINCT change_set_id::text, actor_id, client LIKE 'session:%'"
                    " FROM changes WHERE owner_id = :user_id"
                ),
                {"user_id": user.id},
            )
        ).all()
    assert [tuple(row) for row in writers] == [(accepted["change_set_id"], user.id, True)]
