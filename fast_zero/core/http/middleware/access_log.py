"""What is told of a request: its id to the client, a line to the log, its time to the metrics."""

import logging
import random
import re
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fast_zero.core.http.middleware.response_headers import PROBES
from fast_zero.core.observability import logs, metrics

REQUEST_ID = b"x-request-id"
SANE = re.compile(rb"[A-Za-z0-9._-]{8,128}")
CLIENT_GONE = 499  # as nginx says it: nobody was there to be answered

logger = logging.getLogger(__name__)


class AccessLog:
    """Log each request and measure its time, from before all else until its response is sent."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = given_id(scope) or b"%032x" % random.getrandbits(128)
        asked = logs.Asked(request_id.decode(), scope["method"], scope)
        status = CLIENT_GONE

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"].append((REQUEST_ID, request_id))
            await send(message)

        before = logs.asked.set(asked)
        began = time.perf_counter()
        with metrics.IN_FLIGHT.track_inprogress():
            try:
                await self.app(scope, receive, send_with_id)
            finally:
                tell(asked, status, time.perf_counter() - began)
                logs.asked.reset(before)


def given_id(scope: Scope) -> bytes | None:
    """Take the id that a proxy or the client gave, if it can stand in a log."""
    for name, value in scope["headers"]:
        if name == REQUEST_ID and SANE.fullmatch(value):
            given: bytes = value
            return given
    return None


def tell(asked: logs.Asked, status: int, seconds: float) -> None:
    metrics.time_request(asked.method, asked.route, status, seconds)
    level = logging.DEBUG if asked.route in PROBES else logging.INFO
    values = {"status": status, "milliseconds": round(seconds * 1000, 1)}
    logger.log(level, "answered", extra=logs.with_fields(values))
