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


class NotificationPublic(ResponseModel):
    """All events of one kind, about one post, since you last marked it as read."""

    id: Id = Field(description="A new event after you have read it gives it a new, higher id.")
    kind: Kind = Field(
        description="`follow`: follows you. `reply`: replied to your post. `like`: likes it.",
        examples=["like"],
    )
    post: PostShort | None = Field(description="Your post; `null` for a follow.")
    people: list[Author] = Field(description="Up to three people, latest first.")
    people_count: int = Field(description="Number of people.", examples=[12])
    read: bool = Field(description="Whether you have marked it as read.", examples=[False])
    at: datetime = Field(description="When the first event happened.")


class NotificationPage(ResponseModel):
    notifications: list[NotificationPublic]
    unread: int = Field(description="Number of all unread notifications.", examples=[2])
    next: Next


class ReadUpTo(BaseModel):
    up_to: Annotated[
        Id, Field(strict=True, description="The newest notification that you have seen.")
    ]
