"""The queue in which passwords wait to be hashed: one at a time, and callers take turns.

A hash takes 64 MiB and a tenth of a second on purpose. One at a time, a storm of log-ins slows
log-ins and nothing else. Each caller has at most one in the common queue, and the others wait for
that one: so whoever comes waits for one hash of each caller who is there, however many they have.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from anyio import CapacityLimiter, Lock, to_thread

from fast_zero.core.addresses import network
from fast_zero.core.errors import TooManyRequests, Unavailable
from fast_zero.core.settings import Settings

BUSY = "Too many passwords are being checked. Try again in a moment."
TOO_MANY_OF_ONE = "Too many passwords from you are being checked. Try again in a moment."
CROWDED = TooManyRequests(TOO_MANY_OF_ONE)
"""What every route that hashes a password may return."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Caller:
    """Who wants a password hashed, how many of theirs the queue takes, and how many of all.

    None is no limit.
    """

    name: str
    limit: int | None = None
    limit_of_all: int | None = None


OPERATOR = Caller("operator")
"""A command, in a process of its own."""


def user(settings: Settings, user_id: int) -> Caller:
    return Caller(f"user {user_id}", settings.password_queue_per_user, settings.password_queue)


def address(settings: Settings, address: str) -> Caller:
    """Give the caller of whom nothing else is known. Many people may share an address."""
    name = f"address {network(address)}"
    return Caller(name, settings.password_queue_per_address, settings.password_queue)


class PasswordQueue:
    def __init__(self) -> None:
        self.hashing = CapacityLimiter(1)
        self.sizes: Counter[str] = Counter()
        self.locks: defaultdict[str, Lock] = defaultdict(Lock)

    def waiting(self) -> int:
        return max(self.sizes.total() - self.hashing.borrowed_tokens, 0)

    async def run(self, caller: Caller, work: Callable[[], Result]) -> Result:
        """Do the work in a thread when it is the caller's turn, or refuse it at once."""
        name = caller.name
        if caller.limit is not None and self.sizes[name] >= caller.limit:
            raise TooManyRequests(TOO_MANY_OF_ONE)
        if caller.limit_of_all is not None and self.sizes.total() >= caller.limit_of_all:
            raise Unavailable(BUSY)
        self.sizes[name] += 1
        try:
            async with self.locks[name]:
                return await to_thread.run_sync(work, limiter=self.hashing)
        finally:
            self.sizes[name] -= 1
            if not self.sizes[name]:
                del self.sizes[name], self.locks[name]


passwords = PasswordQueue()
