"""What undo leaves alone, since something else depends on it."""

from asyncio import create_task, sleep

import pytest
from sqlalchemy import text

from tests.change_sets.expect import conflict, title_of

WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
CREATE = text(
    "WITH todo AS (INSERT INTO todos (owner_id, title, description, state)"
    " VALUES (:owner_id, 'Bread', '', 'todo') RETURNING id)"
    " INSERT INTO todo_labels (owner_id, todo_id, label_id)"
    " SELECT :owner_id, id, :label_id FROM todo"
)
MOMENT = {"due_at": "2031-01-07T10:00:00Z", "time_zone": "Europe/Lisbon"}


async def test_a_day_is_restored_instead_of_a_moment_only_if_forced(account, todo_id):
    await account.send("PATCH", f"/todos/{todo_id}", json={"due_on": "2031-01-06"})
    await account.send("PATCH", f"/todos/{todo_id}", json={"due_on": None})
    change_set = account.last
    await account.send("PATCH", f"/todos/{todo_id}", json=MOMENT)

    result = await account.undo(change_set)

    assert [(each["field"], each["code"]) for each in result["conflicts"]] == [
        ("due_at", "changed_since"),
        ("time_zone", "changed_since"),
    ]
    await account.undo(change_set, force=True)
    todo = await account.send("GET", f"/todos/{todo_id}")
    assert (todo["due_on"], todo["due_at"], todo["time_zone"]) == ("2031-01-06", None, None)


@pytest.mark.parametrize("force", [False, True])
async def test_a_moment_without_its_time_zone_is_not_restored(account, todo_id, force):
    await account.send("PATCH", f"/todos/{todo_id}", json=MOMENT)
    later = {**MOMENT, "due_at": "2031-01-08T10:00:00Z"}
    await account.send("PATCH", f"/todos/{todo_id}", json=later)
    change_set = account.last
    await account.send("PATCH", f"/todos/{todo_id}", json={"due_at": None})

    result = await account.undo(change_set, force=force)

    assert [(each["field"], each["code"]) for each in result["conflicts"]] == [
        ("due_at", "changed_since")
    ]
    assert (await account.send("GET", f"/todos/{todo_id}"))["due_at"] is None


async def test_a_todo_leaves_a_section_that_it_came_into_later_if_forced(
    account, todo_id, project_id
):
    section_id = await account.create(f"/projects/{project_id}/sections", name="Later")
    await account.send("POST", f"/todos/{todo_id}/move", json={"project_id": project_id})
    change_set = account.last
    place = {"project_id": project_id, "section_id": section_id}
    await account.send("POST", f"/todos/{todo_id}/move", json=place)

    result = await account.undo(change_set)

    expected = conflict("todo", todo_id, "changed_since", "section_id", None, section_id)
    assert result["conflicts"] == [expected]
    assert (await account.undo(change_set, force=True))["conflicts"] == []
    todo = await account.send("GET", f"/todos/{todo_id}")
    assert (todo["project_id"], todo["section_id"]) == (None, None)


async def test_a_created_project_stays_with_the_todo_that_was_changed_since(account, project_id):
    for title in ("Bread", "Salt"):
        await account.create("/todos", title=title, project_id=project_id)
    copy = (await account.send("POST", f"/projects/{project_id}/duplicate"))["id"]
    change_set = account.last
    listed = await account.send("GET", "/todos", params={"project_id": copy})
    kept, gone = (todo["id"] for todo in listed["todos"])
    await account.send("PATCH", f"/todos/{kept}", json={"title": "Rye"})

    result = await account.undo(change_set)

    assert [(each["id"], each["code"]) for each in result["conflicts"]] == [
        (kept, "changed_since"),
        (copy, "in_use"),
    ]
    assert [each["id"] for each in result["undone"]] == [gone]
    assert await title_of(account, kept) == "Rye"


async def test_a_created_todo_that_was_changed_since_keeps_its_labels(account):
    todo_id = await account.create("/todos", title="Bread", labels=["errands"])
    change_set = account.last
    await account.send("PATCH", f"/todos/{todo_id}", json={"title": "Rye"})
    [label] = (await account.send("GET", "/labels"))["labels"]

    result = await account.undo(change_set)

    assert result["undone"] == []
    assert result["conflicts"] == [
        conflict("todo", todo_id, "changed_since", "title", "Bread", "Rye"),
        conflict("label", label["id"], "in_use", None, 0, 1),
    ]
    assert (await account.send("GET", f"/todos/{todo_id}"))["labels"] == ["errands"]


