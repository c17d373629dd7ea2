"""Lists that users order: where in its list a row is placed that is moved or created.

The caller has called `lock_lists`. Rows that are created meanwhile are the last ones of their list.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    Table,
    Text,
    any_,
    column,
    func,
    literal,
    select,
    union_all,
    update,
)

from fast_zero.core import positions
from fast_zero.core.database import AnyRow, Session

NEIGHBOURS = 50
"""How many rows on each side of a place are moved apart at most."""


@dataclass(frozen=True)
class Siblings:
    """The rows of one list of a user: those that are `editable`, and have these values of `place`.

    The row that is moved, if there is one, is not a sibling of itself.
    """

    table: Table
    editable: ColumnElement[bool]
    place: Mapping[str, int | None]
    moved_id: int | None = None

    def position(self) -> ColumnElement[str]:
        return positions.position_of(self.table.c.position, self.table.c.id)

    def condition(self) -> ColumnElement[bool]:
        """Whether a row is in the list. Written as in the index of its positions."""
        condition = self.editable
        for name, value in self.place.items():
            of_row = self.table.c[name]
            condition &= of_row.is_(None) if value is None else of_row == value
        return condition


async def find_position(
    session: Session, siblings: Siblings, known: str | None, *, is_before: bool = False
) -> str:
    """Return a position before or after that of a sibling. Without one, at the end of the list."""
    backwards = is_before or known is None
    nearest = beside(siblings, known, backwards=backwards)
    if siblings.moved_id is not None:
        nearest = nearest.where(siblings.table.c.id != siblings.moved_id)
    row = (await session.execute(nearest.limit(1))).one_or_none()
    neighbour = None if row is None else row.position
    before, after = (neighbour, known) if backwards else (known, neighbour)
    position = positions.between(before, after)
    if len(position) <= positions.LONGEST:
        return position
    return await rebalance(session, siblings, position)


def beside(siblings: Siblings, position: str | None, *, backwards: bool) -> Select[int, str]:
    """Select the rows of a list before or behind a position, the nearest first.

    Without a position, they are all rows from one end of the list.
    """
    table, own_position = siblings.table, siblings.position()
    statement = select(table.c.id, own_position.label("position")).where(siblings.condition())
    if position is not None:
        wanted = literal(position, Text)
        statement = statement.where(wanted > own_position if backwards else wanted < own_position)
    # PostgreSQL does not see that rows whose columns are null by the condition are sorted by what
    # follows in the index. With all of its columns named, it reads the rows in their order.
    keys = (*(table.c[name] for name in siblings.place), own_position)
    return statement.order_by(*(key.desc() if backwards else key.asc() for key in keys))


async def rebalance(session: Session, siblings: Siblings, position: str) -> str:
    """Move the siblings around a position apart; return a shorter one in the same place."""
    rows = await lock_around(session, siblings, position, NEIGHBOURS + 1)
    left = [row for row in rows if row.position < position]
    right = list(rows[len(left) :])
    first = left.pop(0).position if len(left) > NEIGHBOURS else None
    last = right.pop().position if len(right) > NEIGHBOURS else None
    # No position may be that of another row, not even while the rows are written.
    taken = {row.position for row in (*left, *right)}
    left = [row for row in left if row.id != siblings.moved_id]
    right = [row for row in right if row.id != siblings.moved_id]
    found = positions.spread(first, last, len(left) + len(right) + 1, taken)
    free = [*found[: len(left)], *found[len(left) + 1 :]]
    ids = [row.id for row in (*left, *right)]
    await set_positions(session, siblings, dict(zip(ids, free, strict=True)))
    return found[len(left)]


async def lock_around(
    session: Session, siblings: Siblings, position: str, count: int
) -> Sequence[AnyRow]:
    """Lock up to `count` rows on each side of a position, in the order of ids.

    They are returned in the order of their positions, and with the row that is moved.
    """
    table = siblings.table
    sides = (beside(siblings, position, backwards=backwards) for backwards in (True, False))
    near = union_all(*(select(side.limit(count).subquery().c.id) for side in sides))
    # As an array, so that the rows are found by their ids and not by joining all of them.
    ids = func.array(near.scalar_subquery(), type_=ARRAY(BigInteger))
    statement = (
        select(table.c.id, siblings.position().label("position"))
        .where(siblings.editable, table.c.id == any_(ids))
        .order_by(table.c.id)
        .with_for_update(key_share=True)
    )
    rows = (await session.execute(statement)).all()
    return sorted(rows, key=lambda row: str(row.position))


async def set_positions(session: Session, siblings: Siblings, new: Mapping[int, str]) -> None:
    """Set the positions of rows, whose ids are the keys."""
    ids, texts = literal(list(new), ARRAY(BigInteger)), literal(list(new.values()), ARRAY(Text))
    moved = (
        func.unnest(ids, texts)
        .table_valued(column("id", BigInteger), column("position", Text), name="moved")
        .render_derived()
    )
    statement = update(siblings.table).where(siblings.editable, siblings.table.c.id == moved.c.id)
    await session.execute(statement.values(position=moved.c.position))
