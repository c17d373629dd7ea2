"""What the triggers write into the log of changes, in the transaction of the test."""

from uuid import UUID

import pytest
from sqlalchemy import text

from fast_zero.models import Todo
from tests.factories import (
    LabelFactory,
    PersonalTokenFactory,
    ProjectFactory,
    SavedFilterFactory,
    SectionFactory,
    TodoFactory,
    new_token,
)

ROWS = text("""
SELECT entity, entity_id, project_id, owner_id, operation, before, after, actor_id, client,
    change_set_id
FROM changes ORDER BY position
""")
# What a route is called with, by ids of `world`. In this order, each of them changes something.
DAY = "2131-01-06"
WRITES = [
    ("POST", "/todos", {"title": "Bread", "labels": ["new"], "project_id": "{project_id}"}),
    ("POST", "/todos/{todo_id}/snooze", {"minutes": 30}),
    ("PATCH", "/todos/{todo_id}", {"recurrence": {"rule": "FREQ=DAILY"}, "due_on": DAY}),
    ("POST", "/todos/{todo_id}/skip", None),
    ("DELETE", "/todos/{todo_id}/occurrences/{day}", None),
    ("PATCH", "/todos/{todo_id}", {"title": "Flour", "recurrence": None}),
    ("POST", "/todos/{todo_id}/complete", None),
    ("POST", "/todos/{todo_id}/move", {"parent_id": "{other_id}"}),
    ("POST", "/todos/{todo_id}/duplicate", None),
    ("PUT", "/todos/{todo_id}/relations/{kind}/{other_id}", None),
    ("DELETE", "/todos/{todo_id}/relations/{kind}/{other_id}", None),
    ("DELETE", "/todos/{todo_id}", None),
    ("POST", "/todos/{todo_id}/restore", None),
    ("POST", "/todos/batch", {"items": [{"op": "create", "title": "Salt"}]}),
    ("POST", "/todos/quick", {"text": "Buy salt tomorrow @new"}),
    ("POST", "/labels", {"name": "green"}),
    ("PATCH", "/labels/{label_id}", {"name": "red"}),
    ("POST", "/labels/{label_id}/merge", {"into": "{into_id}"}),
    ("DELETE", "/labels/{label_id}", None),
    ("POST", "/filters", {"name": "Late", "filter": "overdue"}),
    ("PATCH", "/filters/{filter_id}", {"filter": "due<=today"}),
    ("POST", "/filters/{filter_id}/move", {"before": "{next_id}"}),
    ("DELETE", "/filters/{filter_id}", None),
    ("POST", "/projects", {"name": "Home"}),
    ("PATCH", "/projects/{project_id}", {"name": "House"}),
    ("POST", "/projects/{project_id}/move", {"parent_id": "{parent_id}"}),
    ("POST", "/projects/{project_id}/duplicate", None),
    ("POST", "/projects/{project_id}/sections", {"name": "Later"}),
    ("PATCH", "/projects/{project_id}/sections/{section_id}", {"name": "Soon"}),
    ("POST", "/projects/{project_id}/sections/{section_id}/move", {"before": "{sibling_id}"}),
    ("DELETE", "/projects/{project_id}/sections/{section_id}", None),
    ("DELETE", "/projects/{project_id}", None),
    ("POST", "/projects/{project_id}/restore", None),
    ("DELETE", "/trash/{deletion_id}", None),
    ("DELETE", "/trash", None),
]
# It needs a log that is not emptied: see the tests of the room.
UNDO = ("POST", "/change-sets/{change_set_id}/undo")
# A job writes what these ask for: see the tests of the room.
LATER = {
    ("POST", "/imports"),
    ("POST", "/imports/{import_id}/undo"),
    ("DELETE", "/imports/{import_id}"),
}


@pytest.fixture
def log(sessions):
    """Return the changes since the last call, oldest first."""

    async def log():
        async with sessions.begin() as session:
            rows = (await session.execute(ROWS)).all()
            await session.execute(text("DELETE FROM changes"))
        return rows

    return log


@pytest.fixture
async def todo(save, user, log) -> Todo:
    [todo] = await save(TodoFactory(owner_id=user.id, title="Bread", state="todo"))
    await log()
    return todo


