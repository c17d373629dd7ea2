"""Statements that create, change and delete users, and those about invitations."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    Row,
    Text,
    delete,
    exists,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import array, insert
from sqlalchemy.orm import aliased

from fast_zero.accounts.models import Invitation
from fast_zero.accounts.schemas import InvitationCreate
from fast_zero.core import jobs
from fast_zero.core.database import Session
from fast_zero.core.http.etags import Versions, one_of
from fast_zero.core.jobs import Deferral
from fast_zero.core.pagination import PageParams, keyset_page
from fast_zero.email_links import outbox
from fast_zero.email_links.models import MailedLink, Purpose
from fast_zero.identity.models import User
from fast_zero.identity.queries import REFRESH, folded, locked_sessions


def editable_by(user_id: int) -> ColumnElement[bool]:
    return User.id == user_id


async def insert_user(session: Session, values: dict[str, Any]) -> User:
    """Create an account, and defer the email that verifies its address."""
    user = (await session.scalars(insert(User).values(values).returning(User))).one()
    await jobs.defer(session, outbox.link(Purpose.VERIFICATION, user.email, user.id))
    return user


async def select_users(session: Session, page: PageParams) -> Sequence[User]:
    return (await session.scalars(keyset_page(select(User), User.id, page))).all()


async def address_is_taken(session: Session, user_id: int, email: str) -> bool:
    taken = exists().where(User.email_key == folded(email), User.id != user_id)
    return bool(await session.scalar(select(taken)))


@dataclass
class AccountChange:
    """The new values of an account, and the conditions of the update.

    `password_hash` and `email` are those that were read: if they have changed, nothing is updated.
    """

    values: dict[str, Any]
    password_hash: str | None = None
    email: str | None = None
    ends_sessions: bool = False
    emails: list[Deferral] = field(default_factory=list)
    """Notices and links to defer with the change."""


async def update_user(
    session: Session, user_id: int, change: AccountChange, accepted: Versions = None
) -> User | None:
    """Update an account, and defer the notices of the change.

    If all sessions end, a link to reset the password becomes invalid, too.
    """
    conditions = [editable_by(user_id), one_of(User.version, accepted)]
    if change.ends_sessions:
        conditions.append(locked_sessions(user_id) >= 0)
    if change.password_hash is not None:
        conditions.append(User.password_hash == change.password_hash)
    if change.email is not None:
        conditions.append(User.email == change.email)
    statement = update(User).where(*conditions).values(change.values)
    changed = statement.returning(*User.__table__.c).cte("changed")
    written = select(aliased(User, changed))
    if change.ends_sessions:
        link = MailedLink.owner_id.in_(select(changed.c.id))
        voided = update(MailedLink).where(link, MailedLink.purpose == Purpose.PASSWORD)
        written = written.add_cte(voided.values(used_at=func.now()).cte("voided"))
    user: User | None = await session.scalar(written, execution_options=REFRESH)
    if user:
        await jobs.defer(session, *change.emails)
    return user


async def delete_user(session: Session, user_id: int, accepted: Versions = None) -> bool:
    """Delete an account, everything that it owns, and its pending emails."""
    its_sessions = locked_sessions(user_id) >= 0
    conditions = (editable_by(user_id), one_of(User.version, accepted), its_sessions)
    gone = delete(User).where(*conditions).returning(*User.__table__.c).cte("gone")
    addresses = select(func.unnest(array([gone.c.email, gone.c.pending_email])))
    unsent = jobs.delete_jobs_with("email", addresses).cte("unsent")
    statement = select(gone.c.id).add_cte(unsent)
    return (await session.execute(statement)).first() is not None


VALID = Invitation.expires_at > func.now()


async def upsert_invitation(
    session: Session, new: InvitationCreate, digest: bytes, lifetime: timedelta
) -> Invitation | None:
    """Replace an older invitation to the address.

    None: the address has an account.
    """
    values: dict[str, ColumnElement[Any]] = {
        "email": literal(new.email, Text),
        "language": literal(new.language, Text),
        "digest": literal(digest, LargeBinary),
        "expires_at": func.now() + lifetime,
    }
    taken = exists().where(User.email_key == folded(new.email))
    statement = insert(Invitation).from_select(list(values), select(*values.values()).where(~taken))
    statement = statement.on_conflict_do_update(
        index_elements=[Invitation.email_key],
        set_={
            **{name: statement.excluded[name] for name in values},
            "created_at": func.now(),
        },
    )
    return await session.scalar(statement.returning(Invitation))


async def select_invited(session: Session, digests: list[bytes]) -> Row[bytes, str, str] | None:
    """Select the digest, address and language of the valid invitation among these digests."""
    reader = (Invitation.digest, Invitation.email, Invitation.language)
    statement = select(*reader).where(Invitation.digest.in_(digests), VALID)
    return (await session.execute(statement)).one_or_none()


async def select_invitations(session: Session, page: PageParams) -> Sequence[Invitation]:
    return (
        await session.scalars(keyset_page(select(Invitation).where(VALID), Invitation.id, page))
    ).all()


async def delete_invitation(session: Session, invitation_id: int) -> bool:
    statement = delete(Invitation).where(Invitation.id == invitation_id, VALID)
    return (await session.execute(statement.returning(Invitation.id))).first() is not None


async def insert_invited_user(
    session: Session, digest: bytes, values: dict[str, Any]
) -> User | None:
    """Use up an invitation, and create the account with its verified address.

    None: the invitation is not valid, or is for another address. If two requests arrive at once,
    the second waits for the first.
    """
    its_address = (Invitation.digest == digest, Invitation.email_key == folded(values["email"]))
    used = delete(Invitation).where(*its_address, VALID).returning(Invitation.email)
    email = await session.scalar(used)
    if email is None:
        return None
    verified = {"email": email, "email_verified_at": func.now()}
    statement = insert(User).values(values | verified)
    return (await session.scalars(statement.returning(User))).one()
