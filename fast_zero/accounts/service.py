from sqlalchemy.ext.asyncio import AsyncSession

from fast_zero.accounts import queries
from fast_zero.accounts.models import User
from fast_zero.accounts.passwords import check_password
from fast_zero.accounts.schemas import UserCreate, UserUpdate
from fast_zero.core import etags, security
from fast_zero.core.errors import Conflict, DomainError, Stale, Unauthenticated
from fast_zero.core.etags import Versions
from fast_zero.core.settings import Settings


async def register(session: AsyncSession, new: UserCreate, settings: Settings) -> User:
    """Hash first: the session takes its connection only when the statement is sent."""
    password_hash = await hash_new_password(new.password, settings)
    return await queries.insert_user(session, new.username, new.email, password_hash)


async def hash_new_password(password: str, settings: Settings) -> str:
    check_password(password, settings.password_min_length)
    return await security.hash_password(password)


async def replace_account(
    session: AsyncSession,
    actor_id: int,
    update: UserUpdate,
    settings: Settings,
    accepted: Versions = None,
) -> User:
    values = {
        "username": update.username,
        "email": update.email,
        "password_hash": await hash_new_password(update.password, settings),
    }
    try:
        user = await queries.update_user(session, actor_id, values, accepted)
    except Conflict:
        raise Conflict("Username or Email already exists") from None
    if user is None:
        raise await refusal(session, actor_id)
    return user


async def delete_account(session: AsyncSession, actor_id: int, accepted: Versions = None) -> None:
    """Delete it under a condition, or see that it is gone already."""
    if not await queries.delete_user(session, actor_id, accepted) and accepted is not None:
        raise await refusal(session, actor_id)


async def refusal(session: AsyncSession, actor_id: int) -> DomainError:
    """Tell why a write found no row: another version, or deleted since the request began."""
    user = await queries.select_user(session, actor_id)
    if user is None:
        return Unauthenticated("Could not validate credentials")
    return Stale(etags.tag(user.version))


async def log_in(session: AsyncSession, login: str, password: str, settings: Settings) -> str:
    """Give an access token, or refuse in the same words and time whatever was wrong."""
    credentials = await queries.select_credentials(session, login)
    await session.close()  # the connection goes back: verifying takes a tenth of a second
    user_id, password_hash = credentials or (0, None)
    if not await security.verify_password(password, password_hash):
        raise Unauthenticated("Incorrect email or password")
    return security.create_access_token(settings, user_id)
