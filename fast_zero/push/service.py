"""Registers the subscriptions of browsers."""

from fast_zero.core.database import AnyRow, Session
from fast_zero.core.errors import Invalid
from fast_zero.core.settings import Settings
from fast_zero.push import networks, queries
from fast_zero.push.schemas import PushSubscriptionCreate

NOT_PUBLIC = "The push service must have an https URL with a public host."
SUBSCRIPTIONS_PER_USER = 20


async def register(
    session: Session, settings: Settings, user_id: int, new: PushSubscriptionCreate
) -> AnyRow:
    """Store a subscription. The oldest ones of the user beyond the limit are deleted."""
    if not (settings.push_private_networks or networks.is_public_url(new.endpoint)):
        raise Invalid(NOT_PUBLIC, "endpoint")
    subscription = await queries.upsert_subscription(session, user_id, new)
    await queries.delete_oldest(session, user_id, SUBSCRIPTIONS_PER_USER)
    return subscription
