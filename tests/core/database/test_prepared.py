"""Prepared statements return the same rows with psycopg and with SQLAlchemy."""

import pytest
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Text,
    bindparam,
    cast,
    func,
    insert,
    select,
    type_coerce,
    update,
)
from sqlalchemy.ext.asyncio import async_sessionmaker

from fast_zero.core.database import Session, prepare
from fast_zero.core.database.replica import without_stale_reads
from fast_zero.core.errors import Unauthenticated
from fast_zero.core.types import MAX_BIGINT
from fast_zero.todos import queries
from fast_zero.todos.models import Todo
from fast_zero.todos.schemas import TodoCreate
from tests.factories import (
    PersonalTokenFactory,
    PostFactory,
    TodoFactory,
    UserFactory,
    new_token,
)

todos = Todo.__table__
ID = bindparam("id", type_=BigInteger)


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        (select(Todo).where(todos.c.id == ID), "the mapped class Todo"),
        (insert(Todo).values(title=bindparam("title")).returning(Todo.id), "writes a mapped class"),
        (update(todos).values(title=bindparam("a")).where(Todo.id == ID).returning(todos.c.id),
         "writes a mapped class"),
        (select(todos.c.state).where(todos.c.id == ID), "values of state"),
        (select(todos.c.id).where(todos.c.state == bindparam("state")), "values of state"),
        (select(todos.c.id).where(todos.c.title == "Bread"), "has a value already"),
        (select(todos.c.id).limit(1), "has a value already"),
        (select(todos.c.id).where(todos.c.id.in_(bindparam("ids", expanding=True))), "a list"),
        (insert(todos).returning(todos.c.id), "has a value already"),
    ],
)  # fmt: skip
def test_an_unsuitable_statement_cannot_be_prepared(statement, reason):
    with pytest.raises(TypeError, match=reason):
        prepare(statement)


def test_only_selects_are_sent_to_a_standby():
    with pytest.raises(TypeError, match="only a select"):
        without_stale_reads(update(Todo).values(title="a"))


def test_plain_columns_and_lists_of_plain_values_can_be_prepared():
    state = type_coerce(todos.c.state, Text).label("state")
    ids = cast(bindparam("ids"), ARRAY(BigInteger))

    prepared = prepare(select(todos.c.id, state).where(todos.c.id == ids.any_()))

    assert "%(ids)s" in prepared.text


class BothWays(Session):
    """Executes each prepared statement both ways, rolls the first back, and compares the rows."""

    def __init__(self, bind, **options) -> None:
        super().__init__(bind, **options)
        self.connection_of_test = bind

    async def fetch_all(self, prepared, values):
        if self.in_transaction():
            return await super().fetch_all(prepared, values)
        async with self.connection_of_test.begin_nested() as first:
            directly = await super().fetch_all(prepared, values)
            await first.rollback()
        async with self.begin():
            by_session = await super().fetch_all(prepared, values)
        assert comparable(directly) == comparable(by_session)
        self.info["compared"].add(prepared)
        return by_session


def comparable(rows):
    """Leave out the ids of new rows, since a rollback does not reset a sequence."""
    from_id = ("id", "position")
    return [{name: row[name] for name in row if name not in from_id} for row in rows]


@pytest.fixture
def compared(client, sessions, connection):
    """Send requests, execute their statements both ways, and return the compared statements."""
    info = {**sessions.kw["info"], "compared": set()}
    both_ways = async_sessionmaker(
        connection,
        class_=BothWays,
        expire_on_commit=False,
        join_transaction_mode="create_savepoint",
        info=info,
    )
    client.state.update(sessions=both_ways, reads=both_ways)
    return info["compared"]


async def test_every_prepared_statement_returns_the_same_rows_both_ways(
    client, user, save, compared, revocations
):
    token = new_token()
    await save(
        PersonalTokenFactory(owner_id=user.id, token=token),
        *(TodoFactory(owner_id=user.id, title=title) for title in ("Bread", "Shelf")),
        *(PostFactory(author_id=user.id) for _ in range(3)),
    )
    page = (await client.get("/todos?limit=1")).json()
    path = f"/todos/{page['todos'][0]['id']}"
    requests = [
        ("GET", f"/todos?title=e&description=e&state=todo&after={page['next']}", {}),
        ("GET", "/todos?state=todo&state=doing", {}),
        ("GET", path, {}),
        ("GET", path, {"headers": {"Authorization": f"Bearer {token}"}}),
        ("POST", "/todos", {"json": {"title": "New", "description": "d", "state": "doing"}}),
        ("PATCH", path, {"json": {"title": "Other"}, "headers": {"If-Match": '"1"'}}),
        ("PATCH", path, {"json": {"state": "done", "share": None}}),
        ("PATCH", path, {"json": {}}),
        ("GET", "/timeline", {}),
        ("GET", "/timeline?replies=true&limit=1", {}),
    ]
    for method, url, options in requests:
        response = await client.request(method, url, **options)
        assert response.status_code in {200, 201}, (url, response.text)
    revocations.complete = False  # so that a statement checks whether the session has ended
    assert (await client.get("/todos")).status_code == 401

    assert len(compared) == len(requests) + 2


@pytest.mark.parametrize("in_transaction", [False, True])
async def test_a_prepared_write_is_committed_without_a_transaction(
    committing, commit, in_transaction
):
    [user] = await commit(UserFactory())
    async with committing() as session:
        if in_transaction:
            await session.begin()
        await queries.insert_todo(session, user.id, TodoCreate(title="Buy bread"))
        await session.rollback()
    async with committing() as session:
        stored = await session.scalar(select(func.count()).where(Todo.owner_id == user.id))

    assert stored == (0 if in_transaction else 1)


async def test_errors_are_translated_both_ways(session):
    for _ in range(2):
        with pytest.raises(Unauthenticated, match="Could not validate credentials"):
            await queries.insert_todo(session, MAX_BIGINT, TodoCreate(title="Buy bread"))
        await session.rollback()
        await session.begin()
