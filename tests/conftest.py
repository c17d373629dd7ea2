"""One migrated PostgreSQL for the run, one database for each worker, one transaction a test."""

import asyncio
import compileall
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    ExitStack,
    asynccontextmanager,
    contextmanager,
)
from pathlib import Path

import freezegun
import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient
from psycopg import AsyncCursor
from pwdlib import PasswordHash
from pydantic import SecretStr
from sqlalchemy import delete, make_url, text
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    async_sessionmaker,
    create_async_engine,
)

import fast_zero
from fast_zero.app import State, create_app
from fast_zero.core import database, security
from fast_zero.core.database import Pool, Session, Sessions
from fast_zero.core.jobs import Context
from fast_zero.core.settings import Settings
from fast_zero.core.types import MAX_BIGINT
from fast_zero.identity.revocations import Revocations
from fast_zero.identity.scopes import ALL_SCOPES
from fast_zero.models import Throttle, User
from fast_zero.worker import JOBS
from tests import clusters
from tests.factories import CHEAP_HASHER, LoginSessionFactory, UserFactory
from tests.postgres import Server, find_server

SERVER = pytest.StashKey[Server]()
REAL_HASHER, REAL_NOBODYS_HASH = security.hasher, security.NOBODYS_HASH

# freezegun reads every attribute of every module, and one of testcontainers' asks the engine for
# its socket at each look. Where no engine is, that leaves an unclosed one behind.
freezegun.configure(extend_ignore_list=["testcontainers"])

# rich looks once, when a command is imported, whether it writes to a terminal. What is run by
# `processes.call` writes to none, also under `pytest -s`.
os.environ["TTY_COMPATIBLE"] = "0"


def pytest_configure(config: pytest.Config) -> None:
    """Start the server in the process that hands out the tests; workers only use it."""
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        # Where PYTHONDONTWRITEBYTECODE is set, each program would compile all of it again.
        compileall.compile_dir(Path(fast_zero.__file__).parent, quiet=2)
        template = ExitStack()
        template.enter_context(clusters.shared())
        config.add_cleanup(template.close)
        server = config.stash[SERVER] = find_server()
        config.add_cleanup(server.stop)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    if server := session.config.stash.get(SERVER, None):
        session.config.get_terminal_writer().line(f"database: {server.name}")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that start programs: after a long one at the end, workers would idle."""
    items.sort(key=lambda item: item.path.parent != Path(__file__).parent)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node) -> None:
    server = node.config.stash[SERVER]
    node.workerinput["database_url"] = server.create_database(node.workerinput["workerid"])


@pytest.fixture(scope="session")
def database_url(request: pytest.FixtureRequest) -> str:
    """Give the URL of this worker's own database, a copy of the migrated template."""
    if workerinput := getattr(request.config, "workerinput", None):
        return workerinput["database_url"]
    return request.config.stash[SERVER].create_database("alone")


@pytest.fixture
async def empty(database_url):
    """Give the URL of a database without any tables."""
    name = f"fast_zero_migrations_{secrets.token_hex(4)}"
    admin = create_async_engine(make_url(database_url), isolation_level="AUTOCOMMIT")
    async with admin.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0"))
        yield make_url(database_url).set(database=name)
        await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    await admin.dispose()


@pytest.fixture(scope="session", autouse=True)
def cheap_hasher() -> Iterator[PasswordHash]:
    """Hash passwords in no time, in this process; `real_hasher` is for tests of the parameters."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(security, "hasher", CHEAP_HASHER)
        patch.setattr(security, "NOBODYS_HASH", CHEAP_HASHER.hash("nobody's"))
        yield CHEAP_HASHER


@pytest.fixture
def real_hasher(cheap_hasher, monkeypatch) -> PasswordHash:
    """Hash passwords as the application does, which takes a tenth of a second."""
    monkeypatch.setattr(security, "hasher", REAL_HASHER)
    monkeypatch.setattr(security, "NOBODYS_HASH", REAL_NOBODYS_HASH)
    return REAL_HASHER


@pytest.fixture
def data_dir(tmp_path) -> Path:
    """Give a DATA_DIR of the test's own, whose embedded database is migrated and empty."""
    return clusters.copy_to(tmp_path / "data")


