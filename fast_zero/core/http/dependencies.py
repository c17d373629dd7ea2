"""What routes of all rooms take: a session, a page, the settings."""

from collections.abc import AsyncIterator
from itertools import islice
from typing import Annotated, NamedTuple

from fastapi import Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.requests import HTTPConnection

from fast_zero.core.database import Session, transaction
from fast_zero.core.http.bearer import may_have_token
from fast_zero.core.pagination import PageParams
from fast_zero.core.settings import Settings


async def current_session(connection: HTTPConnection) -> AsyncIterator[Session]:
    async with transaction(connection.state.sessions) as session:
        yield session


async def read_session(connection: HTTPConnection) -> AsyncIterator[Session]:
    async with transaction(connection.state.reads) as session:
        yield session


# scope="function" commits before the response leaves, so a client may act on its own 201.
CurrentSession = Annotated[Session, Depends(current_session, scope="function")]
"""The session of the request, committed when the route has returned."""

ReadSession = Annotated[Session, Depends(read_session, scope="function")]
"""A session for reads alone, which a standby answers where there is one."""

PageQuery = Annotated[PageParams, Query()]


# A plain `def` would be run in a worker thread, on every request.
async def current_settings(request: Request) -> Settings:
    settings: Settings = request.state.settings
    return settings


CurrentSettings = Annotated[Settings, Depends(current_settings)]


async def keep_out_of_caches(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


NO_STORE = Depends(keep_out_of_caches)
"""For a route that returns a secret (of tokens, RFC 6749 asks for it in section 5.1)."""

MOST_TOLD = 20  # unknown parameters of one request: beside each stand all that are known


class Known(NamedTuple):
    """What the OpenAPI document says of an operation."""

    names: list[str]
    needs_token: bool


class KnownParameters:
    """Refuses query parameters that the OpenAPI document does not name.

    The whole document takes half a second to write. That of one route takes some milliseconds,
    when its first query string comes.
    """

    def __init__(self) -> None:
        self.operations: dict[tuple[str, str], Known] = {}

    async def __call__(self, request: Request) -> None:
        if not request.query_params:
            return
        known = self.known_to(request)
        if known.needs_token and not may_have_token(request.scope):
            return  # the route refuses a stranger
        message = f"unknown parameter; this operation takes {', '.join(known.names) or 'none'}"
        unknown = (name for name in request.query_params if name not in known.names)
        errors = [
            {"type": "extra_forbidden", "loc": ("query", name), "msg": message}
            for name in islice(unknown, MOST_TOLD)
        ]
        if errors:
            raise RequestValidationError(errors)

    def known_to(self, request: Request) -> Known:
        route, method = request.scope["route"], request.method
        key = (method, route.path)
        if key not in self.operations:
            document = get_openapi(title="", version="", routes=[route])
            operation = document["paths"][route.path][method.lower()]
            parameters = operation.get("parameters", [])
            names = sorted(found["name"] for found in parameters if found["in"] == "query")
            self.operations[key] = Known(names, needs_token="security" in operation)
        return self.operations[key]


KNOWN_PARAMETERS = Depends(KnownParameters())
"""Refuses query parameters that do not exist, before the route does anything."""
