"""Statements about the links in letters, and about what they are for."""

from collections.abc import Iterable
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

from fast_zero.accounts import outbox
from fast_zero.accounts.models import Purpose, mailed_links, users
from fast_zero.accounts.queries import folded
from fast_zero.core.database import AnyRow, AnySession, Transaction


def works(digest: bytes, purposes: Iterable[Purpose]) -> tuple[ColumnElement[bool], ...]:
    return (
        mailed_links.c.digest == digest,
        mailed_links.c.purpose.in_(purposes),
        mailed_links.c.used_at.is_(None),
        mailed_links.c.expires_at > func.now(),
    )


def addressed(purpose: Purpose, email: str, user_id: int | None) -> tuple[ColumnElement[bool], ...]:
    """Find whom a link is for, while it still makes sense to send it."""
    match purpose:
        case Purpose.VERIFICATION:
            return (
                users.c.id == user_id,
                users.c.email == email,
                users.c.email_verified_at.is_(None),
            )
        case Purpose.ADDRESS:
            return users.c.id == user_id, users.c.pending_email == email
        case Purpose.PASSWORD:
            return (users.c.email_key == folded(email),)


async def upsert_link(
    session: AnySession,
    purpose: Purpose,
    digest: bytes,
    *,
    email: str,
    user_id: int | None,
    requested_at: datetime,
    expires_at: datetime,
) -> Row[str, str] | None:
    """Let a link take the place of an older one; give its reader's address and language.

    None: it is for nobody, was used, or a newer one was asked for.
    """
    where = users.c.pending_email if purpose is Purpose.ADDRESS else users.c.email
    values = {
        "owner_id": users.c.id,
        "purpose": literal(purpose, mailed_links.c.purpose.type),
        "digest": literal(digest, LargeBinary),
        "email": where,
        "requested_at": literal(requested_at, DateTime(timezone=True)),
        "expires_at": literal(expires_at, DateTime(timezone=True)),
    }
    reader = select(*values.values()).where(*addressed(purpose, email, user_id))
    statement = insert(mailed_links).from_select(list(values), reader)
    new = statement.excluded
    # Not by its digest: another SECRET_KEY makes another one of the same seed.
    again = (mailed_links.c.requested_at == new.requested_at) & mailed_links.c.used_at.is_(None)
    statement = statement.on_conflict_do_update(
        index_elements=[mailed_links.c.owner_id, mailed_links.c.purpose],
        set_={
            "digest": new.digest,
            "email": new.email,
            "requested_at": new.requested_at,
            "expires_at": new.expires_at,
            "used_at": None,
        },
        where=or_(mailed_links.c.requested_at < new.requested_at, again),
    )
    kept = statement.returning(mailed_links.c.owner_id, mailed_links.c.email).cte("kept")
    found = select(kept.c.email, users.c.language).join(users, users.c.id == kept.c.owner_id)
    return (await session.execute(found)).one_or_none()


async def link_works(session: AnySession, digest: bytes, purpose: Purpose) -> bool:
    return bool((await session.execute(select(exists().where(*works(digest, [purpose]))))).scalar())


async def use_link(
    session: AnySession, digest: bytes, purposes: Iterable[Purpose]
) -> AnyRow | None:
    statement = update(mailed_links).where(*works(digest, purposes)).values(used_at=func.now())
    return (await session.execute(statement.returning(*mailed_links.c))).one_or_none()


async def verify_address(session: AnySession, user_id: int, email: str) -> bool:
    statement = (
        update(users)
        .where(users.c.id == user_id, users.c.email == email)
        .values(email_verified_at=func.now())
    )
    return (await session.execute(statement.returning(users.c.id))).scalar() is not None


async def move_address(session: AnySession, user_id: int, email: str) -> Row[str, str] | None:
    """Let the pending address take the place of the current one; give that, and the language."""
    before = users.alias("before").c
    statement = (
        update(users)
        .where(users.c.id == user_id, before.id == users.c.id, users.c.pending_email == email)
        .values(email=email, email_verified_at=func.now(), pending_email=None)
        .returning(before.email, users.c.language)
    )
    return (await session.execute(statement)).one_or_none()


async def reset_password(
    session: Transaction, user_id: int, email: str, password_hash: str
) -> Row[str, str, bool] | None:
    """Write a new password; give address, language, and whether the address was verified before.

    It is verified by this. One that is pending may be a thief's, and is forgotten. The account is
    locked before it is read, so that what follows sees all that was made before it.
    """
    before = (
        select(users.c.id, users.c.email_verified_at)
        .where(users.c.id == user_id, users.c.email == email)
        .with_for_update(key_share=True)
        .cte("before")
    )
    statement = (
        update(users)
        .where(users.c.id == before.c.id)
        .values(
            password_hash=password_hash,
            email_verified_at=func.coalesce(users.c.email_verified_at, func.now()),
            pending_email=None,
        )
        .returning(users.c.email, users.c.language, before.c.email_verified_at.is_not(None))
    )
    return (await session.execute(statement)).one_or_none()


async def ask_for_verification(session: AnySession, actor_id: int) -> bool:
    """Ask for another link to an address that is not verified yet."""
    letter = outbox.link(Purpose.VERIFICATION, users.c.email, users.c.id)
    unverified = (users.c.id == actor_id, users.c.email_verified_at.is_(None))
    return (
        await session.execute(select(users.c.id, letter).where(*unverified))
    ).first() is not None
