"""POST /todos/batch."""

import asyncio
from collections import Counter

import pytest
from sqlalchemy import func, select

from fast_zero.models import Todo
from fast_zero.todos.models import TodoState
from tests.core.expect import invalid_fields, problem
from tests.factories import TodoFactory, UserFactory

STALE = "It has changed since you read it. Read it again, then send your change."
FAR = 2**63 - 1


@pytest.fixture
async def todos(save, user) -> list[Todo]:
    return await save(
        *(
            TodoFactory(owner_id=user.id, title=f"t{number}", description="d", state=TodoState.TODO)
            for number in range(4)
        )
    )


@pytest.fixture
async def hidden(save, stranger) -> Todo:
    [todo] = await save(TodoFactory(owner_id=stranger.id, title="Private"))
    return todo


async def send(client, *items, **options):
    return await client.post("/todos/batch", json={"items": items, **options})


async def listed(client) -> dict[int, dict]:
    page = (await client.get("/todos?limit=1000")).json()
    return {todo["id"]: todo for todo in page["todos"]}


def create(title: str, **fields) -> dict:
    return {"op": "create", "title": title, **fields}


def update(todo_id: int, **fields) -> dict:
    return {"op": "update", "id": todo_id, **fields}


def complete(todo_id: int, **fields) -> dict:
    return {"op": "complete", "id": todo_id, **fields}


def move(todo_id: int, **fields) -> dict:
    return {"op": "move", "id": todo_id, **fields}


def restore(todo_id: int, **fields) -> dict:
    return {"op": "restore", "id": todo_id, **fields}


def delete(todo_id: int, **fields) -> dict:
    return {"op": "delete", "id": todo_id, **fields}


@pytest.mark.parametrize("options", [{}, {"atomic": True}, {"atomic": False}])
async def test_each_item_is_done_and_its_result_returned_in_order(client, todos, options):
    changed, gone, same, other = (todo.id for todo in todos)
    before = await listed(client)

    response = await send(
        client,
        create(" New "),
        update(changed, title="Changed", version=1),
        delete(gone, version=1),
        create("Full", description="All\nof it", state="doing"),
        update(same),
        update(other, description="", state="done"),
        **options,
    )

    assert response.status_code == 200
    results = response.json()["results"]
    assert [result["status"] for result in results] == [201, 200, 200, 201, 200, 200]
    assert all(result["problem"] is None for result in results)
    first, one, none, second, two, three = (result["todo"] for result in results)
    assert none is None
    assert (first["title"], first["description"], first["state"]) == ("New", "", "todo")
    assert (second["title"], second["description"]) == ("Full", "All\nof it")
    assert first["id"] < second["id"]
    assert (one["title"], one["description"], one["version"]) == ("Changed", "d", 2)
    assert two == before[same]
    assert (three["title"], three["description"], three["state"]) == ("t3", "", "done")
    shown = (first, one, second, two, three)
    assert await listed(client) == {todo["id"]: todo for todo in shown}


async def test_a_batch_of_two_hundred_sends_as_many_statements_as_one_of_three(
    client, save, user, statements
):
    async def sent_for(each: int) -> list[str]:
        rows = await save(*TodoFactory.build_batch(2 * each, owner_id=user.id))
        ids = [row.id for row in rows]
        items = [create(f"new {number}") for number in range(each)]
        items += [update(todo_id, title="changed") for todo_id in ids[:each]]
        items += [delete(todo_id) for todo_id in ids[each:]]
        with statements() as sent:
            response = await send(client, *items)
        results = response.json()["results"]
        assert Counter(result["status"] for result in results) == {201: each, 200: 2 * each}
        titles = [result["todo"]["title"] for result in results[:each]]
        assert titles == [f"new {number}" for number in range(each)]
        return sent

    few, many = await sent_for(1), await sent_for(66)

    # One each to lock the lists, insert, lock, update, delete and read the results.
    assert len(few) == len(many) == 6


async def test_two_hundred_creates_are_one_statement(client, statements):
    with statements() as sent:
        response = await send(client, *(create(f"t{number:03}") for number in range(200)))

    todos = [result["todo"] for result in response.json()["results"]]
    assert [todo["title"] for todo in todos] == [f"t{number:03}" for number in range(200)]
    assert [todo["id"] for todo in todos] == sorted(todo["id"] for todo in todos)
    assert len(sent) == 1


async def test_an_atomic_batch_that_cannot_be_done_changes_nothing(client, todos, hidden):
    before = await listed(client)

    response = await send(
        client,
        create("New"),
        update(todos[0].id, title="Changed"),
        update(todos[1].id, title="Changed", version=7),
        delete(hidden.id),
        delete(todos[2].id),
    )

    assert response.status_code == 409
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["detail"] == "Nothing was done: items that cannot be: 2 of 5."
    assert [result["status"] for result in body["results"]] == [424, 424, 412, 404, 424]
    stale, missing = body["results"][2:4]
    assert stale["problem"]["detail"] == STALE
    assert stale["todo"] == before[todos[1].id]
    assert missing["todo"] is None
    assert missing["problem"] == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "code": "todo_not_found",
        "detail": "Task not found.",
        "instance": f"/todos/{hidden.id}",
    }
    assert await listed(client) == before


