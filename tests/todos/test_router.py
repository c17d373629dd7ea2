from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from fast_zero.models import Todo
from fast_zero.todos.models import TodoState
from tests.core.expect import invalid_fields, problem
from tests.factories import TodoFactory

NOT_FOUND = (404, "Task not found.")
UNSET = {
    "share": None,
    "project_id": None,
    "section_id": None,
    "parent_id": None,
    "labels": [],
    "priority": "none",
    "due_on": None,
    "due_at": None,
    "time_zone": None,
    "starts_on": None,
    "deadline_on": None,
    "duration_minutes": None,
    "recurrence": None,
    "recurrence_text": None,
    "occurrence_on": None,
    "reminders": [],
    "snoozed_until": None,
    "blocked": False,
    "subtasks": 0,
    "open_subtasks": 0,
    "completed_at": None,
}
FIELDS = UNSET.keys() | {
    *("id", "title", "description", "state", "position", "created_at", "updated_at", "version")
}
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
async def todo(save, user) -> Todo:
    todo = TodoFactory(
        owner_id=user.id, title="Buy bread", description="Dark", state=TodoState.TODO
    )
    todo.created_at = todo.updated_at = LONG_AGO
    await save(todo)
    return todo


@pytest.fixture
async def hidden(save, stranger) -> Todo:
    [todo] = await save(TodoFactory(owner_id=stranger.id, title="Private"))
    return todo


async def test_creating_with_a_title_alone_fills_in_the_rest(client, statements):
    with statements() as sent:
        response = await client.post("/todos/", json={"title": " Buy bread "})

    assert response.status_code == 201
    body = response.json()
    assert body.keys() == FIELDS
    assert (body["title"], body["description"], body["state"]) == ("Buy bread", "", "todo")
    assert (len(sent), sent.transactions) == (1, 0)


@pytest.mark.parametrize("state", TodoState)
async def test_creating_stores_what_was_sent(client, state):
    new = {"title": "Comprar pão", "description": "Escuro,\n\tcom grãos 🍞.", "state": state}

    created = (await client.post("/todos", json=new)).json()

    assert {name: created[name] for name in new} == new
    assert (await client.get(f"/todos/{created['id']}/")).json() == created
    moment = datetime.fromisoformat(created["created_at"])
    assert moment.utcoffset() is not None
    assert created["updated_at"] == created["created_at"]


@pytest.mark.parametrize(
    ("new", "places"),
    [
        ({}, ["body.title"]),
        ({"title": "a", "state": "later"}, ["body.state"]),
        ({"title": "a", "state": None}, ["body.state"]),
        ({"title": "a", "description": None}, ["body.description"]),
        ({"title": 1, "description": []}, ["body.title", "body.description"]),
    ],
)
async def test_creating_names_the_fields_that_are_wrong(client, new, places):
    assert invalid_fields(await client.post("/todos", json=new)) == places


async def test_a_todo_is_read_by_its_owner(client, todo, statements):
    with statements() as sent:
        response = await client.get(f"/todos/{todo.id}")

    assert response.status_code == 200
    assert response.json() == {
        "id": todo.id,
        "title": "Buy bread",
        "description": "Dark",
        "state": "todo",
        **UNSET,
        "position": f"{todo.id:016x}",
        "created_at": "2020-01-01T00:00:00Z",
        "updated_at": "2020-01-01T00:00:00Z",
        "version": 1,
    }
    assert (len(sent), sent.transactions) == (1, 0)


@pytest.mark.parametrize(
    ("method", "body"),
    [("GET", None), ("PATCH", {"title": "Mine now"}), ("PATCH", {}), ("DELETE", None)],
)
async def test_the_todo_of_another_does_not_exist(client, hidden, statements, method, body):
    with statements() as sent:
        response = await client.request(method, f"/todos/{hidden.id}", json=body)
    nobodys = await client.request(method, f"/todos/{2**63 - 1}", json=body)

    assert problem(response) == problem(nobodys) == NOT_FOUND
    assert len(sent) == (2 if method == "DELETE" else 1)


