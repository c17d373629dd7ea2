"""Restoring projects and todos, in every order."""

import pytest

from tests.core.expect import problem
from tests.factories import ProjectFactory, SectionFactory, TodoFactory


@pytest.fixture
async def tree(save, user) -> dict[str, int]:
    """Return the ids of three nested projects."""
    ids, parent_id = {}, None
    for name in ("top", "middle", "bottom"):
        [project] = await save(ProjectFactory(owner_id=user.id, name=name, parent_id=parent_id))
        ids[name] = parent_id = project.id
    return ids


@pytest.fixture
async def todo(save, user, tree) -> int:
    """Return the id of a todo of the project `top`, which has a subtask."""
    [section] = await save(SectionFactory(owner_id=user.id, project_id=tree["top"]))
    place = {"project_id": tree["top"], "section_id": section.id}
    [todo] = await save(TodoFactory(owner_id=user.id, state="todo", **place))
    await save(TodoFactory(owner_id=user.id, state="todo", parent_id=todo.id))
    return todo.id


async def names(client) -> list[str]:
    return [project["name"] for project in (await client.get("/projects")).json()["projects"]]


async def todos(client) -> list[dict]:
    return (await client.get("/todos")).json()["todos"]


def places(found: list[dict]) -> list[tuple]:
    return [(todo["id"], todo["project_id"], todo["section_id"]) for todo in found]


async def trash(client) -> list[str]:
    deletions = (await client.get("/trash")).json()["deletions"]
    return [f"{item['kind']} {item['item_id']}" for item in deletions]


async def test_a_restored_project_brings_all_of_it_back(client, tree, todo, statements):
    before = (await client.get("/projects")).json()["projects"], places(await todos(client))
    await client.delete(f"/projects/{tree['top']}")

    with statements() as sent:
        response = await client.post(f"/projects/{tree['top']}/restore")

    assert response.status_code == 200
    assert response.headers["etag"] == f'"{response.json()["version"]}"'
    assert len(sent) == 5
    after = (await client.get("/projects")).json()["projects"]
    assert response.json() == after[0]
    for one, other in zip(before[0], after, strict=True):
        fields = one.keys() - {"version", "updated_at"}
        assert {name: one[name] for name in fields} == {name: other[name] for name in fields}
    assert places(await todos(client)) == before[1]
    assert await trash(client) == []
    again = await client.post(f"/projects/{tree['top']}/restore")
    assert problem(again) == (404, "There is no such project in the trash.")


async def test_a_retried_restore_gets_the_first_response(client, tree, todo):
    headers = {"Idempotency-Key": "one"}
    for path in (f"/projects/{tree['top']}", f"/todos/{todo}"):
        await client.delete(path)
        first, second = [await client.post(f"{path}/restore", headers=headers) for _ in range(2)]
        assert (first.status_code, first.json()) == (200, second.json())
        assert second.headers["idempotency-replayed"] == "true"


async def test_a_retried_todo_with_labels_is_created_once(client):
    new, headers = {"title": "Buy bread", "labels": ["errands"]}, {"Idempotency-Key": "one"}

    first, second = [await client.post("/todos", json=new, headers=headers) for _ in range(2)]

    assert first.status_code == 201
    assert first.json() == second.json()
    assert len(await todos(client)) == 1


async def test_a_subproject_can_be_restored_alone(client, tree, save, user):
    [inside] = await save(TodoFactory(owner_id=user.id, project_id=tree["bottom"]))
    await client.delete(f"/projects/{tree['top']}")

    response = await client.post(f"/projects/{tree['middle']}/restore")

    assert (response.status_code, response.json()["parent_id"]) == (200, None)
    assert await names(client) == ["middle", "bottom"]
    assert places(await todos(client)) == [(inside.id, tree["bottom"], None)]
    assert await trash(client) == [f"project {tree['top']}"]
    await client.post(f"/projects/{tree['top']}/restore")
    assert await names(client) == ["top", "middle", "bottom"]
    assert (await client.get(f"/projects/{tree['middle']}")).json()["parent_id"] is None


async def test_what_was_deleted_before_stays_in_the_trash(client, tree):
    await client.delete(f"/projects/{tree['middle']}")
    await client.delete(f"/projects/{tree['top']}")
    assert await trash(client) == [f"project {tree['top']}", f"project {tree['middle']}"]

    await client.post(f"/projects/{tree['top']}/restore")
    assert await names(client) == ["top"]
    response = await client.post(f"/projects/{tree['middle']}/restore")

    assert response.json()["parent_id"] == tree["top"]
    assert await names(client) == ["top", "middle", "bottom"]
    assert await trash(client) == []


