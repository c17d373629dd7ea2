"""POST /todos/{id}/duplicate."""

import asyncio

import pytest
from sqlalchemy import text

from fast_zero.core.positions import LONGEST
from tests.core.expect import problem
from tests.factories import ProjectFactory, SectionFactory, TodoFactory, UserFactory

NO_TODO = (404, "Task not found.")
OWN = {"id", "created_at", "updated_at", "position", "version"}


@pytest.fixture
def create(client):
    async def create(title: str = "Todo", **fields) -> int:
        response = await client.post("/todos", json={"title": title, **fields})
        assert response.status_code == 201, response.text
        return response.json()["id"]

    return create


async def duplicate(client, todo_id: int, headers=None):
    return await client.post(f"/todos/{todo_id}/duplicate", headers=headers)


async def listed(client, **wanted) -> list[dict]:
    params = {"sort": "position", "limit": 1000, **wanted}
    return (await client.get("/todos", params=params)).json()["todos"]


async def tree(client, todo_id: int) -> list:
    """Return the titles and states below a todo, nested, in their order."""
    return [
        (todo["title"], todo["state"], todo["labels"], await tree(client, todo["id"]))
        for todo in await listed(client, parent_id=todo_id)
    ]


async def test_a_copy_has_all_that_the_original_says(client, create, save, user):
    [project] = await save(ProjectFactory(owner_id=user.id))
    [section] = await save(SectionFactory(owner_id=user.id, project_id=project.id))
    todo = await create(
        "Bake bread",
        description="Dark",
        share="public",
        priority="high",
        labels=["errands", "Home"],
        due_at="2026-12-04T10:00:00+01:00",
        time_zone="Europe/Berlin",
        starts_on="2026-12-01",
        deadline_on="2026-12-24",
        duration_minutes=90,
        section_id=section.id,
    )
    original = (await client.get(f"/todos/{todo}")).json()

    response = await duplicate(client, todo)
    copy = response.json()

    assert response.status_code == 201
    assert response.headers["location"] == f"/todos/{copy['id']}"
    read = await client.get(f"/todos/{copy['id']}")
    assert (read.json(), read.headers["etag"]) == (copy, response.headers["etag"])
    assert copy["version"] == 1
    assert copy["id"] != todo
    assert {name: copy[name] for name in copy.keys() - OWN} == {
        name: original[name] for name in original.keys() - OWN
    }
    assert (await client.get(f"/todos/{todo}")).json() == original


async def test_a_copy_is_next_to_the_original(client, create, order):
    one, two, three = [await create() for _ in range(3)]

    first = (await duplicate(client, one)).json()["id"]
    assert await order() == [one, first, two, three]
    second = (await duplicate(client, one)).json()["id"]
    assert await order() == [one, second, first, two, three]
    last = (await duplicate(client, three)).json()["id"]
    new = await create()
    assert await order() == [one, second, first, two, three, last, new]


@pytest.mark.parametrize(
    ("state", "expected"),
    [("draft", "draft"), ("todo", "todo"), ("doing", "todo"), ("done", "todo"), ("trash", "todo")],
)
async def test_a_copy_is_still_to_be_done(client, create, state, expected):
    copy = (await duplicate(client, await create(state=state))).json()

    assert (copy["state"], copy["completed_at"]) == (expected, None)


async def test_subtasks_are_copied_in_their_order(client, create, move):
    root = await create("root", labels=["a"])
    one = await create("one", parent_id=root, state="done")
    two = await create("two", parent_id=root, labels=["a", "b"])
    await create("deep", parent_id=one, state="draft")
    deeper = await create("deep too", parent_id=one, labels=["c"])
    for number in range(3):
        deeper = await create(f"deeper {number}", parent_id=deeper)
    await move(two, before=one)
    gone = await create("gone", parent_id=root)
    await client.delete(f"/todos/{gone}")
    before = await tree(client, root)

    copy = (await duplicate(client, root)).json()

    copied = await tree(client, copy["id"])
    assert [title for title, *_ in copied] == ["two", "one"]
    assert str(copied) == str(before).replace("'done'", "'todo'")
    assert (copy["subtasks"], copy["open_subtasks"]) == (2, 2)
    assert await tree(client, root) == before
    subtask = (await duplicate(client, one)).json()
    assert subtask["parent_id"] == root
    assert [title for title, *_ in await tree(client, root)] == ["two", "one", "one"]