async def test_a_batch_that_is_not_atomic_does_what_can_be_done(client, todos, hidden, session):
    response = await send(
        client,
        update(todos[0].id, title="Changed", version=7),
        update(hidden.id, title="Mine now"),
        delete(FAR),
        delete(todos[1].id, version=2),
        create("New"),
        update(todos[2].id, title="Changed"),
        atomic=False,
    )

    assert response.status_code == 200
    statuses = [result["status"] for result in response.json()["results"]]
    assert statuses == [412, 404, 404, 412, 201, 200]
    titles = [todo["title"] for todo in (await listed(client)).values()]
    assert titles == ["t0", "t1", "Changed", "t3", "New"]
    assert await session.scalar(select(Todo.title).where(Todo.id == hidden.id)) == "Private"


async def test_the_todos_of_others_are_like_missing_ones(client, hidden):
    answer = await send(client, update(hidden.id, title="a"), update(FAR, title="a"), atomic=False)
    theirs, nobodys = answer.json()["results"]

    assert theirs["problem"].pop("instance") != nobodys["problem"].pop("instance")
    assert theirs == nobodys


async def test_a_batch_needs_a_token(anonymous):
    assert (await send(anonymous, create("a"))).status_code == 401


@pytest.mark.parametrize(
    ("items", "place"),
    [
        ([], "body.items"),
        ([create("a")] * 201, "body.items"),
        ([{"op": "upsert"}], "body.items.0"),
        ([{"title": "a"}], "body.items.0"),
        ([create("")], "body.items.0.create.title"),
        ([create("a"), update(1, title=None)], "body.items.1.update.title"),
        ([update(1, state="later")], "body.items.0.update.state"),
        ([{"op": "delete"}], "body.items.0.delete.id"),
        ([delete(0)], "body.items.0.delete.id"),
        ([delete("1")], "body.items.0.delete.id"),
        ([delete(2**63)], "body.items.0.delete.id"),
        ([delete(1, version=0)], "body.items.0.delete.version"),
        ([create("a\0")], "body.items.0.create.title"),
        ([update(1, title="a"), delete(1)], "body"),
        ([restore(1), complete(1)], "body"),
        ([complete(1, force=1)], "body.items.0.complete.force"),
        ([update(1, force="yes")], "body.items.0.update.force"),
        ([restore("1")], "body.items.0.restore.id"),
        ([move(1)], "body.items.0.move"),
        ([move(1, before=2, after=3)], "body.items.0.move"),
        ([move(1, project_id="3")], "body.items.0.move.project_id"),
        ([create("a", due_on="2026-12-04", due_at="2026-12-04T12:00Z")], "body.items.0.create"),
        ([update(1, time_zone="UTC")], "body.items.0.update"),
        ([create("a", parent_id=1, project_id=1)], "body.items.0.create"),
        ([create("a", labels=["x" * 51])], "body.items.0.create.labels.0"),
        ([create("a", priority=3)], "body.items.0.create.priority"),
    ],
    ids=str,
)
async def test_a_batch_that_breaks_a_rule_is_refused_whole(client, items, place):
    for atomic in (True, False):
        assert set(invalid_fields(await send(client, *items, atomic=atomic))) == {place}
    assert await listed(client) == {}


async def test_a_todo_named_twice_is_named_in_the_refusal(client):
    _, [entry] = problem(await send(client, update(7, title="a"), update(7, state="done")))

    assert entry["msg"] == "todo 7 is named twice; put all its changes into one item"


async def test_concurrent_batches_neither_lose_changes_nor_deadlock(live, commit, log_in, engine):
    [user] = await commit(UserFactory())
    todos = await commit(*TodoFactory.build_batch(20, owner_id=user.id))
    ids = [todo.id for todo in todos]
    async with live() as client:
        client.headers.update(await log_in(user))
        batches = [
            send(client, *(update(todo_id, title=f"t{number}") for todo_id in order))
            for number in range(10)
            for order in (ids, ids[::-1])
        ]
        answers = await asyncio.gather(*batches)
        once = await asyncio.gather(
            *(
                send(
                    client,
                    create("new"),
                    *(update(todo_id, state="done", version=21) for todo_id in ids),
                )
                for _ in range(10)
            )
        )

    assert {answer.status_code for answer in answers} == {200}
    assert Counter(answer.status_code for answer in once) == {200: 1, 409: 9}
    async with engine.connect() as other:
        rows = await other.execute(select(Todo.version, func.count()).group_by(Todo.version))
        assert dict(map(tuple, rows)) == {22: 20, 1: 1}
