"""A time limit for the start of each response."""

import asyncio
import logging

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fast_zero.core.clock import current
from fast_zero.core.errors import Unavailable
from fast_zero.core.http.problems import ProblemResponse

LATE = "The server is too busy, or its database does not answer. Try again in a moment."

logger = logging.getLogger(__name__)


class Deadline:
    """Return 503 if the application has not started its response within `seconds`."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self.app = app
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await RequestTimer(self.seconds, scope, receive, send).run(self.app)
        else:
            await self.app(scope, receive, send)


class RequestTimer:
    """The timer of one request. Time spent waiting for the request body does not count.

    If the database does not respond, even the cancellation of a statement blocks, so the 503 is
    sent from another task. Reading the clock is cheaper than starting a timer, so there is one
    timer. If the time was restarted before it fires, it is scheduled again.
    """

    def __init__(self, seconds: float, scope: Scope, receive: Receive, send: Send) -> None:
        self.seconds = seconds
        self.scope = scope
        self.receive_any = receive
        self.send_any = send
        self.loop = asyncio.get_running_loop()
        self.task = asyncio.current_task()
        self.started = False
        self.late_response: asyncio.Task[None] | None = None
        self.is_running = True
        self.since = self.loop.time()
        self.timer = self.loop.call_at(self.since + seconds, self.check)

    async def run(self, app: ASGIApp) -> None:
        before = current.set(self)
        try:
            await app(self.scope, self.receive, self.send)
        except asyncio.CancelledError:
            if not self.late_response or (self.task and self.task.uncancel()):
                raise  # the server is stopping
        finally:
            self.timer.cancel()
            # Breaks a reference cycle, which the garbage collector would have to find.
            del self.timer, self.task
            current.reset(before)
            if self.late_response:
                await self.late_response

    async def receive(self) -> Message:
        self.is_running = False
        message = await self.receive_any()
        self.restart()
        return message

    def restart(self) -> None:
        self.is_running = True
        self.since = self.loop.time()

    async def send(self, message: Message) -> None:
        if self.late_response:
            return
        if not self.started:
            self.started = True
            self.timer.cancel()
        await self.send_any(message)

    def check(self) -> None:
        now = self.loop.time()
        due = self.since + self.seconds if self.is_running else now + self.seconds
        if due > now:
            self.timer = self.loop.call_at(due, self.check)
        else:
            self.give_up()

    def give_up(self) -> None:
        logger.warning("no response within the time limit")
        late = ProblemResponse(
            Request(self.scope), Unavailable.status, LATE, headers=Unavailable.headers
        )
        response = late(self.scope, self.receive_any, self.send_any)
        self.late_response = self.loop.create_task(response)
        if self.task:
            self.task.cancel()
