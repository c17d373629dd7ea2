"""Statements about sessions and personal tokens: what lets somebody in."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    ColumnElement,
    LargeBinary,
    Row,
    Select,
    Text,
    any_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from fast_zero.accounts.models import (
    Role,
    audit_events,
    login_sessions,
    personal_tokens,
    spent_refresh_tokens,
    users,
)
from fast_zero.accounts.scopes import Scope
from fast_zero.core.database import AnyRow, AnySession, Transaction
from fast_zero.core.etags import Versions, one_of
from fast_zero.core.pagination import PageParams, paged

ADMINISTRATES = literal(Scope.ADMIN.value, Text) == any_(personal_tokens.c.scopes)


def owned_by(actor_id: BindParameter[int] | int) -> ColumnElement[bool]:
    return login_sessions.c.owner_id == actor_id


def token_owned_by(actor_id: int) -> ColumnElement[bool]:
    return personal_tokens.c.owner_id == actor_id


def days_from_now(days: int) -> ColumnElement[datetime]:
    return func.now() + func.make_interval(0, 0, 0, days)


async def insert_session(
    session: AnySession,
    owner_id: int,
    password_hash: str,
    role: str,
    *,
    refresh_digest: bytes,
    scopes: Iterable[str],
    days: int,
    user_agent: str,
    address: str,
) -> int | None:
    """Open a session, unless the password hash is no longer the one that was verified.

    Nor where the account is disabled or has lost its role. The lock makes this wait for such a
    change, and the change for this: no session slips in beside one.
    """
    values = {
        "owner_id": users.c.id,
        "refresh_digest": literal(refresh_digest, LargeBinary),
        "scopes": literal(sorted(scopes), ARRAY(Text)),
        "user_agent": literal(user_agent, Text),
        "address": literal(address, Text),
        "expires_at": days_from_now(days),
    }
    unchanged = (
        users.c.id == owner_id,
        users.c.password_hash == password_hash,
        users.c.role == role,
        users.c.disabled_at.is_(None),
    )
    its_user = select(*values.values()).where(*unchanged).with_for_update(read=True)
    statement = insert(login_sessions).from_select(list(values), its_user)
    return (await session.execute(statement.returning(login_sessions.c.id))).scalar()


async def rotate_session(
    session: AnySession, old: bytes, new: bytes, days: int
) -> Row[int, int, list[str]] | None:
    """Exchange a refresh token for its successor and note it as spent, in one statement."""
    rotated = (
        update(login_sessions)
        .where(login_sessions.c.refresh_digest == old, login_sessions.c.expires_at > func.now())
        .values(refresh_digest=new, last_used_at=func.now(), expires_at=days_from_now(days))
        .returning(login_sessions.c.id, login_sessions.c.owner_id, login_sessions.c.scopes)
        .cte("rotated")
    )
    spent = (
        insert(spent_refresh_tokens)
        .from_select(
            ["digest", "session_id", "expires_at"],
            select(literal(old, LargeBinary), rotated.c.id, days_from_now(days)),
        )
        .cte("spent")
    )
    statement = select(rotated.c.id, rotated.c.owner_id, rotated.c.scopes).add_cte(spent)
    return (await session.execute(statement)).one_or_none()


async def end_session_of_spent(session: AnySession, spent: bytes) -> int | None:
    """End the session whose spent refresh token came back; give its id (RFC 9700, 4.14.2)."""
    its_session = select(spent_refresh_tokens.c.session_id).where(
        spent_refresh_tokens.c.digest == spent
    )
    statement = delete(login_sessions).where(login_sessions.c.id.in_(its_session))
    return (await session.execute(statement.returning(login_sessions.c.id))).scalar()


async def touch_session(session: AnySession, actor_id: int, session_id: int) -> bool:
    """Note that a session is used; tell whether it still lives."""
    lives = login_sessions.c.expires_at > func.now()
    statement = (
        update(login_sessions)
        .where(owned_by(actor_id), login_sessions.c.id == session_id, lives)
        .values(last_used_at=func.now())
        .returning(login_sessions.c.id)
    )
    return (await session.execute(statement)).scalar() is not None


LIVES = select(
    exists().where(owned_by(bindparam("actor_id")), login_sessions.c.id == bindparam("session_id"))
)


async def session_lives(session: AnySession, actor_id: int, session_id: int) -> bool:
    values = {"actor_id": actor_id, "session_id": session_id}
    return bool((await session.execute(LIVES, values)).scalar())


async def select_sessions(session: AnySession, actor_id: int, page: PageParams) -> Sequence[AnyRow]:
    mine = (owned_by(actor_id), login_sessions.c.expires_at > func.now())
    statement = select(*login_sessions.c).where(*mine)
    return (await session.execute(paged(statement, login_sessions.c.id, page))).all()


async def delete_session(session: AnySession, actor_id: int, session_id: int) -> bool:
    statement = delete(login_sessions).where(owned_by(actor_id), login_sessions.c.id == session_id)
    return (await session.execute(statement.returning(login_sessions.c.id))).scalar() is not None


async def delete_sessions(
    session: AnySession, actor_id: int, *, but: int | None = None
) -> Sequence[int]:
    """End all sessions of a user, or all but one; give their ids."""
    statement = delete(login_sessions).where(owned_by(actor_id))
    if but is not None:
        statement = statement.where(login_sessions.c.id != but)
    return (await session.execute(statement.returning(login_sessions.c.id))).scalars().all()


async def select_audit(session: AnySession, actor_id: int, page: PageParams) -> Sequence[AnyRow]:
    mine = audit_events.c.owner_id == actor_id
    statement = select(*audit_events.c).where(mine)
    return (
        await session.execute(paged(statement, audit_events.c.id, page, newest_first=True))
    ).all()


async def note_refused_log_in(
    session: AnySession, user_id: int | None, *, wrong: str, address: str, user_agent: str
) -> None:
    """Note what was wrong, if it is an account: the statement is the same for nobody's."""
    details = {"wrong": wrong, "address": address, "user_agent": user_agent}
    its_owner = select(users.c.id, literal("log-in refused", Text), literal(details, JSONB))
    statement = insert(audit_events).from_select(
        ["owner_id", "action", "details"],
        its_owner.where(users.c.id == literal(user_id, BigInteger)),
    )
    await session.execute(statement)


