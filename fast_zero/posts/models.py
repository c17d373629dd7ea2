from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from fast_zero.core.database import Base, counted_version
from fast_zero.core.errors import Reason

NO_POST = Reason("post_not_found", "Post not found")


class Visibility(StrEnum):
    """Who may see a post, the widest first."""

    PUBLIC = "public"
    FOLLOWERS = "followers"
    PRIVATE = "private"


class Post(Base):
    """What somebody wrote. Once deleted it has no author and no text, and stays for its replies.

    What it takes to see it is written down when it is made and never changes. `circle` is whose
    followers see it: its author's, or those of the post at the head of a thread among followers;
    `above` are the authors of all that it replies to. So one row tells who sees it, whatever
    becomes of the others. Triggers keep earlier texts, remove the place of a deleted post that
    has no reply, and post what is shared of the todos.
    """

    __tablename__ = "posts"
    __table_args__ = (
        ForeignKeyConstraint(
            ["author_id"], ["users.id"], ondelete="SET NULL", info={"actor": True}
        ),
        ForeignKeyConstraint(["reply_to"], ["posts.id"], info={"missing": NO_POST}),
        CheckConstraint("visibility IN ('public', 'followers', 'private')", name="visibility"),
        CheckConstraint(
            "visibility = 'private' OR (visibility = 'followers') = (circle IS NOT NULL)",
            name="circle",
        ),
        CheckConstraint(
            "author_id IS NULL OR char_length(text) BETWEEN 1 AND 500", name="text_length"
        ),
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

    id: Mapped[int] = mapped_column(Identity(always=True), init=False, primary_key=True)
    author_id: Mapped[int | None]
    text: Mapped[str]
    visibility: Mapped[str] = mapped_column(default=Visibility.PUBLIC)
    reply_to: Mapped[int | None] = mapped_column(default=None)
    circle: Mapped[int | None] = mapped_column(default=None)
    above: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), default_factory=list)
    todo_id: Mapped[int | None] = mapped_column(default=None)  # whose completion it tells
    created_at: Mapped[datetime] = mapped_column(init=False, server_default=func.now())
    edited_at: Mapped[datetime | None] = mapped_column(init=False)
    version: Mapped[int] = counted_version()


class EarlierText(Base):
    """What a post said before, for its author."""

    __tablename__ = "earlier_texts"
    __table_args__ = (Index(None, "post_id", "id"),)

    id: Mapped[int] = mapped_column(Identity(always=True), init=False, primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"))
    text: Mapped[str]
    written_at: Mapped[datetime]


class Like(Base):
    __tablename__ = "likes"
    __table_args__ = (
        ForeignKeyConstraint(
            ["post_id"], ["posts.id"], ondelete="CASCADE", info={"missing": NO_POST}
        ),
        ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE", info={"actor": True}),
        Index(None, "post_id", "id"),
        Index(None, "user_id", "id"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), init=False)
    post_id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(init=False, server_default=func.now())


class Completion(Base):
    """When a todo was finished, for its owner's statistics. Triggers of the todos write it.

    It outlives the todo, and ends when that is opened again.
    """

    __tablename__ = "completions"
    __table_args__ = (UniqueConstraint("todo_id"), Index(None, "owner_id", "finished_at"))

    id: Mapped[int] = mapped_column(Identity(always=True), init=False, primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    todo_id: Mapped[int | None] = mapped_column(default=None)
    finished_at: Mapped[datetime] = mapped_column(server_default=func.now(), default=None)
