from datetime import datetime

from pydantic import Field

from fast_zero.accounts.otp_schemas import OtpState
from fast_zero.accounts.schemas import (
    AuditPublic,
    PersonalTokenPublic,
    SessionPublic,
    UserPrivate,
)
from fast_zero.core.types import Answer
from fast_zero.feed.schemas import CompletionPublic, GivenLike, Relation, WrittenPost
from fast_zero.news.schemas import NotificationPublic
from fast_zero.todos.schemas import TodoPublic


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
