"""How much of the log a page of `GET /changes` reads."""

from sqlalchemy import text

from fast_zero.changes import queries
from tests.explained import empty_log, rows_read

LIMIT = 100
OLDEST = 10  # a transaction before all that are running
# Of two users, months ago and now, so that the rows are in more than one partition.
FILL = text("""
INSERT INTO changes (xid, at, owner_id, entity, entity_id, operation, before, after, client)
SELECT CAST(CAST(:oldest + number / 1000 AS text) AS xid8),
    now() - interval '70 days' * (number % 2), :user_id + number / 2 % 2, 'todos', number + 1,
    'update', '{"title": "Bread"}', '{"title": "Rye"}', 'job'
FROM generate_series(0, :number - 1) AS number
""")


async def test_a_page_reads_the_same_however_far_a_client_is_behind(connection, user):
    await empty_log(connection)
    at = await connection.scalar(text("SELECT now()"))

    async def read(*, behind: int) -> int:
        values = {"at": at, "xid": OLDEST + behind, "position": 0, "limit": LIMIT + 1}
        return await rows_read(connection, queries.READ, values | {"user_id": user.id})

    values = {"user_id": user.id, "oldest": OLDEST, "number": 2_000}
    await connection.execute(FILL, values)
    await connection.execute(text("ANALYZE changes"))
    await connection.execute(FILL, values | {"oldest": OLDEST + 2, "number": 98_000})
    found = [await read(behind=behind) for behind in (0, 50, 98)]
    await connection.execute(text("ANALYZE changes"))
    found += [await read(behind=behind) for behind in (0, 50, 98)]

    assert set(found) <= {LIMIT + 1, LIMIT + 2}
