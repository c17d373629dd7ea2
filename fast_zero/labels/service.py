from fast_zero.core.database import AnyRow, Session, lock_lists, retry_transaction
from fast_zero.core.errors import DomainError, Invalid, NotFound, Stale
from fast_zero.core.http import etags
from fast_zero.core.http.etags import Versions
from fast_zero.labels import queries
from fast_zero.labels.models import NO_LABEL
from fast_zero.labels.schemas import LabelUpdate

INTO_ITSELF = "A label cannot be merged into itself."


async def read_label(session: Session, user_id: int, label_id: int) -> AnyRow:
    label = await queries.select_label(session, user_id, label_id)
    if label is None:
        raise NotFound(NO_LABEL)
    return label


async def update_label(
    session: Session, user_id: int, label_id: int, change: LabelUpdate, accepted: Versions
) -> AnyRow:
    label = await queries.update_label(session, user_id, label_id, change, accepted)
    if label is None:
        raise await refusal(session, user_id, label_id, accepted)
    return label


async def delete_label(session: Session, user_id: int, label_id: int, accepted: Versions) -> None:
    async def delete() -> None:
        await lock_lists(session, user_id)
        if not await queries.delete_label(session, user_id, label_id, accepted):
            raise await refusal(session, user_id, label_id, accepted)

    # A deletion of the account locks todos and labels in another order.
    await retry_transaction(session, delete)


async def merge_label(
    session: Session, user_id: int, label_id: int, into: int, accepted: Versions
) -> AnyRow:
    """Give a label to the todos that carry another one, and delete that one."""
    if label_id == into:
        raise Invalid(INTO_ITSELF, "into")
    await lock_lists(session, user_id)
    found = await queries.lock_labels(session, user_id, [label_id, into])
    if len(found) < 2:  # noqa: PLR2004  # both
        raise NotFound(NO_LABEL)
    version = found[label_id].version
    if accepted is not None and version not in accepted:
        raise Stale(etags.tag(version))
    await queries.copy_todos(session, user_id, label_id, into)
    await queries.delete_label(session, user_id, label_id)
    return found[into]


async def refusal(session: Session, user_id: int, label_id: int, accepted: Versions) -> DomainError:
    """Return why a write found no row. Without a condition, the label does not exist."""
    label = None if accepted is None else await queries.select_label(session, user_id, label_id)
    return etags.refusal(NotFound(NO_LABEL), None if label is None else label.version)
