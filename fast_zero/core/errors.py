"""What domain code raises. Each door translates these once; REST does so in `problems`."""

import math
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, ClassVar


class StartError(Exception):
    """The program cannot start; the message is the one sentence that its user reads."""


class DomainError(Exception):
    """A refusal with a sentence for the reader."""

    status: ClassVar[HTTPStatus]
    headers: Mapping[str, str] = MappingProxyType({})
    members: Mapping[str, Any] | None = None  # beside the sentence (RFC 9457, section 3.2)

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Unauthenticated(DomainError):
    status = HTTPStatus.UNAUTHORIZED
    headers: Mapping[str, str] = MappingProxyType(
        {"WWW-Authenticate": "Bearer"}
    )  # RFC 6750, section 3


class Malformed(DomainError):
    """A header that cannot be read."""

    status = HTTPStatus.BAD_REQUEST


class Forbidden(DomainError):
    status = HTTPStatus.FORBIDDEN


class InsufficientScope(Forbidden):
    """The token is good, but was not made for this."""

    def __init__(self, *missing: str) -> None:
        scope = " ".join(missing)
        super().__init__(f"This needs a token with the scope {scope}")
        challenge = f'Bearer error="insufficient_scope", scope="{scope}"'  # RFC 6750, section 3.1
        self.headers = {"WWW-Authenticate": challenge}


class NotFound(DomainError):
    status = HTTPStatus.NOT_FOUND


class Conflict(DomainError):
    status = HTTPStatus.CONFLICT


class InProgress(Conflict):
    """The same request is being processed at this moment."""

    headers = MappingProxyType({"Retry-After": "1"})


class Stale(DomainError):
    """What was to be written has changed since its writer read it. `etag` is its tag now."""

    status = HTTPStatus.PRECONDITION_FAILED

    def __init__(self, etag: str) -> None:
        super().__init__("It has changed since you read it. Read it again, then send your change.")
        self.headers = {"ETag": etag}


class Invalid(DomainError):
    """A payload that breaks a rule which its schema cannot say. `field` names the culprit."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, detail: str, field: str | None = None, place: str = "body") -> None:
        super().__init__(detail)
        self.field = field
        self.place = place


class TooManyRequests(DomainError):
    """More than is let through; the same request may be sent again after so many seconds."""

    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, detail: str, seconds: float = 1) -> None:
        super().__init__(detail)
        self.headers = {"Retry-After": str(max(1, math.ceil(seconds)))}


class Unavailable(DomainError):
    """The database is away or too busy; the same request may succeed in a moment."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    headers = MappingProxyType({"Retry-After": "2"})
