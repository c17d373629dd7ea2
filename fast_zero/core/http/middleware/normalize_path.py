"""What happens to a request before routing, as one plain ASGI application."""

from http import HTTPStatus
from itertools import chain

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fast_zero.core.http.problems import TOO_LARGE, ProblemResponse
from fast_zero.core.observability.logs import asked

MAX_HEAD_BYTES = 65_536


class NormalizePath:
    """Take a path with and without its trailing slash, HEAD where there is GET, no huge body.

    The framework limits a body while reading it, but answers a `Content-Length` above the
    limit in plain text; that one is refused here, in the form of all errors. So is what
    uvicorn's faster parser lets through: heads of any size, and requests without a Host.
    """

    def __init__(self, app: ASGIApp, max_body_bytes: int) -> None:
        self.app = app
        self.max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["path"].endswith("/"):
            scope = {**scope, "path": scope["path"].rstrip("/") or "/"}
        if scope["method"] == "HEAD":
            scope, send = {**scope, "method": "GET"}, without_body(send)
        if request := asked.get():
            request.scope = scope  # routing writes to this one
        if refusal := self.refusal(scope):
            await ProblemResponse(Request(scope), *refusal)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def refusal(self, scope: Scope) -> tuple[HTTPStatus, str] | None:
        headers = scope["headers"]
        if len(b"".join(chain.from_iterable(headers))) > MAX_HEAD_BYTES:
            return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The head is too large."
        if scope["http_version"] == "1.1" and [name for name, _ in headers].count(b"host") != 1:
            return HTTPStatus.BAD_REQUEST, "A request needs one Host."  # RFC 9112, section 3.2
        length = dict(headers).get(b"content-length", b"0")
        if not length.isdigit():
            return HTTPStatus.BAD_REQUEST, "Content-Length is not a number."
        if int(length.lstrip(b"0")[:20] or b"0") > self.max_body_bytes:
            detail = TOO_LARGE.format(limit=self.max_body_bytes)
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail
        return None


def without_body(send: Send) -> Send:
    """Keep the head of a response, `Content-Length` included (RFC 9110, section 9.3.2)."""

    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_head
