"""How many rows of the log a page reads, as the statement is prepared."""

import pytest
from sqlalchemy import text

from fast_zero.activity import queries
from fast_zero.activity.schemas import COUNTED, DEFAULT_LIMIT, SHOWN
from fast_zero.core.types import MAX_BIGINT
from tests.explained import empty_log, rows_read

PROJECT, TODO = 7, 9
OLD, LARGE, NEW = 1_000_000, 2_000_000, 3_000_000
"""From which transaction on a log is filled."""

# Months ago and now, so that the rows are in more than one partition.
FILL = text("""
INSERT INTO changes (
    xid, at, owner_id, project_id, entity, entity_id, operation, before, after, client
)
SELECT CAST(CAST(:first + number / :rows AS text) AS xid8),
    now() - interval '70 days' * (number % 2), :user_id, :project, 'todos',
    CASE WHEN number % :rows = 0 THEN :todo ELSE number + 1000 END, 'update',
    '{"title": "Bread"}', '{"title": "Rye"}', 'job'
FROM generate_series(0, :number - 1) AS number
""")
SUBJECTS = {"account": None, "project": PROJECT, "todo": TODO}


@pytest.fixture
async def fill(connection, user):
    await empty_log(connection)

    async def fill(first, *, number, rows):
        """Write `number` changes, in transactions of `rows` each."""
        place = {"user_id": user.id, "project": PROJECT, "todo": TODO}
        await connection.execute(FILL, {"first": first, "number": number, "rows": rows, **place})

    return fill


@pytest.fixture
def rows_of_page(connection, user):
    async def rows_of_page(subject) -> int:
        """Read a page; return how many rows of the log it has read."""
        values = {"user_id": user.id, "before": MAX_BIGINT, "limit": DEFAULT_LIMIT + 1}
        values |= {} if subject == "account" else {"id": SUBJECTS[subject]}
        return await rows_read(connection, queries.PAGES[subject], values)

    return rows_of_page


async def test_a_page_reads_the_same_regardless_of_the_size_of_the_log(
    connection, fill, rows_of_page
):
    await fill(NEW, number=2_000, rows=5)
    # While a table seems to be empty, all indexes cost the same.
    await connection.execute(text("ANALYZE changes"))
    few = {subject: await rows_of_page(subject) for subject in SUBJECTS}
    await fill(OLD, number=20_000, rows=20_000)
    await fill(OLD + 1, number=20_000, rows=5)

    many = {subject: await rows_of_page(subject) for subject in SUBJECTS}
    await connection.execute(text("ANALYZE changes"))
    analyzed = {subject: await rows_of_page(subject) for subject in SUBJECTS}

    assert few == many == analyzed
    assert 0 < max(few.values()) <= 20 * (DEFAULT_LIMIT + 1)


async def test_of_large_transactions_a_part_is_read(connection, fill, rows_of_page):
    await fill(OLD, number=20_000, rows=5)
    await connection.execute(text("ANALYZE changes"))
    await fill(LARGE, number=20_000, rows=20_000)
    await fill(LARGE + 1, number=20_000, rows=1000)
    most = (DEFAULT_LIMIT + 1) * (COUNTED + 3 * SHOWN)

    for _ in range(2):
        found = {subject: await rows_of_page(subject) for subject in SUBJECTS}
        assert max(found.values()) <= most
        assert found["todo"] <= 5 * (DEFAULT_LIMIT + 1)
        await connection.execute(text("ANALYZE changes"))
