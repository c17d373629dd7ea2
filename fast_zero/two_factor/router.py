from http import HTTPStatus

from fastapi import APIRouter

from fast_zero.core.errors import Conflict, Forbidden, NotFound, TooManyRequests
from fast_zero.core.http.dependencies import NO_STORE, CurrentSession, CurrentSettings
from fast_zero.core.http.middleware.rate_limit import EXHAUSTED
from fast_zero.core.http.problems import responses
from fast_zero.core.security import throttle
from fast_zero.core.security.password_queue import TOO_MANY_PASSWORDS
from fast_zero.identity.dependencies import (
    NEEDS_TOKEN,
    NO_PERSONAL_TOKENS,
    NO_SCOPE,
    AccountReader,
    AccountWriter,
    session_of,
)
from fast_zero.two_factor import queries, service
from fast_zero.two_factor.schemas import (
    CodeGiven,
    OtpEnrolled,
    OtpState,
    PasswordGiven,
    RecoveryCodes,
)

NEEDS_PASSWORD = responses(
    NO_SCOPE,
    NO_PERSONAL_TOKENS,
    Forbidden(service.NEEDS_PASSWORD),
    TooManyRequests(throttle.TOO_MANY_FAILURES),
    TOO_MANY_PASSWORDS,
    EXHAUSTED,
)
MISSING = responses(NotFound(service.NO_SECOND_FACTOR))
ALREADY_ACTIVE = responses(Conflict(service.ACTIVE))

router = APIRouter(prefix="/auth/otp", tags=["auth"], responses=NEEDS_TOKEN)


@router.get("")
async def read_otp(user: AccountReader, session: CurrentSession) -> OtpState:
    """Show the state of your second factor. It includes the number of unused recovery codes."""
    return OtpState.of(await queries.select_state(session, user.id))


@router.post("", responses=NEEDS_PASSWORD | ALREADY_ACTIVE, dependencies=[NO_STORE])
async def enrol_otp(
    given: PasswordGiven, user: AccountWriter, session: CurrentSession, settings: CurrentSettings
) -> OtpEnrolled:
    """Create a secret for your authenticator. Log-ins need a code once you have confirmed it."""
    who = (user.id, session_of(user))
    secret, uri = await service.enrol(session, settings, who, given.current_password)
    return OtpEnrolled(secret=secret, uri=uri)


@router.post(
    "/confirm",
    responses=responses(
        NO_SCOPE,
        NO_PERSONAL_TOKENS,
        Forbidden(service.INCORRECT),
        TooManyRequests(throttle.TOO_MANY_FAILURES),
        EXHAUSTED,
    )
    | MISSING
    | ALREADY_ACTIVE,
    dependencies=[NO_STORE],
)
async def confirm_otp(
    given: CodeGiven, user: AccountWriter, session: CurrentSession, settings: CurrentSettings
) -> RecoveryCodes:
    """Activate your second factor with a code. The recovery codes are shown only once."""
    who = (user.id, session_of(user))
    codes = await service.confirm(session, settings, who, given.code)
    return RecoveryCodes(recovery_codes=codes)


@router.post("/recovery_codes", responses=NEEDS_PASSWORD | MISSING, dependencies=[NO_STORE])
async def replace_recovery_codes(
    given: PasswordGiven, user: AccountWriter, session: CurrentSession, settings: CurrentSettings
) -> RecoveryCodes:
    """Replace your recovery codes. The old ones stop working; the new ones are shown once."""
    who = (user.id, session_of(user))
    codes = await service.replace_recovery_codes(session, settings, who, given.current_password)
    return RecoveryCodes(recovery_codes=codes)


# POST, since proxies and clients may drop the body of a DELETE (RFC 9110, section 9.3.5).
@router.post("/disable", status_code=HTTPStatus.NO_CONTENT, responses=NEEDS_PASSWORD | MISSING)
async def disable_otp(
    given: PasswordGiven, user: AccountWriter, session: CurrentSession, settings: CurrentSettings
) -> None:
    """Disable your second factor. Its secret and recovery codes are deleted."""
    who = (user.id, session_of(user))
    await service.disable(session, settings, who, given.current_password)
