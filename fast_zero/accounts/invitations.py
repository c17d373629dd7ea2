"""Who may register: everyone, invited people, or nobody."""

from datetime import timedelta
from typing import Any

from fast_zero.accounts import queries
from fast_zero.accounts.models import Invitation
from fast_zero.accounts.schemas import InvitationCreate, UserCreate
from fast_zero.core import jobs, security
from fast_zero.core.database import Session
from fast_zero.core.errors import Conflict, Forbidden, Reason
from fast_zero.core.settings import Settings
from fast_zero.email_links import outbox
from fast_zero.identity.models import EMAIL_TAKEN, User

LIFETIME = timedelta(days=7)
CLOSED = Reason("registration_closed", "Registration is closed.")
NEEDED = Reason("invitation_required", "Registration needs an invitation.")
NOT_VALID = Reason(
    "invitation_not_valid",
    "This invitation was used, has expired, was revoked or followed by a newer one, "
    "or is for another email address.",
)
MISSING = Reason("invitation_not_found", "Invitation not found")


async def invite(session: Session, settings: Settings, new: InvitationCreate) -> Invitation:
    """Invite the owner of an email address. An older invitation to it becomes invalid."""
    if settings.registration == "closed":
        raise Forbidden(CLOSED)
    seed = security.new_secret()
    digest = security.digest(security.derived_token(settings, seed))
    made = await queries.upsert_invitation(session, new, digest, LIFETIME)
    if made is None:
        raise Conflict(EMAIL_TAKEN)
    await jobs.defer(session, outbox.invitation(seed))
    return made


def check_registration(settings: Settings, new: UserCreate) -> None:
    """Refuse a registration that the settings do not allow, before any expensive work."""
    if settings.registration == "closed":
        raise Forbidden(CLOSED)
    if settings.registration == "invite" and "invitation" not in new.model_fields_set:
        raise Forbidden(NEEDED)


async def accept(session: Session, token: str, values: dict[str, Any]) -> User:
    """Create the account of an invitation."""
    user = await queries.insert_invited_user(session, security.digest(token), values)
    if user is None:
        raise Forbidden(NOT_VALID)
    return user
