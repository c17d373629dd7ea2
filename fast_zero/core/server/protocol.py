"""uvicorn's HTTP protocol, with timeouts for slow clients.

uvicorn itself closes only connections that are idle between two requests. Here each connection
checks its timeouts periodically, so that a request does not need a timer of its own.
"""

import json
from collections import deque
from http import HTTPStatus
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from fast_zero.core.http.middleware.normalize_path import MAX_HEAD_BYTES
from fast_zero.core.http.middleware.response_headers import SAFE
from fast_zero.core.http.problems import MEDIA_TYPE, problem
from fast_zero.core.settings import Settings

CHECKS = 10  # per shortest timeout
# For a request that arrives while the server begins to shut down, and for data that a client sends
# after an error response.
LINGER_SECONDS = 0.5
TUNNEL = "CONNECT is for proxies, and this server is none."
ENCODING = "Transfer-Encoding has to be chunked, in HTTP/1.1, and without a Content-Length."


class Parser(httptools.HttpRequestParser):
    """Ignores requests to upgrade to a protocol that the server does not support.

    httptools stops after the head of such a request, and would parse its body as the next request.
    """

    def __init__(self, protocol: "TimeoutProtocol") -> None:
        super().__init__(protocol)
        self.protocol = protocol

    def feed_data(self, data: bytes) -> None:  # type: ignore[override]  # uvicorn passes bytes only
        try:
            super().feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self.protocol.opens_websocket():
                raise
            [end_of_head] = upgrade.args
            self.protocol.ignore_upgrade(data[end_of_head:])


