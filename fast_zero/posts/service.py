from collections import defaultdict
from collections.abc import Sequence

from fast_zero.core.database import AnyRow, Session
from fast_zero.core.errors import DomainError, Invalid, NotFound
from fast_zero.core.http import etags
from fast_zero.core.http.etags import Versions
from fast_zero.core.pagination import split_page
from fast_zero.people import queries as people_queries
from fast_zero.people.models import NO_USER
from fast_zero.posts import metrics, queries
from fast_zero.posts.models import NO_POST
from fast_zero.posts.schemas import (
    FeedParams,
    Gone,
    PostCreate,
    PostPublic,
    PostThread,
    PostUpdate,
    Reply,
    ThreadParams,
)

MORE_VISIBLE = "A reply cannot be seen by more people than what it replies to."


async def create_post(session: Session, user_id: int, new: PostCreate) -> AnyRow:
    post = await queries.insert_post(session, user_id, new)
    if post is None:
        if await queries.select_post(session, user_id, new.reply_to or 0) is None:
            raise NotFound(NO_POST)
        raise Invalid(MORE_VISIBLE, "visibility")
    metrics.CREATED.inc()
    return post


async def update_post(
    session: Session, user_id: int, post_id: int, change: PostUpdate, accepted: Versions
) -> AnyRow:
    post = await queries.update_post(session, user_id, post_id, change, accepted)
    if post is None:
        raise await refusal(session, user_id, post_id, accepted)
    metrics.UPDATED.inc()
    return post


async def delete_post(session: Session, user_id: int, post_id: int, accepted: Versions) -> None:
    if not await queries.delete_post(session, user_id, post_id, accepted):
        raise await refusal(session, user_id, post_id, accepted)
    metrics.DELETED.inc()


async def refusal(session: Session, user_id: int, post_id: int, accepted: Versions) -> DomainError:
    """Return why a write found no row. Posts of others are readable, but not writable."""
    post = None if accepted is None else await queries.select_post(session, user_id, post_id)
    version = post.version if post is not None and post.author["id"] == user_id else None
    return etags.refusal(NotFound(NO_POST), version)


async def list_users_posts(
    session: Session, reader_id: int, wanted: FeedParams, user_id: int
) -> Sequence[AnyRow]:
    rows = await queries.select_posts(session, reader_id, wanted, "user", user_id=user_id)
    if not rows and not await people_queries.is_known(session, reader_id, user_id):
        raise NotFound(NO_USER)
    return rows


async def read_thread(
    session: Session, reader_id: int, post_id: int, page: ThreadParams
) -> PostThread:
    rows = await queries.select_thread(session, reader_id, post_id, page)
    if not rows:
        raise NotFound(NO_POST)
    first, *others = rows
    direct, cursor = split_page([row for row in others if row.level == 1], page)
    by_parent: dict[int, list[AnyRow]] = defaultdict(list)
    for row in (*direct, *(row for row in others if row.level > 1)):
        by_parent[row.reply_to].append(row)
    post = PostPublic.model_validate(first)
    thread = replies_to(post_id, by_parent)
    return PostThread(**dict(post), thread=thread, next=cursor)


def replies_to(post_id: int, by_parent: dict[int, list[AnyRow]]) -> list[Reply | Gone]:
    """Nest the replies to a post. The place of a deleted post is shown only if it has replies."""
    nested: list[Reply | Gone] = []
    for row in by_parent[post_id]:
        thread = replies_to(row.id, by_parent)
        if row.author is not None:
            nested.append(Reply(**dict(PostPublic.model_validate(row)), thread=thread))
        elif thread or row.replies:
            nested.append(Gone(id=row.id, thread=thread))
    return nested
