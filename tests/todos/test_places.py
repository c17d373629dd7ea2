"""The project, section and parent of todos."""

import asyncio
from collections import Counter

import pytest
from sqlalchemy import text

from fast_zero.models import Deletion, Project, Section
from tests.core.expect import invalid_fields, problem
from tests.factories import TodoFactory, UserFactory

NOT_FOUND = {
    "project_id": (404, "Project not found."),
    "section_id": (404, "Section not found."),
    "parent_id": (404, "Parent not found."),
}
TOO_DEEP = (409, "Todos can be nested six levels deep.")


@pytest.fixture
async def project(save, user) -> Project:
    [project] = await save(Project(owner_id=user.id, name="Home"))
    return project


@pytest.fixture
async def section(save, project) -> Section:
    [section] = await save(
        Section(owner_id=project.owner_id, project_id=project.id, name="Kitchen")
    )
    return section


@pytest.fixture
def create(client):
    async def create(**fields):
        response = await client.post("/todos", json={"title": "Clean the oven"} | fields)
        assert response.status_code == 201, response.text
        return response.json()

    return create


def place(todo: dict) -> tuple:
    return todo["project_id"], todo["section_id"], todo["parent_id"]


async def test_a_new_todo_is_in_the_inbox_or_in_a_project(create, project, section, statements):
    with statements() as sent:
        nowhere = await create()
        somewhere = await create(project_id=project.id)
        exactly = await create(project_id=project.id, section_id=section.id)
        of_section = await create(section_id=section.id)

    assert place(nowhere) == (None, None, None)
    assert place(somewhere) == (project.id, None, None)
    assert place(exactly) == place(of_section) == (project.id, section.id, None)
    assert (len(sent), sent.transactions) == (4, 0)


async def test_a_subtask_is_where_its_parent_is(create, client, section, statements):
    parent = await create(section_id=section.id)
    with statements() as sent:
        subtask = await create(parent_id=parent["id"])

    assert place(subtask) == (section.project_id, section.id, parent["id"])
    assert (len(sent), sent.transactions) == (1, 0)
    shown = (await client.get(f"/todos/{parent['id']}")).json()
    assert (shown["subtasks"], shown["open_subtasks"]) == (1, 1)


async def test_subtasks_are_counted_by_state(create, client):
    parent = await create()
    for state in ("draft", "todo", "doing", "done", "trash"):
        await create(parent_id=parent["id"], state=state)

    shown = (await client.get(f"/todos/{parent['id']}")).json()
    [listed, *_] = (await client.get("/todos")).json()["todos"]

    assert (shown["subtasks"], shown["open_subtasks"]) == (5, 3)
    assert listed == shown


async def test_todos_are_nested_six_levels_deep(create, client):
    parent = None
    for _ in range(6):
        parent = (await create(parent_id=parent))["id"]

    refused = await client.post("/todos", json={"title": "Too deep", "parent_id": parent})

    assert problem(refused) == TOO_DEEP
    assert refused.json()["code"] == "todo_too_deep"


@pytest.mark.parametrize("field", NOT_FOUND)
async def test_the_place_of_a_stranger_does_not_exist(client, save, stranger, field):
    [project] = await save(Project(owner_id=stranger.id, name="Private"))
    section = Section(owner_id=stranger.id, project_id=project.id, name="Private")
    [section, todo] = await save(section, TodoFactory(owner_id=stranger.id))
    ids = {"project_id": project.id, "section_id": section.id, "parent_id": todo.id}

    theirs = await client.post("/todos", json={"title": "Mine", field: ids[field]})
    nobodys = await client.post("/todos", json={"title": "Mine", field: 2**63 - 1})

    assert problem(theirs) == problem(nobodys) == NOT_FOUND[field]


async def test_a_section_of_another_project_does_not_exist(client, save, user, section):
    [other] = await save(Project(owner_id=user.id, name="Work"))
    new = {"title": "Mixed", "project_id": other.id, "section_id": section.id}

    assert problem(await client.post("/todos", json=new)) == NOT_FOUND["section_id"]


