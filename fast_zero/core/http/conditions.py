"""Conditional requests (RFC 9110, section 13), and the entity tags of responses."""

from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import blake2b
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Header, Response
from pydantic import BaseModel, WithJsonSchema

from fast_zero.core.errors import Stale
from fast_zero.core.http.etags import TAG, Tags, parse, seen_before, tag

# A list may be sent in several header lines, which are one value in the OpenAPI document.
Lines = Annotated[
    list[str] | None,
    WithJsonSchema(
        {
            "type": "string",
            "pattern": rf"^[ \t]*(\*[ \t]*|({TAG}[ \t]*)?(,[ \t]*({TAG}[ \t]*)?)*)$",
            "examples": ['"7"'],
        }
    ),
]


def set_tag(response: Response, current: str, seen: Tags = None) -> None:
    """Set the `ETag` of a response, or make it a 304 if the client has this version."""
    response.headers["ETag"] = current
    if seen_before(seen, current):
        response.status_code = HTTPStatus.NOT_MODIFIED


def digest_tag(content: BaseModel, version: int | None, view: str = "") -> str:
    """Return a tag for content that depends on more than one row.

    As a condition of a write it matches the version only. Without a version it matches nothing.
    """
    digest = blake2b(content.model_dump_json().encode(), digest_size=8).hexdigest()
    return tag(version, f"{view}.{digest}")


def set_created(response: Response, current: str, location: str) -> None:
    """Set the `Location` and `ETag` headers for a created resource."""
    response.headers.update({"ETag": current, "Location": location})


def dated(response: Response, modified: datetime, seen: Tags, since: datetime | None) -> Response:
    """Add `Last-Modified` and an `ETag` to a response, or make it a 304. Clients must revalidate.

    The date is used only if no tag is sent (RFC 9110, section 13.2.2), and has whole seconds.
    """
    current = f'"{blake2b(bytes(response.body), digest_size=8).hexdigest()}"'
    headers = {
        "ETag": current,
        "Last-Modified": format_datetime(modified, usegmt=True),
        "Cache-Control": "no-cache",
    }
    is_older = since is not None and modified.replace(microsecond=0) <= since
    if seen_before(seen, current) or (seen is None and is_older):
        response = Response(status_code=HTTPStatus.NOT_MODIFIED)
    response.headers.update(headers)
    return response


def condition(name: str, lines: list[str] | None) -> Tags:
    return parse(name, ", ".join(lines)) if lines else None


async def if_match(
    if_match: Annotated[
        Lines,
        Header(
            alias="If-Match",
            description="Do it only if the `ETag` is still one of these; otherwise 412.",
        ),
    ] = None,
) -> Tags:
    return condition("If-Match", if_match)


async def if_none_match(
    if_none_match: Annotated[
        Lines,
        Header(
            alias="If-None-Match",
            description="Return 304 without a body if the `ETag` is one of these.",
        ),
    ] = None,
) -> Tags:
    return condition("If-None-Match", if_none_match)


async def if_modified_since(
    if_modified_since: Annotated[
        str | None,
        WithJsonSchema({"type": "string", "examples": ["Wed, 25 Nov 2026 08:00:00 GMT"]}),
        Header(
            alias="If-Modified-Since",
            description="Return 304 without a body if nothing has changed since then.",
        ),
    ] = None,
) -> datetime | None:
    """Parse the date. An invalid date is ignored (RFC 9110, section 13.1.3)."""
    try:
        since = parsedate_to_datetime(if_modified_since or "")
    except (ValueError, OverflowError):
        return None
    return since if since.tzinfo else since.replace(tzinfo=UTC)


IfMatch = Annotated[Tags, Depends(if_match)]
IfNoneMatch = Annotated[Tags, Depends(if_none_match)]

IfModifiedSince = Annotated[datetime | None, Depends(if_modified_since)]

STALE = Stale('"8"')
"""The error that every route with `IfMatch` may return."""

ETAG = {
    "ETag": {
        "description": "The version of what is returned, for `If-Match` and `If-None-Match`.",
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
"""The response of a write with `IfMatch`."""

TAGGED_OR_SEEN: dict[int | str, dict[str, Any]] = TAGGED | {
    304: {"description": "You have it: `If-None-Match` names its `ETag`.", "headers": ETAG}
}
"""The responses of a read with `IfNoneMatch`."""

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
"""The responses of a read with `IfNoneMatch` and `IfModifiedSince`."""
