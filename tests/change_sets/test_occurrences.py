"""Undo of what was done to todos that recur, with what it announced."""

import pytest
from sqlalchemy import text

RULE = {"rule": "FREQ=DAILY"}
COMPLETIONS = text("SELECT todo_id, occurrence, finished_at FROM completions ORDER BY id")


@pytest.fixture
def announced(account):
    async def announced():
        page = await account.send("GET", f"/users/{account.user_id}/posts")
        async with account.sessions.begin() as session:
            rows = (await session.execute(COMPLETIONS)).all()
        counted = {(row.todo_id, row.occurrence, row.finished_at) for row in rows}
        return sorted(post["text"] for post in page["posts"]), counted

    return announced


async def test_a_completion_is_undone_and_redone_with_what_it_announced(account, announced):
    todo_id = await account.create(
        "/todos", title="daily", due_on="2026-01-05", share="public", recurrence=RULE
    )
    item = {"title": "item", "parent_id": todo_id, "share": "public", "state": "done"}
    await account.create("/todos", **item)
    before = await announced()
    await account.send("POST", f"/todos/{todo_id}/complete")
    after = await announced()
    assert len(after[1]) == 2

    undone = await account.undo()
    assert {thing["operation"] for thing in undone["undone"]} == {"update"}
    [fields] = [set(thing["fields"]) for thing in undone["undone"] if thing["id"] == todo_id]
    assert fields == {"due_on", "occurrence_on", "occurrences"}
    assert await announced() == before

    await account.undo()
    assert await announced() == after


async def test_what_was_completed_since_is_left_alone(account, announced):
    todo_id = await account.create(
        "/todos", title="daily", due_on="2031-01-06", share="public", recurrence=RULE
    )
    item = {"title": "item", "parent_id": todo_id, "share": "public", "state": "done"}
    await account.create("/todos", **item)
    await account.send("POST", f"/todos/{todo_id}/complete")
    first = account.last
    await account.send("POST", f"/todos/{todo_id}/complete")
    before = await account.rows(), await announced()
    undone = await account.undo(first)

    conflicts = {(conflict["field"], conflict["code"]) for conflict in undone["conflicts"]}
    fields = {"due_on", "occurrence_on", "occurrences", "state", "completed_at"}
    assert conflicts == {(field, "changed_since") for field in fields}
    assert undone["undone"] == []
    assert (await account.rows(), await announced()) == before


async def test_what_was_taken_back_does_not_return_without_its_due(account):
    todo_id = await account.create("/todos", title="daily", due_on="2031-01-06", recurrence=RULE)
    await account.create("/todos", title="item", parent_id=todo_id, state="done")
    await account.send("POST", f"/todos/{todo_id}/complete")
    await account.send("DELETE", f"/todos/{todo_id}/occurrences/2031-01-06")
    taken_back = account.last
    await account.send("PATCH", f"/todos/{todo_id}", json={"due_on": "2031-01-16"})
    before = await account.rows()

    assert (await account.undo(taken_back))["undone"] == []
    assert await account.rows() == before


async def test_an_occurrence_that_was_done_again_keeps_the_due_after_it(account):
    todo_id = await account.create("/todos", title="daily", due_on="2031-01-06", recurrence=RULE)
    await account.send("POST", f"/todos/{todo_id}/complete")
    first = account.last
    await account.send("DELETE", f"/todos/{todo_id}/occurrences/2031-01-06")
    await account.send("POST", f"/todos/{todo_id}/complete")
    before = await account.rows()

    assert (await account.undo(first))["undone"] == []
    assert await account.rows() == before


