"""One migrated PostgreSQL per run, one database per worker, one transaction per test."""

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
REAL_HASHER, REAL_DUMMY_HASH = security.hasher, security.DUMMY_HASH

# freezegun reads every attribute of every module, and one attribute of testcontainers connects to
# the container engine. Without an engine, that leaves an unclosed socket.
freezegun.configure(extend_ignore_list=["testcontainers"])

# rich checks once, when a command is imported, whether the output is a terminal. Commands run by
# `processes.call` do not write to a terminal, also under `pytest -s`.
os.environ["TTY_COMPATIBLE"] = "0"


def pytest_configure(config: pytest.Config) -> None:
    """Start the server in the controller process. Workers only use it."""
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        # With PYTHONDONTWRITEBYTECODE, each program would otherwise compile all modules again.
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
    """Run the files that start programs first, so that no worker idles during a long last test."""
    items.sort(key=lambda item: item.path.parent != Path(__file__).parent)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node) -> None:
    server = node.config.stash[SERVER]
    node.workerinput["database_url"] = server.create_database(node.workerinput["workerid"])


@pytest.fixture(scope="session")
def database_url(request: pytest.FixtureRequest) -> str:
    """Return the URL of this worker's database, which is a copy of the migrated template."""
    if workerinput := getattr(request.config, "workerinput", None):
        return workerinput["database_url"]
    return request.config.stash[SERVER].create_database("alone")


@pytest.fixture
async def empty(database_url):
    """Return the URL of a database without any tables."""
    name = f"fast_zero_migrations_{secrets.token_hex(4)}"
    admin = create_async_engine(make_url(database_url), isolation_level="AUTOCOMMIT")
    async with admin.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0"))
        yield make_url(database_url).set(database=name)
        await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    await admin.dispose()


@pytest.fixture(scope="session", autouse=True)
def cheap_hasher() -> Iterator[PasswordHash]:
    """Hash passwords quickly in this process. `real_hasher` is for tests of the parameters."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(security, "hasher", CHEAP_HASHER)
        patch.setattr(security, "DUMMY_HASH", CHEAP_HASHER.hash("nobody's"))
        yield CHEAP_HASHER


@pytest.fixture
def real_hasher(cheap_hasher, monkeypatch) -> PasswordHash:
    """Hash passwords with the parameters of the application, which takes a tenth of a second."""
    monkeypatch.setattr(security, "hasher", REAL_HASHER)
    monkeypatch.setattr(security, "DUMMY_HASH", REAL_DUMMY_HASH)
    return REAL_HASHER


@pytest.fixture
def data_dir(tmp_path) -> Path:
    """Return a separate DATA_DIR, whose embedded database is migrated and empty."""
    return clusters.copy_to(tmp_path / "data")


@pytest.fixture(scope="session")
def settings(database_url) -> Settings:
    return Settings(
        _env_file=None,
        database_url=make_url(database_url),
        secret_key=SecretStr(secrets.token_urlsafe(48)),
        run_jobs=False,  # tests run jobs themselves
        requests_per_minute=None,  # all tests come from one address
    )


@pytest.fixture(scope="session")
async def pool(settings) -> AsyncIterator[Pool]:
    """Return the pool of the tests. Applications started by `live` have their own."""
    enough = settings.model_copy(update={"database_pool_size": 20})
    async with database.create_pool(enough) as pool:
        yield pool


@pytest.fixture(scope="session")
def engine(pool, settings) -> AsyncEngine:
    return database.create_engine(pool, settings)


@pytest.fixture
async def connection(engine) -> AsyncIterator[AsyncConnection]:
    """Open a transaction that is rolled back at the end of the test."""
    async with engine.connect() as connection:
        outer = await connection.begin()
        yield connection
        await outer.rollback()


class OneConnection:
    """Replaces the pool: runs prepared statements on the connection of the test."""

    def __init__(self, held: AsyncConnection) -> None:
        self.held, self.turn = held, asyncio.Lock()

    @asynccontextmanager
    async def connection(self):
        raw = (await self.held.get_raw_connection()).driver_connection
        async with self.turn, raw.transaction():
            yield raw


@pytest.fixture
def sessions(connection) -> Sessions:
    """Open sessions in the transaction of the test. What they commit lasts until its end."""
    return async_sessionmaker(
        connection,
        class_=Session,
        expire_on_commit=False,
        join_transaction_mode="create_savepoint",
        info={"pool": OneConnection(connection)},
    )


@pytest.fixture
def committing(engine, pool) -> Sessions:
    """Open sessions on their own connections, which commit."""
    return database.create_sessions(engine, {"pool": pool})


@pytest.fixture
def deferred(sessions) -> Callable[[], Awaitable[list[tuple[str, dict]]]]:
    """Return the jobs that were deferred in the transaction of the test, oldest first."""

    async def deferred():
        async with sessions.begin() as session:
            rows = await session.execute(
                text("SELECT task_name, args FROM procrastinate_jobs ORDER BY id")
            )
            return [tuple(row) for row in rows]

    return deferred


@pytest.fixture
def do_jobs(sessions, settings, deferred) -> Callable[..., Awaitable[None]]:
    """Run the jobs that were deferred in the transaction of the test, with changed settings."""

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
    """Store rows, and return them with the values that the database generated."""

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
    """Return the revocation list of a process that receives every revocation."""
    revocations = Revocations()
    revocations.complete = True
    return revocations


def client_for(app: FastAPI, state: State) -> AsyncClient:
    """Return a client that copies the state for each request, as a server does."""

    async def with_state(scope, receive, send):
        await app({**scope, "state": dict(state)}, receive, send)

    client = AsyncClient(transport=ASGITransport(with_state), base_url="http://test")
    # For tests that inspect or change the shared state, or call the application directly.
    client.state, client.app = state, with_state
    return client


@pytest.fixture
async def anonymous(app, settings, pool, sessions, revocations) -> AsyncIterator[AsyncClient]:
    """Return a client without a token."""
    state = State(
        settings=settings,
        sessions=sessions,
        reads=sessions,
        pool=pool,
        revocations=revocations,
    )

    async with client_for(app, state) as client:
        yield client


@pytest.fixture
async def commit(committing) -> AsyncIterator[Callable[..., Awaitable[list]]]:
    """Commit rows. All users, jobs and throttles are deleted at the end of the test."""

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
    """Start an application that has its own pool and commits, with changed settings."""

    @asynccontextmanager
    async def live(**changes) -> AsyncIterator[AsyncClient]:
        app = create_app(settings.model_copy(update=changes))
        async with app.router.lifespan_context(app) as state, client_for(app, state) as client:
            yield client

    return live


@pytest.fixture
def token_of(settings) -> Callable[[User], str]:
    """Sign tokens for sessions that do not exist. A complete revocation list needs no look-up."""
    return lambda user: security.create_access_token(settings, user.id, MAX_BIGINT, ALL_SCOPES)


@pytest.fixture
def bearer(token_of) -> Callable[[User], dict[str, str]]:
    return lambda user: {"Authorization": f"Bearer {token_of(user)}"}


@pytest.fixture
def log_in(settings, commit) -> Callable[[User], Awaitable[dict[str, str]]]:
    """Open a session that all connections see, for `live`; return the headers of its token."""

    async def log_in(user):
        [opened] = await commit(LoginSessionFactory(owner_id=user.id))
        token = security.create_access_token(settings, user.id, opened.id, ALL_SCOPES)
        return {"Authorization": f"Bearer {token}"}

    return log_in


@pytest.fixture
def client(anonymous, user, bearer) -> AsyncClient:
    """Return a client with a token of `user`."""
    anonymous.headers.update(bearer(user))
    return anonymous


@pytest.fixture
def open_log_in(settings, save) -> Callable[..., Awaitable[dict[str, str]]]:
    """Open a session within the test's transaction; return the headers of its token."""

    async def open_log_in(user, scopes=ALL_SCOPES):
        [opened] = await save(LoginSessionFactory(owner_id=user.id, scopes=sorted(scopes)))
        token = security.create_access_token(settings, user.id, opened.id, scopes)
        return {"Authorization": f"Bearer {token}"}

    return open_log_in


