"""The keys of our own todos in files.

The moment of creation is in them, so that the key of a todo is that of no other, not even of one
with the same id on another server.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

OWN_KEY = re.compile("fast-zero-([1-9][0-9]{0,17})-([1-9][0-9]{0,17})")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class OwnKey(NamedTuple):
    todo_id: int
    created_at: datetime

    def __str__(self) -> str:
        return f"fast-zero-{self.todo_id}-{(self.created_at - EPOCH) // MICROSECOND}"


def parse_key(key: str) -> OwnKey | None:
    """Return which todo of a server, perhaps of this one, has a key. None: it is none of ours."""
    found = OWN_KEY.fullmatch(key)
    if found is None:
        return None
    try:
        return OwnKey(int(found[1]), EPOCH + int(found[2]) * MICROSECOND)
    except OverflowError:
        return None
