"""A response in time, whatever a request waits for."""

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
    """Return 503 in place of the application when it has not begun to in `seconds`."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self.app = app
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await Clock(self.seconds, scope, receive, send).run(self.app)
        else:
            await self.app(scope, receive, send)


class Clock:
    """One request's time. That in which its body comes in is the client's, and not counted.

    A database that fell silent holds up even the end of a cancelled statement, so the response
    is sent beside it. A timer is dearer than a look at the clock, so there is one, which goes on
    when it finds that time began anew meanwhile.
    """

    def __init__(self, seconds: float, scope: Scope, receive: Receive, send: Send) -> None:
        self.seconds = seconds
        self.scope = scope
        self.receive_any = receive
        self.send_any = send
        self.loop = asyncio.get_running_loop()
        self.task = asyncio.current_task()
        self.started = False
        self.answer: asyncio.Task[None] | None = None
        self.counts = True
        self.since = self.loop.time()
        self.timer = self.loop.call_at(self.since + seconds, self.look)

    async def run(self, app: ASGIApp) -> None:
        before = current.set(self)
        try:
            await app(self.scope, self.receive, self.send)
        except asyncio.CancelledError:
            if not self.answer or (self.task and self.task.uncancel()):
                raise  # the server is stopping
        finally:
            self.timer.cancel()
            # Or they would know one another in a circle, for the garbage collector to find.
            del self.timer, self.task
            current.reset(before)
            if self.answer:
                await self.answer

    async def receive(self) -> Message:
        self.counts = False
        message = await self.receive_any()
        self.restart()
        return message

    def restart(self) -> None:
        self.counts = True
        self.since = self.loop.time()

    async def send(self, message: Message) -> None:
        if self.answer:
            return
        if not self.started:
            self.started = True
            self.timer.cancel()
        await self.send_any(message)

    def look(self) -> None:
        now = self.loop.time()
        due = self.since + self.seconds if self.counts else now + self.seconds
        if due > now:
            self.timer = self.loop.call_at(due, self.look)
        else:
            self.give_up()

    def give_up(self) -> None:
        logger.warning("no response in time")
        late = ProblemResponse(
            Request(self.scope), Unavailable.status, LATE, headers=Unavailable.headers
        )
        self.answer = self.loop.create_task(late(self.scope, self.receive_any, self.send_any))
        if self.task:
            self.task.cancel()
