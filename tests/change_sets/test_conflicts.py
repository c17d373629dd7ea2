"""What others changed since is left alone, unless undo is forced."""

from uuid import uuid4

import pytest
from sqlalchemy import text

from fast_zero.saved_filters.models import MAX_FILTERS
from tests.change_sets.expect import conflict, title_of
from tests.core.expect import problem
from tests.factories import UserFactory

MISSING = (404, "There is no such change set. It may be too old, or of nothing.")


async def test_a_field_that_was_changed_since_stays_and_the_others_are_restored(account, todo_id):
    body = {"title": "Rye", "priority": "high"}
    await account.send("PATCH", f"/todos/{todo_id}", json=body)
    change_set = account.last
    await account.send("PATCH", f"/todos/{todo_id}", json={"title": "Rolls"})

    result = await account.undo(change_set)

    assert result["change_set_id"] == change_set
    assert result["undone"] == [
        {"entity": "todo", "id": todo_id, "operation": "update", "fields": ["priority"]}
    ]
    expected = conflict("todo", todo_id, "changed_since", "title", "Rye", "Rolls")
    assert result["conflicts"] == [expected]
    todo = await account.send("GET", f"/todos/{todo_id}")
    assert (todo["title"], todo["priority"]) == ("Rolls", "none")

    forced = await account.undo(change_set, force=True)

    assert forced["conflicts"] == []
    assert await title_of(account, todo_id) == "Bread"


async def test_a_field_that_has_its_old_value_again_is_no_conflict(account, todo_id):
    await account.send("PATCH", f"/todos/{todo_id}", json={"title": "Rye"})
    change_set = account.last
    await account.send("PATCH", f"/todos/{todo_id}", json={"title": "Bread"})

    result = await account.undo(change_set)

    assert (result["undone"], result["conflicts"]) == ([], [])


async def test_dates_are_restored_together_or_not_at_all(account, todo_id):
    moment = {"due_at": "2031-01-06T10:00:00Z", "time_zone": "Europe/Lisbon"}
    await account.send("PATCH", f"/todos/{todo_id}", json={"due_on": "2031-01-06"})
    await account.send("PATCH", f"/todos/{todo_id}", json={"due_on": None, **moment})
    change_set = account.last
    later = {"due_at": "2031-01-07T10:00:00Z", "time_zone": "Europe/Lisbon"}
    await account.send("PATCH", f"/todos/{todo_id}", json=later)

    result = await account.undo(change_set)

    assert [(each["field"], each["code"]) for each in result["conflicts"]] == [
        ("due_at", "changed_since")
    ]
    assert result["undone"] == []
    await account.undo(change_set, force=True)
    todo = await account.send("GET", f"/todos/{todo_id}")
    assert (todo["due_on"], todo["due_at"]) == ("2031-01-06", None)


async def test_what_was_created_and_changed_since_is_left(account, todo_id):
    change_set = account.last
    await account.send("PATCH", f"/todos/{todo_id}", json={"title": "Rye"})

    result = await account.undo(change_set)

    expected = conflict("todo", todo_id, "changed_since", "title", "Bread", "Rye")
    assert result["conflicts"] == [expected]
    assert await title_of(account, todo_id) == "Rye"

    await account.undo(change_set, force=True)

    [deletion] = (await account.send("GET", "/trash"))["deletions"]
    assert (deletion["item_id"], deletion["title"]) == (todo_id, "Rye")


@pytest.mark.parametrize("force", [False, True])
async def test_a_project_with_todos_that_came_later_is_in_use(account, project_id, force):
    change_set = account.last
    todo_id = await account.create("/todos", title="Bread", project_id=project_id)

    result = await account.undo(change_set, force=force)

    found = await account.client.get(f"/todos/{todo_id}")
    if force:
        assert result["conflicts"] == []
        assert found.status_code == 404
    else:
        assert result["conflicts"] == [conflict("project", project_id, "in_use", None, 0, 1)]
        assert found.status_code == 200


