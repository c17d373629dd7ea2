from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Query, Response

from fast_zero.accounts import queries, service
from fast_zero.accounts.dependencies import NEEDS_TOKEN, CurrentActor
from fast_zero.accounts.models import User
from fast_zero.accounts.schemas import (
    LoginForm,
    Token,
    UserCreate,
    UserPage,
    UserPrivate,
    UserPublic,
    UserUpdate,
)
from fast_zero.core import security
from fast_zero.core.dependencies import Autocommit, CurrentSettings
from fast_zero.core.errors import Conflict, Forbidden, NotFound, Unauthenticated
from fast_zero.core.pagination import PageParams, cut
from fast_zero.core.problems import responses
from fast_zero.core.settings import Settings
from fast_zero.core.types import Id, Message

NOT_FOUND = "User not found"
NOT_YOU = "Not enough permissions"

users = APIRouter(prefix="/users", tags=["users"])
auth = APIRouter(prefix="/auth", tags=["auth"])


@users.post(
    "",
    status_code=HTTPStatus.CREATED,
    response_model=UserPrivate,
    responses=responses(Conflict("Username already exists"), Conflict("Email already exists")),
)
async def create_user(new: UserCreate, session: Autocommit, settings: CurrentSettings) -> User:
    """Register."""
    return await service.register(session, new, settings)


@users.get("", response_model=UserPage)
async def list_users(page: Annotated[PageParams, Query()], session: Autocommit) -> object:
    """List the public profiles of all users, oldest first."""
    rows, cursor = cut(await queries.select_users(session, page), page)
    return {"users": rows, "next": cursor}


@users.get("/me", response_model=UserPrivate, responses=responses(*NEEDS_TOKEN))
async def read_me(actor: CurrentActor, session: Autocommit) -> User:
    """Show your own account."""
    return await read_user(actor.id, session)


@users.get("/{user_id}", response_model=UserPublic, responses=responses(NotFound(NOT_FOUND)))
async def read_user(user_id: Id, session: Autocommit) -> User:
    """Show a user's public profile."""
    user = await queries.select_user(session, user_id)
    if user is None:
        raise NotFound(NOT_FOUND)
    return user


@users.put(
    "/{user_id}",
    response_model=UserPrivate,
    responses=responses(
        *NEEDS_TOKEN, Forbidden(NOT_YOU), Conflict("Username or Email already exists")
    ),
)
async def replace_user(
    user_id: Id,
    update: UserUpdate,
    actor: CurrentActor,
    session: Autocommit,
    settings: CurrentSettings,
) -> User:
    """Replace all of your own account: name, address and password."""
    if user_id != actor.id:
        raise Forbidden(NOT_YOU)
    return await service.replace_account(session, actor.id, update, settings)


@users.delete("/{user_id}", responses=responses(*NEEDS_TOKEN, Forbidden(NOT_YOU)))
async def delete_user(user_id: Id, actor: CurrentActor, session: Autocommit) -> Message:
    """Delete your own account and everything that you own, at once and for good."""
    if user_id != actor.id:
        raise Forbidden(NOT_YOU)
    await queries.delete_user(session, actor.id)
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
