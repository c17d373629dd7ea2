"""The request id in the response, a log line and a metric for each request."""

import logging
import random
import re
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fast_zero.core.http.middleware.response_headers import PROBES
from fast_zero.core.observability import logs, metrics

REQUEST_ID = b"x-request-id"
SANE = re.compile(rb"[A-Za-z0-9._-]{8,128}")
CLIENT_GONE = 499  # as in nginx: the client closed the connection before the response

logger = logging.getLogger(__name__)


class AccessLog:
    """Log each request and measure its time. The outermost middleware, so it sees all of it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = given_id(scope) or b"%032x" % random.getrandbits(128)
        request = logs.RequestContext(request_id.decode(), scope["method"], scope)
        status = CLIENT_GONE

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"].append((REQUEST_ID, request_id))
            await send(message)

        before = logs.current_request.set(request)
        began = time.perf_counter()
        with metrics.IN_FLIGHT.track_inprogress():
            try:
                await self.app(scope, receive, send_with_id)
            finally:
                log_request(request, status, time.perf_counter() - began)
                logs.current_request.reset(before)


def given_id(scope: Scope) -> bytes | None:
    """Return the id that a proxy or the client sent, if it is safe to log."""
    for name, value in scope["headers"]:
        if name == REQUEST_ID and SANE.fullmatch(value):
            given: bytes = value
            return given
    return None


def log_request(request: logs.RequestContext, status: int, seconds: float) -> None:
    metrics.time_request(request.method, request.route, status, seconds)
    level = logging.DEBUG if request.route in PROBES else logging.INFO
    values = {"status": status, "milliseconds": round(seconds * 1000, 1)}
    logger.log(level, "answered", extra=logs.with_fields(values))
