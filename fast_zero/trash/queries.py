from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, Table, delete, func, literal, select, text

from fast_zero.core.database import AnyRow, Session
from fast_zero.core.pagination import PageParams, keyset_page
from fast_zero.trash.models import Deletion

deletions = Deletion.__table__

DELETION = (
    deletions.c.id,
    deletions.c.kind,
    deletions.c.item_id,
    deletions.c.title,
    deletions.c.deleted_at,
)
OWNERS_AT_ONCE = 1000
DELETIONS_AT_ONCE = 100
NO_TIME_LIMIT = text("SET LOCAL statement_timeout = 0")


def visible_to(user_id: int) -> ColumnElement[bool]:
    return deletions.c.owner_id == user_id


def is_older_than(age: timedelta) -> ColumnElement[bool]:
    return deletions.c.deleted_at < func.now() - literal(age)


async def select_deletions(session: Session, user_id: int, page: PageParams) -> Sequence[AnyRow]:
    """Select what is in the trash of a user, newest first."""
    statement = select(*DELETION).where(visible_to(user_id))
    newest = keyset_page(statement, deletions.c.id, page, newest_first=True)
    return (await session.execute(newest)).all()


async def select_deletion(session: Session, user_id: int, deletion_id: int) -> AnyRow | None:
    statement = select(*DELETION).where(visible_to(user_id), deletions.c.id == deletion_id)
    return (await session.execute(statement)).one_or_none()


async def lock_deletion(
    session: Session, user_id: int, table: Table, item_id: int
) -> AnyRow | None:
    """Return the deletion of a row of a table. None: the row is not in the trash."""
    statement = (
        select(*DELETION)
        .join(table, table.c.deletion_id == deletions.c.id)
        .where(visible_to(user_id), table.c.owner_id == user_id, table.c.id == item_id)
        .with_for_update(of=deletions)
    )
    return (await session.execute(statement)).one_or_none()


async def delete_deletion(session: Session, user_id: int, deletion_id: int) -> bool:
    """Delete a deletion, and for good whatever is still in the trash by it."""
    statement = delete(deletions).where(visible_to(user_id), deletions.c.id == deletion_id)
    return await session.scalar(statement.returning(deletions.c.id)) is not None


async def delete_deletions(session: Session, user_id: int) -> None:
    """Delete for good whatever is in the trash of a user."""
    await session.execute(delete(deletions).where(visible_to(user_id)))


async def select_owners(session: Session, age: timedelta) -> Sequence[int]:
    """Select some of the users in whose trash something is older than `age`."""
    statement = select(deletions.c.owner_id).distinct().where(is_older_than(age))
    return (await session.scalars(statement.limit(OWNERS_AT_ONCE))).all()


async def delete_older(session: Session, user_id: int, age: timedelta) -> bool:
    """Delete for good some of what is older than `age`; return whether there may be more."""
    old = select(deletions.c.id).where(visible_to(user_id), is_older_than(age))
    some = old.order_by(deletions.c.id).limit(DELETIONS_AT_ONCE)
    statement = delete(deletions).where(deletions.c.id.in_(some)).returning(deletions.c.id)
    return len((await session.scalars(statement)).all()) == DELETIONS_AT_ONCE


async def lift_time_limit(session: Session) -> None:
    """Let the statements of this transaction take as long as they need."""
    await session.execute(NO_TIME_LIMIT)