async def test_an_occurrence_is_left_in_the_trash_with_its_todo(account):
    todo_id = await account.create("/todos", title="daily", due_on="2031-01-06", recurrence=RULE)
    await account.send("POST", f"/todos/{todo_id}/complete")
    first = account.last
    await account.send("DELETE", f"/todos/{todo_id}")
    await account.undo(first)

    todo = await account.send("POST", f"/todos/{todo_id}/restore")
    listed = await account.send("GET", f"/todos/{todo_id}/occurrences")
    assert todo["due_on"] == "2031-01-07"
    assert [each["day"] for each in listed["past"]] == ["2031-01-06"]


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize(
    ("change", "since"),
    [
        ({"recurrence": None}, {"due_on": "2031-01-20"}),
        ({"recurrence": None}, {"due_at": "2031-01-20T08:00:00Z"}),
        ({"recurrence": None}, {"due_at": "2031-01-06T08:00:00Z"}),
        ({"recurrence": None}, {"due_on": None}),
        ({"due_on": "2031-01-07", "recurrence": None}, {"recurrence": RULE}),
    ],
)
async def test_a_recurrence_comes_back_with_its_due_alone(account, change, since, force):
    todo_id = await account.create("/todos", title="daily", due_on="2031-01-06", recurrence=RULE)
    path = f"/todos/{todo_id}"
    await account.send("PATCH", path, json=change)
    ended = account.last
    await account.send("PATCH", path, json=since)
    undone = await account.undo(ended, force=force)

    todo = await account.send("GET", path)
    if todo["recurrence"] is None:
        assert "recurrence" in {conflict["field"] for conflict in undone["conflicts"]}
    else:
        assert todo["occurrence_on"] == todo["due_on"]
    await account.send("POST", f"{path}/complete")


@pytest.mark.parametrize("force", [False, True])
async def test_an_occurrence_stays_where_the_recurrence_has_ended(account, force):
    todo_id = await account.create("/todos", title="daily", due_on="2031-01-06", recurrence=RULE)
    await account.send("POST", f"/todos/{todo_id}/complete")
    completion = account.last
    await account.send("PATCH", f"/todos/{todo_id}", json={"recurrence": None})
    before = await account.rows()

    assert (await account.undo(completion, force=force))["undone"] == []
    assert await account.rows() == before


async def test_a_due_stays_that_a_recurrence_needs(account):
    todo_id = await account.create("/todos", title="daily")
    path = f"/todos/{todo_id}"
    await account.send("PATCH", path, json={"due_on": "2031-01-06", "title": "weekly"})
    first = account.last
    await account.send("PATCH", path, json={"recurrence": RULE})
    undone = await account.undo(first)

    todo = await account.send("GET", path)
    assert (todo["title"], todo["due_on"]) == ("daily", "2031-01-06")
    assert "due_on" in {conflict["field"] for conflict in undone["conflicts"]}


async def test_forced_back_before_an_occurrence_it_does_not_come_again(account):
    todo_id = await account.create("/todos", title="daily", due_on="2031-01-06", recurrence=RULE)
    await account.send("POST", f"/todos/{todo_id}/complete")
    first = account.last
    await account.send("POST", f"/todos/{todo_id}/complete")
    await account.undo(first, force=True)

    todo = await account.send("GET", f"/todos/{todo_id}")
    assert todo["due_on"] == "2031-01-06"
    done = await account.send("POST", f"/todos/{todo_id}/complete")
    assert done["due_on"] == "2031-01-08"


async def test_forced_back_among_others_each_is_taken_back_alone(account):
    todo_id = await account.create("/todos", title="daily", due_on="2031-01-06", recurrence=RULE)
    path = f"/todos/{todo_id}"
    await account.send("POST", f"{path}/complete")
    await account.undo()
    undone = account.last
    await account.send("PATCH", path, json={"due_on": "2031-01-16"})
    await account.send("POST", f"{path}/complete")
    await account.undo(undone, force=True)

    await account.send("DELETE", f"{path}/occurrences/2031-01-16")
    listed = await account.send("GET", f"{path}/occurrences")
    assert [each["day"] for each in listed["past"]] == ["2031-01-06"]


async def test_the_checklist_of_the_last_occurrence_is_taken_back(account):
    rule = {"rule": "FREQ=DAILY;COUNT=1"}
    todo_id = await account.create("/todos", title="once", due_on="2031-01-06", recurrence=rule)
    path = f"/todos/{todo_id}"
    done = await account.create("/todos", title="done", parent_id=todo_id, state="done")
    await account.create("/todos", title="open", parent_id=todo_id)
    before = await account.rows()

    await account.send("POST", f"{path}/complete")
    assert (await account.send("GET", path))["open_subtasks"] == 0
    await account.send("DELETE", f"{path}/occurrences/2031-01-06")

    assert (await account.send("GET", f"/todos/{done}"))["state"] == "done"
    assert await account.rows() == before
