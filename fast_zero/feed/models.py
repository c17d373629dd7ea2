from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Identity,
    Index,
    Named,
    Table,
    Text,
    TypedColumns,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from fast_zero.core.tables import (
    MOMENT,
    counted_version,
    going_with,
    identity,
    metadata,
    now_at_first,
)

NO_USER = "User not found"
NO_POST = "Post not found"


class Visibility(StrEnum):
    """Who may see a post, the widest first."""

    PUBLIC = "public"
    FOLLOWERS = "followers"
    PRIVATE = "private"


class FollowColumns(TypedColumns):
    """Who follows whom. A trigger keeps one from coming to be beside a block."""

    id: Named[int] = Column(BigInteger, Identity(always=True))
    follower_id: Named[int] = Column(BigInteger, primary_key=True)
    followed_id: Named[int] = Column(BigInteger, primary_key=True)
    created_at: Named[datetime] = now_at_first()


follows = Table(
    "follows",
    metadata,
    FollowColumns,
    ForeignKeyConstraint(["follower_id"], ["users.id"], ondelete="CASCADE", info={"actor": True}),
    ForeignKeyConstraint(
        ["followed_id"], ["users.id"], ondelete="CASCADE", info={"missing": NO_USER}
    ),
    CheckConstraint("follower_id <> followed_id", name="not_oneself"),
    Index(None, "follower_id", "id"),
    Index(None, "followed_id", "id"),
)


class BlockColumns(TypedColumns):
    """Who blocks whom. A trigger ends the follows between the two."""

    id: Named[int] = Column(BigInteger, Identity(always=True))
    blocker_id: Named[int] = Column(BigInteger, primary_key=True)
    blocked_id: Named[int] = Column(BigInteger, primary_key=True)
    created_at: Named[datetime] = now_at_first()


blocks = Table(
    "blocks",
    metadata,
    BlockColumns,
    ForeignKeyConstraint(["blocker_id"], ["users.id"], ondelete="CASCADE", info={"actor": True}),
    ForeignKeyConstraint(
        ["blocked_id"], ["users.id"], ondelete="CASCADE", info={"missing": NO_USER}
    ),
    CheckConstraint("blocker_id <> blocked_id", name="not_oneself"),
    Index(None, "blocker_id", "id"),
    Index(None, "blocked_id", "id"),
)


class PostColumns(TypedColumns):
    """What somebody wrote. Once deleted it has no author and no text, and stays for its replies.

    What it takes to see it is written down when it is made and never changes. `circle` is whose
    followers see it: its author's, or those of the post at the head of a thread among followers;
    `above` are the authors of all that it replies to. So one row tells who sees it, whatever
    becomes of the others. Triggers keep earlier texts, remove the place of a deleted post that
    has no reply, and post what is shared of the todos.
    """

    id: Named[int] = identity()
    author_id: Named[int | None] = Column(BigInteger)
    text: Named[str] = Column(Text)
    visibility: Named[str] = Column(Text)
    reply_to: Named[int | None] = Column(BigInteger)
    circle: Named[int | None] = Column(BigInteger)
    above: Named[list[int]] = Column(ARRAY(BigInteger))
    todo_id: Named[int | None] = Column(BigInteger)  # whose completion it tells
    created_at: Named[datetime] = now_at_first()
    edited_at: Named[datetime | None] = Column(MOMENT)
    version: Named[int] = counted_version()


posts = Table(
    "posts",
    metadata,
    PostColumns,
    ForeignKeyConstraint(["author_id"], ["users.id"], ondelete="SET NULL", info={"actor": True}),
    ForeignKeyConstraint(["reply_to"], ["posts.id"], info={"missing": NO_POST}),
    CheckConstraint("visibility IN ('public', 'followers', 'private')", name="visibility"),
    CheckConstraint(
        "visibility = 'private' OR (visibility = 'followers') = (circle IS NOT NULL)",
        name="circle",
    ),
    CheckConstraint("author_id IS NULL OR char_length(text) BETWEEN 1 AND 500", name="text_length"),
    Index(None, "author_id", "id"),
    Index(None, "reply_to", "id"),
    Index("ix_posts_replies", "author_id", postgresql_where=text("reply_to IS NOT NULL")),
    Index(None, "todo_id", unique=True, postgresql_where=text("author_id IS NOT NULL")),
    Index(
        "ix_posts_home",
        "id",
        postgresql_where=text(
            "visibility = 'public' AND reply_to IS NULL AND author_id IS NOT NULL"
        ),
    ),
)


class EarlierTextColumns(TypedColumns):
    """What a post said before, for its author."""

    id: Named[int] = identity()
    post_id: Named[int] = going_with("posts.id")
    text: Named[str] = Column(Text)
    written_at: Named[datetime] = Column(MOMENT)


earlier_texts = Table(
    "earlier_texts",
    metadata,
    EarlierTextColumns,
    Index(None, "post_id", "id"),
)


class LikeColumns(TypedColumns):
    id: Named[int] = Column(BigInteger, Identity(always=True))
    post_id: Named[int] = Column(BigInteger, primary_key=True)
    user_id: Named[int] = Column(BigInteger, primary_key=True)
    created_at: Named[datetime] = now_at_first()


likes = Table(
    "likes",
    metadata,
    LikeColumns,
    ForeignKeyConstraint(["post_id"], ["posts.id"], ondelete="CASCADE", info={"missing": NO_POST}),
    ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE", info={"actor": True}),
    Index(None, "post_id", "id"),
    Index(None, "user_id", "id"),
)


class CompletionColumns(TypedColumns):
    """When a todo was finished, for its owner's statistics. Triggers of the todos write it.

    It outlives the todo, and ends when that is opened again.
    """

    id: Named[int] = identity()
    owner_id: Named[int] = going_with("users.id")
    todo_id: Named[int | None] = Column(BigInteger)
    finished_at: Named[datetime] = now_at_first()


completions = Table(
    "completions",
    metadata,
    CompletionColumns,
    UniqueConstraint("todo_id"),
    Index(None, "owner_id", "finished_at"),
)


class RetractionColumns(TypedColumns):
    """When somebody last took back a public post. A trigger writes it.

    Without it, what feed readers ask for could seem not to have changed.
    """

    author_id: Named[int] = going_with("users.id", key=True)
    at: Named[datetime] = Column(MOMENT)


retractions = Table("retractions", metadata, RetractionColumns)


class TallyColumns(TypedColumns):
    """How many followers, or posts of a visibility that are no replies, somebody has; added up."""

    user_id: Named[int] = going_with("users.id", key=True)
    kind: Named[str] = Column(Text, primary_key=True)
    number: Named[int] = Column(BigInteger)


tallies = Table("tallies", metadata, TallyColumns)


class TallyChangeColumns(TypedColumns):
    """That it is one more or less. Triggers write it; without a foreign key, which would wait."""

    id: Named[int] = identity()
    user_id: Named[int] = Column(BigInteger)
    kind: Named[str] = Column(Text)
    change: Named[int] = Column(BigInteger)


tally_changes = Table(
    "tally_changes",
    metadata,
    TallyChangeColumns,
    Index(None, "user_id", "kind"),
)
