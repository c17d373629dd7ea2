"""The replay of the log, which `task chaos` trusts: that it notices what is wrong."""

import pytest
from sqlalchemy import text

from tests import replayed
from tests.factories import TodoFactory, UserFactory
from tests.replayed import Change, Row, Written


@pytest.fixture
async def world(client):
    """Write a little of everything; return the ids."""

    async def send(method, path, **body) -> dict:
        response = await client.request(method, path, json=body or None)
        assert response.status_code < 300, response.text
        return response.json() if response.content else {}

    project = (await send("POST", "/projects", name="Home"))["id"]
    await send("POST", f"/projects/{project}/sections", name="Later")
    await send("POST", "/filters", name="Late", filter="overdue")
    first, second, purged = [
        (await send("POST", "/todos", title=title, labels=["green"]))["id"]
        for title in ("Bread", "Salt", "Oil")
    ]
    daily = {"recurrence": {"rule": "FREQ=DAILY"}, "due_on": "2131-01-06"}
    for todo in (first, purged):
        await send("PATCH", f"/todos/{todo}", **daily)
        await send("POST", f"/todos/{todo}/complete")
        await send("PATCH", f"/todos/{todo}", recurrence=None)
    await send("DELETE", f"/todos/{purged}")
    await send("DELETE", "/trash")
    await send("PATCH", f"/todos/{first}", title="Flour", due_on="2026-12-24", labels=[])
    await send("PATCH", f"/todos/{first}", due_on=None)
    await send("PUT", f"/todos/{first}/relations/blocks/{second}")
    await send("POST", f"/todos/{second}/move", project_id=project)
    await send("DELETE", f"/projects/{project}")
    await send("POST", f"/projects/{project}/restore")
    return {"first": first, "purged": purged, "project": project}


@pytest.fixture
async def log(sessions, world) -> tuple[list[Change], list[Row]]:
    """Return the log, and the rows of all tables."""
    async with sessions() as session:
        changes = (await session.execute(text(replayed.LOG))).all()
        rows = (await session.execute(text(replayed.ROWS))).all()
    return [Change(*change) for change in changes], [Row(*row) for row in rows]


def test_the_log_leads_to_the_rows(log):
    changes, rows = log

    assert replayed.differences(changes, rows) == []
    assert {row.entity for row in rows} == replayed.KEYS.keys()
    assert {change.operation for change in changes} == {"create", "update", "delete", "restore"}


def test_a_missing_change_is_noticed(log):
    changes, rows = log

    for change in changes:
        if change.before is change.after is None:  # nothing is kept of it that could be missed
            continue
        left = [other for other in changes if other is not change]
        assert replayed.differences(left, rows), change


def test_a_doubled_change_is_noticed(log):
    changes, rows = log

    for change in changes:
        if change.before is change.after is None:
            continue
        doubled = [each for other in changes for each in [other] * (1 + (other is change))]
        assert replayed.differences(doubled, rows), change


def test_another_value_is_noticed(log):
    changes, rows = log

    for tampered in (
        [row._replace(content=row.content | {"color": "?"}) for row in rows],
        rows[1:],
        [*rows, rows[0]._replace(entity_id=1)],
        [row._replace(owner_id=1) for row in rows],
    ):
        assert replayed.differences(changes, tampered)


def forgotten(changes, entity_id):
    """Return the log without the content of a todo."""
    return [
        change._replace(before=None, after=None)
        if (change.entity, change.entity_id) == ("todos", entity_id)
        else change
        for change in changes
    ]


def test_what_is_deleted_for_good_may_have_no_content(log, world):
    changes, rows = log
    changes = forgotten(changes, world["purged"])

    assert replayed.differences(changes, rows) == []
    creation = next(change for change in changes if change.before is change.after is None)
    assert replayed.differences([each for each in changes if each is not creation], rows)
    assert replayed.differences([creation, *changes], rows)


def test_only_what_is_deleted_for_good_may_have_no_content(log, world):
    changes, rows = log

    assert replayed.differences(forgotten(changes, world["first"]), rows)


def test_a_write_is_in_the_log_once(log, world):
    changes, _ = log
    flour = Written("todos", world["first"], "title", "Flour")

    assert replayed.miscounted(changes, [flour]) == []
    assert replayed.miscounted([*changes, *changes], [flour])
    assert replayed.miscounted(changes, [flour._replace(value="Rice")])


async def test_a_transaction_that_began_first_may_change_a_row_last(committing, commit):
    [user] = await commit(UserFactory())
    [todo] = await commit(TodoFactory(owner_id=user.id, title="Bread"))
    rename = text("UPDATE todos SET title = :title WHERE id = :id")
    async with committing() as first, committing() as second:
        await first.execute(text("SELECT pg_current_xact_id()"))
        await second.execute(rename, {"title": "Flour", "id": todo.id})
        await second.commit()
        await first.execute(rename, {"title": "Rice", "id": todo.id})
        await first.commit()
        by_position, by_xid, rows = [
            (await first.execute(text(statement))).all()
            for statement in (
                replayed.LOG,
                replayed.LOG.replace("BY position", "BY xid, position"),
                replayed.ROWS,
            )
        ]

    rows = [Row(*row) for row in rows]
    assert replayed.differences([Change(*row) for row in by_position], rows) == []
    assert replayed.differences([Change(*row) for row in by_xid], rows)
