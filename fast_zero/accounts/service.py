from sqlalchemy.ext.asyncio import AsyncSession

from fast_zero.accounts import queries
from fast_zero.accounts.models import User
from fast_zero.accounts.passwords import check_password
from fast_zero.accounts.schemas import UserCreate, UserUpdate
from fast_zero.core import security
from fast_zero.core.errors import Conflict, Unauthenticated
from fast_zero.core.settings import Settings


async def register(session: AsyncSession, new: UserCreate, settings: Settings) -> User:
    """Hash first: the session takes its connection only when the statement is sent."""
    check_password(new.password, settings.password_min_length)
    password_hash = await security.hash_password(new.password)
    return await queries.insert_user(session, new.username, new.email, password_hash)


async def replace_account(
    session: AsyncSession, actor_id: int, update: UserUpdate, settings: Settings
) -> User:
    check_password(update.password, settings.password_min_length)
    values = {
        "username": update.username,
        "email": update.email,
        "password_hash": await security.hash_password(update.password),
    }
    try:
        user = await queries.update_user(session, actor_id, values)
    except Conflict:
        raise Conflict("Username or Email already exists") from None
    if user is None:  # deleted since the request began
        raise Unauthenticated("Could not validate credentials")
    return user


async def log_in(session: AsyncSession, login: str, password: str, settings: Settings) -> str:
    """Give an access token, or refuse in the same words and time whatever was wrong."""
    credentials = await queries.select_credentials(session, login)
    await session.close()  # the connection goes back: verifying takes a tenth of a second
    user_id, password_hash = credentials or (0, None)
    if not await security.verify_password(password, password_hash):
        raise Unauthenticated("Incorrect email or password")
    return security.create_access_token(settings, user_id)
