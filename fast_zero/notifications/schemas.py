from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from fast_zero.core.pagination import Next, PageParams
from fast_zero.core.types import Id, ResponseModel
from fast_zero.notifications.models import Kind
from fast_zero.posts.schemas import Author


class NotificationParams(PageParams):
    unread: Annotated[bool, Field(description="Only unread notifications.")] = False


class PostShort(ResponseModel):
    id: Id
    text: str = Field(examples=["The bread is in the oven."])


class TodoShort(ResponseModel):
    id: Id
    title: str = Field(examples=["Buy bread"])


class NotificationPublic(ResponseModel):
    """All events of one kind, about one post, since you last marked it as read; or a reminder."""

    id: Id = Field(description="A new event after you have read it gives it a new, higher id.")
    kind: Kind = Field(
        description="`follow`: follows you. `reply`: replied to your post. `like`: likes it. "
        "`reminder`: a reminder of your todo.",
        examples=["like"],
    )
    post: PostShort | None = Field(description="Your post; `null` for a follow and for a reminder.")
    todo: TodoShort | None = Field(description="The todo of a reminder.")
    minutes_late: int | None = Field(
        description="How late a reminder went out: 0 if it was in time.", examples=[None]
    )
    people: list[Author] = Field(description="Up to three people, latest first.")
    people_count: int = Field(description="Number of people.", examples=[12])
    read: bool = Field(description="Whether you have marked it as read.", examples=[False])
    at: datetime = Field(
        description="When the first event happened, or the last reminder went out."
    )


class NotificationPage(ResponseModel):
    notifications: list[NotificationPublic]
    unread: int = Field(description="Number of all unread notifications.", examples=[2])
    next: Next


class ReadUpTo(BaseModel):
    up_to: Annotated[
        Id, Field(strict=True, description="The newest notification that you have seen.")
    ]
