"""The errors that domain code raises. Each interface translates them once; REST in `problems`."""

import math
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

CODES = {
    400: "bad_request",
    401: "not_authenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    409: "conflict",
    410: "gone",
    412: "precondition_failed",
    413: "payload_too_large",
    415: "unsupported_media_type",
    416: "range_not_satisfiable",
    422: "validation_error",
    424: "failed_dependency",
    429: "too_many_requests",
    431: "headers_too_large",
    500: "internal_error",
    503: "unavailable",
}
"""The default error code for each status."""


class Reason(NamedTuple):
    """The reason for an error: a stable code for programs, and a sentence for people."""

    code: str
    detail: str


INVALID_TOKEN = Reason("invalid_token", "Could not validate credentials")


class StartError(Exception):
    """The program cannot start. The message is shown to the operator as it is."""


class DomainError(Exception):
    """An error with a sentence for the client, and a code if the status is not specific enough."""

    status: ClassVar[HTTPStatus]
    headers: Mapping[str, str] = MappingProxyType({})
    members: Mapping[str, Any] | None = None  # extension members (RFC 9457, section 3.2)

    def __init__(self, reason: Reason | str) -> None:
        if isinstance(reason, str):
            reason = Reason(CODES[self.status], reason)
        super().__init__(reason.detail)
        self.code, self.detail = reason


class Unauthenticated(DomainError):
    status = HTTPStatus.UNAUTHORIZED
    headers: Mapping[str, str] = MappingProxyType(
        {"WWW-Authenticate": "Bearer"}
    )  # RFC 6750, section 3


class Malformed(DomainError):
    """A header that cannot be parsed."""

    status = HTTPStatus.BAD_REQUEST


class Forbidden(DomainError):
    status = HTTPStatus.FORBIDDEN


class InsufficientScope(Forbidden):
    """The token is valid, but lacks a required scope."""

    def __init__(self, *missing: str) -> None:
        scope = " ".join(missing)
        detail = f"This needs a token with the scope {scope}"
        super().__init__(Reason("insufficient_scope", detail))
        challenge = f'Bearer error="insufficient_scope", scope="{scope}"'  # RFC 6750, section 3.1
        self.headers = {"WWW-Authenticate": challenge}


class NotFound(DomainError):
    status = HTTPStatus.NOT_FOUND


class Conflict(DomainError):
    status = HTTPStatus.CONFLICT


class Gone(DomainError):
    status = HTTPStatus.GONE


class InProgress(Conflict):
    """The same request is still being processed."""

    headers = MappingProxyType({"Retry-After": "1"})


class Stale(DomainError):
    """The resource has changed since the client read it. `etag` is its current tag."""

    status = HTTPStatus.PRECONDITION_FAILED

    def __init__(self, etag: str) -> None:
        super().__init__("It has changed since you read it. Read it again, then send your change.")
        self.headers = {"ETag": etag}


class UnsupportedMediaType(DomainError):
    """A body whose media type is not the `expected` one."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE

    def __init__(self, expected: str) -> None:
        super().__init__(f"Content-Type must be {expected}")
        self.headers = {"Accept": expected}  # RFC 9110, section 15.5.16


class Invalid(DomainError):
    """A payload that breaks a rule that its schema cannot express. `field` is the invalid field."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, reason: Reason | str, field: str | None = None, place: str = "body") -> None:
        super().__init__(reason)
        self.field = field
        self.place = place


class TooManyRequests(DomainError):
    """A limit is exceeded. The same request may be sent again after `seconds`."""

    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, reason: Reason | str, seconds: float = 1) -> None:
        super().__init__(reason)
        self.headers = {"Retry-After": str(max(1, math.ceil(seconds)))}


class Unavailable(DomainError):
    """The database is unavailable or too busy. The same request may succeed after a retry."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    headers = MappingProxyType({"Retry-After": "2"})
