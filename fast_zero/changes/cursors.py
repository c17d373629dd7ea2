"""Cursors of the log of changes, which are opaque to clients."""

import base64
import struct
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID

from fast_zero.core.types import MAX_BIGINT

# Epoch, microseconds, transaction, position; kind, and the three parts of a key.
LAYOUT = struct.Struct(">16sqqqBqqB")
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
NOT_A_CURSOR = "not a cursor of changes; take it from `next` of the page before"

Key = tuple[int, int, int]
"""The id of a thing. A relation has three: of both todos, and the number of its kind."""

NO_KEY: Key = (0, 0, 0)


@dataclass(frozen=True)
class Cursor:
    """Behind which change a client continues; `listed` and `key`, while it lists what there is.

    It is that of a change, and not the horizon of a snapshot: after a crash, PostgreSQL may assign
    the ids of transactions again whose end was not written yet.
    """

    epoch: UUID
    at: datetime
    xid: int
    position: int
    listed: int | None = None
    key: Key = NO_KEY

    def behind(self, listed: int, key: Key) -> Self:
        return replace(self, listed=listed, key=key)

    def ended(self) -> Self:
        return replace(self, listed=None, key=NO_KEY)

    def is_same_place(self, other: Self) -> bool:
        """Return whether no change is between two cursors that list nothing."""
        return (self.epoch, self.xid, self.position) == (other.epoch, other.xid, other.position)

    def __str__(self) -> str:
        at = (self.at - BEGINNING) // MICROSECOND
        kind = 0 if self.listed is None else self.listed + 1
        packed = LAYOUT.pack(self.epoch.bytes, at, self.xid, self.position, kind, *self.key)
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def parse(text: str) -> Cursor:
    """Decode a cursor. Only the exact text of a cursor is accepted; else, raises ValueError."""
    try:
        padded = text + "=" * (-len(text) % 4)
        packed = base64.b64decode(padded, b"-_", validate=True)
        epoch, at, xid, position, kind, *key = LAYOUT.unpack(packed)
        cursor = Cursor(
            UUID(bytes=epoch),
            BEGINNING + at * MICROSECOND,
            xid,
            position,
            kind - 1 if kind else None,
            (key[0], key[1], key[2]),
        )
        is_exact = str(cursor) == text
    except (ValueError, OverflowError, struct.error):
        is_exact = False
    if not is_exact or min(xid, position, *key) < 0 or max(xid, position, *key) > MAX_BIGINT:
        raise ValueError(NOT_A_CURSOR)
    return cursor