class Statements(list):
    """The statements that were sent, without savepoints, and the number of transactions."""

    transactions = 0

    def record_query(self, query: str | bytes) -> None:
        text = query if isinstance(query, str) else query.decode()
        if text.startswith("SAVEPOINT"):  # a transaction of a session, nested in that of the test
            self.transactions += 1
        elif "SAVEPOINT" not in text:
            self.append(text)


@asynccontextmanager
async def observing_driver(connection: AsyncConnection, record_query) -> AsyncIterator[None]:
    """Call `record_query` with each statement that the driver sends, and its values."""
    raw = (await connection.get_raw_connection()).driver_connection

    class ObservedCursor(AsyncCursor):
        async def execute(self, query, params=None, **options):
            record_query(query, params)
            return await super().execute(query, params, **options)

    before, raw.cursor_factory = raw.cursor_factory, ObservedCursor
    try:
        yield
    finally:
        raw.cursor_factory = before


@pytest.fixture
async def sent(connection) -> AsyncIterator[list[tuple[str, object]]]:
    """Record the statements that the driver sends, with their values."""
    sent: list[tuple[str, object]] = []

    def record_query(query, values):
        sent.append((query if isinstance(query, str) else query.decode(), values))

    async with observing_driver(connection, record_query):
        yield sent


@pytest.fixture
async def statements(connection) -> AsyncIterator[Callable[[], AbstractContextManager[Statements]]]:
    """Record the statements that are sent in the transaction of the test."""
    recording: list[Statements] = []

    @contextmanager
    def record() -> Iterator[Statements]:
        recording.append(Statements())
        try:
            yield recording[-1]
        finally:
            recording.clear()

    def record_query(query, _values):
        for sent in recording:
            sent.record_query(query)

    async with observing_driver(connection, record_query):
        yield record


def pytest_xdist_auto_num_workers() -> int:
    """Use one worker more than there are processors, since many tests wait for programs."""
    return (os.cpu_count() or 1) + 1
