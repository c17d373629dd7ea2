from collections.abc import Awaitable, Callable, Sequence

from fast_zero.core.database import AnyRow, Session
from fast_zero.core.errors import Invalid, NotFound
from fast_zero.core.pagination import PageParams
from fast_zero.people import queries
from fast_zero.people.models import NO_USER
from fast_zero.people.queries import People

Change = Callable[[Session, int, int], Awaitable[bool]]


async def follow(session: Session, user_id: int, other_id: int) -> None:
    await change_relation("follow", queries.follow, session, user_id, other_id)


async def unfollow(session: Session, user_id: int, other_id: int) -> None:
    await change_relation("unfollow", queries.unfollow, session, user_id, other_id)


async def block(session: Session, user_id: int, other_id: int) -> None:
    await change_relation("block", queries.block, session, user_id, other_id)


async def unblock(session: Session, user_id: int, other_id: int) -> None:
    await change_relation("unblock", queries.unblock, session, user_id, other_id)


async def change_relation(
    verb: str, send: Change, session: Session, user_id: int, other_id: int
) -> None:
    """Change the relation of the current user to another user. Idempotent."""
    if other_id == user_id:
        raise Invalid(f"You cannot {verb} yourself.", "user_id", "path")
    if not await send(session, user_id, other_id):
        raise NotFound(NO_USER)


async def list_people(
    session: Session, reader_id: int, page: PageParams, people: People, user_id: int
) -> Sequence[AnyRow]:
    rows = await queries.select_people(session, reader_id, page, people, user_id=user_id)
    if not rows and not await queries.is_known(session, reader_id, user_id):
        raise NotFound(NO_USER)
    return rows