@pytest.fixture(scope="session")
def settings(database_url) -> Settings:
    return Settings(
        _env_file=None,
        database_url=make_url(database_url),
        secret_key=SecretStr(secrets.token_urlsafe(48)),
        run_jobs=False,  # tests do those that they ask for
        requests_per_minute=None,  # all tests come from one address
    )


@pytest.fixture(scope="session")
async def pool(settings) -> AsyncIterator[Pool]:
    """Give the pool of the tests themselves; applications that are `live` have their own."""
    enough = settings.model_copy(update={"database_pool_size": 20})
    async with database.create_pool(enough) as pool:
        yield pool


@pytest.fixture(scope="session")
def engine(pool, settings) -> AsyncEngine:
    return database.create_engine(pool, settings)


@pytest.fixture
async def connection(engine) -> AsyncIterator[AsyncConnection]:
    """Hold a transaction that the test's end rolls back."""
    async with engine.connect() as connection:
        outer = await connection.begin()
        yield connection
        await outer.rollback()


class OneConnection:
    """Stands in for the pool: lends prepared statements the connection of the test."""

    def __init__(self, held: AsyncConnection) -> None:
        self.held, self.turn = held, asyncio.Lock()

    @asynccontextmanager
    async def connection(self):
        raw = (await self.held.get_raw_connection()).driver_connection
        async with self.turn, raw.transaction():
            yield raw


@pytest.fixture
def sessions(connection) -> Sessions:
    """Open sessions within the test's transaction. What they commit stays until its end."""
    return async_sessionmaker(
        connection,
        class_=Session,
        expire_on_commit=False,
        join_transaction_mode="create_savepoint",
        info={"pool": OneConnection(connection)},
    )


@pytest.fixture
def committing(engine, pool) -> Sessions:
    """Open sessions on connections of their own, which commit."""
    return database.create_sessions(engine, {"pool": pool})


@pytest.fixture
def deferred(sessions) -> Callable[[], Awaitable[list[tuple[str, dict]]]]:
    """Read the jobs that were deferred within the test's transaction, the oldest first."""

    async def deferred():
        async with sessions.begin() as session:
            rows = await session.execute(
                text("SELECT task_name, args FROM procrastinate_jobs ORDER BY id")
            )
            return [tuple(row) for row in rows]

    return deferred


@pytest.fixture
def do_jobs(sessions, settings, deferred) -> Callable[..., Awaitable[None]]:
    """Do the jobs that were deferred within the test's transaction, with settings that differ."""

    async def do_jobs(**changes):
        context = Context(settings.model_copy(update=changes), sessions)
        for name, arguments in await deferred():
            await JOBS[name](context, **arguments)
        async with sessions.begin() as session:
            await session.execute(text("DELETE FROM procrastinate_jobs"))

    return do_jobs


@pytest.fixture
async def session(sessions) -> AsyncIterator[Session]:
    async with sessions() as session:
        yield session


@pytest.fixture
def save(sessions) -> Callable[..., Awaitable[list]]:
    """Store rows, and give them back with what the database filled in."""

    async def save(*rows):
        async with sessions.begin() as session:
            session.add_all(rows)
        return list(rows)

    return save


@pytest.fixture
async def user(save) -> User:
    [user] = await save(UserFactory())
    return user


@pytest.fixture
async def stranger(save) -> User:
    [stranger] = await save(UserFactory())
    return stranger


@pytest.fixture(scope="session")
def app(settings):
    return create_app(settings)


@pytest.fixture
def revocations() -> Revocations:
    """Give the list of a process that hears of every session's end."""
    revocations = Revocations()
    revocations.complete = True
    return revocations


def speak_to(app: FastAPI, state: State) -> AsyncClient:
    """Speak to the application as a server does, which copies the state for each request."""

    async def with_state(scope, receive, send):
        await app({**scope, "state": dict(state)}, receive, send)

    client = AsyncClient(transport=ASGITransport(with_state), base_url="http://test")
    # For tests that look at or change what requests share, or that send what no client does.
    client.state, client.app = state, with_state
    return client


@pytest.fixture
async def anonymous(app, settings, pool, sessions, revocations) -> AsyncIterator[AsyncClient]:
    """Speak to the application as nobody."""
    state = State(
        settings=settings,
        sessions=sessions,
        reads=sessions,
        pool=pool,
        revocations=revocations,
    )

    async with speak_to(app, state) as client:
        yield client


