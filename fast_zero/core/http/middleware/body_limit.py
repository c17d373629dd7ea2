"""How many bytes the body of a request may have."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send


@dataclass(frozen=True)
class BodyLimits:
    """The limit of most routes, and those of the paths that take more."""

    most: int
    of_paths: Mapping[str, int] = field(default_factory=dict)

    def of(self, scope: Scope) -> int:
        return self.of_paths.get(scope["path"], self.most)


class BodyLimit:
    """Refuse a body while it is read, once it is larger than the limit of its path."""

    def __init__(self, app: ASGIApp, limits: BodyLimits) -> None:
        self.app = app
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        await RequestBodyLimitMiddleware(self.app, self.limits.of(scope))(scope, receive, send)
