"""`Idempotency-Key`: a POST that is sent again gets the stored response and has no further effect.

The key is inserted first, in the transaction of the request, and the response is stored last in the
same transaction. So a response is stored if and only if the request has taken effect. A second
request with the key waits at the primary key until the first has committed, and then reads the
stored response.

(IETF draft-ietf-httpapi-idempotency-key-header.)
"""

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Annotated, Any, Self

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel, WithJsonSchema

from fast_zero.core.database import Session, retry_transaction
from fast_zero.core.errors import InProgress, Invalid, Malformed, Reason
from fast_zero.core.http import conditions, idempotency_keys
from fast_zero.core.http.idempotency_keys import IdempotencyKey

NAME = "Idempotency-Key"
CHANGE_SET = "X-Change-Set"
KEY = re.compile(r'"([!#-~]{1,255})"|([!#-~]{1,255})')
ANONYMOUS = 0
STORED_HEADERS = {"cache-control", "etag", "location", CHANGE_SET.lower()}

MALFORMED = f"{NAME} has to be 1 to 255 visible ASCII characters, such as a UUID."
REUSED = Reason("idempotency_key_reused", "This key came with another body before. Take a new one.")

Operation = Callable[[], Awaitable[BaseModel]]
Show = Callable[[bytes], BaseModel]


class IdempotentOperation:
    """Runs the operation of a request once for each key. Without a key, it always runs it."""

    def __init__(self, request: Request, response: Response, key: str | None) -> None:
        self.request = request
        self.response = response
        self.key = key
        self.owner_id: int | None = None
        self.content: bytes | None = None

    def of_form(self, key: str, content: bytes) -> Self:
        """Take the key from a field of a form, unless the header has one.

        `content` is what must be the same when the form is sent again: its body is read already.
        """
        self.key = self.key or (read_key(key) if key else None)
        self.content = content
        return self

    async def __call__(
        self,
        session: Session,
        user_id: int,
        operation: Operation,
        *,
        status: HTTPStatus = HTTPStatus.CREATED,
        show: Show | None = None,
    ) -> BaseModel | Response:
        """Return the result of the operation, or the stored response of an earlier request.

        With a key, the operation runs in a transaction, which is retried if PostgreSQL has
        cancelled it. `user_id` may be `ANONYMOUS`; then the operation sets `owner_id` to the
        account that it creates. `show` converts the stored body to the one to send, if they differ.
        """
        key, route = self.key, f"{self.request.method} {self.request.scope['path']}"

        async def run_and_store() -> BaseModel | Response:
            await session.begin()
            identity = (user_id, route, key or "")
            if not await idempotency_keys.claim(session, identity, prints[0]):
                return replayed(
                    await idempotency_keys.select_response(session, identity), prints, show
                )
            self.owner_id = user_id or None
            content = await operation()
            headers = self.response.headers.items()
            stored = {
                "status": status,
                "headers": {name: value for name, value in headers if name in STORED_HEADERS},
                "body": content.model_dump_json().encode(),
            }
            await idempotency_keys.store_response(session, identity, self.owner_id, stored)
            return content

        if key is None:
            content: BaseModel | Response = await retry_transaction(session, operation)
        else:
            prints = await self.fingerprints()
            content = await retry_transaction(session, run_and_store)
        if show and isinstance(content, BaseModel):
            return show(content.model_dump_json().encode())
        return content

    async def fingerprints(self) -> list[bytes]:
        """Hash query and body with each secret key. Keyed: the body may contain a password."""
        body = await self.request.body() if self.content is None else self.content
        if query := self.request.scope["query_string"]:
            body = b"%b\0%b" % (query, body)
        keys = self.request.state.settings.signing_keys()
        return [hmac.digest(key.encode(), body, hashlib.sha256) for key in keys]


def replayed(stored: IdempotencyKey, prints: Sequence[bytes], show: Show | None) -> Response:
    """Return the stored response. Raises Invalid if the body is not the same."""
    if stored.fingerprint not in prints:
        raise Invalid(REUSED, NAME, "header")
    body = stored.body or b""
    if show:
        body = show(body).model_dump_json().encode()
    headers = {**(stored.headers or {}), "Idempotency-Replayed": "true"}
    return Response(body, stored.status or HTTPStatus.OK, headers, "application/json")


def read_key(text: str) -> str:
    """Return the key that a header has, with or without quotes. Raises Malformed."""
    found = KEY.fullmatch(text.strip(" \t"))
    if found is None:
        raise Malformed(MALFORMED)
    return found[1] or found[2]


async def idempotent(
    request: Request,
    response: Response,
    idempotency_key: Annotated[
        list[str] | None,
        WithJsonSchema(
            {
                "type": "string",
                "pattern": f"^({KEY.pattern})$",
                "examples": ["0197c2f2-5f0e-7c3a-9d51-3f4f0a7c9b1e"],
            }
        ),
        Header(
            alias=NAME,
            description="Made up by you, such as a UUID. Sent again with the same body within 24 "
            "hours, it does nothing and gets the first response.",
        ),
    ] = None,
) -> IdempotentOperation:
    if not idempotency_key:
        return IdempotentOperation(request, response, None)
    return IdempotentOperation(request, response, read_key(", ".join(idempotency_key)))


Idempotent = Annotated[IdempotentOperation, Depends(idempotent)]
"""For a route that creates something: `return await idempotent(session, user.id, create)`."""

UNFINISHED = InProgress(idempotency_keys.IN_PROGRESS)
"""The error that every route with `Idempotent` may return."""

REPLAYED = {
    "Idempotency-Replayed": {
        "description": f"`true` when this was returned for the same `{NAME}` before.",
        "schema": {"type": "string", "enum": ["true"]},
    }
}
CREATED: dict[int | str, dict[str, Any]] = {
    201: {"headers": conditions.LOCATION | conditions.ETAG | REPLAYED},
}
CHANGED: dict[int | str, dict[str, Any]] = {200: {"headers": conditions.ETAG | REPLAYED}}
"""The response of a `POST` that changes one thing, and returns it."""

DONE: dict[int | str, dict[str, Any]] = {200: {"headers": REPLAYED}}