@pytest.fixture
async def commit(committing) -> AsyncIterator[Callable[..., Awaitable[list]]]:
    """Store rows for all connections to see, and delete all users, jobs and counts at the end."""

    async def commit(*rows):
        async with committing.begin() as session:
            session.add_all(rows)
        return list(rows)

    yield commit
    async with committing.begin() as session:
        await session.execute(delete(User))
        await session.execute(text("DELETE FROM procrastinate_jobs"))
        await session.execute(delete(Throttle))


@pytest.fixture
def live(settings, commit) -> Callable[..., AbstractAsyncContextManager[AsyncClient]]:
    """Speak to an application that has its own pool and commits, with settings that differ."""

    @asynccontextmanager
    async def live(**changes) -> AsyncIterator[AsyncClient]:
        app = create_app(settings.model_copy(update=changes))
        async with app.router.lifespan_context(app) as state, speak_to(app, state) as client:
            yield client

    return live


@pytest.fixture
def token_of(settings) -> Callable[[User], str]:
    """Sign tokens of sessions that no table knows: while the list is complete, nobody asks."""
    return lambda user: security.create_access_token(settings, user.id, MAX_BIGINT, ALL_SCOPES)


@pytest.fixture
def bearer(token_of) -> Callable[[User], dict[str, str]]:
    return lambda user: {"Authorization": f"Bearer {token_of(user)}"}


@pytest.fixture
def sign_in(settings, commit) -> Callable[[User], Awaitable[dict[str, str]]]:
    """Open a session that all connections see, for `live`; give the headers of its token."""

    async def sign_in(user):
        [opened] = await commit(LoginSessionFactory(owner_id=user.id))
        token = security.create_access_token(settings, user.id, opened.id, ALL_SCOPES)
        return {"Authorization": f"Bearer {token}"}

    return sign_in


@pytest.fixture
def client(anonymous, user, bearer) -> AsyncClient:
    """Speak to the application as `user`."""
    anonymous.headers.update(bearer(user))
    return anonymous


@pytest.fixture
def open_log_in(settings, save) -> Callable[..., Awaitable[dict[str, str]]]:
    """Open a session within the test's transaction; give the headers of its token."""

    async def open_log_in(user, scopes=ALL_SCOPES):
        [opened] = await save(LoginSessionFactory(owner_id=user.id, scopes=sorted(scopes)))
        token = security.create_access_token(settings, user.id, opened.id, scopes)
        return {"Authorization": f"Bearer {token}"}

    return open_log_in


class Statements(list):
    """Statements that were sent, but for savepoints, and how many transactions were begun."""

    transactions = 0

    def note(self, query: str | bytes) -> None:
        text = query if isinstance(query, str) else query.decode()
        if text.startswith("SAVEPOINT"):  # what a session begins within the test's transaction
            self.transactions += 1
        elif "SAVEPOINT" not in text:
            self.append(text)


@asynccontextmanager
async def told_by_the_driver(connection: AsyncConnection, note) -> AsyncIterator[None]:
    """Tell of each statement that a connection is given to send, and of its values."""
    raw = (await connection.get_raw_connection()).driver_connection

    class Telling(AsyncCursor):
        async def execute(self, query, params=None, **options):
            note(query, params)
            return await super().execute(query, params, **options)

    before, raw.cursor_factory = raw.cursor_factory, Telling
    try:
        yield
    finally:
        raw.cursor_factory = before


@pytest.fixture
async def sent(connection) -> AsyncIterator[list[tuple[str, object]]]:
    """Record what the driver is given to send, with its values."""
    sent: list[tuple[str, object]] = []

    def note(query, values):
        sent.append((query if isinstance(query, str) else query.decode(), values))

    async with told_by_the_driver(connection, note):
        yield sent


@pytest.fixture
async def statements(connection) -> AsyncIterator[Callable[[], AbstractContextManager[Statements]]]:
    """Record the statements that are sent within the test's transaction."""
    recording: list[Statements] = []

    @contextmanager
    def record() -> Iterator[Statements]:
        recording.append(Statements())
        try:
            yield recording[-1]
        finally:
            recording.clear()

    def note(query, _values):
        for sent in recording:
            sent.note(query)

    async with told_by_the_driver(connection, note):
        yield record


def pytest_xdist_auto_num_workers() -> int:
    """Take one more than there are processors: many tests wait for programs and clocks."""
    return (os.cpu_count() or 1) + 1