async def test_what_goes_back_into_the_trash_takes_along_what_was_put_inside(account, project_id):
    todo_id = await account.create("/todos", title="Bread", project_id=project_id)
    await account.send("DELETE", f"/projects/{project_id}")
    await account.send("POST", f"/todos/{todo_id}/restore")
    change_set = account.last
    subtask_id = await account.create("/todos", title="Rye", parent_id=todo_id)

    assert (await account.undo(change_set))["conflicts"] == [
        conflict("todo", todo_id, "in_use", None, 0, 1)
    ]
    await account.undo(change_set, force=True)

    for id_ in (todo_id, subtask_id):
        assert (await account.client.get(f"/todos/{id_}")).status_code == 404
    await account.undo()
    assert (await account.send("GET", f"/todos/{subtask_id}"))["parent_id"] == todo_id


async def test_links_of_what_is_deleted_for_good_are_not_mentioned(account, todo_id):
    other = await account.create("/todos", title="Salt")
    await account.send("PATCH", f"/todos/{todo_id}", json={"labels": ["errands"]})
    await account.send("PUT", f"/todos/{todo_id}/relations/blocks/{other}")
    await account.send("DELETE", f"/todos/{todo_id}")
    await account.send("DELETE", "/trash")

    assert (await account.undo())["conflicts"] == [conflict("todo", todo_id, "deleted_for_good")]


@pytest.mark.parametrize("is_copy", [True, False])
async def test_a_section_stays_in_a_project_that_is_in_the_trash(account, project_id, is_copy):
    section_id = await account.create(f"/projects/{project_id}/sections", name="Later")
    change_set = account.last
    place = {"project_id": project_id, "section_id": section_id}
    todo_id = await account.create("/todos", title="Bread", **place)
    if is_copy:
        await account.create("/todos", title="Salt", project_id=project_id)
        project_id = await account.create(f"/projects/{project_id}/duplicate")
        change_set = account.last
        listed = await account.send("GET", "/todos", params={"project_id": project_id})
        todo_id, section_id = next(
            (todo["id"], todo["section_id"]) for todo in listed["todos"] if todo["section_id"]
        )
    await account.send("DELETE", f"/projects/{project_id}")

    await account.undo(change_set)
    await account.send("POST", f"/projects/{project_id}/restore")

    assert (await account.send("GET", f"/todos/{todo_id}"))["section_id"] == section_id


async def test_a_section_that_is_in_the_trash_with_its_project_is_left(account, project_id):
    section_id = await account.create(f"/projects/{project_id}/sections", name="Later")
    path = f"/projects/{project_id}/sections/{section_id}"
    await account.send("PATCH", path, json={"name": "Soon"})
    change_set = account.last
    await account.send("DELETE", f"/projects/{project_id}")

    result = await account.undo(change_set)

    assert result["conflicts"] == [conflict("section", section_id, "in_trash")]


async def test_conflicts_of_positions_have_them_as_other_routes_do(account, todo_id, project_id):
    await account.send("POST", f"/todos/{todo_id}/move", json={"project_id": project_id})
    await account.create("/todos", title="Salt", project_id=project_id)
    await account.send("POST", f"/todos/{todo_id}/move", json={"project_id": project_id})
    before = await account.send("GET", f"/todos/{todo_id}")
    await account.send("DELETE", f"/todos/{todo_id}")
    change_set = account.last
    await account.send("DELETE", f"/projects/{project_id}")

    result = await account.undo(change_set)

    after = await account.send("GET", f"/todos/{todo_id}")
    assert result["conflicts"] == [
        conflict("todo", todo_id, "place_missing", name, before[name], after[name])
        for name in ("project_id", "position")
    ]
    assert before["position"] != after["position"]


async def test_a_subtask_in_the_trash_moves_back_with_its_parent(account, todo_id, project_id):
    subtask_id = await account.create("/todos", title="Rye", parent_id=todo_id)
    await account.send("DELETE", f"/todos/{subtask_id}")
    await account.send("POST", f"/todos/{todo_id}/move", json={"project_id": project_id})

    assert (await account.undo())["conflicts"] == []

    subtask = await account.send("POST", f"/todos/{subtask_id}/restore")
    assert (subtask["project_id"], subtask["parent_id"]) == (None, todo_id)


async def test_a_label_is_in_use_by_a_todo_that_is_being_created(account):
    label_id = await account.create("/labels", name="errands")
    change_set = account.last
    new = {"owner_id": account.user_id, "label_id": label_id}
    async with account.sessions.begin() as session:
        await session.execute(CREATE, new)
        undoing = create_task(account.undo(change_set))
        while not await session.scalar(WAITING):  # noqa: ASYNC110  # a lock sets no event
            await sleep(0.01)

    assert (await undoing)["conflicts"] == [conflict("label", label_id, "in_use", None, 0, 1)]