async def test_a_label_that_was_given_to_another_todo_is_in_use(account):
    first = await account.create("/todos", title="Bread", labels=["errands"])
    change_set = account.last
    second = await account.create("/todos", title="Salt", labels=["errands"])
    [label] = (await account.send("GET", "/labels"))["labels"]

    result = await account.undo(change_set)

    assert result["conflicts"] == [conflict("label", label["id"], "in_use", None, 0, 1)]
    assert (await account.client.get(f"/todos/{first}")).status_code == 404
    assert (await account.send("GET", f"/todos/{second}"))["labels"] == ["errands"]


async def test_what_is_in_the_trash_has_to_be_restored_first(account, todo_id):
    await account.send("PATCH", f"/todos/{todo_id}", json={"title": "Rye"})
    change_set = account.last
    await account.send("DELETE", f"/todos/{todo_id}")

    result = await account.undo(change_set, force=True)

    assert (result["undone"], result["conflicts"]) == (
        [],
        [conflict("todo", todo_id, "in_trash")],
    )
    await account.send("POST", f"/todos/{todo_id}/restore")
    await account.undo(change_set)
    assert await title_of(account, todo_id) == "Bread"


async def test_what_was_deleted_again_since_comes_back_if_forced(account, todo_id):
    await account.send("DELETE", f"/todos/{todo_id}")
    change_set = account.last
    await account.send("POST", f"/todos/{todo_id}/restore")
    await account.send("DELETE", f"/todos/{todo_id}")

    assert (await account.undo(change_set))["conflicts"] == [conflict("todo", todo_id, "in_trash")]
    assert (await account.undo(change_set, force=True))["conflicts"] == []
    assert (await account.send("GET", "/trash"))["deletions"] == []
    assert await title_of(account, todo_id) == "Bread"


@pytest.mark.parametrize("force", [False, True])
async def test_what_is_deleted_for_good_cannot_be_undone(account, todo_id, force):
    await account.send("PATCH", f"/todos/{todo_id}", json={"title": "Rye"})
    changed = account.last
    await account.send("DELETE", f"/todos/{todo_id}")
    deleted = account.last
    await account.send("DELETE", "/trash")
    purged = account.last

    for change_set in (changed, deleted, purged):
        result = await account.undo(change_set, force=force)
        assert (result["undone"], result["conflicts"]) == (
            [],
            [conflict("todo", todo_id, "deleted_for_good")],
        )


async def test_of_what_is_deleted_for_good_no_content_is_left(account, project_id):
    body = {"title": "secret", "project_id": project_id, "description": "secret"}
    todo_id = await account.create("/todos", **body)
    await account.send("PATCH", f"/todos/{todo_id}", json={"title": "another secret"})
    await account.create(f"/projects/{project_id}/sections", name="secret")
    await account.send("PATCH", f"/projects/{project_id}", json={"name": "secret"})
    await account.send("DELETE", f"/projects/{project_id}")
    await account.send("DELETE", "/trash")

    async with account.sessions.begin() as session:
        rows = await session.execute(
            text("SELECT before, after FROM changes WHERE owner_id = :id"), {"id": account.user_id}
        )
        assert "secret" not in str(rows.all())


async def test_of_occurrences_of_what_is_deleted_for_good_only_the_days_are_left(account):
    todo_id = await account.create(
        "/todos", title="Bread", due_at="2031-01-06T10:00:00Z", recurrence={"rule": "FREQ=DAILY"}
    )
    await account.create("/todos", title="Rye", parent_id=todo_id, state="done")
    await account.send("POST", f"/todos/{todo_id}/complete")
    done = account.last
    await account.send("POST", f"/todos/{todo_id}/skip")
    await account.send("DELETE", f"/todos/{todo_id}/occurrences/2031-01-07")
    taken_back = account.last
    await account.send("DELETE", f"/todos/{todo_id}")
    await account.send("DELETE", "/trash")

    async with account.sessions.begin() as session:
        rows = await session.execute(
            text(
                "SELECT coalesce(after, before) AS kept FROM changes"
                " WHERE owner_id = :id AND entity = 'occurrences' ORDER BY position"
            ),
            {"id": account.user_id},
        )
    monday = {"todo_id": todo_id, "day": "2031-01-06", "status": "done"}
    tuesday = {"todo_id": todo_id, "day": "2031-01-07", "status": "skipped"}
    assert [row.kept for row in rows] == [monday, tuesday, tuesday, monday]
    for change_set in (done, taken_back):
        result = await account.undo(change_set, force=True)
        assert result["undone"] == []
        assert {each["code"] for each in result["conflicts"]} <= {
            "deleted_for_good",
            "changed_since",
        }
    codes = [
        change["code"]
        for entry in (await account.send("GET", "/activity"))["activity"]
        for change in entry["changes"]
    ]
    assert {"occurrence_done", "occurrence_skipped", "occurrence_taken_back"} <= set(codes)


