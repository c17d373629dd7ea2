"""The headers of every response, and the checks of host and origin."""

from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fast_zero.core.http.problems import ProblemResponse
from fast_zero.core.settings import Settings

PROBES = {"/livez", "/readyz", "/version"}
"""Called by IP address from within a container or a cluster, so any Host is accepted."""

# Encoded for ASGI once, and not for each response.
SAFE = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    # JSON is never a page. The HTML pages set their own policy: see `openapi.restricted`.
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
PRIVATE = (b"cache-control", b"private, no-cache")
BY_TOKEN = (b"vary", b"Authorization")
# A year; RFC 6797, section 7.2 forbids it over plain HTTP.
HSTS = (b"strict-transport-security", b"max-age=31536000")

FIRST_ERROR = HTTPStatus.BAD_REQUEST.value
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}  # RFC 9110, section 9.2.1
READ_BY_SCRIPTS = (
    "ETag",
    "Location",
    "Retry-After",
    "WWW-Authenticate",
    "OTP-Required",
    "RateLimit",
    "RateLimit-Policy",
    "X-Request-Id",
)
SENT_BY_SCRIPTS = (
    "Authorization",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "X-Request-Id",
)


def hosts_and_origins(settings: Settings) -> list[Middleware]:
    """Return the middleware that checks host and origin, according to the settings."""
    found = []
    if origins := words(settings.cors_allow_origins):
        # Without credentials: tokens are sent in a header, and cookies are for the page alone.
        found.append(
            Middleware(
                CORSMiddleware,
                allow_origins=origins,
                allow_methods=METHODS,
                allow_headers=SENT_BY_SCRIPTS,
                expose_headers=READ_BY_SCRIPTS,
            )
        )
    if (hosts := words(settings.allowed_hosts)) != ["*"]:
        found.append(Middleware(Hosts, allowed_hosts=hosts, www_redirect=False))
    return found


def words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


class Hosts(TrustedHostMiddleware):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path", "").rstrip("/") in PROBES:
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class ResponseHeaders:
    """Add security and caching headers, and convert plain-text errors to problem responses.

    Responses to authenticated requests, to requests that need authentication, and to writes are
    private: only the client may cache them, and it must revalidate before each use. A
    `Cache-Control` that a route sets, such as `no-store`, is not changed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        private = scope["method"] not in SAFE_METHODS or has(scope, b"authorization")
        plain_error: Message | None = None

        async def send_complete(message: Message) -> None:
            nonlocal plain_error
            if message["type"] == "http.response.start":
                status, headers = message["status"], message["headers"]
                if status == HTTPStatus.NOT_MODIFIED:
                    # RFC 9110, section 15.4.5: the client has the type with its cached response.
                    headers[:] = [pair for pair in headers if pair[0] != b"content-type"]
                present = {name for name, _ in headers}
                headers += [safe for safe in SAFE if safe[0] not in present]
                if scope["scheme"] == "https":
                    headers.append(HSTS)
                if private or status == HTTPStatus.UNAUTHORIZED:
                    headers += [BY_TOKEN] if b"cache-control" in present else [PRIVATE, BY_TOKEN]
                if is_plain_error(message):
                    plain_error = message
                    return
            elif plain_error is not None:
                problem = problem_of(scope, plain_error, message["body"])
                plain_error = None
                await problem(scope, receive, send)
                return
            await send(message)

        await self.app(scope, receive, send_complete)


def has(message: Scope | Message, header: bytes) -> bool:
    """Return whether a request or a response has a header. ASGI header names are lower case."""
    return header in [name for name, _ in message["headers"]]


def is_plain_error(start: Message) -> bool:
    if start["status"] < FIRST_ERROR:
        return False
    return MutableHeaders(scope=start).get("content-type", "").startswith("text/plain")


def problem_of(scope: Scope, start: Message, body: bytes) -> ProblemResponse:
    headers = MutableHeaders(scope=start)
    del headers["content-type"], headers["content-length"]
    request = Request({**scope, "path": scope["path"].rstrip("/") or "/"})
    return ProblemResponse(request, start["status"], body.decode(), headers)
