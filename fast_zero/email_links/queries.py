"""Statements about the links in emails, and about what they are for."""

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


def works(digest: bytes, purposes: Iterable[Purpose]) -> tuple[ColumnElement[bool], ...]:
    return (
        MailedLink.digest == digest,
        MailedLink.purpose.in_(purposes),
        MailedLink.used_at.is_(None),
        MailedLink.expires_at > func.now(),
    )


def addressed(purpose: Purpose, email: str, user_id: int | None) -> tuple[ColumnElement[bool], ...]:
    """Find whom a link is for, while it still makes sense to send it."""
    match purpose:
        case Purpose.VERIFICATION:
            return User.id == user_id, User.email == email, User.email_verified_at.is_(None)
        case Purpose.ADDRESS:
            return User.id == user_id, User.pending_email == email
        case Purpose.PASSWORD:
            return (User.email_key == folded(email),)


async def upsert_link(session: Session, link: NewLink) -> Row[str, str] | None:
    """Let a link take the place of an older one; give its reader's address and language.

    None: it is for nobody, was used, or a newer one was asked for.
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
    reader = select(*values.values()).where(*addressed(link.purpose, link.email, link.user_id))
    statement = insert(MailedLink).from_select(list(values), reader)
    new = statement.excluded
    # Not by its digest: another SECRET_KEY makes another one of the same seed.
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
    kept = statement.returning(MailedLink.owner_id, MailedLink.email).cte("kept")
    found = select(kept.c.email, User.language).join(User, User.id == kept.c.owner_id)
    return (await session.execute(found)).one_or_none()


async def link_works(session: Session, digest: bytes, purpose: Purpose) -> bool:
    return bool(await session.scalar(select(exists().where(*works(digest, [purpose])))))


async def use_link(
    session: Session, digest: bytes, purposes: Iterable[Purpose]
) -> MailedLink | None:
    statement = update(MailedLink).where(*works(digest, purposes)).values(used_at=func.now())
    return await session.scalar(statement.returning(MailedLink))


async def verify_address(session: Session, user_id: int, email: str) -> bool:
    statement = (
        update(User)
        .where(User.id == user_id, User.email == email)
        .values(email_verified_at=func.now())
    )
    return await session.scalar(statement.returning(User.id)) is not None


async def move_address(session: Session, user_id: int, email: str) -> Row[str, str] | None:
    """Let the pending address take the place of the current one; give that, and the language."""
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
    """Write a new password; give address, language, and whether the address was verified before.

    It is verified by this. One that is pending may be a thief's, and is forgotten. The account is
    locked before it is read, so that what follows sees all that was made before it.
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


async def select_unverified(session: Session, actor_id: int) -> str | None:
    """Give an address that is not verified yet."""
    unverified = (User.id == actor_id, User.email_verified_at.is_(None))
    return await session.scalar(select(User.email).where(*unverified))
