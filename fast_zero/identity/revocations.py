"""The sessions that ended while access tokens of them may still be valid.

Each process keeps them in memory, so that a request needs no statement. A trigger notifies of every
deleted session, and stores it in a table for processes that are not listening.
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
    "1 if a process is notified of ended sessions, 0 if it queries the database instead.",
    multiprocess_mode="livemin",
)


class Revocations:
    """The sessions that ended within two hours. The list is complete only while `complete` is true.

    Two hours are enough: an access token is valid for an hour at most.
    """

    def __init__(self) -> None:
        self.complete = False
        self.ended: dict[int, float] = {}  # session id → when it was added, the oldest first

    async def load(self, connection: psycopg.AsyncConnection) -> None:
        """Load the sessions that ended while this process was not listening."""
        for (session_id,) in await (await connection.execute(LOAD)).fetchall():
            self.add(session_id)
        self.complete = True
        LISTENING.set(1)

    def add(self, session_id: int | None) -> None:
        """Refuse a session in this process from now on. None stands for a personal token."""
        if session_id is None:
            return
        now = time.monotonic()
        self.ended.pop(session_id, None)  # so that it moves to the end
        self.ended[session_id] = now
        while self.ended[oldest := next(iter(self.ended))] < now - KEEP_SECONDS:
            del self.ended[oldest]

    def add_at_commit(self, session: Session, *session_ids: int | None) -> None:
        """Refuse sessions in this process as soon as the transaction is committed."""

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
        url,
        CHANNEL,
        on_connect=revocations.load,
        on_notify=revocations.hear,
        on_disconnect=revocations.lose,
    ):
        yield revocations
