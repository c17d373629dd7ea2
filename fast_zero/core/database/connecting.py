"""Connection options, and a check whether the database can be used."""

import time
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL

from fast_zero.core.database import in_use
from fast_zero.core.database.revisions import Schema
from fast_zero.core.errors import StartError
from fast_zero.core.settings import Settings

APPLICATION_NAME = "fast_zero"
CONNECT_SECONDS = 5
SCHEMA_LOCK_SECONDS = 2
# Behind a pooler in transaction mode each transaction may run in another session, which does not
# have our prepared statements and was opened without our options. There, timeouts are set on the
# role.
POOLED = {"prepare_threshold": None}
# Detect a host that vanished without closing its connections: unacknowledged data ends a connection
# after this time, and an idle connection is probed.
TCP_TIMEOUTS = {
    "tcp_user_timeout": 5000,  # milliseconds
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
}


def conninfo(url: URL) -> str:
    """Convert a URL to a libpq connection string. SQLAlchemy's rendering encodes a space as `+`."""
    named = url.translate_connect_args(username="user", database="dbname")
    query = {name: ",".join(values) for name, values in url.normalized_query.items()}
    return make_conninfo("", **named, **query)


def connection_options(settings: Settings) -> dict[str, Any]:
    """Return the options with which psycopg opens the connections of a pool."""
    return {
        "application_name": APPLICATION_NAME,
        "connect_timeout": CONNECT_SECONDS,
        **TCP_TIMEOUTS,
        **(POOLED if settings.database_direct_url else session_options(settings)),
    }


def session_options(settings: Settings) -> dict[str, Any]:
    """Return the options of a direct connection, one without a pooler."""
    milliseconds = {
        "statement_timeout": settings.database_statement_timeout * 1000,
        "lock_timeout": settings.database_lock_timeout * 1000,
        "idle_in_transaction_session_timeout": settings.database_idle_transaction_timeout * 1000,
    }
    options = "".join(f"-c {name}={value:.0f} " for name, value in milliseconds.items())
    # Statements are written so that one generic plan is good for all values. Planning a timeline
    # each time, as PostgreSQL would if it cannot know a limit, takes longer than executing it.
    options += "-c plan_cache_mode=force_generic_plan "
    if settings.database_read_url:
        options += "-c synchronous_commit=remote_apply "
    return {"options": options + "-c timezone=UTC"}


def wait_until_ready(url: URL, seconds: float) -> Schema:
    """Wait for the database and return its schema. Raises StartError after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with psycopg.connect(conninfo(url), connect_timeout=CONNECT_SECONDS) as connection:
                connection.execute(f"SET LOCAL lock_timeout = '{SCHEMA_LOCK_SECONDS}s'")
                in_use.check(connection)
                return read_schema(connection)
        except in_use.BeingRestoredError:
            problem = f"The restore of a backup did not end within {seconds:g} s. Try again later."
        except psycopg.Error as error:
            place = f"{url.host or url.query.get('host', 'localhost')}:{url.port or 5432}"
            reason = str(error).strip().splitlines()[0]
            problem = f"PostgreSQL at {place} did not respond within {seconds:g} s: {reason}"
        if time.monotonic() > deadline:
            raise StartError(problem)
        time.sleep(0.2)


def read_schema(connection: psycopg.Connection) -> Schema:
    if connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
        return Schema(None, None)
    statement = "SELECT version_num, obj_description('alembic_version'::regclass)"
    found = connection.execute(f"{statement} FROM alembic_version").fetchone()
    return Schema(*(found or (None, None)))
