from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    Enum,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Named,
    Table,
    Text,
    TypedColumns,
    UniqueConstraint,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB

from fast_zero.core.kept_answers import kept_answers
from fast_zero.core.tables import (
    MOMENT,
    counted_version,
    going_with,
    identity,
    metadata,
    now_at_first,
)

# Upper case first, so that the two small sigmas of Greek meet.
FOLDED = "normalize(lower(upper(normalize({column}, NFKC))), NFKC)"


class Role(StrEnum):
    MEMBER = "member"
    ADMIN = "admin"


class UserColumns(TypedColumns):
    id: Named[int] = identity()
    username: Named[str] = Column(Text)
    email: Named[str] = Column(Text)
    password_hash: Named[str] = Column(Text)
    created_at: Named[datetime] = now_at_first()
    updated_at: Named[datetime] = Column(MOMENT, server_default=func.now(), onupdate=func.now())
    # When username, display name or bio were changed; a trigger writes it.
    profile_updated_at: Named[datetime] = now_at_first()
    version: Named[int] = counted_version()
    language: Named[str] = Column(Text, server_default="en")
    display_name: Named[str] = Column(Text, server_default="")
    bio: Named[str] = Column(Text, server_default="")
    time_zone: Named[str] = Column(Text, server_default="UTC")
    share_todos: Named[str] = Column(Text, server_default="off")
    letters: Named[list[str]] = Column(ARRAY(Text), server_default="{}")
    role: Named[str] = Column(Text, server_default="member")
    disabled_at: Named[datetime | None] = Column(MOMENT)
    email_verified_at: Named[datetime | None] = Column(MOMENT)
    pending_email: Named[str | None] = Column(Text)  # until it is confirmed
    # What is compared: the name without regard to case, compatibility forms made one.
    username_key: Named[str] = Column(
        Text, Computed(FOLDED.format(column="username"), persisted=True)
    )
    email_key: Named[str] = Column(Text, Computed(FOLDED.format(column="email"), persisted=True))


users = Table(
    "users",
    metadata,
    UserColumns,
    UniqueConstraint("username_key", info={"conflict": "Username already exists"}),
    UniqueConstraint("email_key", info={"conflict": "Email already exists"}),
    CheckConstraint("char_length(username) BETWEEN 3 AND 64", name="username_length"),
    CheckConstraint("char_length(email) BETWEEN 3 AND 254", name="email_length"),
    CheckConstraint("char_length(pending_email) BETWEEN 3 AND 254", name="pending_length"),
    CheckConstraint("language IN ('en', 'pt-BR')", name="language"),
    CheckConstraint("char_length(display_name) <= 100", name="display_name_length"),
    CheckConstraint("char_length(bio) <= 500", name="bio_length"),
    CheckConstraint("char_length(time_zone) BETWEEN 1 AND 64", name="time_zone_length"),
    CheckConstraint("share_todos IN ('off', 'followers', 'public')", name="share"),
    CheckConstraint("role IN ('member', 'admin')", name="role"),
    CheckConstraint("letters <@ ARRAY['weekly_report', 'follow', 'reply', 'like']", name="letters"),
)


# Here, since `core` knows no users: the answers that are kept for an account go with it.
kept_answers.append_constraint(
    ForeignKeyConstraint(["owner_id"], ["users.id"], ondelete="CASCADE", info={"actor": True})
)


class LoginSessionColumns(TypedColumns):
    """What a log-in opens. Its end is the row's deletion, which a trigger tells every process."""

    id: Named[int] = identity()
    owner_id: Named[int] = going_with("users.id", actor=True)
    refresh_digest: Named[bytes] = Column(LargeBinary, unique=True)
    scopes: Named[list[str]] = Column(ARRAY(Text))
    user_agent: Named[str] = Column(Text)
    address: Named[str] = Column(Text)
    expires_at: Named[datetime] = Column(MOMENT, index=True)
    created_at: Named[datetime] = now_at_first()
    last_used_at: Named[datetime] = now_at_first()


login_sessions = Table(
    "login_sessions",
    metadata,
    LoginSessionColumns,
    Index(None, "owner_id", "id"),
)


