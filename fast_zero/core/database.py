"""The engine, and what statements are sent through: one by one, or as a transaction."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any, TypedDict, TypeVar, TypeVarTuple, cast, overload

import psycopg
import sqlalchemy
from psycopg import errors as postgres
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL, Connection, Engine, ExceptionContext, Executable, Result, Row
from sqlalchemy.event import listen
from sqlalchemy.sql.selectable import TypedReturnsRows
from sqlalchemy.util import greenlet_spawn

from fast_zero.core import in_use, metrics, pool, spans
from fast_zero.core.errors import (
    Conflict,
    DomainError,
    Invalid,
    NotFound,
    StartError,
    Unauthenticated,
    Unavailable,
)
from fast_zero.core.revisions import Schema
from fast_zero.core.settings import Settings
from fast_zero.core.statements import Prepared, prepare
from fast_zero.core.tables import metadata

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

Values = Mapping[str, Any]
AnyRow = Row[*tuple[Any, ...]]
"""A row by the names of its columns."""

APPLICATION_NAME = "fast_zero"
CONNECT_SECONDS = 5
SCHEMA_LOCK_SECONDS = 2
# How long a read waits for a standby before it goes to the primary.
STANDBY_SECONDS = 1
GAVE_WAY = (postgres.DeadlockDetected, postgres.SerializationFailure)
GIVE_WAY_SECONDS = (0.05, 0.1, 0.2)
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


class Autocommit:
    """Sends statements that each stand alone: one round trip for each, and nothing around it.

    A connection is held no longer than a statement takes. A statement that is sent with values
    has to be one that is built once: it goes straight to the driver.
    """

    def __init__(self, engine: Engine, settings: Settings | None = None) -> None:
        self.engine = engine
        self.is_timed = bool(settings and settings.metrics_port)
        is_traced = settings and settings.otel_exporter_otlp_endpoint
        self.watched = watched(engine) if is_traced else None

    @overload
    async def execute(
        self, statement: TypedReturnsRows[*Ts], values: Values | None = None
    ) -> Result[*Ts]: ...

    @overload
    async def execute(
        self, statement: Executable, values: Values | None = None
    ) -> Result[*tuple[Any, ...]]: ...

    async def execute(
        self, statement: Executable, values: Values | None = None
    ) -> Result[*tuple[Any, ...]]:
        if values and (ready := prepare(statement, frozenset(values), self.engine.dialect)):
            return await self.send(ready, values)
        return await greenlet_spawn(self.run, statement, values)

    async def send(self, ready: Prepared, values: Values) -> Result[*tuple[Any, ...]]:
        try:
            async with self.taken() as connection:
                began = time.perf_counter()
                if self.watched and spans.is_traced():
                    with spans.statement(ready.compiled.string):
                        found = await ready.send(connection, values)
                else:
                    found = await ready.send(connection, values)
                if self.is_timed:
                    metrics.STATEMENTS.observe(time.perf_counter() - began)
                return found
        except psycopg.Error as error:
            translate(error)
            raise

    def taken(self) -> AbstractAsyncContextManager[psycopg.AsyncConnection[Any]]:
        return pool.Taken(cast("pool.FairPool", self.engine.pool))

    def run(self, statement: Executable, values: Values | None) -> Result[*tuple[Any, ...]]:
        # SQLAlchemy's events cost more than both of what they tell, and few statements are traced.
        if self.watched and spans.is_traced():
            with self.watched.connect() as connection:
                return connection.execute(statement, values)
        with self.engine.connect() as connection:
            began = time.perf_counter()
            found = connection.execute(statement, values)  # its rows are here when it returns
            if self.is_timed:
                metrics.STATEMENTS.observe(time.perf_counter() - began)
            return found


class Transaction:
    """Sends statements that hold together: all of what they change is there, or nothing is.

    A connection is held from the first statement to the end. With many values, one statement is
    sent for all of them.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.connection: Connection | None = None

    @overload
    async def execute(
        self, statement: TypedReturnsRows[*Ts], values: Values | Sequence[Values] | None = None
    ) -> Result[*Ts]: ...

    @overload
    async def execute(
        self, statement: Executable, values: Values | Sequence[Values] | None = None
    ) -> Result[*tuple[Any, ...]]: ...

    async def execute(
        self, statement: Executable, values: Values | Sequence[Values] | None = None
    ) -> Result[*tuple[Any, ...]]:
        return await greenlet_spawn(self.run, statement, values)

    def run(
        self, statement: Executable, values: Values | Sequence[Values] | None
    ) -> Result[*tuple[Any, ...]]:
        if self.connection is None:
            self.connection = self.engine.connect()
        return self.connection.execute(statement, values)

    async def commit(self) -> None:
        """Keep what was changed; another statement begins anew."""
        if self.connection is not None:
            await greenlet_spawn(self.connection.commit)

    async def rollback(self) -> None:
        """Give up what was changed since the last commit; another statement begins anew."""
        if self.connection is not None:
            await greenlet_spawn(self.connection.rollback)

    async def close(self) -> None:
        """Give the connection back, and with it up what was not committed."""
        if self.connection is not None:
            # Who is cancelled meanwhile gives it back nevertheless.
            await asyncio.shield(greenlet_spawn(self.connection.close))


@asynccontextmanager
async def transaction(engine: Engine) -> AsyncIterator[Transaction]:
    """Open a transaction that the end of the block commits, and an error in it rolls back."""
    opened = Transaction(engine)
    try:
        yield opened
        await opened.commit()
    finally:
        await opened.close()


Sessions = Callable[[], AbstractAsyncContextManager[Transaction]]
"""Opens a transaction, which ends with the block."""

