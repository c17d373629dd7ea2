"""REST's translation of every error into `application/problem+json` (RFC 9457)."""

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from traceback import extract_tb
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fast_zero.core.errors import CODES, DomainError, Invalid, Unavailable, UnsupportedMediaType
from fast_zero.core.http import media_types

MEDIA_TYPE = "application/problem+json"
PACKAGE = str(Path(__file__).parents[2])
TOO_LARGE = "The body is larger than {limit} bytes."

Responses = dict[int | str, dict[str, Any]]
"""What a route returns, by status, as FastAPI takes it for the document."""

logger = logging.getLogger(__name__)


def problem(status: int, detail: object, code: str | None = None) -> dict[str, Any]:
    # RFC 9110, section 15: what is not known is to be read as the first of its class.
    known = status if status in CODES else status // 100 * 100
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "code": code or CODES[known],
        "detail": detail,
    }


class ProblemResponse(Response):
    media_type = MEDIA_TYPE

    def __init__(
        self,
        request: Request,
        status: int,
        detail: object,
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        content = {
            **problem(status, detail),
            "instance": quote(request.scope["path"]),
            **(members or {}),
        }
        # ASCII, since what came in may hold lone surrogates, which UTF-8 cannot carry.
        super().__init__(json.dumps(content).encode(), status, headers)


async def refuse(request: Request, error: DomainError) -> Response:
    detail: object = error.detail
    if isinstance(error, Invalid) and error.field:
        entry = {"type": "value_error", "loc": [error.place, error.field], "msg": error.detail}
        detail = [entry]
    if isinstance(error, Unavailable):
        # The first line alone: those that follow quote the statement.
        [reason, *_] = str(error.__cause__ or error).strip().splitlines() or [error.detail]
        logger.warning("%s", reason)
    members = {"code": error.code, **(error.members or {})}
    return ProblemResponse(request, error.status, detail, error.headers, members)


async def refuse_fields(request: Request, error: RequestValidationError) -> Response:
    if has_own_route(request):
        return await refuse_request(request, HTTPException(HTTPStatus.METHOD_NOT_ALLOWED))
    if isinstance(error.body, bytes):  # FastAPI has left unread what is not called JSON
        return await refuse(request, UnsupportedMediaType(media_types.JSON))
    # `input` and `ctx` are left out: they may hold a password, or what JSON cannot carry.
    entries = [
        {
            "type": item["type"],
            "loc": item["loc"][:2] if item["loc"][0] == "query" else item["loc"],
            "msg": item["msg"].removeprefix("Value error, "),  # pydantic's prefix tells nothing
        }
        for item in error.errors()
    ]
    return ProblemResponse(request, HTTPStatus.UNPROCESSABLE_ENTITY, entries)


def missing_fields(*names: str) -> RequestValidationError:
    """Complain about fields of a body as FastAPI does, where other fields make them needed."""
    return RequestValidationError(
        [{"type": "missing", "loc": ("body", name), "msg": "Field required"} for name in names]
    )


async def refuse_request(request: Request, error: HTTPException) -> Response:
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(sorted(allowed_methods(request)))
    detail = error.detail
    if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        detail = TOO_LARGE.format(limit=request.state.settings.max_body_bytes)
    return ProblemResponse(request, error.status_code, detail, headers)


class ErrorHandler:
    """Answer our own mistakes with 500, and keep them to one line of the log: what, and where.

    uvicorn would print the stack with all messages in it: statements, and perhaps what was sent.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, send_noted)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is answered
            steps = [step for step in extract_tb(error.__traceback__) if PACKAGE in step.filename]
            places = " > ".join(f"{Path(step.filename).name}:{step.lineno}" for step in steps)
            logger.error("%s at %s", type(error).__name__, places)  # noqa: TRY400  # the stack stays out
            if scope["type"] == "http" and not started:
                detail = "This is our mistake. It has been logged."
                status = HTTPStatus.INTERNAL_SERVER_ERROR
                await ProblemResponse(Request(scope), status, detail)(scope, receive, send)


def paths_met(request: Request) -> list[str | None]:
    """List the paths of the routes that the request's path could mean, whatever its method."""
    routes = iter_route_contexts(request.app.routes)
    return [route.path for route in routes if route.matches(request.scope)[0] is not Match.NONE]


def has_own_route(request: Request) -> bool:
    """Tell whether a path such as `/users/me` went to `/users/{id}` for want of its method."""
    path = request.scope["path"]
    return path != request.scope["route"].path and path in paths_met(request)


def allowed_methods(request: Request) -> set[str]:
    """Collect the methods of all routes of the path that was met first (RFC 9110, 15.5.6)."""
    met = paths_met(request)
    if not met:  # a folder of files
        return {"GET", "HEAD"}
    routes = iter_route_contexts(request.app.routes)
    methods = {method for route in routes if route.path == met[0] for method in route.methods or ()}
    return methods | {"HEAD"} if "GET" in methods else methods


def install(app: FastAPI) -> None:
    handlers: dict[type[Exception], Any] = {
        DomainError: refuse,
        RequestValidationError: refuse_fields,
        HTTPException: refuse_request,
    }
    for error, handler in handlers.items():
        app.add_exception_handler(error, handler)


def responses(*errors: DomainError) -> Responses:
    """Describe the errors that a route returns, for its OpenAPI entry."""
    described: Responses = {}
    for error in errors:
        entry = described.setdefault(error.status.value, {"description": "", "content": {}})
        content = entry["content"].setdefault(
            MEDIA_TYPE, {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}
        )
        entry["description"] = " ".join(filter(None, (entry["description"], f"`{error.detail}`")))
        content["examples"][error.detail] = {
            "value": {**problem(error.status, error.detail, error.code), "instance": "/…"}
        }
    return described