@pytest.fixture
async def world(save, client, user, log) -> dict[str, int]:
    """Store what `WRITES` need; return its ids."""
    [project, parent] = await save(*(ProjectFactory(owner_id=user.id) for _ in range(2)))
    in_project = {"owner_id": user.id, "project_id": project.id}
    [section, sibling] = await save(*(SectionFactory(**in_project) for _ in range(2)))
    [todo, other] = await save(
        TodoFactory(**in_project, state="todo"), TodoFactory(owner_id=user.id, state="todo")
    )
    [label, into] = await save(*(LabelFactory(owner_id=user.id) for _ in range(2)))
    [next_filter, saved] = await save(*(SavedFilterFactory(owner_id=user.id) for _ in range(2)))
    trashed = await save(*(TodoFactory(owner_id=user.id) for _ in range(2)))
    for gone in trashed:
        await client.delete(f"/todos/{gone.id}")
    [_, deletion] = (await client.get("/trash")).json()["deletions"]
    await log()
    return {
        "project_id": project.id,
        "parent_id": parent.id,
        "section_id": section.id,
        "sibling_id": sibling.id,
        "todo_id": todo.id,
        "other_id": other.id,
        "label_id": label.id,
        "into_id": into.id,
        "filter_id": saved.id,
        "next_id": next_filter.id,
        "deletion_id": deletion["id"],
        "kind": "blocks",
        "day": DAY,
    }


def filled(body, world):
    return body and {
        name: int(value.format(**world))
        if isinstance(value, str) and value.startswith("{")
        else value
        for name, value in body.items()
    }


async def test_every_writing_route_names_who_changed_what(app, client, user, save, log, world):
    for method, path, body in WRITES:
        if (method, path) == ("DELETE", "/labels/{label_id}"):
            [world["label_id"]] = [row.id for row in await save(LabelFactory(owner_id=user.id))]
            await log()
        response = await client.request(method, path.format(**world), json=filled(body, world))
        assert response.status_code < 300, (method, path, response.text)
        rows = await log()
        assert rows, (method, path)
        change_set = UUID(response.headers["x-change-set"])
        found = {(row.owner_id, row.actor_id, row.client, row.change_set_id) for row in rows}
        assert found == {(user.id, user.id, f"session:{2**63 - 1}", change_set)}, (method, path)

    written = {(method, path) for method, path, _ in WRITES}
    assert written | {UNDO} | LATER == writing_operations(app)


def writing_operations(app) -> set[tuple[str, str]]:
    """Return the operations that need the scope `todos:write`."""
    return {
        (method.upper(), path)
        for path, methods in app.openapi()["paths"].items()
        for method, operation in methods.items()
        if any(
            "todos:write" in scopes
            for needed in operation.get("security", ())
            for scopes in needed.values()
        )
    }


async def test_a_plain_write_is_one_statement(client, statements, log, todo):
    for method, path, body in (
        ("POST", "/todos", {"title": "Salt"}),
        ("PATCH", f"/todos/{todo.id}", {"title": "Flour"}),
        ("POST", f"/todos/{todo.id}/complete", None),
        ("POST", "/labels", {"name": "green"}),
        ("POST", "/projects", {"name": "Home"}),
    ):
        with statements() as sent:
            response = await client.request(method, path, json=body)
        assert response.status_code < 300, response.text
        assert len(sent) == 1, path
        assert len(await log()) == 1, path


async def test_an_update_has_the_fields_that_changed(client, user, log, todo):
    await client.patch(
        f"/todos/{todo.id}", json={"title": "Flour", "description": todo.description}
    )

    [row] = await log()
    assert (row.entity, row.entity_id, row.operation) == ("todos", todo.id, "update")
    assert (row.before, row.after) == ({"title": "Bread"}, {"title": "Flour"})


async def test_a_creation_has_what_is_not_null(client, log):
    created = (await client.post("/todos", json={"title": "Bread", "due_on": "2026-12-24"})).json()

    [row] = await log()
    assert (row.operation, row.entity_id, row.before) == ("create", created["id"], None)
    assert row.after.keys() == {
        "title",
        "description",
        "state",
        "priority",
        "due_on",
        "created_at",
    }
    assert row.after["due_on"] == "2026-12-24"