async def lock_owner(session: Transaction, owner_id: int, session_id: int) -> str | None:
    """Lock an account and one of its sessions; give the role, or None if the session has ended.

    What ends the session or changes the account waits for the transaction, and this for them.
    """
    statement = (
        select(users.c.role)
        .join(login_sessions, login_sessions.c.owner_id == users.c.id)
        .where(users.c.id == owner_id, login_sessions.c.id == session_id)
        .with_for_update(key_share=True)
    )
    return (await session.execute(statement)).scalar()


async def insert_personal_token(
    session: Transaction, owner_id: int, values: dict[str, object], limit: int | None
) -> AnyRow | None:
    """Insert a token unless its owner has `limit` of them. The caller has locked the owner."""
    columns = personal_tokens.c
    given = {name: literal(value, columns[name].type) for name, value in values.items()}
    kept = select(func.count()).select_from(personal_tokens).where(token_owned_by(owner_id))
    source = select(literal(owner_id, BigInteger), *given.values())
    if limit is not None:
        source = source.where(kept.scalar_subquery() < limit)
    statement = insert(personal_tokens).from_select(["owner_id", *given], source)
    return (await session.execute(statement.returning(*columns))).one_or_none()


@cache
def using_personal_token() -> Select[int, int, list[str]]:
    found = (
        select(personal_tokens.c.id, personal_tokens.c.owner_id, personal_tokens.c.scopes)
        .join(users, users.c.id == personal_tokens.c.owner_id)
        .where(
            personal_tokens.c.digest == bindparam("token_digest"),
            personal_tokens.c.expires_at > func.now(),
            users.c.disabled_at.is_(None),
            or_(users.c.role == Role.ADMIN.value, ~ADMINISTRATES),
        )
        .cte("found")
    )
    a_minute_ago = func.now() - func.make_interval(0, 0, 0, 0, 0, 1)
    touched = (
        update(personal_tokens)
        .where(
            personal_tokens.c.id == found.c.id,
            or_(
                personal_tokens.c.last_used_at.is_(None),
                personal_tokens.c.last_used_at < a_minute_ago,
            ),
        )
        .values(last_used_at=func.now())
        .cte("touched")
    )
    return select(found.c.id, found.c.owner_id, found.c.scopes).add_cte(touched)


async def use_personal_token(session: AnySession, digest: bytes) -> Row[int, int, list[str]] | None:
    """Find whose token it is and what it may do; note its use, at most once a minute."""
    return (await session.execute(using_personal_token(), {"token_digest": digest})).one_or_none()


async def delete_administrators_tokens(session: AnySession, owner_id: int) -> None:
    """Revoke the personal tokens of somebody who may administrate no more."""
    await session.execute(delete(personal_tokens).where(token_owned_by(owner_id), ADMINISTRATES))


async def delete_administrators_sessions(session: AnySession, owner_id: int) -> Sequence[int]:
    """End the sessions of somebody who may administrate no more; give their ids."""
    administrates = literal(Scope.ADMIN.value, Text) == any_(login_sessions.c.scopes)
    statement = delete(login_sessions).where(owned_by(owner_id), administrates)
    return (await session.execute(statement.returning(login_sessions.c.id))).scalars().all()


async def delete_personal_tokens(session: AnySession, owner_id: int) -> None:
    await session.execute(delete(personal_tokens).where(token_owned_by(owner_id)))


async def select_personal_token(session: AnySession, actor_id: int, token_id: int) -> AnyRow | None:
    statement = select(*personal_tokens.c).where(
        token_owned_by(actor_id), personal_tokens.c.id == token_id
    )
    return (await session.execute(statement)).one_or_none()


async def select_personal_tokens(
    session: AnySession, actor_id: int, page: PageParams
) -> Sequence[AnyRow]:
    statement = select(*personal_tokens.c).where(token_owned_by(actor_id))
    return (await session.execute(paged(statement, personal_tokens.c.id, page))).all()


async def delete_personal_token(
    session: AnySession, actor_id: int, token_id: int, accepted: Versions
) -> bool:
    statement = delete(personal_tokens).where(
        token_owned_by(actor_id),
        personal_tokens.c.id == token_id,
        one_of(personal_tokens.c.version, accepted),
    )
    return (await session.execute(statement.returning(personal_tokens.c.id))).scalar() is not None
