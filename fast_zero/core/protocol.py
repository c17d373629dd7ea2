"""uvicorn's HTTP, with an end to what a slow client can hold up.

uvicorn itself ends only connections that are idle between two requests. Each connection here
looks at itself now and then, so that a request in between costs no timer.
"""

import json
from http import HTTPStatus
from typing import Any

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from fast_zero.core.entrance import MAX_HEAD_BYTES
from fast_zero.core.headers import SAFE
from fast_zero.core.problems import MEDIA_TYPE
from fast_zero.core.settings import Settings

LOOKS = 10  # in the shortest time that is measured
# For a request that is on its way while the server begins to stop, and for what a client that was
# refused still sends.
LINGER_SECONDS = 0.5


class PatientProtocol(HttpToolsProtocol):
    """Give a client time to send and to take, and not for ever.

    `reading` is the part of a request that is coming in: `head`, `body`, or None between two.
    """

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401  # as uvicorn has it
        super().connection_made(transport)
        self.settings: Settings = self.app_state["settings"]
        self.stopping = self.refused = False
        self.unread = 0
        self.unread_since = 0.0
        self.running: RequestResponseCycle | None = None
        self.begin("head")
        shortest = min(self.settings.request_head_timeout, self.settings.response_read_timeout)
        self.look_again = self.loop.call_later(shortest / LOOKS, self.look, shortest / LOOKS)

    def connection_lost(self, exc: Exception | None) -> None:
        self.look_again.cancel()
        if self.running:  # uvicorn tells only the last of several that were sent at once
            self.running.disconnected = True
            self.running.message_event.set()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self.running = cycle
        super()._start_asgi_task(cycle, app)

    def begin(self, part: str | None) -> None:
        self.reading = part
        self.since = self.loop.time()
        self.received = 0

    # What uvicorn and its parser tell.

    def data_received(self, data: bytes) -> None:
        if self.refused:
            return
        if self.reading is None:
            self.begin("head")
        self.received += len(data)
        super().data_received(data)
        if self.reading == "head" and self.received > MAX_HEAD_BYTES:
            self.refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The head is too large.")

    def on_headers_complete(self) -> None:
        self.begin("body")
        super().on_headers_complete()
        if self.stopping and self.cycle:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        self.begin(None)
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        self.refuse(HTTPStatus.BAD_REQUEST, msg)

    def shutdown(self) -> None:
        """Let a request that crosses the server's farewell be answered, as its last."""
        self.stopping = True
        if self.answering():
            super().shutdown()
        else:
            self.loop.call_later(LINGER_SECONDS, super().shutdown)

    # What time tells.

    def look(self, every: float) -> None:
        if self.transport.get_protocol() is not self:  # upgraded
            return
        self.look_again = self.loop.call_later(every, self.look, every)
        now = self.loop.time()
        if self.leaves_unread(now):
            self.transport.abort()
        elif now - self.since <= self.settings.request_head_timeout:
            return
        elif self.reading == "head" and not self.received:
            self.transport.close()
        elif self.reading == "head" and not self.answering():
            self.refuse(HTTPStatus.REQUEST_TIMEOUT, "The head of the request took too long.")
        elif self.reading == "body":
            if self.sends_too_slowly():
                self.refuse(HTTPStatus.REQUEST_TIMEOUT, "The body of the request is too slow.")
            else:
                self.begin("body")

    def answering(self) -> bool:
        return self.running is not None and not self.running.response_complete

    def sends_too_slowly(self) -> bool:
        """Tell of the stretch that ends now. While nobody reads, it is not the client's fault."""
        expected = self.settings.request_body_min_rate * self.settings.request_head_timeout
        return self.received < expected and not self.flow.read_paused

    def leaves_unread(self, now: float) -> bool:
        """Tell whether a part of an answer has lain here for long, and no byte was taken."""
        unread = self.transport.get_write_buffer_size()
        if not unread or not self.unread or unread < self.unread:
            self.unread, self.unread_since = unread, now
        return now - self.unread_since > self.settings.response_read_timeout and unread > 0

    def resume_writing(self) -> None:
        self.unread = 0  # much was taken, though more may follow before the next look
        super().resume_writing()

    def refuse(self, status: HTTPStatus, detail: str) -> None:
        """Answer what never became a request, and hang up; cut an answer that has begun.

        In stages (RFC 9112, section 9.6): what the client sends at that moment would be answered
        by a reset, which takes the answer away before it is read.
        """
        if self.transport.is_closing() or self.refused:
            return
        begun = self.running is not None and self.running.response_started
        if begun and (self.reading == "body" or self.answering()):
            self.transport.abort()
            return
        problem = {"type": "about:blank", "title": status.phrase, "status": status}
        body = json.dumps({**problem, "detail": detail}).encode()
        headers = [
            (b"content-type", MEDIA_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
            *SAFE,
        ]
        first = f"HTTP/1.1 {status} {status.phrase}".encode()
        self.transport.write(b"\r\n".join([first, *map(b": ".join, headers), b"", body]))
        self.transport.write_eof()
        self.refused = True
        self.loop.call_later(LINGER_SECONDS, self.transport.close)
