from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Security

from fast_zero.accounts import account_status, invitations
from fast_zero.accounts import queries as account_queries
from fast_zero.accounts.schemas import InvitationCreate, InvitationPage, InvitationPublic, UserAdmin
from fast_zero.administration import queries
from fast_zero.core.errors import Conflict, Forbidden, NotFound, TooManyRequests
from fast_zero.core.http import idempotency
from fast_zero.core.http.dependencies import CurrentSession, CurrentSettings, PageQuery, ReadSession
from fast_zero.core.http.idempotency import Idempotent
from fast_zero.core.http.middleware.rate_limit import EXHAUSTED
from fast_zero.core.http.problems import responses
from fast_zero.core.pagination import split_page
from fast_zero.core.types import Id
from fast_zero.identity import limits
from fast_zero.identity import queries as identity_queries
from fast_zero.identity.dependencies import (
    NEEDS_TOKEN,
    NO_SCOPE,
    AuthenticatedUser,
    CurrentRevocations,
    current_user,
)
from fast_zero.identity.models import EMAIL_TAKEN
from fast_zero.identity.schemas import AuditPage
from fast_zero.identity.scopes import Scope
from fast_zero.people.models import NO_USER
from fast_zero.posts.models import NO_POST

DONE = HTTPStatus.NO_CONTENT
TO_A_USER = responses(NotFound(NO_USER))

ADMIN = Security(current_user, scopes=[Scope.ADMIN])
Admin = Annotated[AuthenticatedUser, ADMIN]

router = APIRouter(
    prefix="/admin", tags=["administration"], responses=NEEDS_TOKEN, dependencies=[ADMIN]
)


@router.get("/users/{user_id}", response_model=UserAdmin, responses=TO_A_USER)
async def read_account(user_id: Id, session: ReadSession) -> object:
    """Show the account of a user. As its owner sees it, with `role` and `disabled_at`."""
    user = await identity_queries.select_user(session, user_id)
    if user is None:
        raise NotFound(NO_USER)
    return user


@router.get("/users/{user_id}/audit", response_model=AuditPage, responses=TO_A_USER)
async def list_users_audit(user_id: Id, page: PageQuery, session: ReadSession) -> object:
    """List the security events of an account. A year of log-ins, changes and tokens."""
    rows, cursor = split_page(await identity_queries.select_audit(session, user_id, page), page)
    if not rows and await identity_queries.select_user(session, user_id) is None:
        raise NotFound(NO_USER)
    return {"events": rows, "next": cursor}


@router.put("/users/{user_id}/disabled", status_code=DONE, responses=TO_A_USER)
async def disable_user(
    user_id: Id, user: Admin, session: CurrentSession, revocations: CurrentRevocations
) -> None:
    """Disable an account. Its sessions end, and log-ins and tokens are refused. Idempotent."""
    ended = await account_status.disable_other(session, user.id, user_id)
    revocations.add_at_commit(session, *ended)


@router.delete("/users/{user_id}/disabled", status_code=DONE, responses=TO_A_USER)
async def enable_user(user_id: Id, session: CurrentSession) -> None:
    """Enable a disabled account. Its owner can log in again. Idempotent."""
    await account_status.enable(session, user_id)


@router.delete("/posts/{post_id}", status_code=DONE, responses=responses(NotFound(NO_POST)))
async def remove_post(post_id: Id, session: CurrentSession) -> None:
    """Delete a post of any user. The replies to it stay."""
    if not await queries.delete_post(session, post_id):
        raise NotFound(NO_POST)


@router.post(
    "/invitations",
    status_code=HTTPStatus.CREATED,
    response_model=InvitationPublic,
    responses=responses(
        NO_SCOPE,
        Forbidden(invitations.CLOSED),
        Conflict(EMAIL_TAKEN),
        idempotency.UNFINISHED,
        TooManyRequests(limits.TOO_MANY_EMAILS),
        EXHAUSTED,
    )
    | {HTTPStatus.CREATED: {"headers": idempotency.REPLAYED}},
)
async def create_invitation(
    new: InvitationCreate,
    user: Admin,
    session: CurrentSession,
    settings: CurrentSettings,
    idempotent: Idempotent,
) -> object:
    """Invite somebody by email. The link in it works once, for a week.

    An older invitation to the same address becomes invalid.
    """

    async def invite() -> InvitationPublic:
        await limits.spend_emails(session, settings, f"user {user.id}", new.email)
        return InvitationPublic.model_validate(await invitations.invite(session, settings, new))

    return await idempotent(session, user.id, invite)


@router.get("/invitations", response_model=InvitationPage)
async def list_invitations(page: PageQuery, session: ReadSession) -> object:
    """List the invitations that are still valid, oldest first."""
    rows, cursor = split_page(await account_queries.select_invitations(session, page), page)
    return {"invitations": rows, "next": cursor}


@router.delete(
    "/invitations/{invitation_id}",
    status_code=DONE,
    responses=responses(NotFound(invitations.MISSING)),
)
async def revoke_invitation(invitation_id: Id, session: CurrentSession) -> None:
    """Revoke an invitation. Its link stops working."""
    if not await account_queries.delete_invitation(session, invitation_id):
        raise NotFound(invitations.MISSING)
