"""`Forwarded` (RFC 7239), the header that uvicorn does not read.

uvicorn reads X-Forwarded-For and X-Forwarded-Proto of trusted proxies. Where these send
`Forwarded` in their place, this does the same with it.
"""

import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

PAIR = re.compile(
    r'\s*([a-z]+)=(?:"((?:[^"\\]|\\.)*)"|([!#$%&\'*+.^_`|~0-9a-z-]+))\s*([;,]|\Z)', re.IGNORECASE
)
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
                self.believe(scope, parse(", ".join(headers.getlist("forwarded"))))
        await self.app(scope, receive, send)

    def believe(self, scope: Scope, hops: list[dict[str, str]]) -> None:
        """Walk back from the nearest hop to the first that is no proxy of ours.

        What one of ours does not say, nobody before it may say in its place.
        """
        for hop in reversed(hops):
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


def parse(value: str) -> list[dict[str, str]]:
    """Give the hops, the nearest last; what is malformed says nothing of any."""
    hops: list[dict[str, str]] = [{}]
    position = 0
    while position < len(value):
        pair = PAIR.match(value, position)
        if pair is None:
            return []
        quoted = pair[2]
        hops[-1][pair[1].lower()] = re.sub(r"\\(.)", r"\1", quoted) if quoted else pair[3] or ""
        if pair[4] == ",":
            hops.append({})
        position = pair.end()
    return hops


def host_of(node: str) -> str:
    """Cut off the port of a node, and the brackets of an IPv6 address."""
    found = IPV6.fullmatch(node) or IPV4.fullmatch(node)
    return found[1] if found else node