@pytest.mark.parametrize("parent", ["in the trash", "gone"])
async def test_a_subtask_whose_parent_is_not_there_goes_into_the_inbox(client, todo, parent):
    [_, subtask] = await todos(client)
    await client.delete(f"/todos/{subtask['id']}")
    await client.delete(f"/todos/{todo}")
    if parent == "gone":
        [deletion, _] = (await client.get("/trash")).json()["deletions"]
        assert (await client.delete(f"/trash/{deletion['id']}")).status_code == 200

    response = await client.post(f"/todos/{subtask['id']}/restore")

    assert response.status_code == 200
    names = ("project_id", "section_id", "parent_id")
    assert {response.json()[name] for name in names} == {None}


@pytest.mark.parametrize("parent", ["in the trash", "gone"])
async def test_a_project_whose_parent_is_not_there_has_none(client, tree, parent):
    await client.delete(f"/projects/{tree['middle']}")
    await client.delete(f"/projects/{tree['top']}")
    if parent == "gone":
        [top, _] = (await client.get("/trash")).json()["deletions"]
        assert (await client.delete(f"/trash/{top['id']}")).status_code == 200

    response = await client.post(f"/projects/{tree['middle']}/restore")

    assert (response.status_code, response.json()["parent_id"]) == (200, None)
    bottom = (await client.get(f"/projects/{tree['bottom']}")).json()
    assert bottom["parent_id"] == tree["middle"]


async def test_a_restored_project_does_not_take_the_position_of_another(client, save, user):
    one, two, three = await save(*ProjectFactory.build_batch(3, owner_id=user.id))
    await client.post(f"/projects/{three.id}/move", json={"after": one.id})
    await client.delete(f"/projects/{three.id}")
    moved = await client.post(f"/projects/{two.id}/move", json={"after": one.id})
    assert moved.status_code == 200

    restored = await client.post(f"/projects/{three.id}/restore")

    assert restored.status_code == 200
    assert restored.json()["position"] != moved.json()["position"]


async def test_a_todo_deleted_before_its_project_is_restored_after_it(client, tree, todo):
    before = places(await todos(client))
    await client.delete(f"/todos/{todo}")
    await client.delete(f"/projects/{tree['top']}")
    assert await trash(client) == [f"project {tree['top']}", f"todo {todo}"]

    await client.post(f"/projects/{tree['top']}/restore")
    assert await todos(client) == []
    response = await client.post(f"/todos/{todo}/restore")

    assert response.status_code == 200
    assert places(await todos(client)) == before
    assert await trash(client) == []


async def test_a_todo_deleted_before_its_project_is_restored_before_it(client, tree, todo):
    await client.delete(f"/todos/{todo}")
    await client.delete(f"/projects/{tree['top']}")

    response = await client.post(f"/todos/{todo}/restore")

    assert response.status_code == 200
    assert {place[1:] for place in places(await todos(client))} == {(None, None)}
    assert len(await todos(client)) == 2
    await client.post(f"/projects/{tree['top']}/restore")
    assert {place[1:] for place in places(await todos(client))} == {(None, None)}
    assert await trash(client) == []


async def test_a_todo_that_went_with_its_project_is_restored_alone(client, tree, todo):
    await client.delete(f"/projects/{tree['top']}")

    response = await client.post(f"/todos/{todo}/restore")

    assert (response.status_code, response.json()["project_id"]) == (200, None)
    assert len(await todos(client)) == 2
    assert await trash(client) == [f"project {tree['top']}"]
    await client.delete("/trash")
    assert len(await todos(client)) == 2


async def test_a_todo_whose_project_is_deleted_for_good_goes_into_the_inbox(client, tree, todo):
    await client.delete(f"/todos/{todo}")
    await client.delete(f"/projects/{tree['top']}")
    [project, _] = (await client.get("/trash")).json()["deletions"]
    assert (await client.delete(f"/trash/{project['id']}")).status_code == 200

    response = await client.post(f"/todos/{todo}/restore")

    assert response.status_code == 200
    assert len(await todos(client)) == 2
    assert {place[1:] for place in places(await todos(client))} == {(None, None)}


async def test_subtasks_deleted_before_their_project_come_back_to_their_parent(client, tree, todo):
    [parent, subtask] = await todos(client)
    await client.delete(f"/todos/{subtask['id']}")
    await client.delete(f"/projects/{tree['top']}")
    alone = await client.post(f"/todos/{subtask['id']}/restore")
    assert (alone.json()["parent_id"], alone.json()["project_id"]) == (None, None)
    await client.delete(f"/todos/{subtask['id']}")

    await client.post(f"/projects/{tree['top']}/restore")

    assert [each["id"] for each in await todos(client)] == [parent["id"]]
    again = await client.post(f"/todos/{subtask['id']}/restore")
    assert (again.status_code, again.json()["project_id"]) == (200, None)


async def test_versions_of_what_is_deleted_and_restored_increase(client, tree, todo):
    before = (await client.get(f"/todos/{todo}")).json()["version"]
    await client.delete(f"/projects/{tree['top']}")
    await client.post(f"/projects/{tree['top']}/restore")

    assert (await client.get(f"/todos/{todo}")).json()["version"] > before
    assert (await client.get(f"/projects/{tree['bottom']}")).json()["version"] == 3
