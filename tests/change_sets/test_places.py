"""Places of todos and projects that are undone while what they were inside of is in the trash."""

import pytest

from tests.change_sets.expect import conflict


async def trash(account, path) -> str:
    """Move something into the trash; return the change set."""
    await account.send("DELETE", path)
    return account.last


async def is_inside(account, kind, id_, name="parent_id") -> int | None:
    """Return what something is inside of, once it is taken out of the trash."""
    return (await account.send("POST", f"/{kind}/{id_}/restore"))[name]


@pytest.mark.parametrize("kind", ["todos", "projects"])
async def test_what_is_redone_goes_back_into_the_trash_below_its_parent(account, kind):
    name = {"todos": "title", "projects": "name"}[kind]
    parent_id = await account.create(f"/{kind}", **{name: "parent"})
    id_ = await account.create(f"/{kind}", **{name: "inside"}, parent_id=parent_id)
    deleted = await trash(account, f"/{kind}/{id_}")
    await trash(account, f"/{kind}/{parent_id}")

    undone = await account.undo(deleted)
    redone = await account.undo()

    assert {each["code"] for each in undone["conflicts"]} == {"place_missing"}
    assert redone["conflicts"] == []
    assert await is_inside(account, kind, parent_id) is None
    assert await is_inside(account, kind, id_) == parent_id


async def test_a_todo_that_is_redone_goes_back_into_the_trash_in_its_section(account, project_id):
    section_id = await account.create(f"/projects/{project_id}/sections", name="Later")
    todo_id = await account.create("/todos", title="Bread", section_id=section_id)
    subtask_id = await account.create("/todos", title="Rye", parent_id=todo_id)
    deleted = await trash(account, f"/todos/{todo_id}")
    await trash(account, f"/projects/{project_id}")

    await account.undo(deleted)
    assert (await account.undo())["conflicts"] == []

    await account.send("POST", f"/projects/{project_id}/restore")
    assert await is_inside(account, "todos", todo_id, "section_id") == section_id
    subtask = await account.send("GET", f"/todos/{subtask_id}")
    assert (subtask["parent_id"], subtask["section_id"]) == (todo_id, section_id)


async def test_a_restored_project_goes_back_into_the_project_in_the_trash(account, project_id):
    inside = await account.create("/projects", name="inside", parent_id=project_id)
    await trash(account, f"/projects/{project_id}")
    await account.send("POST", f"/projects/{inside}/restore")

    assert (await account.undo())["conflicts"] == []

    assert await is_inside(account, "projects", project_id) is None
    assert (await account.send("GET", f"/projects/{inside}"))["parent_id"] == project_id


async def test_a_todo_whose_project_is_deleted_for_good_goes_back_without_it(account, project_id):
    inside = await account.create("/projects", name="inside", parent_id=project_id)
    todo_id = await account.create("/todos", title="Bread", project_id=inside)
    await trash(account, f"/projects/{project_id}")
    await account.send("POST", f"/todos/{todo_id}/restore")
    restored = account.last
    await account.send("POST", f"/projects/{inside}/restore")
    await trash(account, f"/projects/{inside}")
    [newest, _] = (await account.send("GET", "/trash"))["deletions"]
    await account.send("DELETE", f"/trash/{newest['id']}")

    result = await account.undo(restored)

    expected = conflict("todo", todo_id, "place_missing", "project_id", inside, None)
    assert result["conflicts"] == [expected]
    assert (await account.client.get(f"/todos/{todo_id}")).status_code == 404
    assert await is_inside(account, "todos", todo_id, "project_id") is None


@pytest.mark.parametrize("is_kept", [True, False])
async def test_todos_in_the_trash_are_not_below_each_other(account, is_kept):
    top = await account.create("/todos", title="top")
    parent_id = await account.create("/todos", title="parent", parent_id=top)
    todo_id = await account.create("/todos", title="Bread", parent_id=parent_id)
    await trash(account, f"/todos/{top if is_kept else parent_id}")
    await account.send("POST", f"/todos/{todo_id}/restore")
    restored = account.last
    await account.send("POST", f"/todos/{parent_id}/restore")
    await account.send("POST", f"/todos/{parent_id}/move", json={"parent_id": todo_id})
    await trash(account, f"/todos/{parent_id}")

    result = await account.undo(restored)

    assert [each["code"] for each in result["conflicts"]] == ["todo_cycle"]
    assert await is_inside(account, "todos", todo_id) is None


async def test_what_is_in_the_trash_comes_back_into_its_section(account, project_id):
    section_id = await account.create(f"/projects/{project_id}/sections", name="Later")
    todo_id = await account.create("/todos", title="Bread", section_id=section_id)
    await trash(account, f"/todos/{todo_id}")
    deleted = await trash(account, f"/projects/{project_id}/sections/{section_id}")

    assert (await account.undo(deleted))["conflicts"] == []

    assert await is_inside(account, "todos", todo_id, "section_id") == section_id


async def test_a_subtask_goes_back_into_the_trash_before_its_parent_moves_there(account):
    top = await account.create("/todos", title="top")
    todo_id = await account.create("/todos", title="Bread", parent_id=top)
    subtask_id = await account.create("/todos", title="Rye", parent_id=todo_id)
    await account.create("/todos", title="stays", parent_id=top)
    place = {"project_id": await account.create("/projects", name="Home")}
    await account.send("POST", f"/todos/{top}/move", json=place)
    await trash(account, f"/todos/{top}")
    await account.send("POST", f"/todos/{todo_id}/restore")

    assert (await account.undo())["conflicts"] == []

    assert await is_inside(account, "todos", top) is None
    for id_, parent_id in ((todo_id, top), (subtask_id, todo_id)):
        todo = await account.send("GET", f"/todos/{id_}")
        assert (todo["parent_id"], todo["project_id"]) == (parent_id, place["project_id"])


async def test_what_was_deleted_again_stays_in_the_trash_as_it_is(account, todo_id):
    subtask_id = await account.create("/todos", title="Rye", parent_id=todo_id)
    batch = [
        {"op": "update", "id": subtask_id, "title": "Rolls"},
        {"op": "delete", "id": todo_id},
    ]
    await account.send("POST", "/todos/batch", json={"items": batch})
    await account.undo()
    undone = account.last
    await trash(account, f"/todos/{subtask_id}")

    result = await account.undo(undone, force=True)

    assert [each["id"] for each in result["undone"]] == [todo_id]
    assert result["conflicts"] == [conflict("todo", subtask_id, "in_trash")]
    assert await is_inside(account, "todos", subtask_id, "title") == "Rye"
