from fast_zero.core.database import Session, lock_lists
from fast_zero.core.errors import NotFound
from fast_zero.trash import queries
from fast_zero.trash.models import NO_DELETION


async def purge_deletion(session: Session, user_id: int, deletion_id: int) -> None:
    """Delete something in the trash for good. It waits for what restores a part of it."""
    await lock_lists(session, user_id)
    if not await queries.delete_deletion(session, user_id, deletion_id):
        raise NotFound(NO_DELETION)


async def empty_trash(session: Session, user_id: int) -> None:
    await lock_lists(session, user_id)
    await queries.delete_deletions(session, user_id)
