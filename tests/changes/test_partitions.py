"""The partitions of the log, which a job adds and drops."""

import pytest
from pydantic import ValidationError
from sqlalchemy import text

from fast_zero.changes import jobs
from fast_zero.core.jobs import Context
from fast_zero.core.settings import Settings

PARTITIONS = text("""
SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
WHERE inhparent = 'changes'::regclass ORDER BY relname
""")
MONTH = "to_char(now() AT TIME ZONE 'UTC' + interval '{} months', '\"changes_\"YYYY_MM')"
WRITE = text("""
INSERT INTO changes (at, owner_id, entity, entity_id, operation)
VALUES (now() + make_interval(days => :days), 0, 'todos', :days, 'update')
""")
WHERE = text("SELECT tableoid::regclass::text, entity_id FROM changes ORDER BY at")


@pytest.fixture
def rotate(sessions, settings):
    async def rotate(**changes):
        await jobs.rotate(Context(settings.model_copy(update=changes), sessions))

    return rotate


@pytest.fixture
def month(connection):
    async def month(ahead):
        return await connection.scalar(text(f"SELECT {MONTH.format(ahead)}"))

    return month


async def partitions(connection) -> list[str]:
    return list((await connection.scalars(PARTITIONS)).all())


async def test_the_migration_and_the_job_make_the_same_partitions(connection, rotate, month):
    expected = [*[await month(ahead) for ahead in range(3)], "changes_default"]
    assert await partitions(connection) == expected

    await connection.execute(text(f"DROP TABLE {expected[2]}"))
    await rotate()

    assert await partitions(connection) == expected


async def test_what_came_before_its_partition_is_moved_into_it(connection, rotate, month):
    last = await month(2)
    await connection.execute(text(f"DROP TABLE {last}"))
    await connection.execute(WRITE, {"days": 0})
    await connection.execute(WRITE, {"days": 61})
    in_default = [row.tableoid for row in await connection.execute(WHERE)]
    assert "changes_default" in in_default or await month(2) != last

    await rotate()

    found = (await connection.execute(WHERE)).all()
    assert "changes_default" not in {row.tableoid for row in found}
    assert [row.entity_id for row in found] == [0, 61]


async def test_a_write_without_a_partition_does_not_fail(connection):
    await connection.execute(WRITE, {"days": 3650})

    [row] = await connection.execute(WHERE)
    assert row.tableoid == "changes_default"


async def test_old_partitions_are_dropped(connection, rotate, month):
    await connection.execute(
        text(
            "CREATE TABLE changes_2020_01 PARTITION OF changes"
            " FOR VALUES FROM ('2020-01-01Z') TO ('2020-02-01Z')"
        )
    )
    for days in (-3650, -95, -80, 0):
        await connection.execute(WRITE, {"days": days})
    kept = text("SELECT now() - kept_since FROM change_log")
    assert await connection.scalar(kept) is None

    await rotate()

    assert "changes_2020_01" not in await partitions(connection)
    assert [row.entity_id for row in await connection.execute(WHERE)] == [-80, 0]
    assert (await connection.scalar(kept)).days == 95
    await rotate(changes_days=60)
    assert [row.entity_id for row in await connection.execute(WHERE)] == [0]
    assert (await connection.scalar(kept)).days == 80
    await rotate(changes_days=3650)
    assert (await connection.scalar(kept)).days == 80


@pytest.mark.parametrize("days", [0, 3651, "many"])
def test_the_days_are_checked(days):
    with pytest.raises(ValidationError, match="changes_days"):
        Settings(_env_file=None, changes_days=days)