async def test_a_move_back_into_a_project_that_is_gone_is_a_conflict(account, project_id):
    todo_id = await account.create("/todos", title="Bread", project_id=project_id)
    await account.send("POST", f"/todos/{todo_id}/move", json={"project_id": None})
    change_set = account.last
    await account.send("DELETE", f"/projects/{project_id}")

    result = await account.undo(change_set)

    codes = {(each["field"], each["code"]) for each in result["conflicts"]}
    assert ("project_id", "place_missing") in codes
    assert {code for _, code in codes} == {"place_missing"}
    assert (await account.send("GET", f"/todos/{todo_id}"))["project_id"] is None


async def test_a_deleted_todo_whose_project_is_gone_comes_back_into_the_inbox(account, project_id):
    todo_id = await account.create("/todos", title="Bread", project_id=project_id)
    await account.send("DELETE", f"/todos/{todo_id}")
    change_set = account.last
    await account.send("DELETE", f"/projects/{project_id}")

    result = await account.undo(change_set)

    assert result["undone"] == [
        {"entity": "todo", "id": todo_id, "operation": "restore", "fields": []}
    ]
    expected = conflict("todo", todo_id, "place_missing", "project_id", project_id)
    assert result["conflicts"] == [expected]
    assert (await account.send("GET", f"/todos/{todo_id}"))["project_id"] is None


async def test_a_cycle_is_a_conflict(account, todo_id):
    other = await account.create("/todos", title="Salt", parent_id=todo_id)
    await account.send("POST", f"/todos/{other}/move", json={"parent_id": None})
    change_set = account.last
    await account.send("POST", f"/todos/{todo_id}/move", json={"parent_id": other})

    result = await account.undo(change_set, force=True)

    assert (result["undone"], result["conflicts"]) == ([], [conflict("todo", other, "todo_cycle")])


async def test_a_label_whose_name_is_taken_by_now_is_a_conflict(account):
    label_id = await account.create("/labels", name="errands")
    await account.send("DELETE", f"/labels/{label_id}")
    change_set = account.last
    await account.create("/labels", name="Errands")

    result = await account.undo(change_set, force=True)

    expected = [conflict("label", label_id, "label_exists")]
    assert (result["undone"], result["conflicts"]) == ([], expected)


async def test_a_saved_filter_whose_name_is_taken_by_now_is_a_conflict(account):
    filter_id = await account.create("/filters", name="Late", filter="overdue")
    other = await account.create("/filters", name="Open", filter="is:open")
    await account.send("DELETE", f"/filters/{filter_id}")
    deletion = account.last
    await account.send("PATCH", f"/filters/{other}", json={"name": "Other"})
    renaming = account.last
    for name in ("LATE", "OPEN"):
        await account.create("/filters", name=name, filter="is:done")

    for change_set, id_ in ((deletion, filter_id), (renaming, other)):
        result = await account.undo(change_set, force=True)
        expected = [conflict("filter", id_, "filter_exists")]
        assert (result["undone"], result["conflicts"]) == ([], expected)


async def test_a_deleted_saved_filter_returns_only_below_the_limit(account):
    ids = [
        await account.create("/filters", name=f"{number}", filter="is:open")
        for number in range(MAX_FILTERS)
    ]
    await account.send("DELETE", f"/filters/{ids[0]}")
    change_set = account.last
    await account.create("/filters", name="one more", filter="is:open")

    result = await account.undo(change_set)

    expected = [conflict("filter", ids[0], "too_many_filters")]
    assert (result["undone"], result["conflicts"]) == ([], expected)


