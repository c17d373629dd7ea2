"""Dependencies that routes of all rooms use: sessions, pages, settings."""

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


# scope="function" commits before the response is sent, so a client can rely on a 201.
CurrentSession = Annotated[Session, Depends(current_session, scope="function")]
"""The session of the request, which is committed when the route function returns."""

ReadSession = Annotated[Session, Depends(read_session, scope="function")]
"""A read-only session, which uses the standby if one is configured."""

PageQuery = Annotated[PageParams, Query()]


# A plain `def` would run in a worker thread on every request.
async def current_settings(request: Request) -> Settings:
    settings: Settings = request.state.settings
    return settings


CurrentSettings = Annotated[Settings, Depends(current_settings)]


async def forbid_caching(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


NO_STORE = Depends(forbid_caching)
"""For a route that returns a secret. RFC 6749, section 5.1 requires it for tokens."""

MAX_REPORTED = 20  # unknown parameters per response, since each entry lists all known ones


class OperationParameters(NamedTuple):
    """The query parameters of an operation in the OpenAPI document."""

    names: list[str]
    needs_token: bool


class KnownParameters:
    """Rejects query parameters that are not in the OpenAPI document.

    The whole document takes half a second to generate. The document of one route takes some
    milliseconds, and is generated for its first request with a query string.
    """

    def __init__(self) -> None:
        self.operations: dict[tuple[str, str], OperationParameters] = {}

    async def __call__(self, request: Request) -> None:
        if not request.query_params:
            return
        known = self.parameters_of(request)
        if known.needs_token and not may_have_token(request.scope):
            return  # the route returns 401
        message = f"unknown parameter; this operation takes {', '.join(known.names) or 'none'}"
        unknown = (name for name in request.query_params if name not in known.names)
        errors = [
            {"type": "extra_forbidden", "loc": ("query", name), "msg": message}
            for name in islice(unknown, MAX_REPORTED)
        ]
        if errors:
            raise RequestValidationError(errors)

    def parameters_of(self, request: Request) -> OperationParameters:
        route, method = request.scope["route"], request.method
        key = (method, route.path)
        if key not in self.operations:
            document = get_openapi(title="", version="", routes=[route])
            operation = document["paths"][route.path][method.lower()]
            parameters = operation.get("parameters", [])
            names = sorted(found["name"] for found in parameters if found["in"] == "query")
            needs_token = "security" in operation
            self.operations[key] = OperationParameters(names, needs_token)
        return self.operations[key]


KNOWN_PARAMETERS = Depends(KnownParameters())
"""Rejects unknown query parameters before the route function runs."""
