"""`Forwarded` (RFC 7239), the header that uvicorn does not read.

uvicorn reads X-Forwarded-For and X-Forwarded-Proto of trusted proxies. Where these send
`Forwarded` in their place, this does the same with it.
"""

import re
from collections.abc import Iterator

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
# A parameter and what stands before it, backwards: a quote behind which a backslash follows belongs
# to the text. The last group is None where the element goes on with another parameter.
PARAMETER = re.compile(
    rf'(?:"((?:[^"]|"(?=\\))*)"|({WORD}))=({WORD})(?:[ \t;]*(,|\Z)|[ \t]*;[ \t;]*)'
)
BETWEEN = re.compile(r"[ \t,;]*")
IPV6 = re.compile(r"\[(.+)\](?::\w+)?")
IPV4 = re.compile(r"([\d.]+):\w+")


class Forwarded:
    """Believe the last hops, as long as they are trusted proxies, about who asked them."""

    def __init__(self, app: ASGIApp, trusted: str) -> None:
        self.app = app
        self.trusted = ProxyHeadersMiddleware(app, trusted).trusted_hosts  # type: ignore[arg-type]  # of its own types

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"}:
            headers = Headers(scope=scope)
            if "forwarded" in headers and "x-forwarded-for" not in headers:
                self.believe(scope, hops(", ".join(headers.getlist("forwarded"))))
        await self.app(scope, receive, send)

    def believe(self, scope: Scope, path: Iterator[dict[str, str]]) -> None:
        """Walk back from the nearest hop to the first that is no proxy of ours.

        What one of ours does not say, nobody before it may say in its place.
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
    """Give the elements from the last, which the nearest hop wrote, to one that is malformed.

    A hop appends to what its client sent, which may be anything. Read from the front, an open quote
    there would swallow what our own proxies wrote; read backwards, it comes after that.
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
    """Go over white space and empty elements (RFC 9110, section 5.6.1)."""
    found = BETWEEN.match(text, position)
    return found.end() if found else position


def host_of(node: str) -> str:
    """Cut off the port of a node, and the brackets of an IPv6 address."""
    found = IPV6.fullmatch(node) or IPV4.fullmatch(node)
    return found[1] if found else node
