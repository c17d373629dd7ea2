"""How connections to the database are opened, and whether it can be used."""

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
# A pooler gives each transaction another session: one that knows no statement by its name, and was
# begun without us. What the timeouts are, the role says there.
POOLED = {"prepare_threshold": None}
# A host that vanished without a word is noticed: data unanswered for so long ends a connection,
# and an idle one is asked for a sign of life.
VANISHED_HOST = {
    "tcp_user_timeout": 5000,  # milliseconds
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
}


def conninfo(url: URL) -> str:
    """Write an address for psycopg alone. SQLAlchemy's text of it has `+` for a space."""
    named = url.translate_connect_args(username="user", database="dbname")
    query = {name: ",".join(values) for name, values in url.normalized_query.items()}
    return make_conninfo("", **named, **query)


def connection_options(settings: Settings) -> dict[str, Any]:
    """Give what psycopg opens the connections of a pool with."""
    return {
        "application_name": APPLICATION_NAME,
        "connect_timeout": CONNECT_SECONDS,
        **VANISHED_HOST,
        **(POOLED if settings.database_direct_url else own_session(settings)),
    }


def own_session(settings: Settings) -> dict[str, Any]:
    """Say what a connection is begun with where nothing stands between it and the server."""
    milliseconds = {
        "statement_timeout": settings.database_statement_timeout * 1000,
        "lock_timeout": settings.database_lock_timeout * 1000,
        "idle_in_transaction_session_timeout": settings.database_idle_transaction_timeout * 1000,
    }
    options = "".join(f"-c {name}={value:.0f} " for name, value in milliseconds.items())
    # Statements are built so that one plan serves all their values. To make it anew each time, as
    # PostgreSQL would where it cannot know a limit, takes longer than a timeline itself.
    options += "-c plan_cache_mode=force_generic_plan "
    if settings.database_read_url:
        options += "-c synchronous_commit=remote_apply "
    return {"options": options + "-c timezone=UTC"}


def wait_until_ready(url: URL, seconds: float) -> Schema:
    """Give the schema when the database answers; refuse to start when not within `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with psycopg.connect(conninfo(url), connect_timeout=CONNECT_SECONDS) as connection:
                connection.execute(f"SET LOCAL lock_timeout = '{SCHEMA_LOCK_SECONDS}s'")
                in_use.check(connection)
                return read_schema(connection)
        except in_use.BeingRestoredError:
            problem = (
                f"A restoration of the database has not ended within {seconds:g} s. Try later."
            )
        except psycopg.Error as error:
            place = f"{url.host or url.query.get('host', 'localhost')}:{url.port or 5432}"
            reason = str(error).strip().splitlines()[0]
            problem = f"PostgreSQL at {place} did not answer within {seconds:g} s: {reason}"
        if time.monotonic() > deadline:
            raise StartError(problem)
        time.sleep(0.2)


def read_schema(connection: psycopg.Connection) -> Schema:
    if connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
        return Schema(None, None)
    statement = "SELECT version_num, obj_description('alembic_version'::regclass)"
    found = connection.execute(f"{statement} FROM alembic_version").fetchone()
    return Schema(*(found or (None, None)))
