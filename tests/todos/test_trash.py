"""Todos in the trash, and what comes back with them."""

import asyncio

import pytest
from sqlalchemy import text

from fast_zero.models import Deletion, Project
from tests.core.expect import problem
from tests.factories import TodoFactory, UserFactory

NOT_FOUND = (404, "Task not found.")
NOT_IN_TRASH = (404, "There is no such todo in the trash.")


@pytest.fixture
def create(client):
    async def create(**fields):
        response = await client.post("/todos", json={"title": "Paint the wall"} | fields)
        assert response.status_code == 201, response.text
        return response.json()

    return create


@pytest.fixture
def delete(client):
    async def delete(todo):
        response = await client.delete(f"/todos/{todo['id']}")
        assert response.status_code == 200, response.text

    return delete


@pytest.fixture
def restore(client):
    async def restore(todo):
        response = await client.post(f"/todos/{todo['id']}/restore")
        assert response.status_code == 200, response.text
        return response.json()

    return restore


@pytest.fixture
def visible(client):
    async def visible():
        return {todo["id"] for todo in (await client.get("/todos")).json()["todos"]}

    return visible


@pytest.fixture
async def tree(create):
    """Return a todo, its subtask, and the subtask of that."""
    root = await create()
    middle = await create(parent_id=root["id"])
    return root, middle, await create(parent_id=middle["id"])


def ids(*todos) -> set[int]:
    return {todo["id"] for todo in todos}


async def test_a_deleted_todo_is_hidden_with_its_subtasks(client, create, delete, visible, tree):
    other = await create()

    await delete(tree[0])

    assert await visible() == ids(other)
    for todo in tree:
        url = f"/todos/{todo['id']}"
        assert problem(await client.get(url)) == NOT_FOUND
        assert problem(await client.patch(url, json={"title": "b"})) == NOT_FOUND
        assert problem(await client.delete(url)) == NOT_FOUND
        assert problem(await client.post(f"{url}/complete")) == NOT_FOUND
    below = {"title": "Late", "parent_id": tree[1]["id"]}
    assert problem(await client.post("/todos", json=below)) == (404, "Parent not found.")


async def test_what_was_deleted_together_comes_back_together(
    client, delete, restore, tree, statements, session
):
    await delete(tree[0])
    with statements() as sent:
        root = await restore(tree[0])

    assert root["subtasks"] == 1
    for todo in tree:
        shown = (await client.get(f"/todos/{todo['id']}")).json()
        changing = ("version", "updated_at", "subtasks", "open_subtasks")
        assert {name: shown[name] for name in shown if name not in changing} == {
            name: todo[name] for name in todo if name not in changing
        }
    assert len(sent) == 7
    assert (await session.scalars(text("SELECT id FROM deletions"))).all() == []


async def test_what_was_deleted_before_stays_in_the_trash(delete, restore, visible, tree):
    root, middle, _ = tree
    await delete(middle)
    await delete(root)

    await restore(root)

    assert await visible() == ids(root)
    await restore(middle)
    assert await visible() == ids(*tree)


async def test_a_subtask_comes_back_without_its_parent(delete, restore, visible, tree):
    root, middle, leaf = tree
    await delete(root)

    alone = await restore(middle)

    assert alone["parent_id"] is None
    assert await visible() == ids(middle, leaf)
    await restore(root)
    assert await visible() == ids(*tree)


async def test_a_todo_follows_its_parent_that_moved_meanwhile(
    save, user, delete, restore, tree, connection
):
    [project] = await save(Project(owner_id=user.id, name="Home"))
    root, middle, _ = tree
    await delete(middle)
    move = f"UPDATE todos SET project_id = {project.id} WHERE id = {root['id']}"
    await connection.execute(text(move))

    back = await restore(middle)

    assert (back["project_id"], back["parent_id"]) == (project.id, root["id"])


async def test_a_todo_without_its_project_comes_back_into_the_inbox(
    save, user, create, delete, restore
):
    [project, deletion] = await save(
        Project(owner_id=user.id, name="Home"),
        Deletion(owner_id=user.id, kind="project", item_id=1, title="Home"),
    )
    todo = await create(project_id=project.id)
    await delete(todo)
    project.deletion_id = deletion.id
    await save(project)

    assert (await restore(todo))["project_id"] is None


async def test_deleting_for_good_leaves_nothing(client, delete, tree, session):
    await delete(tree[0])
    await session.execute(text("DELETE FROM deletions"))
    await session.commit()

    assert problem(await client.post(f"/todos/{tree[0]['id']}/restore")) == NOT_IN_TRASH
    assert await session.scalar(text("SELECT count(*) FROM todos")) == 0


async def test_only_todos_in_the_own_trash_are_restored(client, save, stranger, create):
    [deletion] = await save(Deletion(owner_id=stranger.id, kind="todo", item_id=1, title="Private"))
    [theirs] = await save(TodoFactory(owner_id=stranger.id, deletion_id=deletion.id))
    visible = await create()

    for todo_id in (theirs.id, visible["id"], 2**63 - 1):
        assert problem(await client.post(f"/todos/{todo_id}/restore")) == NOT_IN_TRASH


async def test_restoring_is_done_once_for_each_key(client, create, delete):
    todo = await create()
    await delete(todo)
    headers = {"Idempotency-Key": "again"}

    first = await client.post(f"/todos/{todo['id']}/restore", headers=headers)
    again = await client.post(f"/todos/{todo['id']}/restore", headers=headers)

    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert again.headers["idempotency-replayed"] == "true"


async def test_a_todo_in_the_trash_keeps_its_version_and_its_condition(client, create):
    todo = await create()
    stale = {"If-Match": '"9"'}

    assert (await client.delete(f"/todos/{todo['id']}", headers=stale)).status_code == 412
    assert (await client.get(f"/todos/{todo['id']}")).json() == todo


async def test_no_subtask_is_left_behind_by_a_deletion_at_the_same_time(live, commit, log_in):
    [user] = await commit(UserFactory())
    headers = await log_in(user)
    async with live() as client:
        for _ in range(10):
            root = (await client.post("/todos", json={"title": "a"}, headers=headers)).json()
            below = {"title": "b", "parent_id": root["id"]}
            created, deleted = await asyncio.gather(
                client.post("/todos", json=below, headers=headers),
                client.delete(f"/todos/{root['id']}", headers=headers),
            )
            assert created.status_code in {201, 404}
            assert deleted.status_code == 200
            assert (await client.get("/todos", headers=headers)).json()["todos"] == []


async def test_of_many_restorations_at_once_each_todo_comes_back_once(live, commit, log_in):
    [user] = await commit(UserFactory())
    headers = await log_in(user)
    async with live() as client:
        new = [{"title": "a"}] * 5
        made = [(await client.post("/todos", json=one, headers=headers)).json() for one in new]
        for todo in made:
            await client.delete(f"/todos/{todo['id']}", headers=headers)
        responses = await asyncio.gather(
            *(
                client.post(f"/todos/{todo['id']}/restore", headers=headers)
                for todo in made
                for _ in range(3)
            )
        )
        listed = (await client.get("/todos", headers=headers)).json()["todos"]

    assert sorted(response.status_code for response in responses) == [200] * 5 + [404] * 10
    assert [todo["id"] for todo in listed] == [todo["id"] for todo in made]
