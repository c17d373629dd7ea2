"""Advisory locks, which a transaction holds until its end."""

from sqlalchemy import text

from fast_zero.core.database.session import Session

LOCK_LISTS = text("SELECT lock_lists(:owner_id)")


async def lock_lists(session: Session, owner_id: int) -> None:
    """Wait until no other transaction changes the places of what the owner has.

    It begins a transaction if none is open. The statements after it see what the other transaction
    has changed.
    """
    await session.execute(LOCK_LISTS, {"owner_id": owner_id})