AnySession = Transaction | Autocommit
"""What a query is sent through: a transaction, or nothing around it."""


class State(TypedDict):
    """What the lifespan hands to every request, as `request.state`."""

    settings: Settings
    sessions: Sessions
    autocommit: Autocommit


def create_engine(settings: Settings, standby: URL | None = None) -> Engine:
    """Open a pool of fixed size on the database, or on a standby; nothing connects yet.

    Its connections commit each statement. `transactional` is for those that hold together; they
    pay for the switch.

    It is what SQLAlchemy's asynchronous engine wraps. That one would load the mapping of objects,
    of which there are none here.
    """
    engine = sqlalchemy.create_engine(
        (standby or settings.database_address()).set(drivername="postgresql+psycopg_async"),
        poolclass=pool.FairPool,
        pool_size=settings.database_pool_size,
        max_overflow=0,
        pool_timeout=STANDBY_SECONDS if standby else settings.database_pool_wait,
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,
        hide_parameters=True,  # what people write has no place in a log
        connect_args={
            "application_name": APPLICATION_NAME,
            "connect_timeout": STANDBY_SECONDS if standby else CONNECT_SECONDS,
            **VANISHED_HOST,
            **(POOLED if settings.database_direct_url else own_session(settings)),
        },
    )
    listen(engine, "checkout", pool.refuse_if_closed)
    listen(engine, "handle_error", translate_error)
    return engine


def watched(engine: Engine) -> Engine:
    """Give the engine once more, on the same pool, with its statements timed and traced."""
    view = engine.execution_options()
    listen(view, "before_cursor_execute", begin_statement)
    listen(view, "after_cursor_execute", end_statement)
    listen(view, "handle_error", fail_statement, insert=True)
    return view


# SQLAlchemy gives the connection, the cursor, the statement, its values, its context, and whether
# there are many values.
def begin_statement(*given: Any) -> None:  # noqa: ANN401  # see above
    context = given[4]
    context.began, context.span = time.perf_counter(), spans.begin_statement(given[2])


def end_statement(*given: Any) -> None:  # noqa: ANN401  # see above
    context = given[4]
    metrics.STATEMENTS.observe(time.perf_counter() - context.began)
    context.span.end()


def fail_statement(context: ExceptionContext) -> None:
    if begun := getattr(context.execution_context, "span", None):
        spans.failed(begun, context.original_exception)
        begun.end()


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


async def dispose(engine: Engine) -> None:
    """Close the connections of an engine's pool."""
    await greenlet_spawn(engine.dispose)


def conninfo(url: URL) -> str:
    """Write an address for psycopg alone. SQLAlchemy's text of it has `+` for a space."""
    named = url.translate_connect_args(username="user", database="dbname")
    query = {name: ",".join(values) for name, values in url.normalized_query.items()}
    return make_conninfo("", **named, **query)


def transactional(engine: Engine) -> Engine:
    return engine.execution_options(isolation_level="READ COMMITTED")


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[State]:
    """Hold the pool while the application runs, and give the state that requests share."""
    engine = create_engine(settings)
    is_watched = settings.metrics_port or settings.otel_exporter_otlp_endpoint
    within = transactional(watched(engine) if is_watched else engine)
    try:
        yield State(
            settings=settings,
            sessions=partial(transaction, within),
            autocommit=Autocommit(engine, settings),
        )
    finally:
        await dispose(engine)


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


def translate_error(context: ExceptionContext) -> None:
    translate(context.original_exception)


def translate(error: BaseException) -> None:
    """Turn what the database refuses into the error that its reader can act on.

    A unique constraint says in `info["conflict"]` what breaking it means; a foreign key to
    the row of the person asking says so with `info["actor"]`, and breaks when that person
    was deleted a moment ago; one to what was asked for says in `info["missing"]` that it is gone.
    """
    raised: DomainError | None = None
    match error:
        case postgres.UniqueViolation():
            info = constraint_info(error)
            raised = Conflict(info.get("conflict", "This exists already."))
        case postgres.ForeignKeyViolation():
            info = constraint_info(error)
            if info.get("actor"):
                raised = Unauthenticated("Could not validate credentials")
            elif missing := info.get("missing"):
                raised = NotFound(missing)
            else:
                raised = Conflict("Something that this refers to is gone.")
        case psycopg.DataError():
            raised = Invalid("A value is outside of what can be stored.")
        case postgres.UndefinedTable() | postgres.UndefinedColumn() | postgres.UndefinedObject():
            raised = Unavailable("The database is not migrated yet. Run: fast-zero migrate")
        # Away, starting, full, out of time, chosen as a deadlock's victim, or now a standby.
        case (
            psycopg.OperationalError()
            | postgres.ReadOnlySqlTransaction()
            | postgres.IdleInTransactionSessionTimeout()
        ):
            raised = Unavailable("The database is not available. Try again in a moment.")
        case _:
            return
    raise raised from error


async def run_again(transaction: Callable[[], Awaitable[T]]) -> T:
    """Run a whole transaction, and once more, up to three times, when it had to give way.

    Nothing of one that PostgreSQL chose as the victim of a deadlock, or could not serialise, was
    done. The pause grows, and differs, so that the same two do not meet again.
    """
    for pause in GIVE_WAY_SECONDS:
        try:
            return await transaction()
        except Unavailable as error:
            if not isinstance(error.__cause__, GAVE_WAY):
                raise
        await asyncio.sleep(random.uniform(0, pause))  # noqa: S311  # no secret
    return await transaction()


def constraint_info(error: psycopg.Error) -> dict[str, Any]:
    for table in metadata.tables.values():
        for constraint in table.constraints:
            if constraint.name == error.diag.constraint_name:
                return constraint.info
    return {}