async def test_a_position_that_is_taken_gets_the_next_one(account, todo_id):
    ids = [await account.create("/todos", title=title) for title in ("Rye", "Salt", "Oil")]
    await account.send("POST", f"/todos/{ids[2]}/move", json={"before": ids[0]})
    await account.send("POST", f"/todos/{ids[2]}/move", json={"after": ids[1]})
    change_set = account.last
    async with account.sessions.begin() as session:  # as by a move to the same place
        statement = text("SELECT before ->> 'position' FROM changes WHERE change_set_id = :id")
        [taken] = await session.scalars(statement, {"id": change_set})
        await session.execute(
            text("UPDATE todos SET position = :taken WHERE id = :id"),
            {"taken": taken, "id": ids[1]},
        )

    result = await account.undo(change_set)

    assert result["conflicts"] == []
    listed = await account.send("GET", "/todos", params={"sort": "position"})
    order = [todo["id"] for todo in listed["todos"]]
    assert order.index(ids[2]) == order.index(ids[1]) + 1


async def test_what_returns_has_a_version_that_it_never_had(account):
    label_id = await account.create("/labels", name="errands")
    await account.send("PATCH", f"/labels/{label_id}", json={"name": "home"})
    known = (await account.send("GET", f"/labels/{label_id}"))["version"]
    await account.send("DELETE", f"/labels/{label_id}")

    await account.undo()

    label = await account.send("GET", f"/labels/{label_id}")
    assert (label["name"], label["version"] > known) == ("home", True)


async def test_a_completion_that_is_restored_counts_when_it_was_done(account, todo_id):
    todo = await account.send("POST", f"/todos/{todo_id}/complete")
    await account.send("PATCH", f"/todos/{todo_id}", json={"state": "todo"})

    await account.undo()

    restored = await account.send("GET", f"/todos/{todo_id}")
    assert restored["completed_at"] == todo["completed_at"]
    async with account.sessions.begin() as session:
        found = await session.scalar(
            text("SELECT finished_at FROM completions WHERE todo_id = :id"), {"id": todo_id}
        )
    assert found.isoformat().replace("+00:00", "Z") == todo["completed_at"]


async def test_the_post_of_a_completion_goes_and_comes_back(account):
    await account.create("/todos", title="Bread", state="done", share="public")
    posts = f"/users/{account.user_id}/posts"
    assert len((await account.send("GET", posts))["posts"]) == 1

    await account.undo()
    assert (await account.send("GET", posts))["posts"] == []

    await account.undo()
    assert len((await account.send("GET", posts))["posts"]) == 1


async def test_a_stranger_finds_no_change_set(account, todo_id, commit, log_in):
    [stranger] = await commit(UserFactory())
    path = f"/change-sets/{account.last}/undo"

    response = await account.client.post(path, headers=await log_in(stranger))

    assert problem(response) == MISSING
    assert await title_of(account, todo_id) == "Bread"


async def test_an_unknown_change_set_is_not_found_and_a_wrong_id_is_invalid(account):
    response = await account.client.post(f"/change-sets/{uuid4()}/undo")

    assert problem(response) == MISSING
    assert response.json()["code"] == "change_set_not_found"
    assert (await account.client.post("/change-sets/7/undo")).status_code == 422


async def test_with_a_key_an_undo_happens_once_and_a_dry_run_is_another_request(account, todo_id):
    await account.send("PATCH", f"/todos/{todo_id}", json={"title": "Rye"})
    path, key = f"/change-sets/{account.last}/undo", {"Idempotency-Key": "a"}

    first = await account.client.post(path, headers=key)
    again = await account.client.post(path, headers=key)
    dry = await account.client.post(path, headers=key, params={"dry_run": True})

    assert (again.json(), again.headers["x-change-set"]) == (
        first.json(),
        first.headers["x-change-set"],
    )
    assert dry.json()["code"] == "idempotency_key_reused"


async def test_an_undo_is_logged_as_a_change_set_of_its_own(account, todo_id):
    await account.send("PATCH", f"/todos/{todo_id}", json={"title": "Rye"})
    await account.undo()

    [entry, *_] = (await account.send("GET", "/activity"))["activity"]

    assert entry["change_set_id"] == account.last
    assert entry["actor_id"] == account.user_id
    assert entry["changes"][0]["values"] == {"title": {"before": "Rye", "after": "Bread"}}
