from datetime import datetime
from typing import Literal

from pydantic import Field

from fast_zero.core.types import Id, ResponseModel


class SyndicatedPost(ResponseModel):
    """A post as the statement of a feed returns it."""

    id: Id
    text: str
    created_at: datetime
    edited_at: datetime | None


class JsonFeedAuthor(ResponseModel):
    name: str = Field(examples=["Ana Lúcia"])


class JsonFeedItem(ResponseModel):
    id: str = Field(examples=["https://todo.example.com/posts/7"])
    url: str = Field(examples=["https://todo.example.com/posts/7"])
    content_text: str = Field(examples=["The bread is in the oven."])
    date_published: datetime
    date_modified: datetime


class JsonFeed(ResponseModel):
    """A JSON Feed, version 1.1 (https://www.jsonfeed.org/version/1.1/)."""

    version: Literal["https://jsonfeed.org/version/1.1"] = "https://jsonfeed.org/version/1.1"
    title: str = Field(description="The name of the author.", examples=["Ana Lúcia"])
    feed_url: str = Field(examples=["https://todo.example.com/users/ana/feed.json"])
    description: str | None = Field(
        default=None, description="The author's bio.", examples=["Bakes."]
    )
    authors: list[JsonFeedAuthor]
    items: list[JsonFeedItem] = Field(description="The newest 50 posts, newest first.")
