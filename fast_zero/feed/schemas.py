from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import MISSING, BaseModel, ConfigDict, Field, StringConstraints, field_validator

from fast_zero.accounts.schemas import UserPublic
from fast_zero.core.pagination import Next, PageParams
from fast_zero.core.types import Answer, Id, Text
from fast_zero.feed.models import Visibility

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


class Counts(Answer):
    """As many as the reader may see."""

    posts: int = Field(examples=[12])
    followers: int = Field(examples=[34])
    following: int = Field(examples=[5])


class Profile(UserPublic):
    """What everybody may know of a user, and what is between that user and the reader."""

    counts: Counts
    following: bool | None = Field(
        description="You follow this user; `null` to a stranger.", examples=[True]
    )
    followed_by: bool | None = Field(
        description="This user follows you; `null` to a stranger.", examples=[False]
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


class DayStats(Answer):
    day: date
    finished: int = Field(description="Todos that were finished on it.", examples=[3])


class UserStats(Answer):
    """What was finished, in days of that user's own time zone, as far as the reader may see it."""

    today: date = Field(description="The day that it is there.")
    days: list[DayStats] = Field(
        description="The days of the last year, 366 with today, on which something was finished."
    )
    current_streak: int = Field(
        description="Days in a row, up to today or yesterday.", examples=[4]
    )
    best_streak: int = Field(description="Most days in a row, ever.", examples=[21])

    @field_validator("days", mode="before")
    @classmethod
    def none_is_no_day(cls, days: object) -> object:
        return days or []


class EarlierTextPublic(Answer):
    id: Id
    text: str = Field(examples=["The bread is in teh oven."])
    written_at: datetime


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


class EarlierTextPage(Answer):
    texts: list[EarlierTextPublic]
    next: Next


class FeedParams(PageParams):
    replies: Annotated[bool, Field(description="Show replies to others' posts, too.")] = False


class ThreadParams(PageParams):
    limit: Annotated[int, Field(ge=1, le=100, description="Most direct replies on a page.")] = 20


class SyndicatedPost(Answer):
    """A post as a feed's statement gives it."""

    id: Id
    text: str
    created_at: datetime
    edited_at: datetime | None


class JsonFeedAuthor(Answer):
    name: str = Field(examples=["Ana Lúcia"])


class JsonFeedItem(Answer):
    id: str = Field(examples=["https://todo.example.com/posts/7"])
    url: str = Field(examples=["https://todo.example.com/posts/7"])
    content_text: str = Field(examples=["The bread is in the oven."])
    date_published: datetime
    date_modified: datetime


class JsonFeed(Answer):
    """A JSON Feed, version 1.1 (https://www.jsonfeed.org/version/1.1/)."""

    version: Literal["https://jsonfeed.org/version/1.1"] = "https://jsonfeed.org/version/1.1"
    title: str = Field(description="The name of the author.", examples=["Ana Lúcia"])
    feed_url: str = Field(examples=["https://todo.example.com/users/ana/feed.json"])
    description: str | None = Field(
        default=None, description="What the author says of themself.", examples=["Bakes."]
    )
    authors: list[JsonFeedAuthor]
    items: list[JsonFeedItem] = Field(description="The newest 50 posts, the newest first.")
