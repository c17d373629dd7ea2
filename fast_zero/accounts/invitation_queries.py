"""Statements about invitations, of which the newest to each address is kept until it is used."""

from collections.abc import Sequence
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
)
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects.postgresql import insert

from fast_zero.accounts import outbox
from fast_zero.accounts.models import invitations, users
from fast_zero.accounts.queries import COLUMNS, folded
from fast_zero.accounts.schemas import InvitationCreate, UserCreate
from fast_zero.core.database import AnyRow, AnySession
from fast_zero.core.pagination import PageParams, paged

SHOWN = (
    invitations.c.id,
    invitations.c.email,
    invitations.c.language,
    invitations.c.created_at,
    invitations.c.expires_at,
)
VALID = invitations.c.expires_at > func.now()


async def upsert_invitation(
    session: AnySession, new: InvitationCreate, seed: str, digest: bytes, lifetime: timedelta
) -> AnyRow | None:
    """Let an invitation take the place of an older one to the address, and ask for its email.

    None: an account has the address.
    """
    values: dict[str, ColumnElement[Any]] = {
        "email": literal(new.email, Text),
        "language": literal(new.language, Text),
        "digest": literal(digest, LargeBinary),
        "expires_at": func.now() + lifetime,
    }
    taken = exists().where(users.c.email_key == folded(new.email))
    statement = insert(invitations).from_select(
        list(values), select(*values.values()).where(~taken)
    )
    statement = statement.on_conflict_do_update(
        index_elements=[invitations.c.email_key],
        set_={
            **{name: statement.excluded[name] for name in values},
            "created_at": func.now(),
        },
    )
    kept = statement.returning(*SHOWN).cte("kept")
    return (await session.execute(select(*kept.c, outbox.invitation(seed)))).one_or_none()


async def select_reader(session: AnySession, digests: list[bytes]) -> Row[bytes, str, str] | None:
    """Find which digest is that of an invitation that is still good, its address and language."""
    reader = (invitations.c.digest, invitations.c.email, invitations.c.language)
    statement = select(*reader).where(invitations.c.digest.in_(digests), VALID)
    return (await session.execute(statement)).one_or_none()


async def select_invitations(session: AnySession, page: PageParams) -> Sequence[AnyRow]:
    statement = paged(select(*SHOWN).where(VALID), invitations.c.id, page)
    return (await session.execute(statement)).all()


async def delete_invitation(session: AnySession, invitation_id: int) -> bool:
    statement = delete(invitations).where(invitations.c.id == invitation_id, VALID)
    return (await session.execute(statement.returning(invitations.c.id))).first() is not None


async def insert_invited_user(
    session: AnySession, new: UserCreate, digest: bytes, password_hash: str, language: str
) -> AnyRow | None:
    """Use an invitation up for an account, whose address it has proven.

    None: it is not good, or not for this address. Of two at once the second waits for the first.
    """
    used = (
        delete(invitations)
        .where(
            invitations.c.digest == digest,
            invitations.c.email_key == folded(new.email),
            VALID,
        )
        .returning(invitations.c.email)
        .cte("used")
    )
    values: dict[str, ColumnElement[Any]] = {
        "username": literal(new.username, Text),
        "email": used.c.email,
        "password_hash": literal(password_hash, Text),
        "language": literal(language, Text),
        "email_verified_at": func.now(),
    }
    statement = plain_insert(users).from_select(list(values), select(*values.values()))
    return (await session.execute(statement.returning(*COLUMNS))).one_or_none()
