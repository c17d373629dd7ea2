"""Statements about follows and blocks, and about which users a reader can see.

Each statement is built once, with bound parameters: building takes longer than executing.
"""

from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Any, Literal

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    ColumnElement,
    Select,
    Text,
    all_,
    bindparam,
    delete,
    exists,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from fast_zero.core.database import AnyRow, Session
from fast_zero.core.pagination import PageParams
from fast_zero.identity.models import User
from fast_zero.people.models import Block, Follow

Columns = ReadOnlyColumnCollection[str, ColumnElement[Any]]
Rows = Select[*tuple[Any, ...]]

NOBODY = 0
"""The reader without a log-in. No user has this id."""

users = User.__table__.c
follows = Follow.__table__.c
blocks = Block.__table__.c

READER: BindParameter[int] = bindparam("reader_id", type_=BigInteger)
USER: BindParameter[int] = bindparam("user_id", type_=BigInteger)
AFTER: BindParameter[int] = bindparam("after", type_=BigInteger)
OFFSET: BindParameter[int] = bindparam("offset", type_=BigInteger)
LIMIT: BindParameter[int] = bindparam("limit", type_=BigInteger)

# Evaluated once in a statement, regardless of the number of rows.
HIDDEN: ColumnElement[Any] = func.array(
    select(blocks.blocked_id)
    .where(blocks.blocker_id == READER)
    .union_all(select(blocks.blocker_id).where(blocks.blocked_id == READER))
    .scalar_subquery(),
    type_=ARRAY(BigInteger),
)


def literal_text(word: str) -> ColumnElement[str]:
    """Write a text into a statement as a literal, so that the planner knows its value."""
    return literal_column(f"'{word}'", Text)


def literal_number(number: int) -> ColumnElement[int]:
    """Write a number into a statement as a literal."""
    return literal_column(str(number), BigInteger)


# A user as JSON, within other responses.
PERSON = func.jsonb_build_object(
    *chain.from_iterable(
        (literal_text(name), users[name]) for name in ("id", "username", "display_name")
    ),
    type_=JSONB,
)


def known_to_reader(user_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether the reader can see a user: there is no block between the two."""
    return user_id != all_(HIDDEN)


def row_exists(row: ColumnElement[Any], *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether a row exists that is found by its key.

    PostgreSQL may answer `EXISTS` from a hash of all rows if it expects more lookups than a page
    has rows.
    """
    return select(row).where(*conditions).limit(literal_number(1)).scalar_subquery().is_not(None)


def follows_row(follower: ColumnElement[int], followed: ColumnElement[int]) -> ColumnElement[bool]:
    return row_exists(follows.id, follows.follower_id == follower, follows.followed_id == followed)


def page_values(reader_id: int, page: PageParams) -> dict[str, Any]:
    place = {} if page.after is None else {"after": page.after}
    return {"reader_id": reader_id, "offset": page.offset, "limit": page.limit + 1, **place}


COLUMNS = (users.id, users.username, users.display_name, users.bio, users.created_at)

IS_KNOWN = select(exists().where(users.id == USER, known_to_reader(users.id)))


async def is_known(session: Session, reader_id: int, user_id: int) -> bool:
    values = {"reader_id": reader_id, "user_id": user_id}
    return bool(await session.scalar(IS_KNOWN, values))


People = Literal["everybody", "followers", "following", "blocked"]


@cache
def list_statement(people: People, *, after: bool) -> Rows:
    statement = select(*COLUMNS)
    match people:
        case "everybody":
            return paginate(statement.where(known_to_reader(users.id)), users.id, after=after)
        case "blocked":
            statement = statement.join(Block.__table__, blocks.blocked_id == users.id)
            statement = statement.where(blocks.blocker_id == READER)
            return paginate(statement, blocks.id, after=after, newest_first=True)
        case "followers":
            known, of = follows.follower_id, follows.followed_id
        case "following":
            known, of = follows.followed_id, follows.follower_id
    statement = statement.join(Follow.__table__, known == users.id)
    statement = statement.where(of == USER, known_to_reader(of), known_to_reader(users.id))
    return paginate(statement, follows.id, after=after, newest_first=True)


def paginate(
    statement: Rows, position: ColumnElement[int], *, after: bool, newest_first: bool = False
) -> Rows:
    """Take a page of rows in the order of a column, which is returned as `position`."""
    if after:
        statement = statement.where(position < AFTER if newest_first else position > AFTER)
    order = position.desc() if newest_first else position
    statement = statement.add_columns(position.label("position"))
    return statement.order_by(order).offset(OFFSET).limit(LIMIT)


async def select_people(
    session: Session, reader_id: int, page: PageParams, people: People, **of: int
) -> Sequence[AnyRow]:
    """Select a page of users. `of` is the user whose followers or following they are."""
    statement = list_statement(people, after=page.after is not None)
    return (await session.execute(statement, page_values(reader_id, page) | of)).all()


# Readers can unblock users whom they block, although they cannot see them.
BLOCKED = exists().where(blocks.blocker_id == READER, blocks.blocked_id == users.id)

# To name somebody whom the reader follows, blocks or unblocks.
ONE_PERSON = select(*COLUMNS).where(users.id == USER, or_(known_to_reader(users.id), BLOCKED))


async def select_person(session: Session, reader_id: int, user_id: int) -> AnyRow | None:
    values = {"reader_id": reader_id, "user_id": user_id}
    return (await session.execute(ONE_PERSON, values)).one_or_none()


KNOWN = select(users.id).where(users.id == USER, known_to_reader(users.id)).cte("known")

KNOWN_OR_BLOCKED = (
    select(users.id).where(users.id == USER, or_(known_to_reader(users.id), BLOCKED)).cte("within")
)

FOLLOW = select(KNOWN.c.id).add_cte(
    insert(Follow.__table__)
    .from_select(["follower_id", "followed_id"], select(READER, KNOWN.c.id))
    .on_conflict_do_nothing()
    .cte("made")
)

UNFOLLOW = select(KNOWN.c.id).add_cte(
    delete(Follow.__table__)
    .where(follows.follower_id == READER, follows.followed_id == KNOWN.c.id)
    .cte("undone")
)

BLOCK = select(KNOWN_OR_BLOCKED.c.id).add_cte(
    insert(Block.__table__)
    .from_select(["blocker_id", "blocked_id"], select(READER, KNOWN_OR_BLOCKED.c.id))
    .on_conflict_do_nothing()
    .cte("made")
)

UNBLOCK = select(KNOWN_OR_BLOCKED.c.id).add_cte(
    delete(Block.__table__)
    .where(blocks.blocker_id == READER, blocks.blocked_id == KNOWN_OR_BLOCKED.c.id)
    .cte("undone")
)


async def follow(session: Session, reader_id: int, user_id: int) -> bool:
    return await execute(session, FOLLOW, reader_id, user_id)


async def unfollow(session: Session, reader_id: int, user_id: int) -> bool:
    return await execute(session, UNFOLLOW, reader_id, user_id)


async def block(session: Session, reader_id: int, user_id: int) -> bool:
    return await execute(session, BLOCK, reader_id, user_id)


async def unblock(session: Session, reader_id: int, user_id: int) -> bool:
    return await execute(session, UNBLOCK, reader_id, user_id)


async def execute(session: Session, statement: Rows, reader_id: int, user_id: int) -> bool:
    """Execute a statement that is idempotent; return whether the reader can see the user."""
    values = {"reader_id": reader_id, "user_id": user_id}
    return (await session.execute(statement, values)).first() is not None
