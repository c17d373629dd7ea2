from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from fast_zero.accounts import queries, service
from fast_zero.accounts.dependencies import (
    NEEDS_TOKEN,
    AccountReader,
    AccountWriter,
    CurrentRevocations,
)
from fast_zero.accounts.models import User
from fast_zero.accounts.schemas import (
    MeUpdate,
    UserCreate,
    UserPage,
    UserPrivate,
    UserPublic,
    UserUpdate,
)
from fast_zero.core.dependencies import Autocommit, CurrentSettings
from fast_zero.core.errors import Conflict, Forbidden, NotFound
from fast_zero.core.pagination import PageParams, cut
from fast_zero.core.problems import responses
from fast_zero.core.types import Id, Message

NOT_FOUND = "User not found"
NOT_YOU = "Not enough permissions"

router = APIRouter(prefix="/users", tags=["users"])


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    response_model=UserPrivate,
    responses=responses(Conflict("Username already exists"), Conflict("Email already exists")),
)
async def create_user(new: UserCreate, session: Autocommit, settings: CurrentSettings) -> User:
    """Register."""
    return await service.register(session, new, settings)


@router.get("", response_model=UserPage)
async def list_users(page: Annotated[PageParams, Query()], session: Autocommit) -> object:
    """List the public profiles of all users, oldest first."""
    rows, cursor = cut(await queries.select_users(session, page), page)
    return {"users": rows, "next": cursor}


@router.get("/me", response_model=UserPrivate, responses=responses(*NEEDS_TOKEN))
async def read_me(actor: AccountReader, session: Autocommit) -> User:
    """Show your own account."""
    return await read_user(actor.id, session)


@router.patch(
    "/me",
    response_model=UserPrivate,
    responses=responses(
        *NEEDS_TOKEN,
        Forbidden("A new address or password needs your current password"),
        Conflict("Username already exists"),
        Conflict("Email already exists"),
    ),
)
async def update_me(
    change: MeUpdate,
    actor: AccountWriter,
    session: Autocommit,
    settings: CurrentSettings,
    revocations: CurrentRevocations,
) -> User:
    """Change what is sent of your account. A new address or password ends all your sessions."""
    user, ended = await service.change_account(session, actor.id, change, settings)
    if ended:
        revocations.add(actor.session_id)
    return user


@router.get("/{user_id}", response_model=UserPublic, responses=responses(NotFound(NOT_FOUND)))
async def read_user(user_id: Id, session: Autocommit) -> User:
    """Show a user's public profile."""
    user = await queries.select_user(session, user_id)
    if user is None:
        raise NotFound(NOT_FOUND)
    return user


@router.put(
    "/{user_id}",
    response_model=UserPrivate,
    responses=responses(
        *NEEDS_TOKEN, Forbidden(NOT_YOU), Conflict("Username or Email already exists")
    ),
)
async def replace_user(
    user_id: Id,
    update: UserUpdate,
    actor: AccountWriter,
    session: Autocommit,
    settings: CurrentSettings,
    revocations: CurrentRevocations,
) -> User:
    """Replace all of your account. A new address or password ends all your sessions."""
    if user_id != actor.id:
        raise Forbidden(NOT_YOU)
    user, ended = await service.replace_account(session, actor.id, update, settings)
    if ended:
        revocations.add(actor.session_id)
    return user


@router.delete("/{user_id}", responses=responses(*NEEDS_TOKEN, Forbidden(NOT_YOU)))
async def delete_user(
    user_id: Id, actor: AccountWriter, session: Autocommit, revocations: CurrentRevocations
) -> Message:
    """Delete your own account and everything that you own, at once and for good."""
    if user_id != actor.id:
        raise Forbidden(NOT_YOU)
    await queries.delete_user(session, actor.id)
    revocations.add(actor.session_id)
    return Message(message="User deleted")
