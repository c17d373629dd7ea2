"""Statements that go straight to the driver give what they give through SQLAlchemy."""

from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

import pytest
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Enum,
    Interval,
    MetaData,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from fast_zero.core.statements import as_dicts, prepare


class Fruit(StrEnum):
    APPLE = "apple"
    PEAR = "pear"


ROWS = Table(
    "rows",
    MetaData(),
    Column("id", BigInteger, primary_key=True),
    Column("fruit", Enum(Fruit, native_enum=False, values_callable=list)),
    Column("kind", Enum(Fruit, native_enum=False)),
    Column("content", JSONB),
    Column("made", Text, default=lambda: "by Python"),
    prefixes=["TEMPORARY"],
)
FILL = insert(ROWS).returning(ROWS.c.id, ROWS.c.fruit, ROWS.c.kind, ROWS.c.content)
VALUES = {"id": 1, "fruit": Fruit.PEAR, "kind": Fruit.APPLE, "content": {"a": [1]}, "made": "here"}


@pytest.fixture
async def rows(connection):
    await connection.run_sync(ROWS.create)


@pytest.fixture
def both(connection, rows):
    """Send a statement both ways, each in a savepoint that is taken back."""

    async def both(statement, values):
        found = []
        for directly in (False, True):
            nested = await connection.begin_nested()
            if directly:
                ready = prepare(statement, frozenset(values), connection.dialect)
                raw = (await connection.get_raw_connection()).driver_connection
                found.append(await ready.send(raw, values))
            else:
                found.append(await connection.execute(statement, values))
            found[-1] = (list(found[-1].keys()), found[-1].all())
            await nested.rollback()
        usual, direct = found
        assert direct == usual
        return direct[1]

    return both


async def test_types_do_what_they_do(both):
    [row] = await both(FILL, VALUES)

    assert row == (1, Fruit.PEAR, Fruit.APPLE, {"a": [1]})
    assert row.fruit is Fruit.PEAR
    assert row.kind is Fruit.APPLE  # stored by its name


async def test_a_value_that_is_null_stays_null(both):
    [row] = await both(FILL, VALUES | {"fruit": None, "kind": None})

    assert (row.fruit, row.kind) == (None, None)


async def test_values_stand_where_they_are_asked_for(both):
    statement = select(
        literal("constant").label("first"),
        (bindparam("number", type_=BigInteger) + 1).label("second"),
        func.cardinality(bindparam("many", type_=ARRAY(BigInteger))).label("third"),
        (func.now() - literal(timedelta(days=1), Interval) < func.now()).label("fourth"),
        (bindparam("number", type_=BigInteger) / literal(4)).label("fifth"),
    )

    [row] = await both(statement, {"number": 2, "many": [1, 2, 3]})

    assert row == ("constant", 3, 3, True, Decimal("0.5"))


async def test_no_row_is_no_row(both):
    change = update(ROWS).where(ROWS.c.id == bindparam("which")).values(made=bindparam("new"))

    assert await both(change.returning(ROWS.c.id), {"which": 7, "new": "there"}) == []


@pytest.mark.parametrize(
    ("statement", "names"),
    [
        pytest.param(text("SELECT :a"), {"a"}, id="a text, whose columns are not known"),
        pytest.param(delete(ROWS).where(ROWS.c.id == bindparam("a")), {"a"}, id="gives no rows"),
        pytest.param(FILL, set(VALUES) - {"made"}, id="Python makes a default"),
        pytest.param(
            select(ROWS.c.id).where(ROWS.c.id.in_(bindparam("a", expanding=True))),
            {"a"},
            id="a list that is part of the text",
        ),
    ],
)
def test_what_is_more_than_a_text_with_values_goes_through_sqlalchemy(engine, statement, names):
    assert prepare(statement, frozenset(names), engine.dialect) is None


def test_a_statement_is_compiled_once(engine):
    names = frozenset(VALUES)

    assert prepare(FILL, names, engine.dialect) is prepare(FILL, names, engine.dialect)


async def test_rows_by_name(both):
    rows = await both(FILL, VALUES)

    names = ("id", "fruit", "kind", "content")
    assert as_dicts(rows) == [dict(zip(names, rows[0], strict=True))]
    assert as_dicts([]) == []
