"""Translates database errors into domain errors."""

from typing import Any

import psycopg
from psycopg import errors as postgres
from psycopg_pool import PoolTimeout
from sqlalchemy import ExceptionContext

from fast_zero.core.database.base import Base
from fast_zero.core.errors import (
    INVALID_TOKEN,
    Conflict,
    DomainError,
    Invalid,
    NotFound,
    Reason,
    Unauthenticated,
    Unavailable,
)


def raise_translated(context: ExceptionContext) -> None:
    """Raise the domain error for a database error. A listener for SQLAlchemy's `handle_error`."""
    if translated := translate(context.original_exception):
        raise translated from context.original_exception


def translate(error: BaseException | None) -> DomainError | None:  # noqa: PLR0911  # one return for each kind of error
    """Translate a database error. Returns None for an error that indicates a bug.

    Constraints describe a violation in their `info`. A unique constraint has the message in
    `info["conflict"]`. A foreign key to the row of the current user has `info["current_user"]`, and
    is violated if that user has just been deleted. A foreign key to the requested row has the
    message in `info["missing"]`. A trigger that refuses a row raises a check violation with a name
    of its own, whose message is in `info["refusals"]` of the table.
    """
    match error:
        case postgres.UniqueViolation():
            return Conflict(constraint_info(error).get("conflict", "This exists already."))
        case postgres.ForeignKeyViolation():
            info = constraint_info(error)
            if info.get("current_user"):
                return Unauthenticated(INVALID_TOKEN)
            if missing := info.get("missing"):
                return NotFound(missing)
            return Conflict("Something that this refers to is gone.")
        case postgres.CheckViolation() if refusal := refusal_of_trigger(error):
            return Conflict(refusal)
        case psycopg.DataError():
            return Invalid("A value is outside of what can be stored.")
        case postgres.UndefinedTable() | postgres.UndefinedColumn() | postgres.UndefinedObject():
            return Unavailable("The database is not migrated yet. Run: fast-zero migrate")
        case PoolTimeout():
            return Unavailable("All connections to the database are in use. Try again in a moment.")
        # Unreachable, starting, out of connections, timed out, cancelled in a deadlock, or now a
        # standby.
        case (
            psycopg.OperationalError()
            | postgres.ReadOnlySqlTransaction()
            | postgres.IdleInTransactionSessionTimeout()
        ):
            return Unavailable("The database is not available. Try again in a moment.")
    return None


def constraint_info(error: psycopg.Error) -> dict[str, Any]:
    for table in Base.metadata.tables.values():
        for constraint in table.constraints:
            if constraint.name == error.diag.constraint_name:
                return constraint.info
    return {}


def refusal_of_trigger(error: psycopg.Error) -> Reason | None:
    for table in Base.metadata.tables.values():
        refusals: dict[str | None, Reason] = table.info.get("refusals", {})
        if refusal := refusals.get(error.diag.constraint_name):
            return refusal
    return None
