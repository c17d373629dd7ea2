"""How many rows a search reads, and how many rows all steps of its plan have."""

import json

import pytest
from sqlalchemy import text

from tests.explained import nodes
from tests.factories import TodoFactory

OWN = 300
OTHERS = """
INSERT INTO todos (owner_id, title, description, state)
SELECT {owner_id}, 'Buy bread ' || number, 'The dark one, with seeds.', 'todo'
FROM generate_series(1, 20000) AS number
"""


def rows_of(node) -> int:
    if node.get("Alias") != "todos":
        return 0
    removed = node.get("Rows Removed by Filter", 0)
    return round((node["Actual Rows"] + removed) * node["Actual Loops"])


def work_of(node) -> int:
    """Return how many rows a step of a plan had, and how many it compared in vain."""
    removed = (node.get(f"Rows Removed by {name}", 0) for name in ("Filter", "Join Filter"))
    return round((node["Actual Rows"] + sum(removed)) * node["Actual Loops"])


@pytest.fixture
def steps(connection, client, sent):
    """Return the steps of the plan of a list."""

    async def steps(path) -> list[dict]:
        await connection.execute(text("ANALYZE todos"))
        sent.clear()
        response = await client.get(path)
        assert response.is_success, response.text
        [(statement, values)] = [each for each in sent if "SAVEPOINT" not in each[0]]
        explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
        [plan] = (await connection.exec_driver_sql(explain, values)).scalars()
        plan = json.loads(plan) if isinstance(plan, str) else plan
        return list(nodes(plan[0]["Plan"]))

    return steps


@pytest.fixture
def read(steps):
    """Return how many todos a list reads, and by which kinds of scans."""

    async def read(path) -> tuple[int, set[str]]:
        found = await steps(path)
        scans = [node for node in found if node.get("Alias") == "todos"]
        return sum(map(rows_of, found)), {node["Node Type"] for node in scans}

    return read


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/todos?q=bread&limit=20", 21),
        ("/todos?q=bread&sort=relevance&limit=20", OWN),
        ("/todos?q=buy%20bread&limit=20", OWN),
        ("/todos?q=nothing&limit=20", OWN),
    ],
)
async def test_a_search_reads_no_todos_of_others(
    connection, user, stranger, save, read, path, most
):
    await save(
        *(TodoFactory(owner_id=user.id, title=f"Bake bread {number}") for number in range(OWN))
    )
    first, _ = await read(path)
    await connection.execute(text(OTHERS.format(owner_id=stranger.id)))

    second, scans = await read(path)

    assert first == second == most
    assert "Seq Scan" not in scans


MANY = " ".join(f"w{number}" for number in range(20))
LONG = " ".join(f"a{number}" for number in range(2000))


async def test_words_are_looked_for_once_in_each_todo_that_is_shown(user, save, steps):
    await save(
        TodoFactory(owner_id=user.id, title=MANY, description=LONG, state="todo"),
        *(TodoFactory(owner_id=user.id, title=MANY, state="todo") for _ in range(30)),
    )

    for path, shown in ((f"/todos?q={MANY}&limit=1", 2), (f"/todos?q={MANY}&offset=30", 1)):
        found = await steps(path)
        [looked] = [node for node in found if node.get("Alias") == "own_lexeme"]
        assert looked["Actual Loops"] == shown, path


@pytest.mark.parametrize("q", [MANY, MANY[: -len("w19")] + "a", "a"])
async def test_the_work_for_a_long_text_grows_with_its_length_alone(user, save, steps, q):
    await save(TodoFactory(owner_id=user.id, title=MANY, description=LONG, state="todo"))

    found = await steps(f"/todos?q={q}&limit=1")

    # Each of its words is read once, and 120 at most are compared with the 40 stems of `q`.
    assert sum(map(work_of, found)) < 2000 + 2 * 120 * 40


LABELS = """
INSERT INTO labels (owner_id, name) SELECT {owner_id}, 'one two three ' || number
FROM generate_series(1, 200) AS number;
INSERT INTO todos (owner_id, title, description, state)
SELECT {owner_id}, 'Todo', '', 'todo' FROM generate_series(1, 100);
INSERT INTO todo_labels (owner_id, todo_id, label_id)
SELECT owner_id, todos.id, labels.id FROM todos JOIN labels USING (owner_id)
WHERE (todos.id + labels.id) % 10 = 0
"""


async def test_labels_are_matched_once_and_not_for_each_todo(connection, user, steps):
    # Plans also depend on the dead rows of other tests.
    await connection.execute(text("TRUNCATE todos, labels, todo_labels, todo_relations CASCADE"))
    for statement in LABELS.format(owner_id=user.id).split(";\n"):
        await connection.execute(text(statement))
    await connection.execute(text("ANALYZE labels, todo_labels"))

    found = await steps("/todos?q=one two three flour")

    # Three words for each label; and 20 labels of 100 todos.
    assert sum(map(work_of, found)) < 10 * (3 * 200 + 3 * 20 * 100)


async def test_what_takes_long_is_computed_once_for_all_conditions(save, user, steps, sent):
    await save(
        *(TodoFactory(owner_id=user.id, title="Pão", state="todo") for _ in range(7)),
        TodoFactory(owner_id=user.id, state="done"),
    )
    words = " or ".join(f"w{number} is:blocked" for number in range(24))

    found = await steps(f"/todos?filter=not state:done ({words})")

    [once] = [node for node in found if node.get("Alias") == "computed"]
    assert once["Actual Loops"] == 7
    listed = next(statement for statement, _ in sent if "computed" in statement)
    assert listed.count("lower(todos.title)") == 2  # with and without accents
    assert listed.count("'blocks'") == 2  # one of them is shown
