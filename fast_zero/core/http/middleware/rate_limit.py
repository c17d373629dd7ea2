"""A budget of requests for each user, and for each address that nobody is known behind.

It is there against a client that has gone wild, so each process keeps its own, in memory: a hit
costs microseconds and no statement.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fast_zero.core.addresses import network
from fast_zero.core.errors import TooManyRequests
from fast_zero.core.http.bearer import access_token_of
from fast_zero.core.http.middleware.response_headers import PROBES
from fast_zero.core.http.problems import ProblemResponse

WINDOW_SECONDS = 60
SECOND = 1_000_000_000  # nanoseconds: whole numbers add up without error
MOST_KEPT = 50_000  # callers, some ten megabytes
FREE_PATHS = PROBES | {"/", "/docs", "/redoc", "/openapi.json"}
FREE_FOLDER = "/docs/assets/"
EXHAUSTED = TooManyRequests("Too many requests. Wait, then go on more slowly.")
"""What every route that is not free may return."""


@dataclass(frozen=True)
class Standing:
    """Where a caller stands after a request. Times are seconds, rounded up."""

    granted: bool
    left: int
    whole_in: int
    next_in: int


class Budget:
    """So many requests at once, which come back one by one over the window.

    (The generic cell rate algorithm.) All that is kept of a caller is the moment when their
    budget will be whole again.
    """

    def __init__(
        self, quota: int, window: int = WINDOW_SECONDS, most_kept: int = MOST_KEPT
    ) -> None:
        self.quota = quota
        self.interval = window * SECOND // quota
        self.most_kept = most_kept
        self.whole_at: OrderedDict[str, int] = OrderedDict()  # who came last stands last

    def spend(self, who: str, now: int) -> Standing:
        debt = max(self.whole_at.pop(who, 0) - now, 0)
        late = debt + self.interval - self.quota * self.interval
        granted = late <= 0
        if granted:
            debt += self.interval
        self.whole_at[who] = now + debt
        self.forget(now)
        return Standing(
            granted,
            left=self.quota - -(-debt // self.interval),
            whole_in=-(-debt // SECOND),
            next_in=-(-late // SECOND),
        )

    def give_back(self, who: str) -> None:
        if who in self.whole_at:
            self.whole_at[who] -= self.interval

    def forget(self, now: int) -> None:
        """Forget one more than came, as long as there are some who do not matter any more."""
        for _ in range(2):
            oldest = next(iter(self.whole_at))
            if self.whole_at[oldest] > now and len(self.whole_at) <= self.most_kept:
                return
            del self.whole_at[oldest]


class Charge:
    """Who pays for a request. It is the address until a token has proven more."""

    def __init__(self, budget: Budget, address: str) -> None:
        self.budget = budget
        self.address = f"address {address}"
        self.who = ""
        self.standing: Standing

    def to_user(self, user_id: int) -> None:
        self.to(f"user {user_id}")

    def to_address(self) -> None:
        self.to(self.address)

    def to(self, who: str) -> None:
        if who == self.who:
            return
        self.budget.give_back(self.who)
        self.who = who
        self.standing = self.budget.spend(who, time.monotonic_ns())
        if not self.standing.granted:
            raise TooManyRequests(EXHAUSTED.detail, self.standing.next_in)


class RateLimit:
    """Charge each request before it costs anything, and tell in each response what is left.

    (IETF draft-ietf-httpapi-ratelimit-headers-10.) A user is charged only when their token is
    signed by us, or others could spend their budget. A personal token is known only after a
    statement, and one that is signed may have been revoked: the route then moves the charge.
    """

    def __init__(self, app: ASGIApp, requests_per_minute: int) -> None:
        self.app = app
        self.budget = Budget(requests_per_minute)
        self.policy = f'"default";q={requests_per_minute};w={WINDOW_SECONDS}'.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_free(scope["path"]):
            await self.app(scope, receive, send)
            return
        charge = Charge(self.budget, network(scope["client"][0] if scope["client"] else ""))
        scope["state"]["charge"] = charge
        token = access_token_of(scope)

        async def send_standing(message: Message) -> None:
            if message["type"] == "http.response.start":
                standing = f'"default";r={charge.standing.left};t={charge.standing.whole_in}'
                message["headers"] += [
                    (b"ratelimit-policy", self.policy),
                    (b"ratelimit", standing.encode()),
                ]
            await send(message)

        try:
            if token:
                charge.to_user(token.user_id)
            else:
                charge.to_address()
        except TooManyRequests as refusal:
            request = Request(scope)
            answer = ProblemResponse(request, refusal.status, refusal.detail, refusal.headers)
            await answer(scope, receive, send_standing)
        else:
            await self.app(scope, receive, send_standing)


def is_free(path: str) -> bool:
    return path in FREE_PATHS or path.startswith(FREE_FOLDER)
