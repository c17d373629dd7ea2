"""Statements about users, log-in sessions, personal tokens and the audit."""

from collections.abc import Sequence

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Interval,
    Select,
    Text,
    any_,
    bindparam,
    delete,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from fast_zero.core.database import PreparedRow, Session, prepare
from fast_zero.core.http.etags import Versions, one_of
from fast_zero.core.pagination import PageParams, keyset_page
from fast_zero.identity.models import (
    AuditEvent,
    LoginSession,
    PersonalToken,
    User,
)
from fast_zero.identity.scopes import Scope

ADMINISTRATES = literal_column(f"'{Scope.ADMIN}'", Text) == any_(PersonalToken.scopes)


def owned_by(user_id: BindParameter[int] | int) -> ColumnElement[bool]:
    return LoginSession.owner_id == user_id


def token_owned_by(user_id: int) -> ColumnElement[bool]:
    return PersonalToken.owner_id == user_id


SESSION = prepare(
    select(LoginSession.id).where(
        owned_by(bindparam("user_id")), LoginSession.id == bindparam("session_id")
    )
)


async def is_session_open(session: Session, user_id: int, session_id: int) -> bool:
    values = {"user_id": user_id, "session_id": session_id}
    return await session.fetch_one(SESSION, values) is not None


async def delete_sessions(
    session: Session, user_id: int, *, but: int | None = None
) -> Sequence[int]:
    """End all sessions of a user, or all except one; return their ids."""
    statement = delete(LoginSession).where(owned_by(user_id))
    if but is not None:
        statement = statement.where(LoginSession.id != but)
    return (await session.scalars(statement.returning(LoginSession.id))).all()


async def select_audit(session: Session, user_id: int, page: PageParams) -> Sequence[AuditEvent]:
    statement = select(AuditEvent).where(AuditEvent.owner_id == user_id)
    return (
        await session.scalars(keyset_page(statement, AuditEvent.id, page, newest_first=True))
    ).all()


async def lock_owner(session: Session, owner_id: int, session_id: int) -> str | None:
    """Lock a session and its account; return the user's role, or None if the session has ended.

    Statements that end the session or change the account wait for this transaction, and it for
    them.
    """
    is_open = locked_sessions(owner_id, LoginSession.id == session_id) > 0
    statement = select(User.role).where(User.id == owner_id, is_open)
    return await session.scalar(statement.with_for_update(key_share=True))


def locked_sessions(owner_id: int, *conditions: ColumnElement[bool]) -> ColumnElement[int]:
    """Lock sessions of an account, and count them.

    A log-out locks its session first and the account second. A statement with this number in a
    condition locks in the same order, so that no deadlock is possible.
    """
    mine = select(LoginSession.id).where(owned_by(owner_id), *conditions)
    locked = mine.order_by(LoginSession.id).with_for_update().cte("locked")
    return select(func.count()).select_from(locked).scalar_subquery()


async def insert_personal_token(
    session: Session, owner_id: int, values: dict[str, object], limit: int | None
) -> PersonalToken | None:
    """Insert a token unless its owner has `limit` of them. The caller has locked the owner."""
    columns = PersonalToken.__table__.c
    given = {name: literal(value, columns[name].type) for name, value in values.items()}
    owned = select(func.count()).select_from(PersonalToken).where(token_owned_by(owner_id))
    source = select(literal(owner_id, BigInteger), *given.values())
    if limit is not None:
        source = source.where(owned.scalar_subquery() < limit)
    statement = insert(PersonalToken).from_select(["owner_id", *given], source)
    return await session.scalar(statement.returning(PersonalToken))


def using_personal_token() -> Select[int, int, list[str]]:
    found = (
        select(PersonalToken.id, PersonalToken.owner_id, PersonalToken.scopes)
        .join(User, User.id == PersonalToken.owner_id)
        .where(
            PersonalToken.digest == bindparam("token_digest"),
            PersonalToken.expires_at > func.now(),
            User.disabled_at.is_(None),
            or_(User.role == literal_column("'admin'"), ~ADMINISTRATES),
        )
        .cte("found")
    )
    a_minute_ago = func.now() - literal_column("interval '1 minute'", Interval)
    touched = (
        update(PersonalToken)
        .where(
            PersonalToken.id == found.c.id,
            or_(
                PersonalToken.last_used_at.is_(None),
                PersonalToken.last_used_at < a_minute_ago,
            ),
        )
        .values(last_used_at=func.now())
        .cte("touched")
    )
    scopes = func.to_jsonb(found.c.scopes, type_=JSONB).label("scopes")
    return select(found.c.id, found.c.owner_id, scopes).add_cte(touched)


USE_PERSONAL_TOKEN = prepare(using_personal_token())


async def use_personal_token(session: Session, digest: bytes) -> PreparedRow | None:
    """Select id, owner and scopes of a token; update its `last_used_at`, at most once a minute."""
    return await session.fetch_one(USE_PERSONAL_TOKEN, {"token_digest": digest})


async def delete_administrators_tokens(session: Session, owner_id: int) -> None:
    """Revoke the personal tokens with the scope `admin` of a user who lost the role."""
    await session.execute(delete(PersonalToken).where(token_owned_by(owner_id), ADMINISTRATES))


async def delete_administrators_sessions(session: Session, owner_id: int) -> Sequence[int]:
    """End the sessions with the scope `admin` of a user who lost the role; return their ids."""
    administrates = literal(Scope.ADMIN.value, Text) == any_(LoginSession.scopes)
    statement = delete(LoginSession).where(owned_by(owner_id), administrates)
    return (await session.scalars(statement.returning(LoginSession.id))).all()


async def delete_personal_tokens(session: Session, owner_id: int) -> None:
    await session.execute(delete(PersonalToken).where(token_owned_by(owner_id)))


async def select_personal_token(
    session: Session, user_id: int, token_id: int
) -> PersonalToken | None:
    mine = (token_owned_by(user_id), PersonalToken.id == token_id)
    return await session.scalar(select(PersonalToken).where(*mine))


async def select_personal_tokens(
    session: Session, user_id: int, page: PageParams
) -> Sequence[PersonalToken]:
    statement = select(PersonalToken).where(token_owned_by(user_id))
    return (await session.scalars(keyset_page(statement, PersonalToken.id, page))).all()


async def delete_personal_token(
    session: Session, user_id: int, token_id: int, accepted: Versions
) -> bool:
    statement = delete(PersonalToken).where(
        token_owned_by(user_id),
        PersonalToken.id == token_id,
        one_of(PersonalToken.version, accepted),
    )
    return await session.scalar(statement.returning(PersonalToken.id)) is not None


REFRESH = {"populate_existing": True}


def folded(text: str | BindParameter[str]) -> ColumnElement[str]:
    """Fold a text in the database as the key columns are folded, so that both always agree."""
    form: ColumnElement[str] = literal_column("NFKC")
    return func.normalize(func.lower(func.upper(func.normalize(text, form))), form)


async def select_user(session: Session, user_id: int) -> User | None:
    """Select a user with current values, even if the session has loaded the row before."""
    statement = select(User).where(User.id == user_id)
    return await session.scalar(statement, execution_options=REFRESH)


async def find_user(session: Session, named: str) -> User | None:
    """Find a user by id (if it is a number), email address or username."""
    if named.isascii() and named.isdigit():
        return await select_user(session, int(named))
    key = folded(named)
    statement = (
        select(User)
        .where(or_(User.email_key == key, User.username_key == key))
        .order_by((User.email_key == key).desc())
        .limit(1)
    )
    return await session.scalar(statement)
