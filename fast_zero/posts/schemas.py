from datetime import datetime
from typing import Annotated, Literal

from pydantic import MISSING, BaseModel, ConfigDict, Field, StringConstraints

from fast_zero.core.pagination import Next, PageParams
from fast_zero.core.types import Id, ResponseModel, Text
from fast_zero.posts.models import Visibility

PostText = Annotated[
    Text,
    StringConstraints(min_length=1, max_length=500),
    Field(examples=["The bread is in the oven."]),
]
Level = Literal["public", "followers", "private"]
LEVELS = (
    "`public`: all users. `followers`: your followers. `private`: only you. "
    "A reply to a followers-only post is visible to the followers of that post's author."
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
        Field(description=f"{LEVELS} Default: `public`; for a reply, the visibility of its post."),
    ] = MISSING
    reply_to: Annotated[
        Id | None, Field(strict=True, description="The post that this replies to.")
    ] = None


class PostUpdate(BaseModel):
    """A new text. The visibility of a post never changes; delete the post instead."""

    model_config = ConfigDict(extra="forbid")

    text: PostText | MISSING = MISSING


class Author(ResponseModel):
    id: Id
    username: str = Field(examples=["ana"])
    display_name: str = Field(examples=["Ana Lúcia"])


class PostPublic(ResponseModel):
    id: Id
    author: Author
    text: str = Field(examples=["The bread is in the oven."])
    finished: bool = Field(
        description="Whether it is the title of a todo that the author finished.", examples=[False]
    )
    visibility: Visibility
    reply_to: Id | None = Field(description="The post that this replies to.", examples=[None])
    parent_gone: bool = Field(
        description="Whether the post that it replies to is gone.", examples=[False]
    )
    likes: int = Field(description="Likes by users whom you can see.", examples=[3])
    replies: int = Field(description="Direct replies that you can see.", examples=[2])
    liked: bool = Field(description="Whether you like it.", examples=[True])
    created_at: datetime
    edited_at: datetime | None = Field(
        description="When the text was last changed.", examples=[None]
    )
    version: int = Field(description="Increases with each change of the text.", examples=[1])


class PostPage(ResponseModel):
    posts: list[PostPublic]
    next: Next


class Reply(PostPublic):
    id: Id = Field(examples=[2])
    text: str = Field(examples=["It smells as far as here."])
    reply_to: Id | None = Field(description="The post that this replies to.")
    replies: int = Field(description="Direct replies that you can see.", examples=[0])
    thread: list["Reply | Gone"] = Field(
        description="The first replies to it, three levels deep. `GET /posts/{id}` lists all.",
        examples=[[]],
    )


class Gone(ResponseModel):
    """The place of a deleted post that has replies."""

    id: Id
    gone: Literal[True] = True
    thread: list["Reply | Gone"] = Field(description="The replies to it.", examples=[[]])


class PostThread(PostPublic):
    thread: list[Reply | Gone] = Field(description="The replies to it, oldest first.")
    next: Next


class EarlierTextPublic(ResponseModel):
    id: Id
    text: str = Field(examples=["The bread is in teh oven."])
    written_at: datetime


class EarlierTextPage(ResponseModel):
    texts: list[EarlierTextPublic]
    next: Next


class FeedParams(PageParams):
    replies: Annotated[bool, Field(description="Include replies.")] = False


class ThreadParams(PageParams):
    limit: Annotated[
        int, Field(ge=1, le=100, description="Maximum number of direct replies per page.")
    ] = 20
