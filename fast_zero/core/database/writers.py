"""Who writes, and through what, for the triggers that log changes.

They read it from a setting of the transaction, which the same statement sets: where a statement
takes the owner of the rows that it writes, it takes `as_writer(owner_id)`. In a service of several
statements, `lock_lists` sets it for all of them.
"""

from contextvars import ContextVar
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Text,
    bindparam,
    case,
    func,
    literal,
    literal_column,
    select,
    true,
)

from fast_zero.core.database.session import Session


@dataclass(frozen=True)
class Writer:
    """A request, a command or a run of a job. What it writes is one change set."""

    client: str
    actor_id: int | None = None
    change_set_id: UUID = field(default_factory=uuid4)

    def __str__(self) -> str:
        return f"{self.client} {self.change_set_id} {self.actor_id or ''}"


current_writer: ContextVar[Writer | None] = ContextVar("writer", default=None)


def current_setting() -> str:
    """Return what the triggers read. Empty: it is unknown who writes."""
    return str(current_writer.get() or "")


# A function, so that a statement that is built once is sent with the writer of each request.
WRITER: BindParameter[str] = bindparam("writer", callable_=current_setting, type_=Text)
SET_WRITER = func.set_config(literal_column("'fast_zero.writer'"), WRITER, true(), type_=Text())


async def set_writer(session: Session) -> None:
    """Set the writer for the statements of a transaction that do not name it."""
    await session.execute(select(SET_WRITER))


def as_writer(owner_id: BindParameter[int] | int) -> ColumnElement[int]:
    """Return the id of an owner, and set the writer until the end of the transaction.

    As a subquery, it is evaluated once, before a row is written, and an index can be used for it.
    """
    owner = literal(owner_id, BigInteger) if isinstance(owner_id, int) else owner_id
    return select(case((SET_WRITER.is_not(None), owner))).scalar_subquery()
