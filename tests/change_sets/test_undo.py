"""Each kind of write is undone, and the undo is undone."""

import pytest
from sqlalchemy import text

WEEKLY = {"rule": "FREQ=WEEKLY;BYDAY=MO,TH"}
WRITES = [
    ("POST", "/todos", {"title": "Bread", "labels": ["new"], "project_id": "{project_id}"}),
    ("POST", "/todos", {"title": "Bread", "parent_id": "{todo_id}"}),
    ("PATCH", "/todos/{todo_id}", {"title": "Flour", "due_on": "2031-01-06"}),
    ("PATCH", "/todos/{todo_id}", {"due_at": "2031-01-06T10:00:00Z", "priority": "high"}),
    ("PATCH", "/todos/{todo_id}", {"labels": ["errands", "new"]}),
    ("PATCH", "/todos/{done_id}", {"state": "todo"}),
    ("POST", "/todos/{todo_id}/complete", None),
    ("POST", "/todos/{todo_id}/move", {"parent_id": "{other_id}"}),
    ("POST", "/todos/{todo_id}/move", {"project_id": None}),
    ("POST", "/todos/{subtask_id}/move", {"parent_id": None}),
    ("POST", "/todos/{other_id}/move", {"before": "{todo_id}"}),
    ("POST", "/todos/{todo_id}/duplicate", None),
    ("PUT", "/todos/{todo_id}/relations/blocks/{done_id}", None),
    ("DELETE", "/todos/{todo_id}/relations/blocks/{other_id}", None),
    ("DELETE", "/todos/{todo_id}", None),
    ("DELETE", "/todos/{subtask_id}", None),
    ("POST", "/todos/{trashed_id}/restore", None),
    (
        "POST",
        "/todos/batch",
        {
            "items": [
                {"op": "create", "title": "Salt"},
                {"op": "delete", "id": "{other_id}"},
                {"op": "update", "id": "{todo_id}", "title": "Rye"},
            ]
        },
    ),
    ("PATCH", "/todos/{todo_id}", {"recurrence": WEEKLY}),
    ("PATCH", "/todos/{recurring_id}", {"recurrence": None, "due_on": None}),
    ("PATCH", "/todos/{recurring_id}", {"due_at": "2031-01-07T10:00:00Z"}),
    ("POST", "/todos/{recurring_id}/complete", None),
    ("POST", "/todos/{recurring_id}/skip", None),
    ("PATCH", "/todos/{recurring_id}", {"state": "done", "title": "Rye"}),
    ("POST", "/todos/{late_id}/complete", None),
    ("DELETE", "/todos/{late_id}/occurrences/2026-01-05", None),
    ("POST", "/todos/{last_id}/complete", None),
    ("DELETE", "/todos/{recurring_id}", None),
    ("POST", "/labels", {"name": "green"}),
    ("PATCH", "/labels/{label_id}", {"name": "red"}),
    ("POST", "/labels/{label_id}/merge", {"into": "{into_id}"}),
    ("DELETE", "/labels/{label_id}", None),
    ("POST", "/filters", {"name": "New", "filter": "overdue", "sort": "due"}),
    ("PATCH", "/filters/{filter_id}", {"name": "Late", "filter": "overdue"}),
    ("POST", "/filters/{filter_id}/move", {"after": "{next_id}"}),
    ("DELETE", "/filters/{filter_id}", None),
    ("POST", "/projects", {"name": "Home"}),
    ("PATCH", "/projects/{project_id}", {"name": "House", "archived": True}),
    ("POST", "/projects/{project_id}/move", {"parent_id": "{parent_id}"}),
    ("POST", "/projects/{project_id}/move", {"before": "{parent_id}"}),
    ("POST", "/projects/{project_id}/duplicate", None),
    ("POST", "/projects/{project_id}/sections", {"name": "Later"}),
    ("PATCH", "/projects/{project_id}/sections/{section_id}", {"name": "Soon"}),
    ("POST", "/projects/{project_id}/sections/{sibling_id}/move", {"before": "{section_id}"}),
    ("DELETE", "/projects/{project_id}/sections/{section_id}", None),
    ("DELETE", "/projects/{project_id}", None),
    ("POST", "/projects/{trashed_project_id}/restore", None),
]


