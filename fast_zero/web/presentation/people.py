"""People and their posts, as pages show them."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Self, get_args
from urllib.parse import quote

from fast_zero.core.colors import Color
from fast_zero.identity.names import is_invisible
from fast_zero.posts.models import Visibility
from fast_zero.posts.schemas import Gone, PostPublic, PostThread, Reply
from fast_zero.web.presentation.dates import Dates
from fast_zero.web.texts import mark

PEOPLE = "/app/people"
COLORS: tuple[str, ...] = get_args(Color)
VISIBILITIES = {
    Visibility.PUBLIC: mark("Everyone"),
    Visibility.FOLLOWERS: mark("Followers"),
    Visibility.PRIVATE: mark("Only you"),
}
VISIBILITY_ICONS = {
    Visibility.PUBLIC: "globe",
    Visibility.FOLLOWERS: "people",
    Visibility.PRIVATE: "lock",
}


def profile_address(username: str) -> str:
    """Return the address of a profile. A username may have any visible characters, also `/`."""
    return f"{PEOPLE}/{quote(username, safe='')}"


@lru_cache(4096)
def initials(name: str) -> str:
    """Return the first letters of the first and of the last word."""
    letters = [
        next((each for each in word if each.isalnum()), "")
        for word in unicodedata.normalize("NFC", name).split()
    ]
    found = [letter for letter in letters if letter]
    return "".join(found[:1] + found[1:][-1:]).upper()


@dataclass(frozen=True)
class Person:
    """A user. `name` is what to call them: never empty, and never invisible."""

    id: int
    username: str
    name: str
    initials: str
    color: str
    address: str

    @classmethod
    def of(cls, user: Mapping[str, Any]) -> Self:
        username, name = user["username"], user["display_name"]
        if all(is_invisible(character) or character == " " for character in name):
            name = username
        return cls(
            id=user["id"],
            username=username,
            name=name,
            initials=initials(name),
            color=COLORS[user["id"] % len(COLORS)],
            address=profile_address(username),
        )


def people_of(users: Iterable[Any]) -> list[Person]:
    """Return the people of rows that have the columns of a user."""
    names = ("id", "username", "display_name")
    return [Person.of({name: getattr(user, name) for name in names}) for user in users]


@dataclass(frozen=True)
class PostRow:
    """A post. `parent` is the post that it replies to, if the reader can see that one."""

    id: int
    author: Person
    text: str
    finished: bool
    visibility: str
    icon: str
    parent: int | None
    parent_gone: bool
    likes: int
    replies: int
    liked: bool
    is_own: bool
    edited: bool
    moment: str
    ago: str
    version: int
    thread: "Sequence[PostRow | GoneRow]"


@dataclass(frozen=True)
class GoneRow:
    """The place of a deleted post that has replies."""

    id: int
    thread: "Sequence[PostRow | GoneRow]"
    author: None = None


def post_row(post: PostPublic, dates: Dates, reader_id: int) -> PostRow:
    thread = post.thread if isinstance(post, Reply | PostThread) else []
    return PostRow(
        id=post.id,
        author=Person.of(post.author.model_dump()),
        text=post.text,
        finished=post.finished,
        visibility=VISIBILITIES[post.visibility],
        icon=VISIBILITY_ICONS[post.visibility],
        parent=None if post.parent_gone else post.reply_to,
        parent_gone=post.parent_gone,
        likes=post.likes,
        replies=post.replies,
        liked=post.liked,
        is_own=post.author.id == reader_id,
        edited=post.edited_at is not None,
        moment=local(post.created_at, dates),
        ago=dates.ago(post.created_at),
        version=post.version,
        thread=[thread_row(reply, dates, reader_id) for reply in thread],
    )


def thread_row(reply: Reply | Gone, dates: Dates, reader_id: int) -> PostRow | GoneRow:
    if isinstance(reply, Gone):
        return GoneRow(reply.id, [thread_row(below, dates, reader_id) for below in reply.thread])
    return post_row(reply, dates, reader_id)


def post_rows(posts: Iterable[object], dates: Dates, reader_id: int) -> list[PostRow]:
    return [post_row(PostPublic.model_validate(post), dates, reader_id) for post in posts]


def local(moment: datetime, dates: Dates) -> str:
    return dates.local(moment).isoformat(timespec="minutes")
