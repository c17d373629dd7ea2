"""The advisory lock that says that the database is in use.

Servers, workers and migrations share it for as long as a connection of theirs lives, and a
restoration takes it for itself. The shared lock is tried and never waited for: a waiting statement
would hold up `CREATE INDEX CONCURRENTLY`, and in a server the event loop.
"""

from typing import Any

import psycopg

LOCK = 0x6661_7374_5F75_7365  # any number that no other program locks: "fast_use"


class BeingRestoredError(Exception):
    def __init__(self) -> None:
        super().__init__("a backup is being restored into the database")


async def hold(connection: psycopg.AsyncConnection[Any]) -> None:
    """Share the lock until the connection ends; refuse while a backup is being restored."""
    found = await connection.execute("SELECT pg_try_advisory_lock_shared(%s)", [LOCK])
    is_held = await found.fetchone() == (True,)
    await connection.commit()
    if not is_held:
        raise BeingRestoredError


def check(connection: psycopg.Connection[Any]) -> None:
    """Refuse while a backup is being restored; share the lock until the transaction ends."""
    found = connection.execute("SELECT pg_try_advisory_xact_lock_shared(%s)", [LOCK])
    if found.fetchone() != (True,):
        raise BeingRestoredError