class TimeoutProtocol(HttpToolsProtocol):
    """Limits the time that a client has to send requests and to read responses.

    `reading` is the part of a request that is being received: `head`, `body`, or None between two.
    """

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401  # uvicorn's signature
        super().connection_made(transport)
        self.settings: Settings = self.app_state["settings"]
        self.stopping = self.refused = False
        self.unread = 0
        self.unread_since = 0.0
        self.pending: deque[RequestResponseCycle] = deque()  # the application is handling the first
        self.parser = Parser(self)
        self.begin("head")
        shortest = min(self.settings.request_head_timeout, self.settings.response_read_timeout)
        self.next_check = self.loop.call_later(shortest / CHECKS, self.check, shortest / CHECKS)

    def connection_lost(self, exc: Exception | None) -> None:
        self.next_check.cancel()
        for cycle in self.pending:  # uvicorn notifies only the last of several
            hang_up(cycle)
        super().connection_lost(exc)

    def begin(self, part: str | None) -> None:
        self.reading = part
        self.since = self.loop.time()
        self.received = 0

    # Callbacks of uvicorn and its parser.

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
        if reason := self.framing_problem():
            self.refuse(HTTPStatus.BAD_REQUEST, reason)
            raise httptools.HttpParserError(reason)  # stops uvicorn and its parser
        if self.parser.should_upgrade() and not self.opens_websocket():
            return
        self.begin("body")
        super().on_headers_complete()
        if self.parser.should_upgrade():
            return
        self.pending.append(self.cycle)
        if self.stopping:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self.begin(None)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self.pending.popleft()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        self.refuse(HTTPStatus.BAD_REQUEST, msg)

    def shutdown(self) -> None:
        """Serve a request that arrives during the shutdown, as the last one of its connection."""
        self.stopping = True
        if self.is_busy():
            super().shutdown()
        else:
            self.loop.call_later(LINGER_SECONDS, super().shutdown)

    # Message framing and upgrades.

    def framing_problem(self) -> str | None:
        """Return what makes the message length ambiguous (RFC 9112, sections 6.1 and 6.3)."""
        if self.parser.get_method() == b"CONNECT":
            return TUNNEL
        encodings = [value.lower() for name, value in self.headers if name == b"transfer-encoding"]
        if not encodings:
            return None
        has_length = any(name == b"content-length" for name, _ in self.headers)
        is_clear = encodings == [b"chunked"] and not has_length
        return None if is_clear and self.parser.get_http_version() == "1.1" else ENCODING

    def opens_websocket(self) -> bool:
        """Return whether a request with an upgrade is a valid WebSocket handshake."""
        fields = dict(self.headers)
        options = [option.strip() for option in fields[b"connection"].lower().split(b",")]
        return (
            self.ws_protocol_class is not None
            and (self.parser.get_method(), self.parser.get_http_version()) == (b"GET", "1.1")
            and b"upgrade" in options
            and fields[b"upgrade"].lower() == b"websocket"
            and not fields.keys() & {b"content-length", b"transfer-encoding"}
            and not self.pending
        )

    def ignore_upgrade(self, rest: bytes) -> None:
        """Parse the request again, without the upgrade and as the last one of the connection.

        What follows it must not be treated as a request, even if the client or a proxy does.
        """
        line = b"%b %b HTTP/%b" % (
            self.parser.get_method(),
            self.url,
            self.parser.get_http_version().encode(),
        )
        kept = [field for field in self.headers if field[0] not in {b"connection", b"upgrade"}]
        fields = [*kept, (b"connection", b"close")]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.feed_data(b"\r\n".join([line, *map(b": ".join, fields), b"", b""]))
        self.parser.feed_data(rest)

    # Timeouts.

    def check(self, every: float) -> None:
        if self.transport.get_protocol() is not self:  # upgraded
            return
        self.next_check = self.loop.call_later(every, self.check, every)
        now = self.loop.time()
        if self.reads_too_slowly(now):
            self.transport.abort()
        elif now - self.since <= self.settings.request_head_timeout:
            return
        elif self.reading == "head" and not self.received:
            self.transport.close()
        elif self.reading == "head" and not self.is_busy():
            self.refuse(HTTPStatus.REQUEST_TIMEOUT, "The head of the request took too long.")
        elif self.reading == "body":
            if self.sends_too_slowly():
                self.refuse(HTTPStatus.REQUEST_TIMEOUT, "The body of the request is too slow.")
            else:
                self.begin("body")

    def is_busy(self) -> bool:
        return bool(self.pending)

    def sends_too_slowly(self) -> bool:
        """Check the period that ends now. The client is not at fault while reading is paused."""
        expected = self.settings.request_body_min_rate * self.settings.request_head_timeout
        return self.received < expected and not self.flow.read_paused

    def reads_too_slowly(self, now: float) -> bool:
        """Return whether a part of a response has been in the buffer too long without progress."""
        unread = self.transport.get_write_buffer_size()
        if not unread or not self.unread or unread < self.unread:
            self.unread, self.unread_since = unread, now
        return now - self.unread_since > self.settings.response_read_timeout and unread > 0

    def resume_writing(self) -> None:
        self.unread = 0  # much was sent, though more may follow before the next check
        super().resume_writing()

    def refuse(self, status: HTTPStatus, detail: str) -> None:
        """Send an error for the request that is being received, and close the connection.

        Earlier requests get their responses first; then the connection is closed without the error.
        A response that has already started is aborted.

        The connection is closed in stages (RFC 9112, section 9.6). Otherwise data that the client
        still sends would cause a reset, which discards the response before the client reads it.
        """
        if self.transport.is_closing() or self.refused:
            return
        self.refused = True
        if self.reading == "body":
            if self.cycle.response_started or self.cycle is not self.pending[0]:
                self.transport.abort()
                return
            hang_up(self.cycle)
        elif self.is_busy():
            self.cycle.keep_alive = False
            return
        body = json.dumps(problem(status, detail)).encode()
        headers = [
            (b"content-type", MEDIA_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
            *SAFE,
        ]
        first = f"HTTP/1.1 {status} {status.phrase}".encode()
        self.transport.write(b"\r\n".join([first, *map(b": ".join, headers), b"", body]))
        self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)


def hang_up(cycle: RequestResponseCycle) -> None:
    """Notify the application that the client has disconnected."""
    cycle.disconnected = True
    cycle.message_event.set()
