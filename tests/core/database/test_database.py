import asyncio
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import func, insert, make_url, select, text
from sqlalchemy.exc import ProgrammingError

from fast_zero.core import database, errors
from fast_zero.core.http import problems
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.core.types import MAX_BIGINT, Message
from fast_zero.models import Todo, User
from fast_zero.todos import queries
from fast_zero.todos.schemas import TodoCreate
from tests.core.expect import problem
from tests.factories import TodoFactory, UserFactory

CLOSED = make_url("postgresql+psycopg://ana:s3cr3t@127.0.0.1:1/todos")
UNAVAILABLE = (503, "The database is not available. Try again in a moment.")
BUSY = (503, "All connections to the database are in use. Try again in a moment.")


@asynccontextmanager
async def client_of(app, state):
    async def with_state(scope, receive, send):
        await app({**scope, "state": dict(state)}, receive, send)

    transport = ASGITransport(with_state, raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@pytest.mark.parametrize(
    ("statement", "error", "sentence"),
    [
        ("INSERT INTO scratch VALUES (1), (1)", errors.Conflict, "This exists already."),
        (
            "INSERT INTO scratch VALUES (1, 1)",
            errors.Conflict,
            "Something that this refers to is gone.",
        ),
        (
            "INSERT INTO scratch VALUES (40000)",
            errors.Invalid,
            "A value is outside of what can be stored.",
        ),
        (
            "SELECT nothing FROM nowhere",
            errors.Unavailable,
            "The database is not migrated yet. Run: fast-zero migrate",
        ),
        ("SET TRANSACTION READ ONLY; DELETE FROM users", errors.Unavailable, UNAVAILABLE[1]),
        ("SET LOCAL statement_timeout = 1; SELECT pg_sleep(9)", errors.Unavailable, UNAVAILABLE[1]),
    ],
)
async def test_database_errors_are_translated(connection, statement, error, sentence):
    await connection.execute(
        text(
            "CREATE TEMPORARY TABLE kinds (id smallint PRIMARY KEY) ON COMMIT DROP;"
            "CREATE TEMPORARY TABLE scratch (id smallint UNIQUE, kind smallint REFERENCES kinds)"
            " ON COMMIT DROP"
        )
    )

    with pytest.raises(error) as caught:
        await connection.execute(text(statement))

    assert caught.value.detail == sentence
    assert caught.value.__cause__ is not None


async def test_programming_errors_are_not_translated(connection):
    with pytest.raises(ProgrammingError):
        await connection.execute(text("SELEKT 1"))


async def test_a_todo_of_a_user_just_deleted_is_refused_as_unauthenticated(session):
    with pytest.raises(errors.Unauthenticated) as caught:
        await queries.insert_todo(session, MAX_BIGINT, TodoCreate(title="Buy bread"))

    assert caught.value.detail == "Could not validate credentials"


async def test_each_route_that_needs_an_unavailable_database_returns_503(live, bearer, user):
    async with live(database_url=CLOSED) as client:
        client.headers.update(bearer(user))
        responses = [
            await client.get("/users"),
            await client.get("/todos"),
            await client.post("/todos", json={"title": "Buy bread"}),
            await client.post("/auth/token", data={"username": "ana", "password": "secret"}),
        ]
        home = await client.get("/")

    assert [problem(response) for response in responses] == [UNAVAILABLE] * 4
    assert [response.headers["retry-after"] for response in responses] == ["2"] * 4
    assert home.status_code == 200


@pytest.fixture
async def todo_and_update(commit, log_in):
    """Return a todo that other connections see, and a request that changes it."""
    [user] = await commit(UserFactory())
    [todo] = await commit(TodoFactory(owner_id=user.id))
    change = {"url": f"/todos/{todo.id}", "json": {"title": "Sell bread"}}
    change["headers"] = await log_in(user)
    return todo, change


@pytest.mark.parametrize("limit", ["statement", "lock"])
async def test_a_statement_that_takes_too_long_returns_503(
    live, todo_and_update, engine, caplog, limit
):
    todo, request = todo_and_update
    async with live(**{f"database_{limit}_timeout": 0.1}) as client:
        async with engine.begin() as other:
            await other.execute(select(Todo).where(Todo.id == todo.id).with_for_update())
            response = await client.patch(**request)
        again = await client.patch(**request)

    assert problem(response) == UNAVAILABLE
    assert response.headers["retry-after"] == "2"
    assert f"due to {limit} timeout" in caplog.text
    assert again.status_code == 200


async def test_a_request_that_gets_no_connection_returns_503(app, settings):
    small = settings.model_copy(update={"database_pool_size": 1, "database_pool_wait": 0.1})
    async with database.connected(small) as state, client_of(app, state) as client:
        async with state["sessions"]() as session:
            await session.execute(select(1))  # takes the only connection
            response = await client.get("/users")
        again = await client.get("/users")

    assert problem(response) == BUSY
    assert response.headers["retry-after"] == "2"
    assert again.status_code == 200


async def test_a_connection_killed_while_idle_fails_no_request(app, settings, engine):
    small = settings.model_copy(update={"database_pool_size": 1})
    async with database.connected(small) as state, client_of(app, state) as client:
        async with state["sessions"]() as session:
            process = await session.scalar(select(func.pg_backend_pid()))
        async with engine.connect() as other:
            assert await other.scalar(select(func.pg_terminate_backend(process, 5000)))
        response = await client.get("/users")

    assert response.status_code == 200


async def test_a_confirmed_write_is_committed(live, commit, log_in, engine):
    [user] = await commit(UserFactory())
    async with live() as client:
        headers = await log_in(user)
        created = await client.post("/todos", headers=headers, json={"title": "Buy bread"})

    assert created.status_code == 201
    async with engine.connect() as other:
        titles = select(Todo.title).where(Todo.id == created.json()["id"])
        assert await other.scalar(titles) == "Buy bread"


@pytest.fixture
def writing_app(commit):
    """Return an application that writes in a transaction, and can then return or fail."""
    app = FastAPI()
    problems.install(app)

    @app.post("/{end}", response_model=Message)
    async def write(end: str, session: CurrentSession) -> object:
        values = {"username": end, "email": f"{end}@example.com", "password_hash": ""}
        await session.execute(insert(User).values(values))
        if end == "raising":
            raise errors.Forbidden("Not you.")
        return {} if end == "misshapen" else {"message": "Written."}

    return app


@pytest.mark.parametrize(("end", "stored"), [("ending", 1), ("raising", 0), ("misshapen", 0)])
async def test_a_transaction_ends_before_its_response_is_sent(
    writing_app, settings, engine, end, stored
):
    counts = []

    async def observed(scope, receive, send):
        async def send_observed(message):
            if message["type"] == "http.response.start":
                async with engine.connect() as other:
                    users = select(func.count()).where(User.username == end)
                    counts.append(await other.scalar(users))
            await send(message)

        await writing_app(scope, receive, send_observed)

    async with database.connected(settings) as state, client_of(observed, state) as client:
        await client.post(f"/{end}")

    assert counts == [stored]


async def test_concurrent_writes_end_in_one_row(settings, commit):
    async def register(name: str) -> str:
        values = {"username": name, "email": f"{name}@example.com", "password_hash": ""}
        try:
            async with state["sessions"].begin() as session:
                await session.execute(insert(User).values(values))
        except errors.Conflict as error:
            return error.detail
        return "created"

    async with database.connected(settings) as state:
        results = await asyncio.gather(*map(register, ["Ana", "ana", "ANA", "anA"]))

    assert sorted(results) == ["Username already exists"] * 3 + ["created"]


def test_an_available_database_is_used_at_once(settings):
    assert database.wait_until_ready(settings.database_address(), 0).is_newest()


def test_an_unavailable_database_stops_the_start_with_a_message():
    with pytest.raises(errors.StartError) as caught:
        database.wait_until_ready(CLOSED, 0)

    assert str(caught.value).startswith("PostgreSQL at 127.0.0.1:1 did not respond within 0 s: ")
    assert "s3cr3t" not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_transaction_cancelled_in_a_deadlock_is_retried(committing, commit):
    first, second = await commit(*UserFactory.build_batch(2))
    both_hold_a_lock = asyncio.Barrier(2)
    attempts = []

    async def lock(session, user) -> None:
        await session.execute(select(User.id).where(User.id == user.id).with_for_update())

    async def lock_both(one, other, name: str) -> None:
        async def operation() -> None:
            attempts.append(name)
            await lock(session, one)
            if attempts.count(name) == 1:
                await both_hold_a_lock.wait()
            await lock(session, other)

        async with committing() as session:
            await database.retry_transaction(session, operation)

    await asyncio.gather(lock_both(first, second, "a"), lock_both(second, first, "b"))

    assert len(attempts) == 3


async def test_other_errors_are_not_retried(session):
    attempts = []

    async def operation() -> None:
        attempts.append(1)
        raise errors.Unavailable("away")

    with pytest.raises(errors.Unavailable):
        await database.retry_transaction(session, operation)

    assert len(attempts) == 1


def test_a_connection_string_keeps_spaces_and_the_password():
    url = make_url("postgresql+psycopg://ana:a%20b%2Bc@/todos").update_query_dict(
        {"host": "/a folder/with 'this' + that"}
    )

    assert conninfo_to_dict(database.conninfo(url)) == {
        "user": "ana",
        "password": "a b+c",
        "dbname": "todos",
        "host": "/a folder/with 'this' + that",
    }