async def test_what_changes_nothing_is_not_logged(client, log, todo):
    response = await client.patch(f"/todos/{todo.id}", json={"title": "Bread"})

    assert response.json()["version"] == 2
    assert await log() == []


async def test_a_label_is_a_change_of_its_todo_and_a_label(client, log, todo):
    await client.patch(f"/todos/{todo.id}", json={"labels": ["green"]})

    rows = await log()
    [label] = (await client.get("/labels")).json()["labels"]
    assert [(row.entity, row.operation) for row in rows] == [
        ("labels", "create"),
        ("todo_labels", "create"),
    ]
    assert rows[1].entity_id == todo.id
    assert rows[1].after == {"todo_id": todo.id, "label_id": label["id"]}

    await client.delete(f"/labels/{label['id']}")

    rows = await log()
    assert {(row.entity, row.operation) for row in rows} == {
        ("labels", "delete"),
        ("todo_labels", "delete"),
    }
    assert {row.entity: row.before for row in rows}["labels"]["name"] == "green"


async def test_the_trash_is_a_deletion_and_a_restoration(client, log, save, user):
    [project] = await save(ProjectFactory(owner_id=user.id))
    [todo] = await save(TodoFactory(owner_id=user.id, project_id=project.id))
    await log()

    await client.delete(f"/projects/{project.id}")
    both = {("projects", project.id), ("todos", todo.id)}
    rows = await log()
    assert {(row.entity, row.entity_id) for row in rows} == both
    assert {(row.operation, row.project_id) for row in rows} == {("delete", project.id)}

    await client.post(f"/projects/{project.id}/restore")
    rows = await log()
    assert {(row.entity, row.entity_id) for row in rows} == both
    assert {row.operation for row in rows} == {"restore"}


async def test_nothing_is_kept_of_what_is_deleted_for_good(client, log, todo):
    await client.delete(f"/todos/{todo.id}")
    await log()

    await client.delete("/trash")

    [row] = await log()
    assert (row.operation, row.entity_id, row.before, row.after) == ("delete", todo.id, None, None)


async def test_a_replayed_response_names_the_first_change_set(client, log):
    first, second = [
        await client.post("/todos", json={"title": "Bread"}, headers={"Idempotency-Key": "one"})
        for _ in range(2)
    ]

    [row] = await log()
    assert second.headers["idempotency-replayed"] == "true"
    assert {first.headers["x-change-set"], second.headers["x-change-set"]} == {
        str(row.change_set_id)
    }


async def test_a_refused_write_and_a_read_have_no_change_set(client, log, todo):
    refused = await client.post(f"/todos/{todo.id}/move", json={"project_id": 1})
    assert refused.status_code == 404
    assert "x-change-set" not in refused.headers
    assert "x-change-set" not in (await client.get("/todos")).headers


async def test_a_personal_token_is_a_client(anonymous, log, save, user):
    token = new_token()
    [stored] = await save(PersonalTokenFactory(owner_id=user.id, token=token))

    headers = {"Authorization": f"Bearer {token}"}
    response = await anonymous.post("/todos", json={"title": "Bread"}, headers=headers)

    assert response.status_code == 201
    [row] = await log()
    assert (row.actor_id, row.client) == (user.id, f"token:{stored.id}")


async def test_whoever_is_unknown_is_null(save, user, log, sessions):
    async with sessions.begin() as session:
        await session.execute(text("SELECT set_config('fast_zero.writer', '', true)"))
    await save(LabelFactory(owner_id=user.id))

    [row] = await log()
    assert (row.actor_id, row.client, row.change_set_id) == (None, None, None)


async def test_the_changes_of_a_deleted_account_are_deleted(client, world, user, sessions, log):
    await client.put(f"/todos/{world['todo_id']}/relations/blocks/{world['other_id']}")
    await client.patch(f"/todos/{world['todo_id']}", json={"labels": ["green"]})

    async with sessions.begin() as session:
        await session.execute(text("DELETE FROM users WHERE id = :id"), {"id": user.id})

    assert await log() == []
