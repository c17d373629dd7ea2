from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from fast_zero.accounts.schemas import UserPrivate
from fast_zero.calendar_feeds.schemas import CalendarFeedPublic
from fast_zero.core.types import Id, ResponseModel
from fast_zero.identity.schemas import AuditPublic, PersonalTokenPublic
from fast_zero.imports.schemas import ImportPublic
from fast_zero.labels.schemas import LabelPublic
from fast_zero.notifications.schemas import NotificationPublic
from fast_zero.posts.models import Visibility
from fast_zero.posts.schemas import EarlierTextPublic
from fast_zero.projects.schemas import ProjectPublic, SectionPublic
from fast_zero.push.schemas import PushSubscriptionPublic
from fast_zero.relations.models import RelationKind
from fast_zero.saved_filters.schemas import SavedFilterPublic
from fast_zero.sessions.schemas import SessionPublic
from fast_zero.todos.models import OccurrenceStatus
from fast_zero.todos.schemas import TodoPublic
from fast_zero.trash.schemas import DeletionPublic
from fast_zero.two_factor.schemas import OtpState


class WrittenPost(ResponseModel):
    """A post in the export of its author."""

    id: Id
    text: str = Field(examples=["The bread is in the oven."])
    visibility: Visibility
    reply_to: Id | None = Field(examples=[None])
    todo_id: Id | None = Field(
        description="The finished todo that the post announces, if any.", examples=[None]
    )
    created_at: datetime
    edited_at: datetime | None
    earlier_texts: list[EarlierTextPublic]


class CompletionPublic(ResponseModel):
    """When a todo was finished. `todo_id` is `null` if the todo was deleted."""

    todo_id: Id | None
    occurrence: date | None = Field(
        description="Which occurrence, if the todo or its checklist recurs.", examples=[None]
    )
    finished_at: datetime


class GivenLike(ResponseModel):
    post_id: Id
    created_at: datetime


class Relation(ResponseModel):
    """A user who follows, is followed or is blocked, and since when."""

    user_id: Id
    created_at: datetime


class RelatedTodo(ResponseModel):
    kind: RelationKind = Field(
        description="What the todo does to the other one.", examples=["blocks"]
    )
    todo_id: Id = Field(description="The other todo.")
    created_at: datetime


class RelatedTodos(ResponseModel):
    """What a todo blocks and relates to. A relation is listed with one of its two todos."""

    todo_id: Id
    relations: list[RelatedTodo]


class ExportedOccurrence(ResponseModel):
    day: date = Field(description="The day that names it.")
    status: OccurrenceStatus = Field(examples=["done"])
    due_on: date | None
    due_at: datetime | None
    finished_at: datetime | None


class TodoOccurrences(ResponseModel):
    """The past occurrences of a todo that recurs."""

    todo_id: Id
    occurrences: list[ExportedOccurrence]


class LoggedChange(ResponseModel):
    """A change of one row, as the log of changes has it."""

    at: datetime
    entity: str = Field(description="The table of the row.", examples=["todos"])
    entity_id: Id
    operation: str = Field(examples=["update"])
    before: dict[str, Any] | None = Field(examples=[{"title": "Buy bread"}])
    after: dict[str, Any] | None = Field(examples=[{"title": "Buy rye bread"}])
    actor_id: Id | None
    client: str | None = Field(examples=["session:7"])
    change_set_id: UUID | None


class ExportHead(ResponseModel):
    exported_at: datetime = Field(description="When the export began.")
    account: UserPrivate
    second_factor: OtpState
    calendar_feed: CalendarFeedPublic | None = Field(description="Without its address.")


class Export(ExportHead):
    """Everything that is stored about you, except passwords, tokens and codes. Oldest first."""

    sessions: list[SessionPublic] = Field(description="Your log-in sessions.")
    personal_tokens: list[PersonalTokenPublic] = Field(description="Without the tokens themselves.")
    audit: list[AuditPublic] = Field(
        description="The security events of your account, newest first."
    )
    projects: list[ProjectPublic] = Field(description="Your projects that are not in the trash.")
    sections: list[SectionPublic] = Field(description="The sections of all your projects.")
    trash: list[DeletionPublic] = Field(description="What you deleted, newest first.")
    deleted_projects: list[ProjectPublic] = Field(description="Your projects in the trash.")
    deleted_todos: list[TodoPublic] = Field(description="Your todos in the trash.")
    todos: list[TodoPublic] = Field(description="Your todos that are not in the trash.")
    labels: list[LabelPublic] = Field(description="Your labels.")
    filters: list[SavedFilterPublic] = Field(description="Your saved filters.")
    relations: list[RelatedTodos] = Field(description="What your todos block and relate to.")
    occurrences: list[TodoOccurrences] = Field(
        description="What was done, missed or skipped of your todos that recur."
    )
    completions: list[CompletionPublic] = Field(description="When you finished your todos.")
    posts: list[WrittenPost] = Field(description="Your posts, with their earlier texts.")
    likes: list[GivenLike] = Field(description="The posts that you like.")
    following: list[Relation] = Field(description="The users whom you follow.")
    followers: list[Relation] = Field(description="Your followers.")
    blocked: list[Relation] = Field(description="The users whom you block.")
    notifications: list[NotificationPublic] = Field(description="Newest first.")
    push_subscriptions: list[PushSubscriptionPublic] = Field(
        description="Without their endpoints and keys."
    )
    imports: list[ImportPublic] = Field(description="The last files that you imported.")
    changes: list[LoggedChange] = Field(description="What the log of changes goes back to.")
