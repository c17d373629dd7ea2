"""The queue for hashing passwords, which hashes one at a time and is fair to callers.

A hash takes 64 MiB and a tenth of a second by design. Since only one is computed at a time, many
log-ins at once slow down only log-ins. Each caller has at most one password in the common queue,
and the caller's other passwords wait for that one. So a new caller waits for at most one hash of
each other caller.
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
TOO_MANY_PASSWORDS = TooManyRequests(TOO_MANY_OF_ONE)
"""The error that every route that hashes a password may return."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Caller:
    """The caller that wants a password hashed, with limits for its own and for all passwords.

    None means no limit.
    """

    name: str
    limit: int | None = None
    limit_of_all: int | None = None


OPERATOR = Caller("operator")
"""A command that runs in its own process."""


def user(settings: Settings, user_id: int) -> Caller:
    return Caller(f"user {user_id}", settings.password_queue_per_user, settings.password_queue)


def address(settings: Settings, address: str) -> Caller:
    """Return the caller for an unauthenticated request. Many people may share an address."""
    name = f"address {network(address)}"
    return Caller(name, settings.password_queue_per_address, settings.password_queue)


class PasswordQueue:
    def __init__(self) -> None:
        self.hashing = CapacityLimiter(1)
        self.pending: Counter[str] = Counter()
        self.locks: defaultdict[str, Lock] = defaultdict(Lock)

    def waiting(self) -> int:
        return max(self.pending.total() - self.hashing.borrowed_tokens, 0)

    async def run(self, caller: Caller, work: Callable[[], Result]) -> Result:
        """Run `work` in a thread when it is the caller's turn. Fails if the queue is full."""
        name = caller.name
        if caller.limit is not None and self.pending[name] >= caller.limit:
            raise TooManyRequests(TOO_MANY_OF_ONE)
        if caller.limit_of_all is not None and self.pending.total() >= caller.limit_of_all:
            raise Unavailable(BUSY)
        self.pending[name] += 1
        try:
            async with self.locks[name]:
                return await to_thread.run_sync(work, limiter=self.hashing)
        finally:
            self.pending[name] -= 1
            if not self.pending[name]:
                del self.pending[name], self.locks[name]


passwords = PasswordQueue()
