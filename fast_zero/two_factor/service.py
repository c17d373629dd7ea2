"""The second factor: enroll, confirm, verify a code at a log-in, disable."""

from datetime import UTC, datetime

from fast_zero.core import security
from fast_zero.core.database import Session
from fast_zero.core.errors import (
    INVALID_TOKEN,
    Conflict,
    Forbidden,
    NotFound,
    Reason,
    Unauthenticated,
)
from fast_zero.core.security import throttle
from fast_zero.core.settings import Settings
from fast_zero.identity import limits
from fast_zero.identity import queries as identity_queries
from fast_zero.identity.models import User
from fast_zero.two_factor import one_time_codes, queries

ACTIVE = Reason("otp_already_active", "A second factor is active already. Disable it first.")
NO_SECOND_FACTOR = Reason("otp_not_found", "There is no second factor")
INCORRECT = Reason("otp_incorrect", "Incorrect one-time code")
NEEDS_PASSWORD = Reason("current_password_required", "This needs your current password")

AuthenticatedUser = tuple[int, int]
"""The ids of the current user and of the log-in session."""


class OneTimeCodeRequired(Unauthenticated):
    """The password was correct, and the account has a second factor."""

    def __init__(self) -> None:
        super().__init__(Reason("otp_required", "One-time code required"))
        self.headers = {**Unauthenticated.headers, "OTP-Required": "totp"}


async def enrol(
    session: Session, settings: Settings, user: AuthenticatedUser, password: str
) -> tuple[str, str]:
    """Create a secret, to be confirmed by a code; return it and its `otpauth://` URI."""
    account = await check_own_password(session, settings, user, password)
    secret = one_time_codes.new_secret()
    if not await queries.enrol(session, account.id, secret):
        raise Conflict(ACTIVE)
    return secret, one_time_codes.provisioning_uri(secret, account.email)


async def confirm(
    session: Session, settings: Settings, user: AuthenticatedUser, code: str
) -> list[str]:
    """Activate the second factor; return its recovery codes, of which only digests are stored."""
    found = await queries.select_state(session, user[0])
    if found is None:
        raise NotFound(NO_SECOND_FACTOR)
    secret, confirmed_at, _ = found
    if confirmed_at:
        raise Conflict(ACTIVE)
    limit = limits.own_password_limit(settings, *user)
    await throttle.record_attempt(session, limit)
    code = one_time_codes.normalized(code)
    step = one_time_codes.matched_step(secret, code, datetime.now(UTC))
    codes = one_time_codes.new_recovery_codes()
    if step is None or not await queries.confirm(session, user[0], secret, step, digests(codes)):
        raise Forbidden(INCORRECT)
    await throttle.record_success(session, limit)
    return codes


async def replace_recovery_codes(
    session: Session, settings: Settings, user: AuthenticatedUser, password: str
) -> list[str]:
    account = await check_own_password(session, settings, user, password)
    codes = one_time_codes.new_recovery_codes()
    # If two requests arrive at once, the second has to delete the codes that the first has stored.
    if not await queries.lock_second_factor(session, account.id):
        raise NotFound(NO_SECOND_FACTOR)
    await queries.replace_recovery_codes(session, account.id, digests(codes))
    return codes


async def disable(
    session: Session, settings: Settings, user: AuthenticatedUser, password: str
) -> None:
    account = await check_own_password(session, settings, user, password)
    if not await queries.delete_second_factor(session, account.id):
        raise NotFound(NO_SECOND_FACTOR)


async def disable_with_code(
    session: Session, settings: Settings, user: AuthenticatedUser, password: str, code: str
) -> None:
    """Disable the second factor with the password and a code, as a log-in needs both.

    Codes are counted apart from passwords: a right password would reset a common count, and whoever
    knows it could try all codes. The password comes first, so that a wrong one uses up no code.
    """
    account = await check_own_password(session, settings, user, password)
    found = await queries.select_state(session, account.id)
    if found is None or found[1] is None:
        raise NotFound(NO_SECOND_FACTOR)
    limit = limits.own_code_limit(settings, *user)
    await throttle.record_attempt(session, limit)
    if not await use_code(session, account.id, found[0], code):
        raise Forbidden(INCORRECT)
    await throttle.record_success(session, limit)
    await queries.delete_second_factor(session, account.id)


async def use_code(session: Session, user_id: int, secret: str, code: str) -> bool:
    """Use a one-time code or a recovery code; return whether it was valid. Each works once."""
    code = one_time_codes.normalized(code)
    if one_time_codes.looks_like_totp(code):
        step = one_time_codes.matched_step(secret, code, datetime.now(UTC))
        return step is not None and await queries.use_step(session, user_id, secret, step)
    return await queries.use_recovery_code(session, user_id, security.digest(code))


async def check_own_password(
    session: Session, settings: Settings, user: AuthenticatedUser, password: str
) -> User:
    account = await identity_queries.select_user(session, user[0])
    if account is None:
        raise Unauthenticated(INVALID_TOKEN)
    if not await limits.is_own_password(session, settings, user, password, account.password_hash):
        raise Forbidden(NEEDS_PASSWORD)
    return account


def digests(codes: list[str]) -> list[bytes]:
    return [security.digest(one_time_codes.normalized(code)) for code in codes]
