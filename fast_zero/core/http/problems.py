"""Translates every error into `application/problem+json` (RFC 9457)."""

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
from starlette.middleware.body_limit import MAX_BODY_SIZE_SCOPE_KEY
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fast_zero.core.errors import CODES, DomainError, Invalid, Unavailable, UnsupportedMediaType
from fast_zero.core.http import media_types

MEDIA_TYPE = "application/problem+json"
PACKAGE = str(Path(__file__).parents[2])
TOO_LARGE = "The body is larger than {limit} bytes."

Responses = dict[int | str, dict[str, Any]]
"""The `responses` argument of a route, by status."""

logger = logging.getLogger(__name__)


def problem(status: int, detail: object, code: str | None = None) -> dict[str, Any]:
    # RFC 9110, section 15: an unknown status is equivalent to the x00 status of its class.
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
        # ASCII, since the input may contain lone surrogates, which UTF-8 cannot encode.
        super().__init__(json.dumps(content).encode(), status, headers)


async def refuse(request: Request, error: DomainError) -> Response:
    detail: object = error.detail
    if isinstance(error, Invalid) and error.field:
        entry = {"type": "value_error", "loc": [error.place, error.field], "msg": error.detail}
        detail = [entry]
    if isinstance(error, Unavailable):
        # Only the first line, since the others quote the statement.
        [reason, *_] = str(error.__cause__ or error).strip().splitlines() or [error.detail]
        logger.warning("%s", reason)
    members = {"code": error.code, **(error.members or {})}
    return ProblemResponse(request, error.status, detail, error.headers, members)


async def refuse_fields(request: Request, error: RequestValidationError) -> Response:
    if has_own_route(request):
        return await refuse_request(request, HTTPException(HTTPStatus.METHOD_NOT_ALLOWED))
    if isinstance(error.body, bytes):  # FastAPI does not parse a body whose type is not JSON
        return await refuse(request, UnsupportedMediaType(media_types.JSON))
    # Without `input` and `ctx`, which may contain a password or values that JSON cannot represent.
    entries = [
        {
            "type": item["type"],
            "loc": item["loc"][:2] if item["loc"][0] == "query" else item["loc"],
            "msg": item["msg"].removeprefix("Value error, "),  # a prefix of pydantic
        }
        for item in error.errors()
    ]
    return ProblemResponse(request, HTTPStatus.UNPROCESSABLE_ENTITY, entries)


def missing_fields(*names: str) -> RequestValidationError:
    """Return FastAPI's error for missing fields, for fields that are not always required."""
    return RequestValidationError(
        [{"type": "missing", "loc": ("body", name), "msg": "Field required"} for name in names]
    )


async def refuse_request(request: Request, error: HTTPException) -> Response:
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(sorted(allowed_methods(request)))
    detail = error.detail
    if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        detail = TOO_LARGE.format(limit=request.scope[MAX_BODY_SIZE_SCOPE_KEY])
    return ProblemResponse(request, error.status_code, detail, headers)


class ErrorHandler:
    """Return 500 for unexpected exceptions, and log one line with the type and the location.

    uvicorn would log the stack trace with all messages, which may quote statements and user input.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_and_note(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        except Exception as error:  # noqa: BLE001  # every exception gets a response
            steps = [step for step in extract_tb(error.__traceback__) if PACKAGE in step.filename]
            places = " > ".join(f"{Path(step.filename).name}:{step.lineno}" for step in steps)
            logger.error("%s at %s", type(error).__name__, places)  # noqa: TRY400  # no stack trace
            if scope["type"] == "http" and not started:
                detail = "This is our mistake. It has been logged."
                status = HTTPStatus.INTERNAL_SERVER_ERROR
                await ProblemResponse(Request(scope), status, detail)(scope, receive, send)


def matching_paths(request: Request) -> list[str | None]:
    """Return the paths of all routes that match the path of the request, with any method."""
    routes = iter_route_contexts(request.app.routes)
    return [route.path for route in routes if route.matches(request.scope)[0] is not Match.NONE]


def has_own_route(request: Request) -> bool:
    """Return whether a path such as `/users/me` matched `/users/{id}` because of its method."""
    path = request.scope["path"]
    return path != request.scope["route"].path and path in matching_paths(request)


def allowed_methods(request: Request) -> set[str]:
    """Return the methods of all routes with the first matching path (RFC 9110, 15.5.6)."""
    paths = matching_paths(request)
    if not paths:  # static files
        return {"GET", "HEAD"}
    routes = iter_route_contexts(request.app.routes)
    methods = {
        method for route in routes if route.path == paths[0] for method in route.methods or ()
    }
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
    """Return the `responses` argument that documents the errors of a route."""
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
