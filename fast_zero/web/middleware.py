"""What holds for every request below `/app/`: who may write, the headers, errors as pages."""

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fast_zero.core.http.middleware.response_headers import SAFE_METHODS
from fast_zero.core.http.problems import MEDIA_TYPE
from fast_zero.web import cookies, links, rendering
from fast_zero.web.texts import mark

OWN_SITES = {"same-origin", "none"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    # Under `no-referrer`, browsers send forms with `Origin: null`.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
TRY_AGAIN_SECONDS = 5

FOREIGN = mark("This form was sent from another site")
TITLES = {
    403: mark("You may not do this"),
    404: mark("There is nothing here"),
    409: mark("That did not work"),
    413: mark("This is too large"),
    429: mark("Too many requests"),
    503: mark("The database does not answer"),
}
TEXTS = {
    403: mark("Open the page again, and send the form from there."),
    404: mark("The address is wrong, or what was here is gone."),
    409: mark("Something has changed meanwhile. Go back and try again."),
    413: mark("Go back and send less."),
    429: mark("Wait a moment, then try again."),
    503: mark("What you have saved is not lost. This page tries again in a few seconds."),
}
UNEXPECTED = (mark("That did not work"), mark("Our mistake; it has been logged. Try again later."))
REFUSED = (mark("That did not work"), mark("The server did not understand the request. Go back."))


OTHER_ACCOUNT = (
    mark("Another account is logged in: this was not saved"),
    mark("It was written before @%(username)s logged in. Open a page again to write there."),
)
AWAY_AT_A_FORM = mark("Go back: what you wrote is still there. Send it again in a moment.")


def is_page(path: str) -> bool:
    return path == "/app" or path.startswith("/app/")


def comes_from_us(scope: Scope) -> bool:
    """Return whether a form comes from this site (OWASP: Fetch Metadata, or else the origin).

    Browsers send `Sec-Fetch-Site` to HTTPS and to localhost, and `Origin` with every form.
    """
    headers = Headers(scope=scope)
    if "sec-fetch-site" in headers:
        return headers["sec-fetch-site"] in OWN_SITES
    try:
        origin = urlsplit(headers.get("origin", ""))
    except ValueError:
        return False
    return (origin.scheme, origin.netloc) == (scope["scheme"], headers.get("host"))


class Pages:
    """Refuse writes from other sites, set the headers, and show errors as pages.

    A 401 means that nobody is logged in, and leads to the log-in.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_page(scope["path"]):
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        if scope["method"] not in SAFE_METHODS and not comes_from_us(scope):
            page = error_page(Request(scope), HTTPStatus.FORBIDDEN, title=FOREIGN)
            await page(scope, receive, send_with_headers)
        else:
            replacing = ReplaceProblems(scope, receive, send_with_headers)
            await self.app(scope, receive, replacing.send)


class ReplaceProblems:
    """Sends a page instead of a problem of the API."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope, self.receive, self.send_page = scope, receive, send
        self.start: Message | None = None
        self.body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            kind = Headers(raw=message["headers"]).get("content-type", "")
            if kind == MEDIA_TYPE:
                self.start = message
                return
        elif self.start is not None:
            self.body += message.get("body", b"")
            if not message.get("more_body"):
                page = self.page()
                await page(self.scope, self.receive, self.send_page)
            return
        await self.send_page(message)

    def page(self) -> Response:
        start = self.start or {}
        request, status = Request(self.scope), start["status"]
        if status == HTTPStatus.UNAUTHORIZED:
            return to_log_in(request)
        problem: dict[str, Any] = json.loads(self.body) if self.body else {}
        page = error_page(request, status, code=str(problem.get("code", "")))
        kept = ((b"retry-after", b"allow", b"ratelimit", b"ratelimit-policy"), start["headers"])
        copy_headers(page, *kept)
        return page


def copy_headers(
    response: Response, names: Iterable[bytes], headers: Iterable[tuple[bytes, bytes]]
) -> None:
    for name, value in headers:
        if name in names:
            response.headers[name.decode()] = value.decode()


def to_log_in(request: Request) -> Response:
    """Go to the log-in, and after it back to the page, or to the page of the form."""
    if request.method in SAFE_METHODS:
        path, query = request.url.path, request.url.query
        address = links.own_path(f"{path}?{query}" if query else path)
    else:
        host = request.headers.get("host", "")
        address = links.referring_path(request.headers.get("referer", ""), host)
    response = RedirectResponse(links.with_next(links.LOG_IN, address), HTTPStatus.SEE_OTHER)
    if cookies.read(request, cookies.SESSION):
        cookies.delete(response, request, cookies.SESSION)
    return response


def error_page(
    request: Request, status: int, *, code: str = "", title: str | None = None
) -> HTMLResponse:
    """Render a page about an error. It needs no database."""
    if status in TITLES:
        found, text = TITLES[status], TEXTS[status]
    else:
        found, text = UNEXPECTED if status >= HTTPStatus.INTERNAL_SERVER_ERROR else REFUSED
    state = request.scope.get("state", {})
    language = state.get("language") or cookies.language_of(request)
    refused = state.get("refused")
    if refused:
        title, text = OTHER_ACCOUNT
    comes_back = status == HTTPStatus.SERVICE_UNAVAILABLE and request.method in SAFE_METHODS
    if status == HTTPStatus.SERVICE_UNAVAILABLE and not comes_back:
        text = AWAY_AT_A_FORM
    values = {
        "title": title or found,
        "text": text,
        "code": code,
        "status": status,
        "refresh": TRY_AGAIN_SECONDS if comes_back else 0,
        "refused": refused,
    }
    body = rendering.render(language, "error.html", values)
    return HTMLResponse("" if request.method == "HEAD" else body, status)
