"""Statements about posts. Those about people stand in `people_queries`.

Each is built once and given its values when it is sent: building takes longer than sending.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Literal

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    ColumnElement,
    FromClause,
    Integer,
    Text,
    and_,
    any_,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal_column,
    not_,
    null,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert as insert_or_leave
from sqlalchemy.sql.dml import ReturningUpdate

from fast_zero.core.database import AnyRow, Session
from fast_zero.core.http.etags import Versions
from fast_zero.core.pagination import PageParams
from fast_zero.people.queries import (
    AFTER,
    COLUMNS,
    HIDDEN,
    LIMIT,
    OFFSET,
    PERSON,
    READER,
    USER,
    Columns,
    Rows,
    constant,
    follows_row,
    known_to_reader,
    page_of,
    page_values,
    there_is,
    users,
)
from fast_zero.posts.models import Completion, EarlierText, Like, Post, Visibility
from fast_zero.posts.schemas import FeedParams, PostCreate, PostUpdate, ThreadParams

LEVELS = 3
SHOWN_BELOW = 3
"""How many replies are shown of each that is itself within a thread."""

likes = Like.__table__.c
posts = Post.__table__.c
texts = EarlierText.__table__.c
completions = Completion.__table__.c

POST: BindParameter[int] = bindparam("post_id", type_=BigInteger)


def within_reach(post: Columns) -> ColumnElement[bool]:
    """Tell of where a post stands, whoever wrote it, whether the reader may look there."""
    return and_(
        post.visibility != constant(Visibility.PRIVATE),
        or_(post.circle.is_(None), post.circle == READER, follows_row(READER, post.circle)),
        not_(post.above.overlap(HIDDEN)),
    )


def visible_to(post: Columns) -> ColumnElement[bool]:
    """Tell whether the reader may see a post. Nothing else in the house decides that."""
    others = (post.author_id.is_not(None), known_to_reader(post.author_id), within_reach(post))
    return or_(post.author_id == READER, and_(*others))


def shown(post: Columns) -> tuple[ColumnElement[Any], ...]:
    """Give what is told of a post, counted as the reader may see it."""
    reply = Post.__table__.alias("reply").c
    parent = Post.__table__.alias("parent").c
    liking = Like.__table__.alias("liking").c
    parent_there = there_is(parent.id, parent.id == post.reply_to, visible_to(parent))
    return (
        post.id,
        select(PERSON).where(users.id == post.author_id).scalar_subquery().label("author"),
        post.text,
        post.todo_id.is_not(None).label("finished"),
        post.visibility,
        post.reply_to,
        and_(post.reply_to.is_not(None), ~parent_there).label("parent_gone"),
        select(func.count())
        .where(liking.post_id == post.id, known_to_reader(liking.user_id))
        .scalar_subquery()
        .label("likes"),
        select(func.count())
        .where(reply.reply_to == post.id, visible_to(reply))
        .scalar_subquery()
        .label("replies"),
        there_is(liking.id, liking.post_id == post.id, liking.user_id == READER).label("liked"),
        post.created_at,
        post.edited_at,
        post.version,
    )


def showing(post: FromClause, *, columns: Sequence[ColumnElement[Any]] = ()) -> Rows:
    return select(*shown(post.c), *columns).select_from(post)


Source = Literal["home", "user", "likes"]


@cache
def listing(source: Source, *, replies: bool, after: bool) -> Rows:
    """List posts of a source, the newest first; likes, the latest first."""
    post = Post.__table__
    position = likes.id if source == "likes" else posts.id
    statement = showing(post, columns=[position.label("position")]).where(visible_to(posts))
    match source:
        case "home":
            statement = statement.where(posts.visibility == constant(Visibility.PUBLIC))
            statement = statement.where(posts.author_id.is_not(None))
        case "user":
            statement = statement.where(posts.author_id == USER)
        case "likes":
            statement = statement.join(Like.__table__, likes.post_id == posts.id)
            statement = statement.where(likes.user_id == READER)
    if not replies:
        statement = statement.where(posts.reply_to.is_(None))
    if after:
        statement = statement.where(position < AFTER)
    return statement.order_by(position.desc()).offset(OFFSET).limit(LIMIT)


async def select_posts(
    session: Session,
    reader_id: int,
    page: PageParams,
    source: Source,
    *,
    user_id: int | None = None,
) -> Sequence[AnyRow]:
    replies = page.replies if isinstance(page, FeedParams) else True
    statement = listing(source, replies=replies, after=page.after is not None)
    values = page_values(reader_id, page) | ({"user_id": user_id} if source == "user" else {})
    return (await session.execute(statement, values)).all()


ONE_POST = showing(Post.__table__).where(posts.id == POST, visible_to(posts))


async def select_post(session: Session, reader_id: int, post_id: int) -> AnyRow | None:
    found = await session.execute(ONE_POST, {"reader_id": reader_id, "post_id": post_id})
    return found.one_or_none()


@cache
def thread(*, after: bool) -> Rows:
    """Find a post and the replies to it, to three levels, with the places of those that are gone.

    Of the post itself a page of direct replies, of each of those the first few.
    """
    top = select(posts.id, literal_column("0", Integer).label("level"))
    top = top.where(posts.id == POST, visible_to(posts))
    found = top.cte("thread", recursive=True)
    reply = Post.__table__.alias("below").c
    place = and_(reply.author_id.is_(None), within_reach(reply))
    below = select(reply.id).where(reply.reply_to == found.c.id, or_(visible_to(reply), place))
    if after:
        below = below.where(or_(found.c.level > 0, reply.id > AFTER))
    most = case((found.c.level == 0, LIMIT), else_=SHOWN_BELOW)
    next_ones = below.order_by(reply.id).limit(most).correlate(found).lateral("next_ones")
    found = found.union_all(
        select(next_ones.c.id, found.c.level + 1)
        .select_from(found.join(next_ones, true()))
        .where(found.c.level < LEVELS)
    )
    post = Post.__table__
    return (
        select(*shown(posts), found.c.level)
        .select_from(found)
        .join(post, posts.id == found.c.id)
        .order_by(found.c.level, posts.id)
    )


async def select_thread(
    session: Session, reader_id: int, post_id: int, page: ThreadParams
) -> Sequence[AnyRow]:
    values = page_values(reader_id, page) | {"post_id": post_id}
    del values["offset"]
    statement = thread(after=page.after is not None)
    return (await session.execute(statement, values)).all()


@cache
def writing(*, reply: bool) -> Rows:
    """Insert a post, of which nothing comes when the reader may not see what it replies to.

    Nor when it would be seen by more people than that.
    """
    text: BindParameter[str] = bindparam("text", type_=Text)
    wanted: BindParameter[str | None] = bindparam("visibility", type_=Text)
    names = ("author_id", "text", "visibility", "reply_to", "circle", "above")
    if reply:
        parent = Post.__table__.alias("parent").c
        level = func.coalesce(wanted, parent.visibility)
        circle = case(
            (parent.circle.is_not(None), parent.circle),
            (level == Visibility.FOLLOWERS.value, READER),
        )
        known = parent.author_id == any_(parent.above)
        above = case((known, parent.above), else_=func.array_append(parent.above, parent.author_id))
        values = select(READER, text, level, parent.id, circle, above).where(
            parent.id == bindparam("reply_to", type_=BigInteger),
            visible_to(parent),
            or_(
                level == parent.visibility,
                level == Visibility.PRIVATE.value,
                parent.visibility == Visibility.PUBLIC.value,
            ),
        )
    else:
        level = func.coalesce(wanted, Visibility.PUBLIC.value)
        circle = case((level == Visibility.FOLLOWERS.value, READER))
        nothing: ColumnElement[Any] = literal_column("'{}'::bigint[]", ARRAY(BigInteger))
        values = select(READER, text, level, null(), circle, nothing)
    made = insert(Post.__table__).from_select(names, values).returning(*posts).cte("made")
    return showing(made)


async def insert_post(session: Session, reader_id: int, new: PostCreate) -> AnyRow | None:
    values: dict[str, Any] = {"reader_id": reader_id, "text": new.text}
    values["visibility"] = new.model_dump().get("visibility")
    if new.reply_to is not None:
        values["reply_to"] = new.reply_to
    statement = writing(reply=new.reply_to is not None)
    return (await session.execute(statement, values)).one_or_none()


def own(*, conditional: bool) -> list[ColumnElement[bool]]:
    conditions = [posts.author_id == READER, posts.id == POST]
    if conditional:
        accepted: BindParameter[Any] = bindparam("accepted", type_=ARRAY(BigInteger))
        conditions.append(posts.version == any_(accepted))
    return conditions


def own_values(reader_id: int, post_id: int, accepted: Versions) -> dict[str, Any]:
    condition = {} if accepted is None else {"accepted": list(accepted)}
    return {"reader_id": reader_id, "post_id": post_id, **condition}


@cache
def rewriting(*, changes: bool, conditional: bool) -> Rows:
    if not changes:
        return showing(Post.__table__).where(*own(conditional=conditional))
    statement = update(Post.__table__).where(*own(conditional=conditional))
    statement = statement.values(text=bindparam("new_text", type_=Text)).returning(*posts)
    return showing(statement.cte("changed"))


async def update_post(
    session: Session, reader_id: int, post_id: int, change: PostUpdate, accepted: Versions
) -> AnyRow | None:
    changes = {f"new_{name}": value for name, value in change.model_dump().items()}
    statement = rewriting(changes=bool(changes), conditional=accepted is not None)
    values = own_values(reader_id, post_id, accepted) | changes
    return (await session.execute(statement, values)).one_or_none()


@cache
def emptying(*, conditional: bool) -> ReturningUpdate[*tuple[Any, ...]]:
    """Take a post's author away; a trigger does the rest."""
    conditions = own(conditional=conditional)
    return update(Post.__table__).where(*conditions).values(author_id=None).returning(posts.id)


