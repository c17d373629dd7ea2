"""A list reads nothing of others, also where its owner has much of all that there is."""

import pytest
from sqlalchemy import text

from tests.factories import SavedFilterFactory, UserFactory

# Few owners with many rows each: to hash all rows once would seem cheaper than to look them up.
FILL = """
INSERT INTO todos (owner_id, title, description, state)
SELECT users.id, 'Todo ' || number, 'Bread', 'todo' FROM users, generate_series(1, 700) AS number;
INSERT INTO labels (owner_id, name) SELECT id, 'a' FROM users;
INSERT INTO todo_labels (owner_id, todo_id, label_id)
SELECT owner_id, todos.id, labels.id FROM todos JOIN labels USING (owner_id) WHERE todos.id % 3 = 0;
INSERT INTO todo_relations (owner_id, todo_id, other_id, kind)
SELECT owner_id, id, id + 1, 'blocks' FROM todos WHERE id % 7 = 0;
SET LOCAL session_replication_role = origin;
ANALYZE todos, labels, todo_labels, todo_relations
"""
FILTERS = [
    "is:open",
    "is:blocked or nothing",
    "not is:blocked",
    "label:a or is:blocked",
    "not label:a",
    "label:none or due:none",
]


@pytest.fixture
async def crowd(save, connection):
    """Give all users many todos. Plans also depend on the dead rows of other tests."""
    await connection.execute(text("TRUNCATE todos, labels, todo_labels, todo_relations CASCADE"))
    await save(*UserFactory.build_batch(29))
    await connection.execute(text("SET LOCAL session_replication_role = replica"))
    for statement in FILL.split(";\n"):
        await connection.execute(text(statement))


def scans(plan: dict) -> list[str]:
    here = [plan["Relation Name"]] if plan["Node Type"] == "Seq Scan" else []
    return here + [name for below in plan.get("Plans", ()) for name in scans(below)]


async def scanned(connection, sent) -> set[str]:
    found: set[str] = set()
    for statement, values in list(sent):
        explaining = f"EXPLAIN (FORMAT JSON) {statement}"
        [(plan,)] = await connection.exec_driver_sql(explaining, values)
        found |= set(scans(plan[0]["Plan"]))
    return found & {"todos", "todo_labels", "todo_relations"}


@pytest.mark.parametrize("wanted", [{}, *({"filter": text} for text in FILTERS)], ids=str)
async def test_a_list_scans_no_table(client, crowd, connection, sent, wanted):
    sent.clear()
    response = await client.get("/todos", params={"limit": 20, **wanted})

    assert response.status_code == 200
    assert await scanned(connection, sent) == set()


async def test_counts_of_saved_filters_scan_no_table(client, crowd, connection, save, user, sent):
    await save(*(SavedFilterFactory(owner_id=user.id, filter=each) for each in FILTERS))
    sent.clear()
    response = await client.get("/todos/summary")

    assert len(response.json()["filters"]) == len(FILTERS)
    assert await scanned(connection, sent) == set()