async def test_the_todo_of_another_stays_as_it_is(client, hidden, session):
    await client.patch(f"/todos/{hidden.id}", json={"title": "Mine now"})
    await client.delete(f"/todos/{hidden.id}")

    assert await session.scalar(select(Todo.title).where(Todo.id == hidden.id)) == "Private"


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Buy rye bread"},
        {"description": ""},
        {"state": "done"},
        {"title": "Sell", "description": "All", "state": "trash"},
        {"state": "doing", "id": 1, "owner_id": 1, "created_at": None, "mood": "good"},
    ],
)
async def test_a_change_touches_only_what_was_sent(client, todo, statements, change):
    before = (await client.get(f"/todos/{todo.id}")).json()

    with statements() as sent:
        response = await client.patch(f"/todos/{todo.id}/", json=change)

    assert response.status_code == 200
    after = response.json()
    known = {name: change[name] for name in ("title", "description", "state") if name in change}
    counted = {"updated_at": after["updated_at"], "version": before["version"] + 1}
    counted["completed_at"] = after["updated_at"] if after["state"] == "done" else None
    assert after == before | known | counted
    assert datetime.fromisoformat(after["updated_at"]) > LONG_AGO
    assert (await client.get(f"/todos/{todo.id}")).json() == after
    assert (len(sent), sent.transactions) == (1, 0)


async def test_the_statement_of_a_change_names_only_what_was_sent(client, todo, statements):
    with statements() as sent:
        await client.patch(f"/todos/{todo.id}", json={"state": "done"})

    changed = sent[-1].partition(" SET ")[2].partition(" WHERE ")[0]
    assert "state=" in changed
    assert "title=" not in changed
    assert "description=" not in changed


@pytest.mark.parametrize("change", [{}, {"mood": "good"}])
async def test_an_empty_change_gives_the_todo_as_it_is(client, todo, statements, change):
    before = (await client.get(f"/todos/{todo.id}")).json()

    with statements() as sent:
        response = await client.patch(f"/todos/{todo.id}", json=change)

    assert (response.status_code, response.json()) == (200, before)
    assert (len(sent), sent.transactions) == (1, 0)


@pytest.mark.parametrize("field", ["title", "description", "state"])
@pytest.mark.parametrize("value", [None, 1, [], {}, True])
async def test_a_change_to_invalid_text_is_refused(client, todo, field, value):
    response = await client.patch(f"/todos/{todo.id}", json={field: value})

    assert set(invalid_fields(response)) == {f"body.{field}"}


@pytest.mark.parametrize(
    ("change", "place"),
    [({"title": " \n"}, "body.title"), ({"state": "Done"}, "body.state")],
)
async def test_a_change_that_breaks_a_rule_changes_nothing(client, todo, change, place):
    response = await client.patch(f"/todos/{todo.id}", json={"description": "New"} | change)

    assert set(invalid_fields(response)) == {place}
    assert (await client.get(f"/todos/{todo.id}")).json()["description"] == "Dark"


async def test_a_deleted_todo_is_gone(client, todo, statements):
    with statements() as sent:
        response = await client.delete(f"/todos/{todo.id}/")

    assert response.status_code == 200
    assert response.json() == {"message": "Task has been deleted successfully."}
    assert (len(sent), sent.transactions) == (2, 1)
    assert problem(await client.get(f"/todos/{todo.id}")) == NOT_FOUND
    assert problem(await client.delete(f"/todos/{todo.id}")) == NOT_FOUND


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize("todo_id", ["0", "-1", "one", "1.5", str(2**63), "9" * 5000])
async def test_an_impossible_id_is_refused(client, method, todo_id):
    body = {} if method == "PATCH" else None

    response = await client.request(method, f"/todos/{todo_id}", json=body)

    assert invalid_fields(response) == ["path.todo_id"]
