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
from sqlalchemy.dialects.postgresql import insert

from fast_zero.accounts.models import Invitation, User
from fast_zero.accounts.queries import folded
from fast_zero.accounts.schemas import InvitationCreate, UserCreate
from fast_zero.core.database import Session
from fast_zero.core.pagination import PageParams, paged

VALID = Invitation.expires_at > func.now()


async def upsert_invitation(
    session: Session, new: InvitationCreate, digest: bytes, lifetime: timedelta
) -> Invitation | None:
    """Let an invitation take the place of an older one to the address.

    None: an account has the address.
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


async def select_reader(session: Session, digests: list[bytes]) -> Row[bytes, str, str] | None:
    """Find which digest is that of an invitation that is still good, its address and language."""
    reader = (Invitation.digest, Invitation.email, Invitation.language)
    statement = select(*reader).where(Invitation.digest.in_(digests), VALID)
    return (await session.execute(statement)).one_or_none()


async def select_invitations(session: Session, page: PageParams) -> Sequence[Invitation]:
    return (
        await session.scalars(paged(select(Invitation).where(VALID), Invitation.id, page))
    ).all()


async def delete_invitation(session: Session, invitation_id: int) -> bool:
    statement = delete(Invitation).where(Invitation.id == invitation_id, VALID)
    return (await session.execute(statement.returning(Invitation.id))).first() is not None


async def insert_invited_user(
    session: Session, new: UserCreate, digest: bytes, password_hash: str, language: str
) -> User | None:
    """Use an invitation up for an account, whose address it has proven.

    None: it is not good, or not for this address. Of two at once the second waits for the first.
    """
    its_address = (Invitation.digest == digest, Invitation.email_key == folded(new.email))
    used = delete(Invitation).where(*its_address, VALID).returning(Invitation.email)
    email = await session.scalar(used)
    if email is None:
        return None
    statement = insert(User).values(
        username=new.username,
        email=email,
        password_hash=password_hash,
        language=language,
        email_verified_at=func.now(),
    )
    return (await session.scalars(statement.returning(User))).one()
