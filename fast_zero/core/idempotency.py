"""`Idempotency-Key`: a POST that is sent again is answered again, and done once.

The key is claimed first, in the transaction of what the request does, and the answer is kept
in it last. So there is an answer if and only if there is an effect. A second request with the
key waits at the primary key until the first has committed, and then finds its answer.

(IETF draft-ietf-httpapi-idempotency-key-header.)
"""

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

from fastapi import Depends, Request, Response

from fast_zero.core import conditions, kept_answers
from fast_zero.core.database import AnyRow, Transaction, run_again
from fast_zero.core.errors import InProgress, Invalid, Malformed
from fast_zero.core.parameters import header

NAME = "Idempotency-Key"
KEY = re.compile(r'"([!#-~]{1,255})"|([!#-~]{1,255})')
NOBODY = 0
KEPT_HEADERS = {"content-type", "cache-control", "etag", "location"}

MALFORMED = f"{NAME} has to be 1 to 255 visible ASCII characters, such as a UUID."
REUSED = "This key came with another body before. Take a new one."

Act = Callable[[Any], Awaitable[Response]]


class Once:
    """Does what a request asks for, once for each key; without a key, each time."""

    def __init__(self, request: Request, key: str | None) -> None:
        self.request = request
        self.key = key
        self.owner_id: int | None = None

    async def __call__(
        self,
        actor_id: int,
        act: Act,
        *,
        in_transaction: bool = False,
        show: Callable[[bytes], str] | None = None,
    ) -> Response:
        """Answer what `act` answers, or what it answered before.

        `in_transaction` is for what takes several statements. `actor_id` may be `NOBODY`; then
        `act` sets `owner_id` to the account that it makes. `show` turns the body that is kept into
        the one that is sent, where the two must differ.
        """
        response = await self.do(actor_id, act, in_transaction=in_transaction)
        if show:
            response.body = show(bytes(response.body)).encode()
            response.headers["content-length"] = str(len(response.body))
        return response

    async def do(self, actor_id: int, act: Act, *, in_transaction: bool) -> Response:
        state = self.request.state
        if self.key is None and not in_transaction:
            return await act(state.autocommit)
        prints = await self.fingerprints() if self.key else []

        async def transaction() -> Response:
            async with state.sessions() as session:
                if self.key is None:
                    return await act(session)
                return await self.act_once(session, actor_id, act, prints)

        return await run_again(transaction)

    async def fingerprints(self) -> list[bytes]:
        """Tell one body from another, by each key. Keyed, since the body may hold a password."""
        body = await self.request.body()
        keys = self.request.state.settings.signing_keys()
        return [hmac.digest(key.encode(), body, hashlib.sha256) for key in keys]

    async def act_once(
        self, session: Transaction, actor_id: int, act: Act, prints: list[bytes]
    ) -> Response:
        identity = (actor_id, f"{self.request.method} {self.request.scope['path']}", self.key or "")
        self.owner_id = actor_id or None
        if not await kept_answers.claim(session, identity, prints[0]):
            return replayed(await kept_answers.select_answer(session, identity), prints)
        response = await act(session)
        headers = {name: value for name, value in response.headers.items() if name in KEPT_HEADERS}
        answer = {"status": response.status_code, "headers": headers, "body": bytes(response.body)}
        await kept_answers.keep(session, identity, self.owner_id, answer)
        return response


def replayed(kept: AnyRow, prints: Sequence[bytes]) -> Response:
    """Answer what was answered before, to a request with the same body alone."""
    if kept.fingerprint not in prints:
        raise Invalid(REUSED, NAME, "header")
    headers = {**(kept.headers or {}), "Idempotency-Replayed": "true"}
    return Response(kept.body, kept.status or 200, headers)


@header(
    NAME,
    "Made up by you, such as a UUID. Sent again with the same body within 24 hours, it does "
    "nothing and gets the first answer.",
    pattern=f"^({KEY.pattern})$",
    examples=["0197c2f2-5f0e-7c3a-9d51-3f4f0a7c9b1e"],
)
async def once(request: Request) -> Once:
    lines = request.headers.getlist(NAME)
    if not lines:
        return Once(request, None)
    found = KEY.fullmatch(", ".join(lines).strip(" \t"))
    if found is None:
        raise Malformed(MALFORMED)
    return Once(request, found[1] or found[2])


DoOnce = Annotated[Once, Depends(once)]
"""For a route that creates: `return await once(actor.id, act)`."""

UNFINISHED = InProgress(kept_answers.IN_PROGRESS)
"""What every route that takes a `DoOnce` may answer."""

REPLAYED = {
    "Idempotency-Replayed": {
        "description": f"`true` when this was answered to the same `{NAME}` before.",
        "schema": {"type": "string", "enum": ["true"]},
    }
}
CREATED: dict[int | str, dict[str, Any]] = {
    201: {"headers": conditions.LOCATION | conditions.ETAG | REPLAYED},
}
DONE: dict[int | str, dict[str, Any]] = {200: {"headers": REPLAYED}}