async def delete_post(session: Session, reader_id: int, post_id: int, accepted: Versions) -> bool:
    statement = emptying(conditional=accepted is not None)
    values = own_values(reader_id, post_id, accepted)
    return (await session.execute(statement, values)).first() is not None


async def select_earlier_texts(
    session: Session, reader_id: int, post_id: int, page: PageParams
) -> Sequence[AnyRow]:
    statement = select(texts.id, texts.text, texts.written_at).join(
        Post.__table__, posts.id == texts.post_id
    )
    statement = statement.where(texts.post_id == POST, posts.author_id == READER)
    if page.after is not None:
        statement = statement.where(texts.id > AFTER)
    statement = statement.order_by(texts.id).offset(OFFSET).limit(LIMIT)
    values = page_values(reader_id, page) | {"post_id": post_id}
    return (await session.execute(statement, values)).all()


# Locked, or a like could come to a post that is being deleted.
SEEN = (
    select(posts.id)
    .where(posts.id == POST, visible_to(posts))
    .with_for_update(read=True, of=Post.__table__)
    .cte("seen")
)
MADE = insert_or_leave(Like.__table__).from_select(
    ["post_id", "user_id"], select(SEEN.c.id, READER)
)
UNDONE = delete(Like.__table__).where(likes.post_id == SEEN.c.id, likes.user_id == READER)
LIKE = select(SEEN.c.id).add_cte(MADE.on_conflict_do_nothing().cte("made"))
UNLIKE = select(SEEN.c.id).add_cte(UNDONE.cte("undone"))


async def like(session: Session, reader_id: int, post_id: int) -> bool:
    """Like a post, and tell whether the reader may see it."""
    found = await session.execute(LIKE, {"reader_id": reader_id, "post_id": post_id})
    return found.first() is not None


async def unlike(session: Session, reader_id: int, post_id: int) -> bool:
    found = await session.execute(UNLIKE, {"reader_id": reader_id, "post_id": post_id})
    return found.first() is not None


@cache
def likers(*, after: bool) -> Rows:
    statement = (
        select(*COLUMNS)
        .join(Like.__table__, likes.user_id == users.id)
        .join(Post.__table__, likes.post_id == posts.id)
        .where(posts.id == POST, visible_to(posts), known_to_reader(users.id))
    )
    return page_of(statement, likes.id, after=after, newest_first=True)


async def select_likers(
    session: Session, reader_id: int, post_id: int, page: PageParams
) -> Sequence[AnyRow]:
    values = page_values(reader_id, page) | {"post_id": post_id}
    return (await session.execute(likers(after=page.after is not None), values)).all()
