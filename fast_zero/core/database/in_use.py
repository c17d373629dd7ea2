"""The advisory lock that marks the database as in use.

Servers, workers and migrations hold a shared lock while one of their connections is open. A restore
takes an exclusive lock. The shared lock is only tried, never waited for: a waiting statement would
block `CREATE INDEX CONCURRENTLY`, and in a server the event loop.
"""

from typing import Any

import psycopg

LOCK = 0x6661_7374_5F75_7365  # arbitrary key, unlikely to be used by another program: "fast_use"


class BeingRestoredError(Exception):
    def __init__(self) -> None:
        super().__init__("a backup is being restored into the database")


async def hold(connection: psycopg.AsyncConnection[Any]) -> None:
    """Take the shared lock until the connection closes.

    Raises BeingRestoredError while a backup is being restored.
    """
    found = await connection.execute("SELECT pg_try_advisory_lock_shared(%s)", [LOCK])
    is_held = await found.fetchone() == (True,)
    await connection.commit()
    if not is_held:
        raise BeingRestoredError


def check(connection: psycopg.Connection[Any]) -> None:
    """Take the shared lock until the transaction ends.

    Raises BeingRestoredError while a backup is being restored.
    """
    found = connection.execute("SELECT pg_try_advisory_xact_lock_shared(%s)", [LOCK])
    if found.fetchone() != (True,):
        raise BeingRestoredError
