"""The clock of the request that is answered, for work that knows nothing of requests."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class Clock(Protocol):
    counts: bool

    def restart(self) -> None: ...


current: ContextVar[Clock | None] = ContextVar("clock", default=None)


@contextmanager
def uncounted() -> Iterator[None]:
    """Stop the clock of the request that is answered here, for work that surely ends."""
    clock = current.get()
    if clock:
        clock.counts = False
    try:
        yield
    finally:
        if clock:
            clock.restart()
