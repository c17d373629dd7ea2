from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from fast_zero.core.pagination import Next, PageParams
from fast_zero.core.types import Answer, Id
from fast_zero.notifications.models import Kind
from fast_zero.posts.schemas import Author


class NewsParams(PageParams):
    unread: Annotated[bool, Field(description="Only those that are not marked as read.")] = False


class PostShort(Answer):
    id: Id
    text: str = Field(examples=["The bread is in the oven."])


class NotificationPublic(Answer):
    """What happened since you last marked it as read: all of one kind, to one post, together."""

    id: Id = Field(description="Another one, and newer, when it happens again after you read it.")
    kind: Kind = Field(
        description="Somebody follows you, replied to your post, or likes it.", examples=["like"]
    )
    post: PostShort | None = Field(description="Your post; `null` where somebody follows you.")
    people: list[Author] = Field(description="Up to three of them, the latest first.")
    people_count: int = Field(description="How many people they are.", examples=[12])
    read: bool = Field(description="You have marked it as read.", examples=[False])
    at: datetime = Field(description="When the first of them did it.")


class NotificationPage(Answer):
    notifications: list[NotificationPublic]
    unread: int = Field(description="How many of all are not marked as read.", examples=[2])
    next: Next


class ReadUpTo(BaseModel):
    up_to: Annotated[Id, Field(strict=True, description="The newest one that you have seen.")]
