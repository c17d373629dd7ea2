"""Statements about posts, replies and likes.

Each statement is built once, with bound parameters: building takes longer than executing.
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
    follows_row,
    known_to_reader,
    literal_text,
    page_values,
    paginate,
    row_exists,
    users,
)
from fast_zero.posts.models import Completion, EarlierText, Like, Post, Visibility
from fast_zero.posts.schemas import FeedParams, PostCreate, PostUpdate, ThreadParams

THREAD_DEPTH = 3
NESTED_REPLIES = 3
"""Number of replies that are shown below each reply."""

likes = Like.__table__.c
posts = Post.__table__.c
texts = EarlierText.__table__.c
completions = Completion.__table__.c

POST: BindParameter[int] = bindparam("post_id", type_=BigInteger)
TEXT: BindParameter[str] = bindparam("text", type_=Text)
WANTED_VISIBILITY: BindParameter[str | None] = bindparam("visibility", type_=Text)


def place_visible_to(post: Columns) -> ColumnElement[bool]:
    """Whether the reader may see the place of a post in a thread, regardless of its author."""
    return and_(
        post.visibility != literal_text(Visibility.PRIVATE),
        or_(post.circle.is_(None), post.circle == READER, follows_row(READER, post.circle)),
        not_(post.above.overlap(HIDDEN)),
    )


def visible_to(post: Columns) -> ColumnElement[bool]:
    """Whether the reader can see a post. This is the only implementation of that rule."""
    others = (post.author_id.is_not(None), known_to_reader(post.author_id), place_visible_to(post))
    return and_(not_(post.hidden), or_(post.author_id == READER, and_(*others)))


def editable_by(post: Columns) -> ColumnElement[bool]:
    """Whether the reader is the author of a post that can be seen."""
    return and_(post.author_id == READER, not_(post.hidden))


def post_columns(post: Columns) -> tuple[ColumnElement[Any], ...]:
    """Return the columns of a post. Likes and replies count only what the reader can see."""
    reply = Post.__table__.alias("reply").c
    parent = Post.__table__.alias("parent").c
    liking = Like.__table__.alias("liking").c
    parent_there = row_exists(parent.id, parent.id == post.reply_to, visible_to(parent))
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
        row_exists(liking.id, liking.post_id == post.id, liking.user_id == READER).label("liked"),
        post.created_at,
        post.edited_at,
        post.version,
    )


def select_post_columns(post: FromClause, *, columns: Sequence[ColumnElement[Any]] = ()) -> Rows:
    return select(*post_columns(post.c), *columns).select_from(post)


Source = Literal["home", "user", "likes"]


@cache
def list_statement(source: Source, *, replies: bool, after: bool) -> Rows:
    """List posts of a source, newest first. Likes are ordered by the like, latest first."""
    post = Post.__table__
    position = likes.id if source == "likes" else posts.id
    statement = select_post_columns(post, columns=[position.label("position")]).where(
        visible_to(posts)
    )
    match source:
        case "home":
            statement = statement.where(posts.visibility == literal_text(Visibility.PUBLIC))
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
    statement = list_statement(source, replies=replies, after=page.after is not None)
    values = page_values(reader_id, page) | ({"user_id": user_id} if source == "user" else {})
    return (await session.execute(statement, values)).all()


ONE_POST = select_post_columns(Post.__table__).where(posts.id == POST, visible_to(posts))


async def select_post(session: Session, reader_id: int, post_id: int) -> AnyRow | None:
    found = await session.execute(ONE_POST, {"reader_id": reader_id, "post_id": post_id})
    return found.one_or_none()


@cache
def thread_statement(*, after: bool) -> Rows:
    """Select a post and its replies, three levels deep, with placeholders of deleted posts.

    The direct replies are paged; of each of them and of those below, only the first few are
    selected.
    """
    top = select(posts.id, literal_column("0", Integer).label("level"))
    top = top.where(posts.id == POST, visible_to(posts))
    found = top.cte("thread", recursive=True)
    reply = Post.__table__.alias("below").c
    place = and_(reply.author_id.is_(None), place_visible_to(reply))
    below = select(reply.id).where(reply.reply_to == found.c.id, or_(visible_to(reply), place))
    if after:
        below = below.where(or_(found.c.level > 0, reply.id > AFTER))
    most = case((found.c.level == 0, LIMIT), else_=NESTED_REPLIES)
    next_ones = below.order_by(reply.id).limit(most).correlate(found).lateral("next_ones")
    found = found.union_all(
        select(next_ones.c.id, found.c.level + 1)
        .select_from(found.join(next_ones, true()))
        .where(found.c.level < THREAD_DEPTH)
    )
    post = Post.__table__
    return (
        select(*post_columns(posts), found.c.level)
        .select_from(found)
        .join(post, posts.id == found.c.id)
        .order_by(found.c.level, posts.id)
    )


async def select_thread(
    session: Session, reader_id: int, post_id: int, page: ThreadParams
) -> Sequence[AnyRow]:
    values = page_values(reader_id, page) | {"post_id": post_id}
    del values["offset"]
    statement = thread_statement(after=page.after is not None)
    return (await session.execute(statement, values)).all()


@cache
def insert_statement(*, reply: bool) -> Rows:
    """Insert a post. It returns no row if the reader cannot see the post that it replies to.

    Nor if the reply would be visible to more users than that post.
    """
    values = reply_values() if reply else post_values()
    names = ("author_id", "text", "visibility", "reply_to", "circle", "above")
    made = insert(Post.__table__).from_select(names, values).returning(*posts).cte("made")
    return select_post_columns(made)


def post_values() -> Rows:
    level = func.coalesce(WANTED_VISIBILITY, Visibility.PUBLIC.value)
    circle = case((level == Visibility.FOLLOWERS.value, READER))
    nobody: ColumnElement[Any] = literal_column("'{}'::bigint[]", ARRAY(BigInteger))
    return select(READER, TEXT, level, null(), circle, nobody)


def reply_values() -> Rows:
    parent = Post.__table__.alias("parent").c
    level = func.coalesce(WANTED_VISIBILITY, parent.visibility)
    circle = case(
        (parent.circle.is_not(None), parent.circle),
        (level == Visibility.FOLLOWERS.value, READER),
    )
    known = parent.author_id == any_(parent.above)
    above = case((known, parent.above), else_=func.array_append(parent.above, parent.author_id))
    return select(READER, TEXT, level, parent.id, circle, above).where(
        parent.id == bindparam("reply_to", type_=BigInteger),
        visible_to(parent),
        or_(
            level == parent.visibility,
            level == Visibility.PRIVATE.value,
            parent.visibility == Visibility.PUBLIC.value,
        ),
    )


async def insert_post(session: Session, reader_id: int, new: PostCreate) -> AnyRow | None:
    values: dict[str, Any] = {"reader_id": reader_id, "text": new.text}
    values["visibility"] = new.model_dump().get("visibility")
    if new.reply_to is not None:
        values["reply_to"] = new.reply_to
    statement = insert_statement(reply=new.reply_to is not None)
    return (await session.execute(statement, values)).one_or_none()


def own_post_conditions(*, conditional: bool) -> list[ColumnElement[bool]]:
    conditions = [editable_by(posts), posts.id == POST]
    if conditional:
        accepted: BindParameter[Any] = bindparam("accepted", type_=ARRAY(BigInteger))
        conditions.append(posts.version == any_(accepted))
    return conditions


def own_post_values(reader_id: int, post_id: int, accepted: Versions) -> dict[str, Any]:
    condition = {} if accepted is None else {"accepted": list(accepted)}
    return {"reader_id": reader_id, "post_id": post_id, **condition}


@cache
def update_statement(*, changes: bool, conditional: bool) -> Rows:
    if not changes:
        return select_post_columns(Post.__table__).where(
            *own_post_conditions(conditional=conditional)
        )
    statement = update(Post.__table__).where(*own_post_conditions(conditional=conditional))
    statement = statement.values(text=bindparam("new_text", type_=Text)).returning(*posts)
    return select_post_columns(statement.cte("changed"))


async def update_post(
    session: Session, reader_id: int, post_id: int, change: PostUpdate, accepted: Versions
) -> AnyRow | None:
    changes = {f"new_{name}": value for name, value in change.model_dump().items()}
    statement = update_statement(changes=bool(changes), conditional=accepted is not None)
    values = own_post_values(reader_id, post_id, accepted) | changes
    return (await session.execute(statement, values)).one_or_none()


@cache
def delete_statement(*, conditional: bool) -> ReturningUpdate[*tuple[Any, ...]]:
    """Remove the author of a post; a trigger does the rest."""
    conditions = own_post_conditions(conditional=conditional)
    return update(Post.__table__).where(*conditions).values(author_id=None).returning(posts.id)


async def delete_post(session: Session, reader_id: int, post_id: int, accepted: Versions) -> bool:
    statement = delete_statement(conditional=accepted is not None)
    values = own_post_values(reader_id, post_id, accepted)
    return (await session.execute(statement, values)).first() is not None


async def select_earlier_texts(
    session: Session, reader_id: int, post_id: int, page: PageParams
) -> Sequence[AnyRow]:
    statement = select(texts.id, texts.text, texts.written_at).join(
        Post.__table__, posts.id == texts.post_id
    )
    statement = statement.where(texts.post_id == POST, editable_by(posts))
    if page.after is not None:
        statement = statement.where(texts.id > AFTER)
    statement = statement.order_by(texts.id).offset(OFFSET).limit(LIMIT)
    values = page_values(reader_id, page) | {"post_id": post_id}
    return (await session.execute(statement, values)).all()


# Locked, so that no like is added to a post that is being deleted.
VISIBLE_POST = (
    select(posts.id)
    .where(posts.id == POST, visible_to(posts))
    .with_for_update(read=True, of=Post.__table__)
    .cte("seen")
)
INSERT_LIKE = insert_or_leave(Like.__table__).from_select(
    ["post_id", "user_id"], select(VISIBLE_POST.c.id, READER)
)
DELETE_LIKE = delete(Like.__table__).where(
    likes.post_id == VISIBLE_POST.c.id, likes.user_id == READER
)
LIKE = select(VISIBLE_POST.c.id).add_cte(INSERT_LIKE.on_conflict_do_nothing().cte("made"))
UNLIKE = select(VISIBLE_POST.c.id).add_cte(DELETE_LIKE.cte("undone"))


async def like(session: Session, reader_id: int, post_id: int) -> bool:
    """Like a post; return whether the reader can see it."""
    found = await session.execute(LIKE, {"reader_id": reader_id, "post_id": post_id})
    return found.first() is not None


async def unlike(session: Session, reader_id: int, post_id: int) -> bool:
    found = await session.execute(UNLIKE, {"reader_id": reader_id, "post_id": post_id})
    return found.first() is not None


@cache
def likers_statement(*, after: bool) -> Rows:
    statement = (
        select(*COLUMNS)
        .join(Like.__table__, likes.user_id == users.id)
        .join(Post.__table__, likes.post_id == posts.id)
        .where(posts.id == POST, visible_to(posts), known_to_reader(users.id))
    )
    return paginate(statement, likes.id, after=after, newest_first=True)


async def select_likers(
    session: Session, reader_id: int, post_id: int, page: PageParams
) -> Sequence[AnyRow]:
    values = page_values(reader_id, page) | {"post_id": post_id}
    return (await session.execute(likers_statement(after=page.after is not None), values)).all()
