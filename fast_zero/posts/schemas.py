from datetime import datetime
from typing import Annotated, Literal

from pydantic import MISSING, BaseModel, ConfigDict, Field, StringConstraints

from fast_zero.core.pagination import Next, PageParams
from fast_zero.core.types import Answer, Id, Text
from fast_zero.posts.models import Visibility

PostText = Annotated[
    Text,
    StringConstraints(min_length=1, max_length=500),
    Field(examples=["The bread is in the oven."]),
]
Level = Literal["public", "followers", "private"]
LEVELS = (
    "`public`: everybody here. `followers`: who follows you. `private`: you alone. "
    "A reply to a post among followers is seen by those who follow the author of that post."
)


class PostCreate(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"text": "The bread is in the oven.", "visibility": "public"}]
        }
    )

    text: PostText
    visibility: Annotated[
        Level | MISSING,
        Field(description=f"{LEVELS} Left out: `public`, or what the post is that it replies to."),
    ] = MISSING
    reply_to: Annotated[
        Id | None, Field(strict=True, description="The post that this replies to.")
    ] = None


class PostUpdate(BaseModel):
    """Another text. Who may see a post never changes; delete it instead."""

    model_config = ConfigDict(extra="forbid")

    text: PostText | MISSING = MISSING


class Author(Answer):
    id: Id
    username: str = Field(examples=["ana"])
    display_name: str = Field(examples=["Ana Lúcia"])


class PostPublic(Answer):
    id: Id
    author: Author
    text: str = Field(examples=["The bread is in the oven."])
    finished: bool = Field(
        description="It is the title of a todo that its author finished.", examples=[False]
    )
    visibility: Visibility
    reply_to: Id | None = Field(description="The post that this replies to.", examples=[None])
    parent_gone: bool = Field(
        description="It replies to a post that is there no more.", examples=[False]
    )
    likes: int = Field(description="Likes by people whom you may see.", examples=[3])
    replies: int = Field(description="Direct replies that you may see.", examples=[2])
    liked: bool = Field(description="You like it.", examples=[True])
    created_at: datetime
    edited_at: datetime | None = Field(
        description="When its text was changed, if ever.", examples=[None]
    )
    version: int = Field(description="Grows with each change of the text.", examples=[1])


class PostPage(Answer):
    posts: list[PostPublic]
    next: Next


class Reply(PostPublic):
    id: Id = Field(examples=[2])
    text: str = Field(examples=["It smells as far as here."])
    reply_to: Id | None = Field(description="The post that this replies to.")
    replies: int = Field(description="Direct replies that you may see.", examples=[0])
    thread: list["Reply | Gone"] = Field(
        description="The first replies to it, three levels deep; `GET /posts/{id}` has them all.",
        examples=[[]],
    )


class Gone(Answer):
    """Where a post was that people had replied to."""

    id: Id
    gone: Literal[True] = True
    thread: list["Reply | Gone"] = Field(
        description="The replies to it, which stay.", examples=[[]]
    )


class PostThread(PostPublic):
    thread: list[Reply | Gone] = Field(description="The replies to it, oldest first.")
    next: Next


class EarlierTextPublic(Answer):
    id: Id
    text: str = Field(examples=["The bread is in teh oven."])
    written_at: datetime


class EarlierTextPage(Answer):
    texts: list[EarlierTextPublic]
    next: Next


class FeedParams(PageParams):
    replies: Annotated[bool, Field(description="Show replies to others' posts, too.")] = False


class ThreadParams(PageParams):
    limit: Annotated[int, Field(ge=1, le=100, description="Most direct replies on a page.")] = 20
