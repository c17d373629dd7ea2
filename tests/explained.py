"""How many rows of the log of changes a statement reads, as it is prepared."""

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.test_plans import numbered


async def empty_log(connection: AsyncConnection) -> None:
    """Empty the log until the test is rolled back.

    Plans also depend on the dead rows of other tests, and on autovacuum, which this keeps out.
    """
    await connection.execute(text("TRUNCATE changes"))


async def rows_read(connection: AsyncConnection, statement: TextClause, values: dict) -> int:
    """Run a statement with a generic plan; return how many rows of the log it has read."""
    compiled = str(statement.compile(connection.engine))
    arguments = ", ".join(f"'{values[name]}'" for name in names_in(compiled))
    await connection.exec_driver_sql(f"PREPARE page AS {numbered(compiled)}")
    execute = f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE page({arguments})"
    [[plan]] = (await connection.exec_driver_sql(execute)).scalars()
    await connection.exec_driver_sql("DEALLOCATE page")
    return sum(map(rows_of, nodes(plan["Plan"])))


def names_in(statement: str) -> list[str]:
    parts = [part.split(")s")[0] for part in statement.split("%(")[1:]]
    return list(dict.fromkeys(parts))


def nodes(plan):
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def rows_of(node) -> int:
    if not node.get("Relation Name", "").startswith("changes"):
        return 0
    removed = node.get("Rows Removed by Filter", 0)
    return round((node["Actual Rows"] + removed) * node["Actual Loops"])