async def test_a_project_in_the_trash_does_not_exist(client, save, user, project):
    [deletion] = await save(
        Deletion(owner_id=user.id, kind="project", item_id=project.id, title="Home")
    )
    project.deletion_id = deletion.id
    await save(project)

    response = await client.post("/todos", json={"title": "Late", "project_id": project.id})

    assert problem(response) == NOT_FOUND["project_id"]


@pytest.mark.parametrize(
    ("fields", "invalid"),
    [
        ({"parent_id": 1, "project_id": 1}, ["body"]),
        ({"parent_id": 1, "section_id": 1}, ["body"]),
        ({"project_id": 0}, ["body.project_id"]),
        ({"section_id": "1"}, ["body.section_id"]),
        ({"parent_id": 2**63}, ["body.parent_id"]),
        ({"parent_id": True}, ["body.parent_id"]),
    ],
)
async def test_invalid_places_are_refused_by_name(client, fields, invalid):
    assert invalid_fields(await client.post("/todos", json={"title": "a"} | fields)) == invalid


async def test_a_change_leaves_the_place(client, create, section):
    todo = await create(section_id=section.id)
    fields = {"project_id": None, "section_id": None, "parent_id": None, "position": "0"}

    changed = (await client.patch(f"/todos/{todo['id']}", json=fields | {"title": "b"})).json()

    assert place(changed) == place(todo)
    assert changed["position"] == todo["position"]


async def test_the_todos_of_a_deleted_section_stay_in_their_order(
    create, client, section, connection
):
    before = await create(project_id=section.project_id)
    first, second = [await create(section_id=section.id) for _ in range(2)]
    subtask = await create(parent_id=first["id"])
    await connection.execute(
        text(f"UPDATE todos SET position = repeat('0', 16) || '1' WHERE id = {second['id']}")
    )

    await connection.execute(text(f"DELETE FROM sections WHERE id = {section.id}"))

    url = f"/todos?project_id={section.project_id}&parent_id=none&sort=position"
    shown = (await client.get(url)).json()["todos"]
    assert [todo["id"] for todo in shown] == [before["id"], second["id"], first["id"]]
    assert {place(todo) for todo in shown} == {(section.project_id, None, None)}
    below = (await client.get(f"/todos/{subtask['id']}")).json()
    assert place(below) == (section.project_id, None, first["id"])


async def test_subtasks_of_a_todo_that_the_release_before_deletes_stay(create, client, connection):
    [upper, beside, *subtasks] = [await create() for _ in range(4)]
    for subtask in subtasks:
        await client.post(f"/todos/{subtask['id']}/move", json={"parent_id": upper["id"]})
    ids = tuple(subtask["id"] for subtask in subtasks)
    taken = "repeat('0', 16) || '8'"  # what copies of lists have
    await connection.execute(
        text(f"UPDATE todos SET position = {taken} WHERE id IN ({beside['id']}, {ids[0]})")
    )

    await connection.execute(text(f"DELETE FROM todos WHERE id = {upper['id']}"))

    shown = (await client.get("/todos?sort=position")).json()["todos"]
    assert [todo["id"] for todo in shown] == [beside["id"], *ids]
    assert {todo["parent_id"] for todo in shown} == {None}


async def test_of_subtasks_added_at_once_none_is_too_deep(live, commit, log_in):
    [user] = await commit(UserFactory())
    headers = await log_in(user)
    async with live() as client:

        async def create(parent_id):
            new = {"title": "Deep", "parent_id": parent_id}
            return await client.post("/todos", json=new, headers=headers)

        parent = None
        for _ in range(5):
            parent = (await create(parent)).json()["id"]
        sixth = await asyncio.gather(*(create(parent) for _ in range(10)))
        seventh = await asyncio.gather(*(create(todo.json()["id"]) for todo in sixth))

    assert Counter(todo.status_code for todo in sixth) == {201: 10}
    assert {problem(response) for response in seventh} == {TOO_DEEP}