class SpentRefreshTokenColumns(TypedColumns):
    """A refresh token that was used. Who brings it again has stolen it, or was stolen from.

    It is kept until it would have expired.
    """

    digest: Named[bytes] = Column(LargeBinary, primary_key=True)
    session_id: Named[int] = going_with("login_sessions.id", index=True)
    expires_at: Named[datetime] = Column(MOMENT, index=True)


spent_refresh_tokens = Table("spent_refresh_tokens", metadata, SpentRefreshTokenColumns)


class EndedSessionColumns(TypedColumns):
    """A session that is no more, remembered for longer than its access tokens live."""

    session_id: Named[int] = Column(BigInteger, primary_key=True, autoincrement=False)
    ended_at: Named[datetime] = Column(MOMENT, server_default=func.now(), index=True)


ended_sessions = Table("ended_sessions", metadata, EndedSessionColumns)


class Purpose(StrEnum):
    """What a link in a letter is for."""

    VERIFICATION = "verification"  # the address of the account is its owner's
    ADDRESS = "address"  # so is the one that shall take its place
    PASSWORD = "password"  # noqa: S105  # a forgotten one is replaced


class MailedLinkColumns(TypedColumns):
    """The newest link of each kind that was sent to somebody. It works once.

    It is kept when it was used, so that a letter that is sent again does not revive it. It holds
    for the address that it was sent to: another one of the account makes it void.
    """

    owner_id: Named[int] = going_with("users.id", key=True)
    purpose: Named[Purpose] = Column(
        Enum(
            Purpose,
            native_enum=False,
            create_constraint=True,
            length=20,
            name="purpose",
            values_callable=lambda purposes: [purpose.value for purpose in purposes],
        ),
        primary_key=True,
    )
    digest: Named[bytes] = Column(LargeBinary, unique=True)
    email: Named[str] = Column(Text)
    requested_at: Named[datetime] = Column(MOMENT)
    expires_at: Named[datetime] = Column(MOMENT, index=True)
    used_at: Named[datetime | None] = Column(MOMENT)


mailed_links = Table("mailed_links", metadata, MailedLinkColumns)


class InvitationColumns(TypedColumns):
    """A link that lets who reads the email of an address register. Its use deletes it."""

    id: Named[int] = identity()
    email: Named[str] = Column(Text)
    email_key: Named[str] = Column(Text, Computed(FOLDED.format(column="email"), persisted=True))
    language: Named[str] = Column(Text)
    digest: Named[bytes] = Column(LargeBinary, unique=True)
    created_at: Named[datetime] = now_at_first()
    expires_at: Named[datetime] = Column(MOMENT, index=True)


invitations = Table(
    "invitations",
    metadata,
    InvitationColumns,
    UniqueConstraint("email_key"),
    CheckConstraint("char_length(email) BETWEEN 3 AND 254", name="email_length"),
    CheckConstraint("language IN ('en', 'pt-BR')", name="language"),
)


class PersonalTokenColumns(TypedColumns):
    """A token that its owner made for a program."""

    id: Named[int] = identity()
    owner_id: Named[int] = going_with("users.id", actor=True)
    digest: Named[bytes] = Column(LargeBinary, unique=True)
    name: Named[str] = Column(Text)
    scopes: Named[list[str]] = Column(ARRAY(Text))
    expires_at: Named[datetime] = Column(MOMENT)
    created_at: Named[datetime] = now_at_first()
    last_used_at: Named[datetime | None] = Column(MOMENT)
    version: Named[int] = counted_version()


personal_tokens = Table(
    "personal_tokens",
    metadata,
    PersonalTokenColumns,
    CheckConstraint("char_length(name) BETWEEN 1 AND 100", name="name_length"),
    Index(None, "owner_id", "id"),
)


class AuditEventColumns(TypedColumns):
    """What happened to an account that its owner, or who runs the server, may want to look up.

    Triggers of the tables write most of it, so that no door, bulk statement or command can forget
    it: see the migration `Audit`. What leaves no row behind is noted by a statement.
    """

    id: Named[int] = identity()
    owner_id: Named[int] = going_with("users.id")
    action: Named[str] = Column(Text)
    details: Named[dict[str, Any]] = Column(JSONB)
    at: Named[datetime] = now_at_first()


audit_events = Table(
    "audit_events",
    metadata,
    AuditEventColumns,
    Index(None, "owner_id", "id"),
    Index(None, "at"),
)
