"""uvicorn's HTTP, with an end to what a slow client can hold up.

uvicorn itself ends only connections that are idle between two requests. Each connection here
looks at itself now and then, so that a request in between costs no timer.
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

LOOKS = 10  # in the shortest time that is measured
# For a request that is on its way while the server begins to stop, and for what a client that was
# refused still sends.
LINGER_SECONDS = 0.5
TUNNEL = "CONNECT is for proxies, and this server is none."
ENCODING = "Transfer-Encoding has to be chunked, in HTTP/1.1, and without a Content-Length."


class Parser(httptools.HttpRequestParser):
    """Read a request that asks for an upgrade which nobody offers as one that does not ask.

    httptools stops behind the head of such a request, and would take its body for the next one.
    """

    def __init__(self, protocol: "PatientProtocol") -> None:
        super().__init__(protocol)
        self.protocol = protocol

    def feed_data(self, data: bytes) -> None:  # type: ignore[override]  # uvicorn gives bytes alone
        try:
            super().feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self.protocol.opens_websocket():
                raise
            [end_of_head] = upgrade.args
            self.protocol.ignore_upgrade(data[end_of_head:])


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
        self.unanswered: deque[RequestResponseCycle] = deque()  # the first is being answered
        self.parser = Parser(self)
        self.begin("head")
        shortest = min(self.settings.request_head_timeout, self.settings.response_read_timeout)
        self.look_again = self.loop.call_later(shortest / LOOKS, self.look, shortest / LOOKS)

    def connection_lost(self, exc: Exception | None) -> None:
        self.look_again.cancel()
        for cycle in self.unanswered:  # uvicorn tells only the last of several
            hang_up(cycle)
        super().connection_lost(exc)

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
        if complaint := self.complaint():
            self.refuse(HTTPStatus.BAD_REQUEST, complaint)
            raise httptools.HttpParserError(complaint)  # uvicorn and its parser stop then
        if self.parser.should_upgrade() and not self.opens_websocket():
            return
        self.begin("body")
        super().on_headers_complete()
        if self.parser.should_upgrade():
            return
        self.unanswered.append(self.cycle)
        if self.stopping:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self.begin(None)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self.unanswered.popleft()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        self.refuse(HTTPStatus.BAD_REQUEST, msg)

    def shutdown(self) -> None:
        """Let a request that crosses the server's farewell be answered, as its last."""
        self.stopping = True
        if self.answering():
            super().shutdown()
        else:
            self.loop.call_later(LINGER_SECONDS, super().shutdown)

    # What the head of a request says of its end.

    def complaint(self) -> str | None:
        """Find what two readers could understand in two ways (RFC 9112, sections 6.1 and 6.3)."""
        if self.parser.get_method() == b"CONNECT":
            return TUNNEL
        encodings = [value.lower() for name, value in self.headers if name == b"transfer-encoding"]
        if not encodings:
            return None
        has_length = any(name == b"content-length" for name, _ in self.headers)
        is_clear = encodings == [b"chunked"] and not has_length
        return None if is_clear and self.parser.get_http_version() == "1.1" else ENCODING

    def opens_websocket(self) -> bool:
        """Tell whether uvicorn is to take a request that asks for an upgrade for a handshake."""
        fields = dict(self.headers)
        options = [option.strip() for option in fields[b"connection"].lower().split(b",")]
        return (
            self.ws_protocol_class is not None
            and (self.parser.get_method(), self.parser.get_http_version()) == (b"GET", "1.1")
            and b"upgrade" in options
            and fields[b"upgrade"].lower() == b"websocket"
            and not fields.keys() & {b"content-length", b"transfer-encoding"}
            and not self.unanswered
        )

    def ignore_upgrade(self, rest: bytes) -> None:
        """Read the request again, as the connection's last and without the upgrade.

        What follows it is no request, whatever its client or a proxy take it for.
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
        return bool(self.unanswered)

    def sends_too_slowly(self) -> bool:
        """Tell of the stretch that ends now. While nobody reads, it is not the client's fault."""
        expected = self.settings.request_body_min_rate * self.settings.request_head_timeout
        return self.received < expected and not self.flow.read_paused

    def leaves_unread(self, now: float) -> bool:
        """Tell whether a part of a response has lain here for long, and no byte was taken."""
        unread = self.transport.get_write_buffer_size()
        if not unread or not self.unread or unread < self.unread:
            self.unread, self.unread_since = unread, now
        return now - self.unread_since > self.settings.response_read_timeout and unread > 0

    def resume_writing(self) -> None:
        self.unread = 0  # much was taken, though more may follow before the next look
        super().resume_writing()

    def refuse(self, status: HTTPStatus, detail: str) -> None:
        """Answer what is coming in, read nothing more, and hang up.

        What came before is answered first, and then that is all. A response that has begun is cut.

        In stages (RFC 9112, section 9.6): what the client sends at that moment would be answered
        by a reset, which takes the response away before it is read.
        """
        if self.transport.is_closing() or self.refused:
            return
        self.refused = True
        if self.reading == "body":
            if self.cycle.response_started or self.cycle is not self.unanswered[0]:
                self.transport.abort()
                return
            hang_up(self.cycle)
        elif self.answering():
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
    """Tell the application that nobody waits for its response any more."""
    cycle.disconnected = True
    cycle.message_event.set()
