from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from fast_zero.core.database import Base, version_column
from fast_zero.core.errors import Reason

NO_POST = Reason("post_not_found", "Post not found")


class Visibility(StrEnum):
    """Who can see a post, the widest first."""

    PUBLIC = "public"
    FOLLOWERS = "followers"
    PRIVATE = "private"


class Post(Base):
    """A post. When it is deleted, author and text are removed; the row stays if it has replies.

    The conditions to see it are stored when it is created, and never change. `circle` is the user
    whose followers can see it: the author, or for a reply the author of the followers-only post
    that starts the thread. `above` are the authors of all posts that it replies to. So one row
    decides who can see it, regardless of later changes to the others. Triggers store earlier texts,
    delete rows without author and replies, and create the posts of shared todos and of their
    occurrences. They hide them while the todo is in the trash: then nobody sees the post, not even
    its author. Such a post is never a reply.
    """

    __tablename__ = "posts"
    __table_args__ = (
        ForeignKeyConstraint(
            ["author_id"], ["users.id"], ondelete="SET NULL", info={"current_user": True}
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
        Index(
            None,
            "todo_id",
            "occurrence",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("author_id IS NOT NULL AND todo_id IS NOT NULL"),
        ),
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
    todo_id: Mapped[int | None] = mapped_column(default=None)  # the finished todo that it announces
    occurrence: Mapped[date | None] = mapped_column(default=None)  # of that todo, if it recurs
    created_at: Mapped[datetime] = mapped_column(init=False, server_default=func.now())
    edited_at: Mapped[datetime | None] = mapped_column(init=False)
    hidden: Mapped[bool] = mapped_column(init=False, server_default=false())
    version: Mapped[int] = version_column()


class EarlierText(Base):
    """An earlier text of an edited post, for its author."""

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
        ForeignKeyConstraint(
            ["user_id"], ["users.id"], ondelete="CASCADE", info={"current_user": True}
        ),
        Index(None, "post_id", "id"),
        Index(None, "user_id", "id"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), init=False)
    post_id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(init=False, server_default=func.now())


class Completion(Base):
    """When a todo was finished, for its owner's statistics. Written by triggers of the todos.

    It is kept when the todo is deleted, and deleted when the todo is opened again. A todo that
    recurs has one for each occurrence that was done. An item of a checklist that recurs has one for
    each occurrence in which it was done.
    """

    __tablename__ = "completions"
    __table_args__ = (
        Index(
            None,
            "todo_id",
            "occurrence",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("todo_id IS NOT NULL"),
        ),
        Index(None, "owner_id", "finished_at"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), init=False, primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    todo_id: Mapped[int | None] = mapped_column(default=None)
    occurrence: Mapped[date | None] = mapped_column(default=None)
    finished_at: Mapped[datetime] = mapped_column(server_default=func.now(), default=None)
