"""Statements about the second factor."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, LargeBinary, Row, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from fast_zero.core.database import Session
from fast_zero.two_factor.models import RecoveryCode, SecondFactor

ACTIVE = SecondFactor.confirmed_at.is_not(None)


def owned_by(user_id: int) -> ColumnElement[bool]:
    return SecondFactor.owner_id == user_id


async def enrol(session: Session, user_id: int, secret: str) -> bool:
    """Store a secret to be confirmed, unless a second factor is active."""
    statement = insert(SecondFactor).values(owner_id=user_id, secret=secret)
    statement = statement.on_conflict_do_update(
        index_elements=[SecondFactor.owner_id],
        set_={"secret": secret, "last_step": 0, "created_at": func.now()},
        where=~ACTIVE,
    )
    return await session.scalar(statement.returning(SecondFactor.owner_id)) is not None


async def select_state(session: Session, user_id: int) -> Row[str, datetime | None, int] | None:
    """Select the secret, when it was confirmed, and the number of unused recovery codes."""
    left = select(func.count()).where(RecoveryCode.owner_id == user_id).scalar_subquery()
    factor = SecondFactor.secret, SecondFactor.confirmed_at
    statement = select(*factor, left).where(owned_by(user_id))
    return (await session.execute(statement)).one_or_none()


async def confirm(
    session: Session, user_id: int, secret: str, step: int, digests: Sequence[bytes]
) -> bool:
    """Activate the secret that the code was made with, and store the recovery codes."""
    confirmed = (
        update(SecondFactor)
        .where(owned_by(user_id), ~ACTIVE, SecondFactor.secret == secret)
        .values(confirmed_at=func.now(), last_step=step)
        .returning(SecondFactor.owner_id)
        .cte("confirmed")
    )
    digest = func.unnest(literal(list(digests), ARRAY(LargeBinary)))
    statement = insert(RecoveryCode).from_select(
        ["owner_id", "digest"], select(confirmed.c.owner_id, digest)
    )
    inserted = await session.execute(statement.returning(RecoveryCode.owner_id))
    return inserted.first() is not None


async def use_step(session: Session, user_id: int, secret: str, step: int) -> bool:
    """Use up a time step and all before it; return whether it was unused."""
    statement = (
        update(SecondFactor)
        .where(owned_by(user_id), ACTIVE, SecondFactor.secret == secret)
        .where(SecondFactor.last_step < step)
        .values(last_step=step)
        .returning(SecondFactor.owner_id)
    )
    return await session.scalar(statement) is not None


async def use_recovery_code(session: Session, user_id: int, digest: bytes) -> bool:
    statement = delete(RecoveryCode).where(
        RecoveryCode.owner_id == user_id, RecoveryCode.digest == digest
    )
    used = await session.scalar(statement.returning(RecoveryCode.owner_id))
    return used is not None


async def lock_second_factor(session: Session, user_id: int) -> bool:
    """Lock the active second factor; return whether there is one."""
    statement = select(SecondFactor.owner_id).where(owned_by(user_id), ACTIVE).with_for_update()
    return await session.scalar(statement) is not None


async def replace_recovery_codes(session: Session, user_id: int, digests: Sequence[bytes]) -> None:
    """Delete the unused recovery codes and store new ones.

    The caller has locked the second factor.
    """
    old = delete(RecoveryCode).where(RecoveryCode.owner_id == user_id).cte("old")
    digest = func.unnest(literal(list(digests), ARRAY(LargeBinary)))
    owner = select(SecondFactor.owner_id, digest).where(owned_by(user_id))
    statement = insert(RecoveryCode).from_select(["owner_id", "digest"], owner).add_cte(old)
    await session.execute(statement)


async def delete_second_factor(session: Session, user_id: int) -> bool:
    statement = delete(SecondFactor).where(owned_by(user_id)).returning(SecondFactor.owner_id)
    return await session.scalar(statement) is not None
