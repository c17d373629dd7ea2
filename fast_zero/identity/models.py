from datetime import datetime, time
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from fast_zero.core.database import Base, version_column
from fast_zero.core.errors import Reason
from fast_zero.core.folding import FOLDED
from fast_zero.core.http.idempotency_keys import IdempotencyKey

USERNAME_TAKEN = Reason("username_taken", "Username already exists")
EMAIL_TAKEN = Reason("email_taken", "Email already exists")
EITHER_TAKEN = Reason("username_or_email_taken", "Username or Email already exists")


class Role(StrEnum):
    MEMBER = "member"
    ADMIN = "admin"


class User(Base):
    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("username_key", info={"conflict": USERNAME_TAKEN}),
        UniqueConstraint("email_key", info={"conflict": EMAIL_TAKEN}),
        CheckConstraint("char_length(username) BETWEEN 3 AND 64", name="username_length"),
        CheckConstraint("char_length(email) BETWEEN 3 AND 254", name="email_length"),
        CheckConstraint("char_length(pending_email) BETWEEN 3 AND 254", name="pending_length"),
        CheckConstraint("language IN ('en', 'pt-BR')", name="language"),
        CheckConstraint("char_length(display_name) <= 100", name="display_name_length"),
        CheckConstraint("char_length(bio) <= 500", name="bio_length"),
        CheckConstraint("char_length(time_zone) BETWEEN 1 AND 64", name="time_zone_length"),
        CheckConstraint("share_todos IN ('off', 'followers', 'public')", name="share"),
        CheckConstraint(
            "week_starts_on IN ('monday', 'saturday', 'sunday')", name="week_starts_on"
        ),
        CheckConstraint("clock IN (12, 24)", name="clock"),
        CheckConstraint("theme IN ('auto', 'light', 'dark')", name="theme"),
        CheckConstraint("role IN ('member', 'admin')", name="role"),
        CheckConstraint(
            "letters <@ ARRAY['weekly_report', 'follow', 'reply', 'like', 'reminder']",
            name="letters",
        ),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), init=False, primary_key=True)
    username: Mapped[str]
    email: Mapped[str]
    password_hash: Mapped[str] = mapped_column(repr=False)
    created_at: Mapped[datetime] = mapped_column(init=False, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(
        init=False, server_default=func.now(), onupdate=func.now()
    )
    # When username, display name or bio last changed. Written by a trigger.
    profile_updated_at: Mapped[datetime] = mapped_column(init=False, server_default=func.now())
    version: Mapped[int] = version_column()
    language: Mapped[str] = mapped_column(default="en", server_default="en")
    display_name: Mapped[str] = mapped_column(default="", server_default="")
    bio: Mapped[str] = mapped_column(default="", server_default="")
    time_zone: Mapped[str] = mapped_column(default="UTC", server_default="UTC")
    week_starts_on: Mapped[str] = mapped_column(default="monday", server_default="monday")
    clock: Mapped[int] = mapped_column(SmallInteger, default=24, server_default="24")
    theme: Mapped[str] = mapped_column(default="auto", server_default="auto")
    keyboard_shortcuts: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    default_reminder_time: Mapped[time] = mapped_column(default=time(9), server_default="09:00:00")
    digest_time: Mapped[time | None] = mapped_column(default=None)
    share_todos: Mapped[str] = mapped_column(default="off", server_default="off")
    letters: Mapped[list[str]] = mapped_column(
        ARRAY(Text), default_factory=list, server_default="{}"
    )
    role: Mapped[str] = mapped_column(default=Role.MEMBER, server_default="member")
    disabled_at: Mapped[datetime | None] = mapped_column(default=None)
    email_verified_at: Mapped[datetime | None] = mapped_column(default=None)
    pending_email: Mapped[str | None] = mapped_column(default=None)  # until it is confirmed
    # For comparison: without regard to case, compatibility forms normalized (NFKC).
    username_key: Mapped[str] = mapped_column(
        Computed(FOLDED.format(column="username"), persisted=True), init=False, repr=False
    )
    email_key: Mapped[str] = mapped_column(
        Computed(FOLDED.format(column="email"), persisted=True), init=False, repr=False
    )


# Here, since `core` knows no users: stored responses are deleted with their user.
Base.metadata.tables[IdempotencyKey.__tablename__].append_constraint(
    ForeignKeyConstraint(
        ["owner_id"], ["users.id"], ondelete="CASCADE", info={"current_user": True}
    )
)


class LoginSession(Base):
    """What a log-in opens. Deleting the row ends the session; a trigger notifies every process.

    It has a refresh token, or the cookie of the page.
    """

    __tablename__ = "login_sessions"

    id: Mapped[int] = mapped_column(Identity(always=True), init=False, primary_key=True)
    owner_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE", info={"current_user": True})
    )
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    user_agent: Mapped[str]
    address: Mapped[str]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    refresh_digest: Mapped[bytes | None] = mapped_column(unique=True, repr=False, default=None)
    cookie_digest: Mapped[bytes | None] = mapped_column(unique=True, repr=False, default=None)
    created_at: Mapped[datetime] = mapped_column(init=False, server_default=func.now())
    last_used_at: Mapped[datetime] = mapped_column(init=False, server_default=func.now())

    __table_args__ = (
        CheckConstraint("num_nonnulls(refresh_digest, cookie_digest) = 1", name="one_secret"),
        Index(None, "owner_id", "id"),
    )


class SpentRefreshToken(Base):
    """A refresh token that was used. If it is used again, it was stolen.

    The row is kept until the token would have expired.
    """

    __tablename__ = "spent_refresh_tokens"

    digest: Mapped[bytes] = mapped_column(primary_key=True, repr=False)
    session_id: Mapped[int] = mapped_column(
        ForeignKey("login_sessions.id", ondelete="CASCADE"), index=True
    )
    expires_at: Mapped[datetime] = mapped_column(index=True)


class EndedSession(Base):
    """A session that has ended. The row is kept for longer than access tokens are valid."""

    __tablename__ = "ended_sessions"

    session_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    ended_at: Mapped[datetime] = mapped_column(init=False, server_default=func.now(), index=True)


class PersonalToken(Base):
    """A personal access token, for a script or another program."""

    __tablename__ = "personal_tokens"

    id: Mapped[int] = mapped_column(Identity(always=True), init=False, primary_key=True)
    owner_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE", info={"current_user": True})
    )
    digest: Mapped[bytes] = mapped_column(unique=True, repr=False)
    name: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(init=False, server_default=func.now())
    last_used_at: Mapped[datetime | None] = mapped_column(init=False)
    version: Mapped[int] = version_column()

    __table_args__ = (
        CheckConstraint("char_length(name) BETWEEN 1 AND 100", name="name_length"),
        Index(None, "owner_id", "id"),
    )


class AuditEvent(Base):
    """A security event of an account, for its owner and the operator.

    Triggers write most events, so that no interface, bulk statement or command can omit one: see
    the migration `Audit`. Statements write the events that change no row.
    """

    __tablename__ = "audit_events"
    __table_args__ = (Index(None, "owner_id", "id"), Index(None, "at"))

    id: Mapped[int] = mapped_column(Identity(always=True), init=False, primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    action: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(init=False, server_default=func.now())
