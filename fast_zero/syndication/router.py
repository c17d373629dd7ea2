"""Routes of the feeds of public posts. Feed readers do not log in."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse

from fast_zero.core.database import AnyRow
from fast_zero.core.errors import NotFound
from fast_zero.core.http import conditions
from fast_zero.core.http.conditions import IfModifiedSince, IfNoneMatch
from fast_zero.core.http.dependencies import CurrentSettings, ReadSession
from fast_zero.core.http.problems import responses
from fast_zero.identity.schemas import Name
from fast_zero.people.dependencies import NOT_PUBLIC, VIEWER
from fast_zero.people.models import NO_USER
from fast_zero.syndication import documents
from fast_zero.syndication.queries import select_syndicated
from fast_zero.syndication.schemas import JsonFeed

FEED = {
    "example": "<?xml version='1.0' encoding='utf-8'?>\n"
    '<feed xmlns="http://www.w3.org/2005/Atom"><title>Ana Lúcia</title>…</feed>'
}


class AtomResponse(Response):
    media_type = documents.ATOM


class JsonFeedResponse(JSONResponse):  # else the OpenAPI document would describe plain text
    media_type = documents.JSON_FEED


router = APIRouter(
    prefix="/users/{username}",
    tags=["feed"],
    responses=NOT_PUBLIC | responses(NotFound(NO_USER)) | conditions.DATED_OR_SEEN,
    dependencies=[VIEWER],
)


async def find_author(username: Name, session: ReadSession) -> AnyRow:
    author = await select_syndicated(session, username)
    if author is None:
        raise NotFound(NO_USER)
    return author


Author = Annotated[AnyRow, Depends(find_author)]


@router.get(
    "/feed.atom",
    response_class=AtomResponse,
    responses={200: {"headers": conditions.DATED, "content": {documents.ATOM: FEED}}},
)
async def read_atom_feed(
    settings: CurrentSettings, seen: IfNoneMatch, since: IfModifiedSince, author: Author
) -> Response:
    """Read a user's newest public posts as an Atom feed. See RFC 4287."""
    response = AtomResponse(documents.as_atom(author, settings.base_url()))
    return conditions.dated(response, author.updated_at, seen, since)


@router.get("/feed.json", response_class=JsonFeedResponse, response_model=JsonFeed)
async def read_json_feed(
    settings: CurrentSettings, seen: IfNoneMatch, since: IfModifiedSince, author: Author
) -> Response:
    """Read a user's newest public posts as a JSON Feed. Its version is 1.1."""
    feed = documents.as_json_feed(author, settings.base_url())
    response = JsonFeedResponse(feed.model_dump(mode="json", exclude_none=True))
    return conditions.dated(response, author.updated_at, seen, since)
