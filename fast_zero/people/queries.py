"""Statements about people: who follows whom, who blocks whom, and whom a reader may know of.

Each is built once and given its values when it is sent: building takes longer than sending.
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
"""Who has not logged in. No user has this id."""

users = User.__table__.c
follows = Follow.__table__.c
blocks = Block.__table__.c

READER: BindParameter[int] = bindparam("reader_id", type_=BigInteger)
USER: BindParameter[int] = bindparam("user_id", type_=BigInteger)
AFTER: BindParameter[int] = bindparam("after", type_=BigInteger)
OFFSET: BindParameter[int] = bindparam("offset", type_=BigInteger)
LIMIT: BindParameter[int] = bindparam("limit", type_=BigInteger)


# Asked for once in a statement, however many rows it looks at.
HIDDEN: ColumnElement[Any] = func.array(
    select(blocks.blocked_id)
    .where(blocks.blocker_id == READER)
    .union_all(select(blocks.blocker_id).where(blocks.blocked_id == READER))
    .scalar_subquery(),
    type_=ARRAY(BigInteger),
)


def constant(word: str) -> ColumnElement[str]:
    """Write a word of our own into a statement, so that it is known when that is planned."""
    return literal_column(f"'{word}'", Text)


def whole(number: int) -> ColumnElement[int]:
    """Write a number of our own into a statement, likewise."""
    return literal_column(str(number), BigInteger)


# Who somebody is, as a page shows it.
PERSON = func.jsonb_build_object(
    *chain.from_iterable(
        (constant(name), users[name]) for name in ("id", "username", "display_name")
    ),
    type_=JSONB,
)


def known_to_reader(user_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Tell of whom the reader may know: of all where no block stands between the two."""
    return user_id != all_(HIDDEN)


def there_is(row: ColumnElement[Any], *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Tell whether there is a row, which is looked for by its key.

    `EXISTS` may be answered from a hash of all rows of the table, where PostgreSQL expects to be
    asked for more of them than a page has.
    """
    return select(row).where(*conditions).limit(whole(1)).scalar_subquery().is_not(None)


def follows_row(follower: ColumnElement[int], followed: ColumnElement[int]) -> ColumnElement[bool]:
    return there_is(follows.id, follows.follower_id == follower, follows.followed_id == followed)


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
def listing(people: People, *, after: bool) -> Rows:
    statement = select(*COLUMNS)
    match people:
        case "everybody":
            return page_of(statement.where(known_to_reader(users.id)), users.id, after=after)
        case "blocked":
            statement = statement.join(Block.__table__, blocks.blocked_id == users.id)
            statement = statement.where(blocks.blocker_id == READER)
            return page_of(statement, blocks.id, after=after, newest_first=True)
        case "followers":
            known, of = follows.follower_id, follows.followed_id
        case "following":
            known, of = follows.followed_id, follows.follower_id
    statement = statement.join(Follow.__table__, known == users.id)
    statement = statement.where(of == USER, known_to_reader(of), known_to_reader(users.id))
    return page_of(statement, follows.id, after=after, newest_first=True)


def page_of(
    statement: Rows, position: ColumnElement[int], *, after: bool, newest_first: bool = False
) -> Rows:
    """Take a page of rows in the order of a column, which is given as `position`."""
    if after:
        statement = statement.where(position < AFTER if newest_first else position > AFTER)
    order = position.desc() if newest_first else position
    statement = statement.add_columns(position.label("position"))
    return statement.order_by(order).offset(OFFSET).limit(LIMIT)


async def select_people(
    session: Session, reader_id: int, page: PageParams, people: People, **of: int
) -> Sequence[AnyRow]:
    """Select a page of people; `of` names the user whose they are."""
    statement = listing(people, after=page.after is not None)
    return (await session.execute(statement, page_values(reader_id, page) | of)).all()


# Whom the reader blocks stays in the reader's hands.
BLOCKED = exists().where(blocks.blocker_id == READER, blocks.blocked_id == users.id)


KNOWN = select(users.id).where(users.id == USER, known_to_reader(users.id)).cte("known")


WITHIN = (
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


BLOCK = select(WITHIN.c.id).add_cte(
    insert(Block.__table__)
    .from_select(["blocker_id", "blocked_id"], select(READER, WITHIN.c.id))
    .on_conflict_do_nothing()
    .cte("made")
)


UNBLOCK = select(WITHIN.c.id).add_cte(
    delete(Block.__table__)
    .where(blocks.blocker_id == READER, blocks.blocked_id == WITHIN.c.id)
    .cte("undone")
)


async def follow(session: Session, reader_id: int, user_id: int) -> bool:
    return await change(session, FOLLOW, reader_id, user_id)


async def unfollow(session: Session, reader_id: int, user_id: int) -> bool:
    return await change(session, UNFOLLOW, reader_id, user_id)


async def block(session: Session, reader_id: int, user_id: int) -> bool:
    return await change(session, BLOCK, reader_id, user_id)


async def unblock(session: Session, reader_id: int, user_id: int) -> bool:
    return await change(session, UNBLOCK, reader_id, user_id)


async def change(session: Session, statement: Rows, reader_id: int, user_id: int) -> bool:
    """Do it, if it is not done already, and tell whether there is such a user to the reader."""
    values = {"reader_id": reader_id, "user_id": user_id}
    return (await session.execute(statement, values)).first() is not None
