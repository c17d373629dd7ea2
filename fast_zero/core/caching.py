"""Who may keep an answer."""

from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PRIVATE = (b"cache-control", b"private, no-cache")
BY_TOKEN = (b"vary", b"Authorization")


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
        private = scope["method"] not in {"GET", "HEAD"} or has(scope, b"authorization")

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start" and (
                private or message["status"] == HTTPStatus.UNAUTHORIZED
            ):
                if not has(message, b"cache-control"):
                    message["headers"].append(PRIVATE)
                message["headers"].append(BY_TOKEN)
            await send(message)

        await self.app(scope, receive, send_marked)


def has(message: Scope | Message, header: bytes) -> bool:
    """Tell whether a request or an answer has a header; in ASGI their names are in lower case."""
    return header in [name for name, _ in message["headers"]]
