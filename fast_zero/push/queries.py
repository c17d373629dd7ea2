"""Statements about push subscriptions."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from fast_zero.core.database import AnyRow, Session
from fast_zero.core.pagination import PageParams, keyset_page
from fast_zero.identity.models import User
from fast_zero.push.models import PushSubscription
from fast_zero.push.schemas import PushSubscriptionCreate

subscriptions = PushSubscription.__table__.c
users = User.__table__.c

PUBLIC = (
    subscriptions.id,
    func.split_part(subscriptions.endpoint, "/", 3).label("push_service"),
    subscriptions.created_at,
    subscriptions.last_success_at,
    subscriptions.last_failure_at,
)


def visible_to(user_id: int) -> ColumnElement[bool]:
    return subscriptions.owner_id == user_id


async def upsert_subscription(
    session: Session, user_id: int, new: PushSubscriptionCreate
) -> AnyRow:
    """Insert a subscription, or replace the one with this endpoint, whoever owned it."""
    values = {"owner_id": user_id, "endpoint": new.endpoint, **new.keys.model_dump()}
    fresh = {"created_at": func.now(), "last_success_at": None, "last_failure_at": None}
    statement = (
        insert(PushSubscription.__table__)
        .values(values)
        .on_conflict_do_update(
            index_elements=[subscriptions.endpoint],
            set_=values | fresh,
        )
        .returning(*PUBLIC)
    )
    return (await session.execute(statement)).one()


async def delete_oldest(session: Session, user_id: int, kept: int) -> None:
    """Delete the subscriptions of a user that registered longest ago, but keep some."""
    latest_first = (subscriptions.created_at.desc(), subscriptions.id.desc())
    oldest = select(subscriptions.id).where(visible_to(user_id))
    oldest = oldest.order_by(*latest_first).offset(kept)
    await session.execute(delete(PushSubscription.__table__).where(subscriptions.id.in_(oldest)))


async def select_subscriptions(
    session: Session, user_id: int, page: PageParams
) -> Sequence[AnyRow]:
    statement = select(*PUBLIC).where(visible_to(user_id))
    return (await session.execute(keyset_page(statement, subscriptions.id, page))).all()


async def delete_subscription(session: Session, user_id: int, subscription_id: int) -> bool:
    statement = delete(PushSubscription.__table__).where(
        visible_to(user_id), subscriptions.id == subscription_id
    )
    return await session.scalar(statement.returning(subscriptions.id)) is not None


async def delete_endpoint(session: Session, user_id: int, endpoint: str) -> None:
    statement = delete(PushSubscription.__table__).where(
        visible_to(user_id), subscriptions.endpoint == endpoint
    )
    await session.execute(statement)


async def delete_subscriptions(session: Session, user_id: int) -> None:
    await session.execute(delete(PushSubscription.__table__).where(visible_to(user_id)))


async def select_receiver(session: Session, subscription_id: int) -> AnyRow | None:
    """Select a subscription with its secrets, unless the account of its owner is disabled."""
    columns = (
        subscriptions.owner_id,
        subscriptions.endpoint,
        subscriptions.p256dh,
        subscriptions.auth,
        users.language,
    )
    statement = select(*columns).join_from(
        PushSubscription.__table__, User.__table__, users.id == subscriptions.owner_id
    )
    statement = statement.where(subscriptions.id == subscription_id, users.disabled_at.is_(None))
    return (await session.execute(statement)).one_or_none()


async def note_success(session: Session, subscription_id: int) -> None:
    statement = update(PushSubscription.__table__).where(subscriptions.id == subscription_id)
    await session.execute(statement.values(last_success_at=func.now()))


async def note_failure(session: Session, subscription_id: int) -> None:
    statement = update(PushSubscription.__table__).where(subscriptions.id == subscription_id)
    await session.execute(statement.values(last_failure_at=func.now()))
