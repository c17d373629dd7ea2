from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Query, Response

from fast_zero.accounts import queries, service
from fast_zero.accounts.dependencies import NEEDS_TOKEN, CurrentActor
from fast_zero.accounts.schemas import (
    LoginForm,
    Token,
    UserCreate,
    UserPage,
    UserPrivate,
    UserPublic,
    UserUpdate,
)
from fast_zero.core import etags, idempotency, security
from fast_zero.core.dependencies import Autocommit, CurrentSettings
from fast_zero.core.errors import Conflict, Forbidden, NotFound, Unauthenticated
from fast_zero.core.etags import IfMatch, IfNoneMatch
from fast_zero.core.idempotency import DoOnce
from fast_zero.core.pagination import PageParams, cut
from fast_zero.core.problems import responses
from fast_zero.core.settings import Settings
from fast_zero.core.types import Id, Message

NOT_FOUND = "User not found"
NOT_YOU = "Not enough permissions"
PUBLIC = "-public"
"""The view that everyone has of an account. It shares the version, but not the bytes."""

users = APIRouter(prefix="/users", tags=["users"])
auth = APIRouter(prefix="/auth", tags=["auth"])


@users.post(
    "",
    status_code=HTTPStatus.CREATED,
    response_model=UserPrivate,
    responses=responses(
        Conflict("Username already exists"),
        Conflict("Email already exists"),
        idempotency.UNFINISHED,
    )
    | idempotency.CREATED,
)
async def create_user(new: UserCreate, once: DoOnce, settings: CurrentSettings) -> Response:
    """Register."""
    password_hash = await service.hash_new_password(new.password, settings)

    async def register(session: Autocommit) -> Response:
        user = await queries.insert_user(session, new.username, new.email, password_hash)
        once.owner_id = user.id
        tag = etags.tag(user.version)
        return etags.created(UserPrivate.model_validate(user), tag, f"/users/{user.id}")

    return await once(idempotency.NOBODY, register)


@users.get("", response_model=UserPage)
async def list_users(page: Annotated[PageParams, Query()], session: Autocommit) -> object:
    """List the public profiles of all users, oldest first."""
    rows, cursor = cut(await queries.select_users(session, page), page)
    return {"users": rows, "next": cursor}


@users.get(
    "/me",
    response_model=UserPrivate,
    responses=responses(*NEEDS_TOKEN) | etags.TAGGED_OR_SEEN,
)
async def read_me(actor: CurrentActor, session: Autocommit, seen: IfNoneMatch) -> Response:
    """Show your own account."""
    user = await queries.select_user(session, actor.id)
    if user is None:  # deleted since the request began
        raise Unauthenticated("Could not validate credentials")
    return etags.answer(UserPrivate.model_validate(user), etags.tag(user.version), seen=seen)


@users.get(
    "/{user_id}",
    response_model=UserPublic,
    responses=responses(NotFound(NOT_FOUND)) | etags.TAGGED_OR_SEEN,
)
async def read_user(user_id: Id, session: Autocommit, seen: IfNoneMatch) -> Response:
    """Show a user's public profile."""
    user = await queries.select_user(session, user_id)
    if user is None:
        raise NotFound(NOT_FOUND)
    tag = etags.tag(user.version, PUBLIC)
    return etags.answer(UserPublic.model_validate(user), tag, seen=seen)


@users.put(
    "/{user_id}",
    response_model=UserPrivate,
    responses=responses(
        *NEEDS_TOKEN,
        Forbidden(NOT_YOU),
        Conflict("Username or Email already exists"),
        etags.STALE,
    )
    | etags.TAGGED,
)
async def replace_user(  # noqa: PLR0913, PLR0917  # what a route takes are its arguments
    user_id: Id,
    update: UserUpdate,
    actor: CurrentActor,
    session: Autocommit,
    settings: CurrentSettings,
    condition: IfMatch,
) -> Response:
    """Replace all of your own account: name, address and password."""
    if user_id != actor.id:
        raise Forbidden(NOT_YOU)
    accepted = etags.versions(condition, PUBLIC)
    user = await service.replace_account(session, actor.id, update, settings, accepted)
    return etags.answer(UserPrivate.model_validate(user), etags.tag(user.version))


@users.delete("/{user_id}", responses=responses(*NEEDS_TOKEN, Forbidden(NOT_YOU), etags.STALE))
async def delete_user(
    user_id: Id, actor: CurrentActor, session: Autocommit, condition: IfMatch
) -> Message:
    """Delete your own account and everything that you own, at once and for good."""
    if user_id != actor.id:
        raise Forbidden(NOT_YOU)
    await service.delete_account(session, actor.id, etags.versions(condition, PUBLIC))
    return Message(message="User deleted")


@auth.post("/token", responses=responses(Unauthenticated("Incorrect email or password")))
async def create_token(
    form: Annotated[LoginForm, Form()],
    session: Autocommit,
    settings: CurrentSettings,
    response: Response,
) -> Token:
    """Log in with your e-mail address or username."""
    token = await service.log_in(session, form.username, form.password, settings)
    return answer_token(token, settings, response)


@auth.post("/refresh_token", responses=responses(*NEEDS_TOKEN))
async def refresh_token(
    actor: CurrentActor, settings: CurrentSettings, response: Response
) -> Token:
    """Exchange a token that still lives for a new one."""
    return answer_token(security.create_access_token(settings, actor.id), settings, response)


def answer_token(token: str, settings: Settings, response: Response) -> Token:
    response.headers["Cache-Control"] = "no-store"  # RFC 6749, section 5.1
    return Token(access_token=token, expires_in=settings.access_token_minutes * 60)
