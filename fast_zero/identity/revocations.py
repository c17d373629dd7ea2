"""Which sessions have ended while access tokens of theirs may still live.

Each process remembers them, so that asking costs nothing. A trigger notifies of every session
that is deleted, whatever deletes it, and writes it down for those who were not listening.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from prometheus_client import Gauge
from sqlalchemy import URL
from sqlalchemy.event import listen

from fast_zero.core.database import Session
from fast_zero.core.database.listener import listening

CHANNEL = "session_ended"
KEEP_SECONDS = 7200
LOAD = """
SELECT session_id FROM ended_sessions WHERE ended_at > now() - interval '2 hours' ORDER BY ended_at
"""
LISTENING = Gauge(
    "fast_zero_revocations_listening",
    "1 where a process hears of ended sessions; else it asks the database at each request.",
    multiprocess_mode="livemin",
)


class Revocations:
    """The sessions that ended within two hours, known completely only while `complete` is true.

    Older ones are needed by nobody: an access token lives an hour at most.
    """

    def __init__(self) -> None:
        self.complete = False
        self.ended: dict[int, float] = {}  # the oldest first, with the moment it was heard of

    async def load(self, connection: psycopg.AsyncConnection) -> None:
        """Read what ended while nobody listened; what is known already stays known."""
        for (session_id,) in await (await connection.execute(LOAD)).fetchall():
            self.add(session_id)
        self.complete = True
        LISTENING.set(1)

    def add(self, session_id: int | None) -> None:
        """Refuse a session in this process at once. None stands for a personal token."""
        if session_id is None:
            return
        now = time.monotonic()
        self.ended.pop(session_id, None)  # so that it moves to the end
        self.ended[session_id] = now
        while self.ended[oldest := next(iter(self.ended))] < now - KEEP_SECONDS:
            del self.ended[oldest]

    def add_at_commit(self, session: Session, *session_ids: int | None) -> None:
        """Refuse sessions in this process once the transaction that ends them is committed."""

        def add(_session: object) -> None:
            for session_id in session_ids:
                self.add(session_id)

        listen(session.sync_session, "after_commit", add, once=True)

    def hear(self, payload: str) -> None:
        self.add(int(payload))

    def lose(self) -> None:
        self.complete = False
        LISTENING.set(0)


@asynccontextmanager
async def followed(url: URL) -> AsyncIterator[Revocations]:
    """Keep a list of revocations up to date while the application runs."""
    revocations = Revocations()
    async with listening(
        url, CHANNEL, begin=revocations.load, hear=revocations.hear, end=revocations.lose
    ):
        yield revocations
