"""What domain code raises. Each door translates these once; REST does so in `problems`."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import ClassVar


class StartError(Exception):
    """The program cannot start; the message is the one sentence that its user reads."""


class DomainError(Exception):
    """A refusal with a sentence for the reader."""

    status: ClassVar[HTTPStatus]
    headers: Mapping[str, str] = MappingProxyType({})

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Unauthenticated(DomainError):
    status = HTTPStatus.UNAUTHORIZED
    headers = MappingProxyType({"WWW-Authenticate": "Bearer"})  # RFC 6750, section 3


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


class Invalid(DomainError):
    """A payload that breaks a rule which its schema cannot say. `field` names the culprit."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, detail: str, field: str | None = None) -> None:
        super().__init__(detail)
        self.field = field


class Unavailable(DomainError):
    """The database is away or too busy; the same request may succeed in a moment."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    headers = MappingProxyType({"Retry-After": "2"})
