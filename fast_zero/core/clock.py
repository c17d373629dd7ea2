"""The deadline timer of the current request, for code that does not know about requests."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class DeadlineTimer(Protocol):
    is_running: bool

    def restart(self) -> None: ...


current: ContextVar[DeadlineTimer | None] = ContextVar("deadline_timer", default=None)


@contextmanager
def deadline_paused() -> Iterator[None]:
    """Pause the deadline of the current request. Use it only for work that is certain to end."""
    timer = current.get()
    if timer:
        timer.is_running = False
    try:
        yield
    finally:
        if timer:
            timer.restart()