def filled(value, world):
    if isinstance(value, dict):
        return {name: filled(each, world) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each, world) for each in value]
    return int(value.format(**world)) if str(value).startswith("{") else value


@pytest.fixture
async def world(account) -> dict[str, int]:
    """Store what `WRITES` need; return its ids."""
    ids = {}
    for name in ("project", "parent", "trashed_project"):
        ids[f"{name}_id"] = await account.create("/projects", name=name)
    inside = f"/projects/{ids['project_id']}/sections"
    for name in ("section", "sibling"):
        ids[f"{name}_id"] = await account.create(inside, name=name)
    place = {"project_id": ids["project_id"], "section_id": ids["section_id"]}
    labels = ["errands", "home"]
    ids["todo_id"] = await account.create("/todos", title="todo", labels=labels, **place)
    ids["subtask_id"] = await account.create("/todos", title="sub", parent_id=ids["todo_id"])
    ids["other_id"] = await account.create("/todos", title="other", labels=labels, **place)
    ids["done_id"] = await account.create("/todos", title="done", state="done")
    ids["trashed_id"] = await account.create("/todos", title="trashed")
    ids["recurring_id"] = await account.create(
        "/todos", title="weekly", due_on="2031-01-06", recurrence=WEEKLY
    )
    for state in ("done", "todo"):
        place = {"parent_id": ids["recurring_id"]}
        await account.create("/todos", title=state, state=state, **place)
    ids["late_id"] = await account.create(
        "/todos", title="late", due_on="2026-01-05", recurrence=WEEKLY
    )
    await account.create("/todos", title="item", state="done", parent_id=ids["late_id"])
    await account.send("POST", f"/todos/{ids['late_id']}/complete")
    ids["last_id"] = await account.create(
        "/todos", title="last", due_on="2031-01-06", recurrence={"rule": "FREQ=DAILY;COUNT=1"}
    )
    await account.create("/todos", title="in it", project_id=ids["trashed_project_id"])
    await account.send("DELETE", f"/todos/{ids['trashed_id']}")
    await account.send("DELETE", f"/projects/{ids['trashed_project_id']}")
    await account.send("PUT", f"/todos/{ids['todo_id']}/relations/blocks/{ids['other_id']}")
    for name in ("filter", "next"):
        new = {"name": name, "filter": "is:open"}
        ids[f"{name}_id"] = await account.create("/filters", **new)
    await account.send("POST", f"/filters/{ids['filter_id']}/move", json={"before": ids["next_id"]})
    known = (await account.send("GET", "/labels"))["labels"]
    return ids | dict(zip(("label_id", "into_id"), (label["id"] for label in known), strict=True))


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
async def test_a_write_is_undone_and_redone(account, world, method, path, body):
    before = await account.rows()
    await account.send(method, path.format(**world), json=filled(body, world))
    written, after = account.last, await account.rows()
    assert after != before

    preview = await account.undo(written, dry_run=True)
    assert await account.rows() == after

    undone = await account.undo(written)
    assert await account.rows() == before
    assert undone == preview
    assert undone["undone"]
    assert not undone["conflicts"]

    redone = await account.undo()
    assert await account.rows() == after
    assert not redone["conflicts"]

    await account.undo()
    assert await account.rows() == before


async def test_undo_and_activity_wait_for_no_other_transaction(account, todo_id):
    """Unlike sync, which shows a change when all transactions that began earlier have ended."""
    async with account.sessions() as session:
        await session.execute(text("SELECT pg_current_xact_id()"))
        await account.send("PATCH", f"/todos/{todo_id}", json={"title": "Rye"})
        written = account.last

        undone = await account.undo(written)

        entries = (await account.send("GET", "/activity"))["activity"]
    assert [each["fields"] for each in undone["undone"]] == [["title"]]
    assert [entry["change_set_id"] for entry in entries[:2]] == [account.last, written]
