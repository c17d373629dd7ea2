"""The database: its pool, the session of a request, mapped classes, and errors as sentences."""

from typing import Any

from sqlalchemy import Row

from fast_zero.core.database.base import Base, counted_version
from fast_zero.core.database.connecting import (
    CONNECT_SECONDS,
    VANISHED_HOST,
    conninfo,
    wait_until_ready,
)
from fast_zero.core.database.engine import (
    State,
    connected,
    create_engine,
    create_pool,
    create_sessions,
)
from fast_zero.core.database.errors import translate
from fast_zero.core.database.pool import Pool
from fast_zero.core.database.prepared import Prepared, prepare
from fast_zero.core.database.session import PreparedRow, Session, Sessions, run_again, transaction

AnyRow = Row[*tuple[Any, ...]]
"""A row of an ordinary statement, by the names of its columns."""

__all__ = [
    "CONNECT_SECONDS",
    "VANISHED_HOST",
    "AnyRow",
    "Base",
    "Pool",
    "Prepared",
    "PreparedRow",
    "Session",
    "Sessions",
    "State",
    "connected",
    "conninfo",
    "counted_version",
    "create_engine",
    "create_pool",
    "create_sessions",
    "prepare",
    "run_again",
    "transaction",
    "translate",
    "wait_until_ready",
]
