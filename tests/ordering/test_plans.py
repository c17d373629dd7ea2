"""A move reads as much of a long list as of a short one."""

import json

import pytest
from sqlalchemy import text

from tests.factories import ProjectFactory

LONG, SHORT = 10_000, 10
FILL = """
INSERT INTO todos (owner_id, project_id, title, description, state)
SELECT {owner_id}, {project_id}, 'Todo ' || number, '', 'todo'
FROM generate_series(1, {count}) AS number
"""


@pytest.fixture
async def lists(save, user, connection) -> dict[int, list[int]]:
    """Return the ids of the todos of a long and of a short list."""
    lists = {}
    for count in (LONG, SHORT):
        [project] = await save(ProjectFactory(owner_id=user.id))
        fill = FILL.format(owner_id=user.id, project_id=project.id, count=count)
        await connection.execute(text(fill))
        found = await connection.execute(
            text("SELECT id FROM todos WHERE project_id = :id ORDER BY id"), {"id": project.id}
        )
        lists[count] = list(found.scalars())
    await connection.execute(text("ANALYZE todos"))
    return lists


@pytest.fixture
def explain(connection):
    """Return how many rows the statements read at most in one step, and how the plans look."""

    async def explain(sent) -> tuple[int, str]:
        rows, plans = 0, ""
        for statement, values in sent:
            if statement.startswith(("SELECT", "UPDATE", "WITH")):
                explaining = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
                [(plan,)] = await connection.exec_driver_sql(explaining, values)
                rows = max(rows, most_rows(plan[0]["Plan"]))
                assert not is_scanned(plan[0]["Plan"]), statement
                plans += json.dumps(plan)
        return rows, plans

    return explain


def is_scanned(plan: dict) -> bool:
    """Whether todos are read without an index. There are few rows of the other tables."""
    here = plan["Node Type"] == "Seq Scan" and plan["Relation Name"] == "todos"
    return here or any(is_scanned(below) for below in plan.get("Plans", ()))


def most_rows(plan: dict) -> int:
    here = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    return int(max([here, *(most_rows(below) for below in plan.get("Plans", ()))]))


async def test_a_move_costs_the_same_in_a_long_list_as_in_a_short_one(move, lists, sent, explain):
    seen = {}
    for count, todos in lists.items():
        for where in (
            {"before": todos[count // 2]},
            {"after": todos[count // 2]},
            {"before": todos[0]},
            {"parent_id": None},
        ):
            sent.clear()
            response = await move(todos[3], **where)
            assert response.status_code == 200, response.text
            done = list(sent)
            rows, plans = await explain(done)
            seen.setdefault(count, []).append(len(done))

            assert rows <= 5, (where, plans)
            assert plans.count('"uq_todos_position"') >= 1
    assert seen[LONG] == seen[SHORT]


async def test_rebalancing_reads_and_writes_a_hundred_todos_at_most(
    move, lists, sent, explain, connection, user
):
    """A row of the list gets a position that leaves no room behind it."""
    todos = lists[LONG]
    half = LONG // 2
    full = f"{todos[half]:016x}" + "0" * 31 + "1"
    await connection.execute(
        text("UPDATE todos SET position = :position WHERE id = :id"),
        {"position": full, "id": todos[half + 1]},
    )
    sent.clear()

    response = await move(todos[3], after=todos[half])

    done = list(sent)
    assert response.status_code == 200
    assert len(response.json()["position"]) < 24
    writes = [statement for statement, _ in done if statement.startswith("UPDATE")]
    assert len(writes) == 2
    rows, _ = await explain([item for item in done if not item[0].startswith("UPDATE")])
    assert rows <= 102
    changed = await connection.scalar(
        text("SELECT count(*) FROM todos WHERE owner_id = :owner AND version > 1"),
        {"owner": user.id},
    )
    assert 50 <= changed <= 102
    order = await connection.execute(
        text(
            "SELECT id FROM todos WHERE project_id = (SELECT project_id FROM todos WHERE id = :id)"
            " ORDER BY coalesce(position, lpad(to_hex(id), 16, '0')) COLLATE \"C\""
        ),
        {"id": todos[0]},
    )
    expected = [*todos[:3], *todos[4 : half + 1], todos[3], *todos[half + 1 :]]
    assert list(order.scalars()) == expected
