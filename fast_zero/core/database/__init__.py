"""Database access: connection pool, sessions, mapped classes and error translation."""

from typing import Any

from sqlalchemy import Row

from fast_zero.core.database.base import Base, version_column
from fast_zero.core.database.connecting import (
    CONNECT_SECONDS,
    TCP_TIMEOUTS,
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
from fast_zero.core.database.locks import lock_lists
from fast_zero.core.database.pool import Pool
from fast_zero.core.database.prepared import Prepared, prepare
from fast_zero.core.database.session import (
    PreparedRow,
    Session,
    Sessions,
    retry_transaction,
    transaction,
)
from fast_zero.core.database.writers import Writer, as_writer, current_writer, set_writer

AnyRow = Row[*tuple[Any, ...]]
"""A row of an ordinary statement, with its columns as attributes."""

__all__ = [
    "CONNECT_SECONDS",
    "TCP_TIMEOUTS",
    "AnyRow",
    "Base",
    "Pool",
    "Prepared",
    "PreparedRow",
    "Session",
    "Sessions",
    "State",
    "Writer",
    "as_writer",
    "connected",
    "conninfo",
    "create_engine",
    "create_pool",
    "create_sessions",
    "current_writer",
    "lock_lists",
    "prepare",
    "retry_transaction",
    "set_writer",
    "transaction",
    "translate",
    "version_column",
    "wait_until_ready",
]
