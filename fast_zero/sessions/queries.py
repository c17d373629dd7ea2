from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Integer,
    Interval,
    LargeBinary,
    Row,
    Select,
    Text,
    and_,
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

from fast_zero.core.database import AnyRow, PreparedRow, Session, prepare
from fast_zero.core.pagination import PageParams, keyset_page
from fast_zero.identity.models import (
    AuditEvent,
    LoginSession,
    SpentRefreshToken,
    User,
)
from fast_zero.identity.queries import folded, owned_by
from fast_zero.two_factor.models import SecondFactor

FoundCredentials = Row[str, int | None, str | None, str | None, str | None, datetime | None]


async def select_credentials(session: Session, login: str) -> FoundCredentials:
    """Find the account of an email address or username; an email address takes precedence.

    Returns the folded input, the user's id and password hash, the secret of a second factor, the
    role, and when the account was disabled.
    """
    key = folded(login)
    typed = select(key.label("key")).subquery("typed")
    statement = (
        select(
            typed.c.key,
            User.id,
            User.password_hash,
            SecondFactor.secret,
            User.role,
            User.disabled_at,
        )
        .join_from(typed, User, or_(User.email_key == key, User.username_key == key), isouter=True)
        .outerjoin(
            SecondFactor,
            and_(SecondFactor.owner_id == User.id, SecondFactor.confirmed_at.is_not(None)),
        )
        .order_by((User.email_key == key).desc())
        .limit(1)
    )
    return (await session.execute(statement)).one()


async def upgrade_password_hash(
    session: Session, user_id: int, old_hash: str, new_hash: str
) -> None:
    """Replace a hash with another one of the same password, unless the password was changed."""
    users = User.__table__
    unchanged = (users.c.id == user_id, users.c.password_hash == old_hash)
    values = {"password_hash": new_hash, "updated_at": users.c.updated_at}  # not a visible change
    await session.execute(update(users).where(*unchanged).values(values))


def days_from_now(days: int) -> ColumnElement[datetime]:
    return func.now() + func.make_interval(0, 0, 0, days)


@dataclass(frozen=True)
class NewSession:
    """A session to open: with a refresh token, or with the cookie of the page."""

    owner_id: int
    scopes: frozenset[str]
    days: int
    user_agent: str
    address: str
    refresh_digest: bytes | None = None
    cookie_digest: bytes | None = None


async def insert_session(
    session: Session, new: NewSession, password_hash: str, role: str
) -> int | None:
    """Open a session, unless the password hash is no longer the one that was verified.

    It is not opened either if the account is disabled or has lost its role. The lock makes this
    wait for such a change, and the change for this, so that no session survives one.
    """
    values = {
        "owner_id": User.id,
        "refresh_digest": literal(new.refresh_digest, LargeBinary),
        "cookie_digest": literal(new.cookie_digest, LargeBinary),
        "scopes": literal(sorted(new.scopes), ARRAY(Text)),
        "user_agent": literal(new.user_agent, Text),
        "address": literal(new.address, Text),
        "expires_at": days_from_now(new.days),
    }
    unchanged = (
        User.id == new.owner_id,
        User.password_hash == password_hash,
        User.role == role,
        User.disabled_at.is_(None),
    )
    its_user = select(*values.values()).where(*unchanged).with_for_update(read=True)
    statement = insert(LoginSession).from_select(list(values), its_user)
    return await session.scalar(statement.returning(LoginSession.id))


async def rotate_session(session: Session, old: bytes, new: bytes, days: int) -> AnyRow | None:
    """Replace a refresh token with its successor and store it as spent, in one statement."""
    rotated = (
        update(LoginSession)
        .where(LoginSession.refresh_digest == old, LoginSession.expires_at > func.now())
        .values(refresh_digest=new, last_used_at=func.now(), expires_at=days_from_now(days))
        .returning(LoginSession.id, LoginSession.owner_id, LoginSession.scopes)
        .cte("rotated")
    )
    spent = (
        insert(SpentRefreshToken)
        .from_select(
            ["digest", "session_id", "expires_at"],
            select(literal(old, LargeBinary), rotated.c.id, days_from_now(days)),
        )
        .cte("spent")
    )
    statement = select(rotated.c.id, rotated.c.owner_id, rotated.c.scopes).add_cte(spent)
    return (await session.execute(statement)).one_or_none()


