from http import HTTPStatus

from fastapi import APIRouter

from fast_zero.core.errors import NotFound
from fast_zero.core.http.dependencies import (
    CurrentSession,
    CurrentSettings,
    PageQuery,
    ReadSession,
)
from fast_zero.core.http.problems import responses
from fast_zero.core.pagination import split_page
from fast_zero.core.types import Id
from fast_zero.identity.dependencies import NEEDS_TOKEN
from fast_zero.people.dependencies import Reader, Writer
from fast_zero.push import queries, service, vapid
from fast_zero.push.models import NO_SUBSCRIPTION
from fast_zero.push.schemas import (
    PushKeyPublic,
    PushSubscriptionCreate,
    PushSubscriptionPage,
    PushSubscriptionPublic,
)

router = APIRouter(prefix="/users/me", tags=["users"], responses=NEEDS_TOKEN)


@router.get("/push-key")
async def read_push_key(_user: Reader, settings: CurrentSettings) -> PushKeyPublic:
    """Show the key for which browsers subscribe to pushes."""
    return PushKeyPublic(public_key=vapid.public_key(settings))


@router.post(
    "/push-subscriptions",
    status_code=HTTPStatus.CREATED,
    response_model=PushSubscriptionPublic,
)
async def create_push_subscription(
    new: PushSubscriptionCreate, user: Writer, session: CurrentSession, settings: CurrentSettings
) -> object:
    """Send your notifications to a browser. The same endpoint again replaces its subscription.

    An endpoint belongs to a browser, so it is taken from the account that registered it before. An
    account has up to 20 subscriptions; beyond it, the one that registered longest ago is deleted.
    """
    return await service.register(session, settings, user.id, new)


@router.get("/push-subscriptions", response_model=PushSubscriptionPage)
async def list_push_subscriptions(page: PageQuery, user: Reader, session: ReadSession) -> object:
    """List your push subscriptions. Their endpoints and keys are not shown."""
    rows, cursor = split_page(await queries.select_subscriptions(session, user.id, page), page)
    return {"push_subscriptions": rows, "next": cursor}


@router.delete(
    "/push-subscriptions/{subscription_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(NotFound(NO_SUBSCRIPTION)),
)
async def delete_push_subscription(
    subscription_id: Id, user: Writer, session: CurrentSession
) -> None:
    """Send nothing more to a browser."""
    if not await queries.delete_subscription(session, user.id, subscription_id):
        raise NotFound(NO_SUBSCRIPTION)
