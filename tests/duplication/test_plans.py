"""Duplicating reads what is duplicated, and not all todos of the user."""

import json

from sqlalchemy import text

from tests.factories import ProjectFactory, SectionFactory

FILL = """
INSERT INTO todos (owner_id, project_id, parent_id, title, description, state)
SELECT {owner_id}, {project_id}, {parent_id}, 'Todo ' || number, '', 'todo'
FROM generate_series(1, {count}) AS number
"""


async def test_duplicating_reads_no_whole_table(client, save, user, stranger, connection, sent):
    await connection.execute(text("SET LOCAL statement_timeout = 0"))
    big, small = await save(*ProjectFactory.build_batch(2, owner_id=user.id))
    await save(SectionFactory(owner_id=user.id, project_id=small.id))
    fill = FILL.format(owner_id=user.id, project_id=big.id, parent_id="NULL", count=10_000)
    await connection.execute(text(fill))
    root = (await client.post("/todos", json={"title": "root", "project_id": small.id})).json()
    fill = FILL.format(owner_id=user.id, project_id=small.id, parent_id=root["id"], count=20)
    await connection.execute(text(fill))
    # So many that reading all of them is never the cheaper plan, whatever other tests leave behind.
    fill = FILL.format(owner_id=stranger.id, project_id="NULL", parent_id="NULL", count=100_000)
    await connection.execute(text(fill))
    await connection.execute(text("ANALYZE todos, projects, sections"))
    sent.clear()

    for path in (f"/todos/{root['id']}/duplicate", f"/projects/{small.id}/duplicate"):
        assert (await client.post(path)).status_code == 201
    done = [item for item in sent if item[0].startswith(("SELECT", "WITH", "INSERT"))]
    assert len(done) == 17
    for statement, values in done:
        if statement.startswith("INSERT INTO"):  # its position is taken by now
            explained = await connection.exec_driver_sql(
                f"EXPLAIN (FORMAT JSON) {statement}", values
            )
        else:
            explained = await connection.exec_driver_sql(
                f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values
            )
        [(plan,)] = explained
        assert most_rows(plan[0]["Plan"]) <= 50, (statement, json.dumps(plan))
        assert not scans_todos(plan[0]["Plan"]), (statement, json.dumps(plan))


def most_rows(plan: dict) -> int:
    here = plan.get("Actual Rows", 0) + plan.get("Rows Removed by Filter", 0)
    return int(max([here, *(most_rows(below) for below in plan.get("Plans", ()))]))


def scans_todos(plan: dict) -> bool:
    here = plan["Node Type"] == "Seq Scan" and plan["Relation Name"] == "todos"
    return here or any(map(scans_todos, plan.get("Plans", ())))
