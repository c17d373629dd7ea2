"""A request budget for each user, and for each address whose requests are not authenticated.

It protects the server from a client that is out of control. Each process keeps its own counts in
memory, so a check takes microseconds and no statement.
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
MAX_CLIENTS = 50_000  # about ten megabytes
FREE_PATHS = PROBES | {"/", "/docs", "/redoc", "/openapi.json"}
FREE_FOLDERS = ("/docs/assets/", "/static/")
EXHAUSTED = TooManyRequests("Too many requests. Wait, then go on more slowly.")
"""The error that every rate-limited route may return."""


@dataclass(frozen=True)
class RateLimitState:
    """The state of a client's budget after a request. Times are in seconds, rounded up."""

    granted: bool
    remaining: int
    reset_after: int
    retry_after: int


class Budget:
    """Allows `quota` requests at once, which are restored one by one over the window.

    It implements the generic cell rate algorithm. For each client it stores only the time when
    the budget will be full again.
    """

    def __init__(
        self, quota: int, window: int = WINDOW_SECONDS, max_clients: int = MAX_CLIENTS
    ) -> None:
        self.quota = quota
        self.interval = window * SECOND // quota
        self.max_clients = max_clients
        self.full_at: OrderedDict[str, int] = OrderedDict()  # the most recent client is last

    def spend(self, client: str, now: int) -> RateLimitState:
        debt = max(self.full_at.pop(client, 0) - now, 0)
        late = debt + self.interval - self.quota * self.interval
        granted = late <= 0
        if granted:
            debt += self.interval
        self.full_at[client] = now + debt
        self.evict(now)
        return RateLimitState(
            granted,
            remaining=self.quota - -(-debt // self.interval),
            reset_after=-(-debt // SECOND),
            retry_after=-(-late // SECOND),
        )

    def refund(self, client: str) -> None:
        if client in self.full_at:
            self.full_at[client] -= self.interval

    def evict(self, now: int) -> None:
        """Remove up to two clients: those with a full budget, or the oldest above the limit.

        Each call adds at most one client, so the table cannot grow beyond `max_clients`.
        """
        for _ in range(2):
            oldest = next(iter(self.full_at))
            if self.full_at[oldest] > now and len(self.full_at) <= self.max_clients:
                return
            del self.full_at[oldest]


class RateLimitClient:
    """The client whose budget a request is charged to: the address, or the user once known."""

    def __init__(self, budget: Budget, address: str) -> None:
        self.budget = budget
        self.address = f"address {address}"
        self.charged = ""
        self.state: RateLimitState

    def charge_user(self, user_id: int) -> None:
        self.charge(f"user {user_id}")

    def charge_address(self) -> None:
        self.charge(self.address)

    def charge(self, client: str) -> None:
        if client == self.charged:
            return
        self.budget.refund(self.charged)
        self.charged = client
        self.state = self.budget.spend(client, time.monotonic_ns())
        if not self.state.granted:
            raise TooManyRequests(EXHAUSTED.detail, self.state.retry_after)


class RateLimit:
    """Charge each request before any other work, and report the remaining budget in the response.

    (IETF draft-ietf-httpapi-ratelimit-headers-10.) A request is charged to a user only if we signed
    its token; otherwise other clients could spend that user's budget. A personal token is
    recognized only after a statement, and a signed token may have been revoked. In both cases the
    route moves the charge to the right client.
    """

    def __init__(self, app: ASGIApp, requests_per_minute: int) -> None:
        self.app = app
        self.budget = Budget(requests_per_minute)
        self.policy = f'"default";q={requests_per_minute};w={WINDOW_SECONDS}'.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_free(scope["path"]):
            await self.app(scope, receive, send)
            return
        address = network(scope["client"][0] if scope["client"] else "")
        client = RateLimitClient(self.budget, address)
        scope["state"]["rate_limit"] = client
        token = access_token_of(scope)

        async def send_with_limits(message: Message) -> None:
            if message["type"] == "http.response.start":
                limits = f'"default";r={client.state.remaining};t={client.state.reset_after}'
                message["headers"] += [
                    (b"ratelimit-policy", self.policy),
                    (b"ratelimit", limits.encode()),
                ]
            await send(message)

        try:
            if token:
                client.charge_user(token.user_id)
            else:
                client.charge_address()
        except TooManyRequests as error:
            request = Request(scope)
            response = ProblemResponse(request, error.status, error.detail, error.headers)
            await response(scope, receive, send_with_limits)
        else:
            await self.app(scope, receive, send_with_limits)


def is_free(path: str) -> bool:
    return path in FREE_PATHS or path.startswith(FREE_FOLDERS)
