from fast_zero.core.database import AnyRow, Session, lock_lists
from fast_zero.core.errors import DomainError, NotFound
from fast_zero.core.http import etags
from fast_zero.core.http.etags import Versions
from fast_zero.core.siblings import find_position
from fast_zero.projects.service import refuse_itself
from fast_zero.saved_filters import queries
from fast_zero.saved_filters.models import NO_FILTER
from fast_zero.saved_filters.schemas import SavedFilterMove, SavedFilterUpdate


async def read_filter(session: Session, user_id: int, filter_id: int) -> AnyRow:
    found = await queries.select_filter(session, user_id, filter_id)
    if found is None:
        raise NotFound(NO_FILTER)
    return found


async def update_filter(
    session: Session, user_id: int, filter_id: int, change: SavedFilterUpdate, accepted: Versions
) -> AnyRow:
    found = await queries.update_filter(session, user_id, filter_id, change, accepted)
    if found is None:
        raise await refusal(session, user_id, filter_id, accepted)
    return found


async def delete_filter(session: Session, user_id: int, filter_id: int, accepted: Versions) -> None:
    if not await queries.delete_filter(session, user_id, filter_id, accepted):
        raise await refusal(session, user_id, filter_id, accepted)


async def move_filter(
    session: Session, user_id: int, filter_id: int, move: SavedFilterMove, accepted: Versions
) -> AnyRow:
    """Move a saved filter next to another one."""
    refuse_itself(move, filter_id)
    await lock_lists(session, user_id)
    sibling = await read_filter(session, user_id, move.sibling_id() or 0)
    siblings = queries.siblings_of(user_id, filter_id)
    position = await find_position(session, siblings, sibling.position, is_before=move.is_before())
    values = {"position": position}
    found = await queries.write_filter(session, user_id, filter_id, values, accepted)
    if found is None:
        raise await refusal(session, user_id, filter_id, accepted)
    return found


async def refusal(
    session: Session, user_id: int, filter_id: int, accepted: Versions
) -> DomainError:
    """Return why a write found no row. Without a condition, the filter does not exist."""
    found = None if accepted is None else await queries.select_filter(session, user_id, filter_id)
    return etags.refusal(NotFound(NO_FILTER), None if found is None else found.version)
