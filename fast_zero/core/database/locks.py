"""Advisory locks, which a transaction holds until its end."""

from sqlalchemy import BigInteger, bindparam, func, select

from fast_zero.core.database.session import Session
from fast_zero.core.database.writers import SET_WRITER

LOCK_LISTS = select(func.lock_lists(bindparam("owner_id", type_=BigInteger)), SET_WRITER)


async def lock_lists(session: Session, owner_id: int) -> None:
    """Wait until no other transaction changes the places of what the owner has.

    It begins a transaction if none is open, and sets who writes in it. The statements after it see
    what the other transaction has changed.
    """
    await session.execute(LOCK_LISTS, {"owner_id": owner_id})
