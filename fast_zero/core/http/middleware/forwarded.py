"""Support for the `Forwarded` header (RFC 7239).

uvicorn reads X-Forwarded-For and X-Forwarded-Proto of trusted proxies, but not `Forwarded`. This
middleware handles it in the same way.
"""

import re
from collections.abc import Iterator

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
# A parameter and what precedes it, reversed: in reversed text, a quote before a backslash is an
# escaped quote. The last group is None if another parameter of the same element follows.
PARAMETER = re.compile(
    rf'(?:"((?:[^"]|"(?=\\))*)"|({WORD}))=({WORD})(?:[ \t;]*(,|\Z)|[ \t]*;[ \t;]*)'
)
BETWEEN = re.compile(r"[ \t,;]*")
IPV6 = re.compile(r"\[(.+)\](?::\w+)?")
IPV4 = re.compile(r"([\d.]+):\w+")


class Forwarded:
    """Take client address and scheme from the last hops, as long as they are trusted proxies."""

    def __init__(self, app: ASGIApp, trusted: str) -> None:
        self.app = app
        self.trusted = ProxyHeadersMiddleware(app, trusted).trusted_hosts  # type: ignore[arg-type]  # of its own types

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"}:
            headers = Headers(scope=scope)
            if "forwarded" in headers and "x-forwarded-for" not in headers:
                self.apply(scope, hops(", ".join(headers.getlist("forwarded"))))
        await self.app(scope, receive, send)

    def apply(self, scope: Scope, path: Iterator[dict[str, str]]) -> None:
        """Go back from the nearest hop to the first one that is not a trusted proxy.

        If a trusted proxy does not set a value, the values of earlier hops are not used instead.
        """
        for hop in path:
            client = scope["client"][0] if scope["client"] else ""
            if client not in self.trusted:
                return
            scheme = hop.get("proto", "").lower()
            if scheme in {"http", "https"}:
                sockets = scope["type"] == "websocket"
                scope["scheme"] = scheme.replace("http", "ws") if sockets else scheme
            if "for" not in hop:
                return
            scope["client"] = (host_of(hop["for"]), 0)


def hops(value: str) -> Iterator[dict[str, str]]:
    """Yield the elements from the last one, written by the nearest hop, to the first malformed one.

    A hop appends to the header that its client sent, which may be malformed. If the header were
    parsed from the start, an unclosed quote there would hide what our own proxies wrote.
    """
    backwards = value[::-1]
    position = skipped(backwards, 0)
    hop: dict[str, str] = {}
    while found := PARAMETER.match(backwards, position):
        quoted, token, name, end = found.groups()
        text = token[::-1] if token else re.sub(r"\\(.)", r"\1", quoted[::-1])
        hop[name[::-1].lower()] = text
        position = found.end()
        if end is not None:
            yield hop
            hop = {}
            position = skipped(backwards, position)


def skipped(text: str, position: int) -> int:
    """Skip white space and empty elements (RFC 9110, section 5.6.1)."""
    found = BETWEEN.match(text, position)
    return found.end() if found else position


def host_of(node: str) -> str:
    """Return a node without its port, and without the brackets of an IPv6 address."""
    found = IPV6.fullmatch(node) or IPV4.fullmatch(node)
    return found[1] if found else node
