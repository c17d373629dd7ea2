"""Normalizes and validates a request before routing."""

from http import HTTPStatus
from itertools import chain

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fast_zero.core.http.middleware.body_limit import BodyLimits
from fast_zero.core.http.problems import TOO_LARGE, ProblemResponse
from fast_zero.core.observability.logs import current_request

MAX_HEAD_BYTES = 65_536


class NormalizePath:
    """Remove a trailing slash, route HEAD like GET, and reject requests that are too large.

    The framework limits a body while reading it, but rejects a `Content-Length` above the limit in
    plain text. Here it is rejected with a problem response, like all errors. So are requests that
    uvicorn's faster parser accepts: those with large headers, and those without a Host.
    """

    def __init__(self, app: ASGIApp, limits: BodyLimits) -> None:
        self.app = app
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["path"].endswith("/"):
            scope = {**scope, "path": scope["path"].rstrip("/") or "/"}
        if scope["method"] == "HEAD":
            scope, send = {**scope, "method": "GET"}, without_body(send)
        if request := current_request.get():
            request.scope = scope  # routing updates this scope
        if error := self.check(scope):
            await ProblemResponse(Request(scope), *error)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def check(self, scope: Scope) -> tuple[HTTPStatus, str] | None:
        headers = scope["headers"]
        if len(b"".join(chain.from_iterable(headers))) > MAX_HEAD_BYTES:
            return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The head is too large."
        if scope["http_version"] == "1.1" and [name for name, _ in headers].count(b"host") != 1:
            return HTTPStatus.BAD_REQUEST, "A request needs one Host."  # RFC 9112, section 3.2
        length = dict(headers).get(b"content-length", b"0")
        if not length.isdigit():
            return HTTPStatus.BAD_REQUEST, "Content-Length is not a number."
        limit = self.limits.of(scope)
        if int(length.lstrip(b"0")[:20] or b"0") > limit:
            detail = TOO_LARGE.format(limit=limit)
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail
        return None


def without_body(send: Send) -> Send:
    """Remove the body but keep the headers, also `Content-Length` (RFC 9110, section 9.3.2)."""

    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_head