async def test_relations_are_not_copied(client, create, connection, user):
    one, other = await create(), await create()
    relation = "INSERT INTO todo_relations (owner_id, todo_id, other_id, kind) VALUES "
    await connection.execute(text(f"{relation} ({user.id}, {one}, {other}, 'blocks')"))
    assert (await client.get(f"/todos/{other}")).json()["blocked"] is True

    assert (await duplicate(client, other)).json()["blocked"] is False
    await duplicate(client, one)
    assert await connection.scalar(text("SELECT count(*) FROM todo_relations")) == 1


async def test_a_stranger_cannot_copy_a_todo(client, save, create, stranger):
    [theirs] = await save(TodoFactory(owner_id=stranger.id))
    gone = await create()
    await client.delete(f"/todos/{gone}")

    for todo in (theirs.id, gone, 2**63 - 1):
        response = await duplicate(client, todo)
        assert problem(response) == NO_TODO
        assert response.json()["code"] == "todo_not_found"


async def test_more_than_a_thousand_todos_are_not_copied(client, create, connection, user):
    root = await create()
    fill = (
        "INSERT INTO todos (owner_id, title, description, state, parent_id)"
        " SELECT {}, 'Subtask', '', 'todo', {} FROM generate_series(1, {})"
    )
    await connection.execute(text(fill.format(user.id, root, 999)))
    copy = await duplicate(client, root)
    assert copy.status_code == 201
    assert copy.json()["subtasks"] == 999

    await create(parent_id=root)
    response = await duplicate(client, root)
    assert problem(response) == (
        409,
        "At most 1,000 todos, sections or projects can be duplicated at once.",
    )
    assert response.json()["code"] == "too_many_to_duplicate"


async def test_the_number_of_statements_depends_on_levels_alone(client, create, statements):
    counts = []
    for size in (1, 30):
        root = await create(labels=["a"])
        for _ in range(size):
            below = await create(parent_id=root, labels=["b"])
            await create(parent_id=below)
        with statements() as sent:
            assert (await duplicate(client, root)).status_code == 201
        counts.append(len(sent))
        assert sent.transactions == 1

    assert counts == [8, 8]


async def test_a_copy_with_an_idempotency_key_is_made_once(client, create, order):
    todo = await create(labels=["a"])
    headers = {"Idempotency-Key": "a"}
    first = await duplicate(client, todo, headers)
    again = await duplicate(client, todo, headers)

    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["idempotency-replayed"] == "true"
    assert await order() == [todo, first.json()["id"]]


async def test_many_copies_of_one_todo_keep_positions_short(client, create, order):
    one, last = await create(), await create()
    copies = [(await duplicate(client, one)).json()["id"] for _ in range(130)]

    assert await order() == [one, *reversed(copies), last]
    assert max(len(todo["position"]) for todo in await listed(client)) <= LONGEST


async def test_copies_and_moves_at_once_all_succeed(live, commit, log_in):
    [user] = await commit(UserFactory())
    todos = [todo.id for todo in await commit(*TodoFactory.build_batch(6, owner_id=user.id))]
    headers = await log_in(user)
    async with live() as client:
        requests = [
            request
            for todo, other in zip(todos, reversed(todos), strict=True)
            for request in (
                duplicate(client, todo, headers),
                client.post(f"/todos/{todo}/move", json={"after": other}, headers=headers),
                duplicate(client, todo, headers),
            )
        ]
        responses = await asyncio.gather(*requests)
        assert {response.status_code for response in responses} == {200, 201}
        page = await client.get("/todos?sort=position", headers=headers)
        assert len({todo["position"] for todo in page.json()["todos"]}) == 18
