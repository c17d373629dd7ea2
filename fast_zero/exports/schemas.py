from datetime import datetime

from pydantic import Field

from fast_zero.accounts.schemas import UserPrivate
from fast_zero.core.types import Answer, Id
from fast_zero.identity.schemas import AuditPublic, PersonalTokenPublic
from fast_zero.notifications.schemas import NotificationPublic
from fast_zero.posts.models import Visibility
from fast_zero.posts.schemas import EarlierTextPublic
from fast_zero.sessions.schemas import SessionPublic
from fast_zero.todos.schemas import TodoPublic
from fast_zero.two_factor.schemas import OtpState


class WrittenPost(Answer):
    """A post as its author gets it in an export."""

    id: Id
    text: str = Field(examples=["The bread is in the oven."])
    visibility: Visibility
    reply_to: Id | None = Field(examples=[None])
    todo_id: Id | None = Field(
        description="The todo that was finished, if it tells of one.", examples=[None]
    )
    created_at: datetime
    edited_at: datetime | None
    earlier_texts: list[EarlierTextPublic]


class CompletionPublic(Answer):
    """That a todo was finished, and when; without an id where it has been deleted since."""

    todo_id: Id | None
    finished_at: datetime


class GivenLike(Answer):
    post_id: Id
    created_at: datetime


class Relation(Answer):
    """Somebody whom one follows or blocks, or by whom one is followed, and since when."""

    user_id: Id
    created_at: datetime


class ExportHead(Answer):
    exported_at: datetime = Field(description="When the export began.")
    account: UserPrivate
    second_factor: OtpState


class Export(ExportHead):
    """Everything that is kept of you, but for passwords, tokens and codes. Oldest first."""

    sessions: list[SessionPublic] = Field(description="Where you are logged in.")
    personal_tokens: list[PersonalTokenPublic] = Field(description="Without the tokens themselves.")
    audit: list[AuditPublic] = Field(description="What happened to your account, newest first.")
    todos: list[TodoPublic] = Field(description="All of your todos.")
    completions: list[CompletionPublic] = Field(description="When you finished what.")
    posts: list[WrittenPost] = Field(description="What you posted, with the earlier texts.")
    likes: list[GivenLike] = Field(description="The posts that you like.")
    following: list[Relation] = Field(description="Whom you follow.")
    followers: list[Relation] = Field(description="Who follows you.")
    blocked: list[Relation] = Field(description="Whom you block.")
    notifications: list[NotificationPublic] = Field(description="The newest first.")
