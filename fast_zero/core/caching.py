"""Who may keep an answer."""

from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class PrivateAnswers:
    """Let nobody but the client keep what was answered to it, and let it ask before each use.

    Private is what a token asked for or should have asked for, and what a write answers. A
    route that says more, such as `no-store`, is left alone.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        private = scope["method"] not in {"GET", "HEAD"} or "authorization" in Headers(scope=scope)

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start" and (
                private or message["status"] == HTTPStatus.UNAUTHORIZED
            ):
                headers = MutableHeaders(raw=message["headers"])
                headers.setdefault("Cache-Control", "private, no-cache")
                headers.add_vary_header("Authorization")
            await send(message)

        await self.app(scope, receive, send_marked)
