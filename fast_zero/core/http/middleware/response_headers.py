"""What every response carries, and which hosts and browsers' origins are listened to."""

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
"""Asked by address, from within a container or a cluster, whatever the public name is."""

# As ASGI carries them: written once, and not at each response.
SAFE = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    # Data is never a page. The pages that are loosen it for what they hold, in `openapi`.
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
PRIVATE = (b"cache-control", b"private, no-cache")
BY_TOKEN = (b"vary", b"Authorization")
# A year; RFC 6797, section 7.2 forbids it over plain HTTP.
HSTS = (b"strict-transport-security", b"max-age=31536000")

FIRST_REFUSAL = HTTPStatus.BAD_REQUEST.value
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
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
    """Give the checks of host and origin that the settings ask for."""
    found = []
    if origins := words(settings.cors_allow_origins):
        # Credentials stay out: a token in a header is one, and it needs no cookie.
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
    """Add the headers of security and caching, and make problems of refusals in plain text.

    Private is what a token asked for or should have asked for, and what a write returns: nobody but
    the client keeps it, and asks before each use. A route that says more, such as `no-store`, is
    left alone.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        private = scope["method"] not in {"GET", "HEAD", "OPTIONS"} or has(scope, b"authorization")
        refusal: Message | None = None

        async def send_complete(message: Message) -> None:
            nonlocal refusal
            if message["type"] == "http.response.start":
                status, headers = message["status"], message["headers"]
                if status == HTTPStatus.NOT_MODIFIED:
                    # RFC 9110, section 15.4.5: what the client has already says its type.
                    headers[:] = [pair for pair in headers if pair[0] != b"content-type"]
                said = {name for name, _ in headers}
                headers += [safe for safe in SAFE if safe[0] not in said]
                if scope["scheme"] == "https":
                    headers.append(HSTS)
                if private or status == HTTPStatus.UNAUTHORIZED:
                    headers += [BY_TOKEN] if b"cache-control" in said else [PRIVATE, BY_TOKEN]
                if is_plain_refusal(message):
                    refusal = message
                    return
            elif refusal is not None:
                problem = problem_of(scope, refusal, message["body"])
                refusal = None
                await problem(scope, receive, send)
                return
            await send(message)

        await self.app(scope, receive, send_complete)


def has(message: Scope | Message, header: bytes) -> bool:
    """Tell whether a request or a response has a header; in ASGI their names are in lower case."""
    return header in [name for name, _ in message["headers"]]


def is_plain_refusal(start: Message) -> bool:
    if start["status"] < FIRST_REFUSAL:
        return False
    return MutableHeaders(scope=start).get("content-type", "").startswith("text/plain")


def problem_of(scope: Scope, start: Message, body: bytes) -> ProblemResponse:
    headers = MutableHeaders(scope=start)
    del headers["content-type"], headers["content-length"]
    asked = Request({**scope, "path": scope["path"].rstrip("/") or "/"})
    return ProblemResponse(asked, start["status"], body.decode(), headers)
