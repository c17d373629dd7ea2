"""Conditions of requests (RFC 9110, section 13), and answers with the tags they are made of."""

from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import blake2b
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from pydantic import BaseModel

from fast_zero.core.errors import Stale
from fast_zero.core.etags import TAG, Tags, parse, seen_before, tag
from fast_zero.core.parameters import header

JSON = "application/json"
SCHEMA: dict[str, Any] = {
    "pattern": rf"^[ \t]*(\*[ \t]*|({TAG}[ \t]*)?(,[ \t]*({TAG}[ \t]*)?)*)$",
    "examples": ['"7"'],
}


def answer(content: BaseModel, current: str, *, seen: Tags = None) -> Response:
    """Answer with the content and its tag, or with 304 when the client has it already."""
    headers = {"ETag": current}
    if seen_before(seen, current):
        return Response(status_code=304, headers=headers)
    return Response(content.model_dump_json(), 200, headers, JSON)


def answer_all(
    content: BaseModel, version: int | None, view: str = "", *, seen: Tags = None
) -> Response:
    """Answer with content that tells of more than one row, and a tag of all of it.

    As a condition of a write the tag stands for the version alone, and for none without it.
    """
    digest = blake2b(content.model_dump_json().encode(), digest_size=8).hexdigest()
    return answer(content, tag(version, f"{view}.{digest}"), seen=seen)


def answer_dated(
    response: Response, modified: datetime, seen: Tags, since: datetime | None
) -> Response:
    """Add a tag of the body and the date to an answer, or make it a 304. It is asked for each time.

    The date counts only where no tag is sent (RFC 9110, section 13.2.2), and knows seconds alone.
    """
    current = f'"{blake2b(bytes(response.body), digest_size=8).hexdigest()}"'
    headers = {
        "ETag": current,
        "Last-Modified": format_datetime(modified, usegmt=True),
        "Cache-Control": "no-cache",
    }
    dated = since is not None and modified.replace(microsecond=0) <= since
    if seen_before(seen, current) or (seen is None and dated):
        response = Response(status_code=304)
    response.headers.update(headers)
    return response


def created(content: BaseModel, current: str, location: str) -> Response:
    headers = {"ETag": current, "Location": location}
    return Response(content.model_dump_json(), 201, headers, JSON)


def condition(request: Request, name: str) -> Tags:
    """Read a condition, which may come in several lines."""
    lines = request.headers.getlist(name)
    return parse(name, ", ".join(lines)) if lines else None


@header("If-Match", "Do it only if the `ETag` is still one of these; otherwise 412.", **SCHEMA)
async def if_match(request: Request) -> Tags:
    return condition(request, "If-Match")


@header("If-None-Match", "Answer 304 without a body if the `ETag` is one of these.", **SCHEMA)
async def if_none_match(request: Request) -> Tags:
    return condition(request, "If-None-Match")


@header(
    "If-Modified-Since",
    "Answer 304 without a body if nothing has changed since then.",
    examples=["Wed, 25 Nov 2026 08:00:00 GMT"],
)
async def if_modified_since(request: Request) -> datetime | None:
    """Read the date; one that is none does not count (RFC 9110, section 13.1.3)."""
    try:
        since = parsedate_to_datetime(request.headers.get("If-Modified-Since", ""))
    except (ValueError, OverflowError):
        return None
    return since if since.tzinfo else since.replace(tzinfo=UTC)


IfMatch = Annotated[Tags, Depends(if_match)]
IfNoneMatch = Annotated[Tags, Depends(if_none_match)]

IfModifiedSince = Annotated[datetime | None, Depends(if_modified_since)]

STALE = Stale('"8"')
"""What every route that takes an `IfMatch` may answer."""

ETAG = {
    "ETag": {
        "description": "The version of what is answered, for `If-Match` and `If-None-Match`.",
        "schema": {"type": "string", "examples": ['"7"']},
    }
}
LOCATION = {
    "Location": {
        "description": "Where to find what was created.",
        "schema": {"type": "string", "examples": ["/todos/7"]},
    }
}
TAGGED: dict[int | str, dict[str, Any]] = {200: {"headers": ETAG}}
"""The answer of a write that takes an `IfMatch`."""

TAGGED_OR_SEEN: dict[int | str, dict[str, Any]] = TAGGED | {
    304: {"description": "You have it: `If-None-Match` names its `ETag`.", "headers": ETAG}
}
"""The answers of a read that takes an `IfNoneMatch`."""

DATED = ETAG | {
    "Last-Modified": {
        "description": "When it was last changed.",
        "schema": {"type": "string", "examples": ["Wed, 25 Nov 2026 08:00:00 GMT"]},
    }
}
DATED_OR_SEEN: dict[int | str, dict[str, Any]] = {
    200: {"headers": DATED},
    304: {
        "description": "You have it: `If-None-Match` names its `ETag`, or nothing has changed "
        "since `If-Modified-Since`.",
        "headers": DATED,
    },
}
"""The answers of a read that takes an `IfNoneMatch` and an `IfModifiedSince`."""
