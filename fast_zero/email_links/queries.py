"""Statements about the links in emails and their effects."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    DateTime,
    LargeBinary,
    Row,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from fast_zero.core.database import Session
from fast_zero.email_links.models import MailedLink, Purpose
from fast_zero.identity.models import User
from fast_zero.identity.queries import folded


@dataclass(frozen=True)
class NewLink:
    purpose: Purpose
    digest: bytes
    email: str
    user_id: int | None
    requested_at: datetime
    expires_at: datetime


def valid_link(digest: bytes, purposes: Iterable[Purpose]) -> tuple[ColumnElement[bool], ...]:
    return (
        MailedLink.digest == digest,
        MailedLink.purpose.in_(purposes),
        MailedLink.used_at.is_(None),
        MailedLink.expires_at > func.now(),
    )


def recipient_of(
    purpose: Purpose, email: str, user_id: int | None
) -> tuple[ColumnElement[bool], ...]:
    """Select the user that a link is for, if it still makes sense to send it."""
    match purpose:
        case Purpose.VERIFICATION:
            return User.id == user_id, User.email == email, User.email_verified_at.is_(None)
        case Purpose.ADDRESS:
            return User.id == user_id, User.pending_email == email
        case Purpose.PASSWORD:
            return (User.email_key == folded(email),)


async def upsert_link(session: Session, link: NewLink) -> Row[str, str] | None:
    """Replace an older link; return the recipient's address and language.

    None: there is no recipient, the link was used, or a newer one was requested.
    """
    where = User.pending_email if link.purpose is Purpose.ADDRESS else User.email
    values = {
        "owner_id": User.id,
        "purpose": literal(link.purpose, MailedLink.purpose.type),
        "digest": literal(link.digest, LargeBinary),
        "email": where,
        "requested_at": literal(link.requested_at, DateTime(timezone=True)),
        "expires_at": literal(link.expires_at, DateTime(timezone=True)),
    }
    reader = select(*values.values()).where(*recipient_of(link.purpose, link.email, link.user_id))
    statement = insert(MailedLink).from_select(list(values), reader)
    new = statement.excluded
    # The digest is no criterion: the same seed gives another one after SECRET_KEY was changed.
    again = (MailedLink.requested_at == new.requested_at) & MailedLink.used_at.is_(None)
    statement = statement.on_conflict_do_update(
        index_elements=[MailedLink.owner_id, MailedLink.purpose],
        set_={
            "digest": new.digest,
            "email": new.email,
            "requested_at": new.requested_at,
            "expires_at": new.expires_at,
            "used_at": None,
        },
        where=or_(MailedLink.requested_at < new.requested_at, again),
    )
    upserted = statement.returning(MailedLink.owner_id, MailedLink.email).cte("upserted")
    found = select(upserted.c.email, User.language).join(User, User.id == upserted.c.owner_id)
    return (await session.execute(found)).one_or_none()


async def is_link_valid(session: Session, digest: bytes, purpose: Purpose) -> bool:
    return bool(await session.scalar(select(exists().where(*valid_link(digest, [purpose])))))


async def use_link(
    session: Session, digest: bytes, purposes: Iterable[Purpose]
) -> MailedLink | None:
    statement = update(MailedLink).where(*valid_link(digest, purposes)).values(used_at=func.now())
    return await session.scalar(statement.returning(MailedLink))


async def verify_address(session: Session, user_id: int, email: str) -> bool:
    statement = (
        update(User)
        .where(User.id == user_id, User.email == email)
        .values(email_verified_at=func.now())
    )
    return await session.scalar(statement.returning(User.id)) is not None


async def apply_pending_email(session: Session, user_id: int, email: str) -> Row[str, str] | None:
    """Replace the address with the pending one; return the old address and the language."""
    before = aliased(User)
    statement = (
        update(User)
        .where(User.id == user_id, before.id == User.id, User.pending_email == email)
        .values(email=email, email_verified_at=func.now(), pending_email=None)
        .returning(before.email, User.language)
    )
    return (await session.execute(statement)).one_or_none()


async def reset_password(
    session: Session, user_id: int, email: str, password_hash: str
) -> Row[str, str, bool] | None:
    """Set a new password; return address, language, and whether the address was verified before.

    The reset verifies the address, and deletes a pending one, which may be a thief's. The account
    is locked before it is read, so that later statements see everything that was created before.
    """
    before = (
        select(User.id, User.email_verified_at)
        .where(User.id == user_id, User.email == email)
        .with_for_update(key_share=True)
        .cte("before")
    )
    statement = (
        update(User)
        .where(User.id == before.c.id)
        .values(
            password_hash=password_hash,
            email_verified_at=func.coalesce(User.email_verified_at, func.now()),
            pending_email=None,
        )
        .returning(User.email, User.language, before.c.email_verified_at.is_not(None))
    )
    return (await session.execute(statement)).one_or_none()


async def select_unverified_email(session: Session, user_id: int) -> str | None:
    """Select the address of a user, if it is not verified."""
    unverified = (User.id == user_id, User.email_verified_at.is_(None))
    return await session.scalar(select(User.email).where(*unverified))
