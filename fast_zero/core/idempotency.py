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
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from psycopg.errors import LockNotAvailable
from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    LargeBinary,
    Named,
    SmallInteger,
    Table,
    Text,
    TypedColumns,
    delete,
    func,
    literal,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert

from fast_zero.core import etags
from fast_zero.core.database import Transaction, run_again
from fast_zero.core.errors import InProgress, Invalid, Malformed, Unavailable
from fast_zero.core.parameters import header
from fast_zero.core.tables import metadata, now_at_first

NAME = "Idempotency-Key"
KEY = re.compile(r'"([!#-~]{1,255})"|([!#-~]{1,255})')
LIFETIME = timedelta(hours=24)
PURGED_AT_ONCE = 10
NOBODY = 0
KEPT_HEADERS = ("content-type", "cache-control", "etag", "location")

MALFORMED = f"{NAME} has to be 1 to 255 visible ASCII characters, such as a UUID."
IN_PROGRESS = f"The first request with this {NAME} is still being processed."
REUSED = "This key came with another body before. Take a new one."

Act = Callable[[Any], Awaitable[Response]]


class KeptAnswerColumns(TypedColumns):
    """What was answered to the first request with a key. It goes with its owner's account."""

    actor_id: Named[int] = Column(BigInteger, primary_key=True, autoincrement=False)
    route: Named[str] = Column(Text, primary_key=True)
    key: Named[str] = Column(Text, primary_key=True)
    fingerprint: Named[bytes] = Column(LargeBinary)
    owner_id: Named[int | None] = Column(BigInteger)
    status: Named[int | None] = Column(SmallInteger)
    headers: Named[dict[str, str] | None] = Column(JSONB)
    body: Named[bytes | None] = Column(LargeBinary)
    created_at: Named[datetime] = now_at_first()


kept_answers = Table(
    "idempotency_keys",
    metadata,
    KeptAnswerColumns,
    Index(None, "owner_id"),
    Index(None, "created_at"),
)


PRIMARY_KEY = (kept_answers.c.actor_id, kept_answers.c.route, kept_answers.c.key)
EXPIRED = kept_answers.c.created_at < func.now() - literal(LIFETIME)


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
        if not await claim(session, identity, prints[0]):
            return await replay(session, identity, prints)
        response = await act(session)
        await keep(session, identity, response, self.owner_id)
        return response


async def claim(session: Transaction, identity: tuple[int, str, str], fingerprint: bytes) -> bool:
    """Take the key, or one that has expired; tell whether it was free."""
    actor_id, route, key = identity
    statement = insert(kept_answers).values(
        actor_id=actor_id, route=route, key=key, fingerprint=fingerprint
    )
    statement = statement.on_conflict_do_update(
        index_elements=PRIMARY_KEY,
        set_={"fingerprint": statement.excluded.fingerprint, "created_at": func.now()},
        where=EXPIRED,
    )
    try:
        return (await session.execute(statement.returning(true()))).scalar() is not None
    except Unavailable as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise InProgress(IN_PROGRESS) from None
        raise


async def replay(
    session: Transaction, identity: tuple[int, str, str], fingerprints: Sequence[bytes]
) -> Response:
    statement = select(kept_answers).where(tuple_(*PRIMARY_KEY) == identity)
    kept = (await session.execute(statement)).one()
    if kept.fingerprint not in fingerprints:
        raise Invalid(REUSED, NAME, "header")
    headers = {**(kept.headers or {}), "Idempotency-Replayed": "true"}
    return Response(kept.body, kept.status or 200, headers)


async def keep(
    session: Transaction, identity: tuple[int, str, str], response: Response, owner_id: int | None
) -> None:
    """Keep the answer, and in the same statement throw away a few that have expired."""
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    expired = select(*PRIMARY_KEY).where(EXPIRED).limit(PURGED_AT_ONCE)
    expired = expired.with_for_update(skip_locked=True)
    purge = delete(kept_answers).where(tuple_(*PRIMARY_KEY).in_(expired))
    await session.execute(
        update(kept_answers)
        .where(tuple_(*PRIMARY_KEY) == identity)
        .values(
            status=response.status_code,
            headers=headers,
            body=bytes(response.body),
            owner_id=owner_id,
        )
        .add_cte(purge.cte("purge"))
    )


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

UNFINISHED = InProgress(IN_PROGRESS)
"""What every route that takes a `DoOnce` may answer."""

REPLAYED = {
    "Idempotency-Replayed": {
        "description": f"`true` when this was answered to the same `{NAME}` before.",
        "schema": {"type": "string", "enum": ["true"]},
    }
}
CREATED: dict[int | str, dict[str, Any]] = {
    201: {"headers": etags.LOCATION | etags.ETAG | REPLAYED},
}
DONE: dict[int | str, dict[str, Any]] = {200: {"headers": REPLAYED}}
