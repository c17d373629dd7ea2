"""What every answer carries, and which hosts and browsers' origins are listened to."""

from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fast_zero.core.problems import ProblemResponse
from fast_zero.core.settings import Settings

PROBES = {"/livez", "/readyz", "/version"}
"""Asked by address, from within a container or a cluster, whatever the public name is."""

# As ASGI carries them: written once, and not at each answer.
SAFE = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    # Data is never a page. The pages that are loosen it for what they hold, in `openapi`.
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
SAFE_NAMES = {name for name, _ in SAFE}
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


def guarded(app: ASGIApp, settings: Settings) -> ASGIApp:
    """Put the checks of host and origin around the application, and its headers around all."""
    if (hosts := words(settings.allowed_hosts)) != ["*"]:
        app = Hosts(app, hosts, www_redirect=False)
    if origins := words(settings.cors_allow_origins):
        # Credentials stay out: a token in a header is one, and it needs no cookie.
        app = CORSMiddleware(
            app,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=SENT_BY_SCRIPTS,
            expose_headers=READ_BY_SCRIPTS,
        )
    return Headers(app)


def words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


class Hosts(TrustedHostMiddleware):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path", "").rstrip("/") in PROBES:
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class Headers:
    """Add the headers of safety, and say as a problem what Starlette says in plain text."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refusal: Message | None = None

        async def send_safe(message: Message) -> None:
            nonlocal refusal
            if message["type"] == "http.response.start":
                headers = message["headers"]
                said = [name for name, _ in headers if name in SAFE_NAMES]
                headers += [safe for safe in SAFE if safe[0] not in said] if said else SAFE
                if scope["scheme"] == "https":
                    headers.append(HSTS)
                if is_plain_refusal(message):
                    refusal = message
                    return
            elif refusal is not None:
                problem = problem_of(scope, refusal, message["body"])
                refusal = None
                await problem(scope, receive, send)
                return
            await send(message)

        await self.app(scope, receive, send_safe)


def is_plain_refusal(start: Message) -> bool:
    if start["status"] < FIRST_REFUSAL:
        return False
    return MutableHeaders(scope=start).get("content-type", "").startswith("text/plain")


def problem_of(scope: Scope, start: Message, body: bytes) -> ProblemResponse:
    headers = MutableHeaders(scope=start)
    del headers["content-type"], headers["content-length"]
    asked = Request({**scope, "path": scope["path"].rstrip("/") or "/"})
    return ProblemResponse(asked, start["status"], body.decode(), headers)
