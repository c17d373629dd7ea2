"""Creates the connection pools of a process, the engines that use them, and the sessions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypedDict

from sqlalchemy import URL, NullPool
from sqlalchemy.event import listen
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine

from fast_zero.core.database.connecting import connection_options, conninfo
from fast_zero.core.database.errors import raise_translated
from fast_zero.core.database.observing import observe
from fast_zero.core.database.pool import Connection, Pool, PoolerConnection
from fast_zero.core.database.replica import Standby, StandbySession
from fast_zero.core.database.session import Session, Sessions
from fast_zero.core.settings import Settings

# How long a read waits for the standby before it falls back to the primary.
STANDBY_SECONDS = 1


class State(TypedDict):
    """The state that the lifespan shares with every request, as `request.state`."""

    settings: Settings
    sessions: Sessions
    reads: Sessions  # read-only, may use a standby
    pool: Pool


def create_pool(settings: Settings) -> Pool:
    return Pool(
        conninfo(settings.database_address()),
        settings.database_pool_size,
        settings.database_pool_wait,
        connection_options(settings),
        connection_class(settings),
    )


def create_standby_pool(settings: Settings, address: URL) -> Pool:
    options = connection_options(settings) | {"connect_timeout": STANDBY_SECONDS}
    kind, size = connection_class(settings), settings.database_pool_size
    return Pool(conninfo(address), size, STANDBY_SECONDS, options, kind)


def connection_class(settings: Settings) -> type[Connection]:
    return PoolerConnection if settings.database_direct_url else Connection


def create_engine(pool: Pool, settings: Settings) -> AsyncEngine:
    """Create an engine that takes a connection from the pool for each transaction."""
    engine = create_async_engine(
        "postgresql+psycopg://",
        poolclass=NullPool,
        async_creator=pool.getconn,
        use_native_hstore=False,  # otherwise each checkout queries the database for it
        isolation_level="READ COMMITTED",
        skip_autocommit_rollback=True,
        hide_parameters=True,  # user input must not be logged
    )
    listen(engine.sync_engine, "handle_error", raise_translated)
    if settings.metrics_port or settings.otel_exporter_otlp_endpoint:
        observe(engine.sync_engine)
    return engine


def create_sessions(
    engine: AsyncEngine, info: dict[str, Any], kind: type[Session] = Session
) -> Sessions:
    return async_sessionmaker(engine, class_=kind, expire_on_commit=False, info=info)


def create_reads(engine: AsyncEngine, info: dict[str, Any], kind: type[Session]) -> Sessions:
    """Create sessions in autocommit mode, since a read needs no transaction."""
    return create_sessions(engine.execution_options(isolation_level="AUTOCOMMIT"), info, kind)


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[State]:
    """Keep the pools open while the application runs, and yield the state that requests share."""
    async with create_pool(settings) as pool:
        engine, info = create_engine(pool, settings), {"pool": pool}
        state = State(
            settings=settings,
            sessions=create_sessions(engine, info),
            reads=create_reads(engine, info, Session),
            pool=pool,
        )
        if (address := settings.read_address()) is None:
            yield state
            return
        async with create_standby_pool(settings, address) as standby_pool:
            on_standby = create_engine(standby_pool, settings)
            standby = Standby(create_reads(on_standby, {"pool": standby_pool}, Session))
            reads = create_reads(engine, info | {"standby": standby}, StandbySession)
            yield State(**{**state, "reads": reads})