READER = (
    User.username,
    User.display_name,
    User.language,
    User.time_zone,
    User.week_starts_on,
    User.clock,
    User.theme,
    User.keyboard_shortcuts,
    User.role,
)
"""What a page needs to know of its reader."""


def using_cookie() -> Select[Any]:
    found = (
        select(LoginSession.id, LoginSession.owner_id, *READER)
        .join(User, User.id == LoginSession.owner_id)
        .where(
            LoginSession.cookie_digest == bindparam("cookie_digest"),
            LoginSession.expires_at > func.now(),
            User.disabled_at.is_(None),
        )
        .cte("found")
    )
    days = bindparam("days", type_=Integer) * literal_column("interval '1 day'", Interval)
    a_minute_ago = func.now() - literal_column("interval '1 minute'", Interval)
    touched = (
        update(LoginSession)
        .where(LoginSession.id == found.c.id, LoginSession.last_used_at < a_minute_ago)
        .values(last_used_at=func.now(), expires_at=func.now() + days)
        .cte("touched")
    )
    return select(found).add_cte(touched)


USE_COOKIE = prepare(using_cookie())


async def use_cookie(session: Session, digest: bytes, days: int) -> PreparedRow | None:
    """Select a session by its cookie, and its user; prolong it, at most once a minute."""
    return await session.fetch_one(USE_COOKIE, {"cookie_digest": digest, "days": days})


async def replace_cookie(session: Session, user_id: int, session_id: int, digest: bytes) -> bool:
    """Give a session of the page another secret: copies of the old cookie are refused."""
    statement = (
        update(LoginSession)
        .where(owned_by(user_id), LoginSession.id == session_id)
        .where(LoginSession.cookie_digest.is_not(None))
        .values(cookie_digest=digest)
        .returning(LoginSession.id)
    )
    return await session.scalar(statement) is not None


async def delete_session_of_cookie(session: Session, digest: bytes) -> int | None:
    """End the session of a cookie; return its id."""
    statement = delete(LoginSession).where(LoginSession.cookie_digest == digest)
    return await session.scalar(statement.returning(LoginSession.id))


async def end_session_of_spent(session: Session, spent: bytes) -> int | None:
    """End the session of a refresh token that was used again; return its id (RFC 9700, 4.14.2)."""
    its_session = select(SpentRefreshToken.session_id).where(SpentRefreshToken.digest == spent)
    statement = delete(LoginSession).where(LoginSession.id.in_(its_session))
    return await session.scalar(statement.returning(LoginSession.id))


async def touch_session(session: Session, user_id: int, session_id: int) -> bool:
    """Update `last_used_at` of a session; return whether the session is open."""
    lives = LoginSession.expires_at > func.now()
    statement = (
        update(LoginSession)
        .where(owned_by(user_id), LoginSession.id == session_id, lives)
        .values(last_used_at=func.now())
        .returning(LoginSession.id)
    )
    return await session.scalar(statement) is not None


async def select_sessions(
    session: Session, user_id: int, page: PageParams
) -> Sequence[LoginSession]:
    mine = (owned_by(user_id), LoginSession.expires_at > func.now())
    statement = select(LoginSession).where(*mine)
    return (await session.scalars(keyset_page(statement, LoginSession.id, page))).all()


async def delete_session(session: Session, user_id: int, session_id: int) -> bool:
    statement = delete(LoginSession).where(owned_by(user_id), LoginSession.id == session_id)
    return await session.scalar(statement.returning(LoginSession.id)) is not None


async def note_refused_log_in(
    session: Session, user_id: int | None, *, wrong: str, address: str, user_agent: str
) -> None:
    """Write an audit event, if the account exists: the statement is the same if it does not."""
    details = {"wrong": wrong, "address": address, "user_agent": user_agent}
    its_owner = select(User.id, literal("log-in refused", Text), literal(details, JSONB))
    statement = insert(AuditEvent).from_select(
        ["owner_id", "action", "details"], its_owner.where(User.id == literal(user_id, BigInteger))
    )
    await session.execute(statement)
