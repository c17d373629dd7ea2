"""Statements about saved filters."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, bindparam, delete, insert, select, update

from fast_zero.core.database import AnyRow, PreparedRow, Session, as_writer, prepare
from fast_zero.core.http.etags import Versions, one_of
from fast_zero.core.pagination import PageParams, keyset_page
from fast_zero.core.positions import position_of
from fast_zero.core.siblings import Siblings
from fast_zero.saved_filters.models import SavedFilter
from fast_zero.saved_filters.schemas import SavedFilterCreate, SavedFilterUpdate

filters = SavedFilter.__table__

POSITION = position_of(filters.c.position, filters.c.id)
COLUMNS: list[ColumnElement[Any]] = [
    filters.c.id,
    filters.c.name,
    filters.c.filter,
    filters.c.color,
    filters.c.sort,
    POSITION.label("position"),
    filters.c.created_at,
    filters.c.updated_at,
    filters.c.version,
]


def visible_to(user_id: ColumnElement[int] | int) -> ColumnElement[bool]:
    return filters.c.owner_id == user_id


def editable_by(user_id: int) -> ColumnElement[bool]:
    return filters.c.owner_id == as_writer(user_id)


def siblings_of(user_id: int, filter_id: int) -> Siblings:
    """Return the other saved filters of a user."""
    return Siblings(filters, editable_by(user_id), {}, filter_id)


async def insert_filter(session: Session, user_id: int, new: SavedFilterCreate) -> AnyRow:
    statement = insert(filters).values(owner_id=as_writer(user_id), **new.model_dump())
    return (await session.execute(statement.returning(*COLUMNS))).one()


async def select_filters(session: Session, user_id: int, page: PageParams) -> Sequence[AnyRow]:
    statement = keyset_page(select(*COLUMNS).where(visible_to(user_id)), filters.c.id, page)
    return (await session.execute(statement)).all()


async def select_filter(session: Session, user_id: int, filter_id: int) -> AnyRow | None:
    statement = select(*COLUMNS).where(visible_to(user_id), filters.c.id == filter_id)
    return (await session.execute(statement)).one_or_none()


SEARCHED = prepare(
    select(filters.c.filter, filters.c.sort).where(
        visible_to(bindparam("user_id", type_=BigInteger)),
        filters.c.id == bindparam("filter_id", type_=BigInteger),
    )
)


async def select_searched(session: Session, user_id: int, filter_id: int) -> PreparedRow | None:
    """Select what a list of todos needs of a saved filter."""
    found = await session.fetch_all(SEARCHED, {"user_id": user_id, "filter_id": filter_id})
    return found[0] if found else None


async def update_filter(
    session: Session, user_id: int, filter_id: int, change: SavedFilterUpdate, accepted: Versions
) -> AnyRow | None:
    values = change.model_dump(exclude_unset=True)
    return await write_filter(session, user_id, filter_id, values, accepted)


async def write_filter(
    session: Session, user_id: int, filter_id: int, values: dict[str, Any], accepted: Versions
) -> AnyRow | None:
    """Set columns of a saved filter. Without any, it is only selected."""
    wanted = (editable_by(user_id), filters.c.id == filter_id, one_of(filters.c.version, accepted))
    statement = (
        update(filters).where(*wanted).values(values).returning(*COLUMNS)
        if values
        else select(*COLUMNS).where(*wanted)
    )
    return (await session.execute(statement)).one_or_none()


async def delete_filter(session: Session, user_id: int, filter_id: int, accepted: Versions) -> bool:
    statement = delete(filters).where(
        editable_by(user_id), filters.c.id == filter_id, one_of(filters.c.version, accepted)
    )
    return await session.scalar(statement.returning(filters.c.id)) is not None
