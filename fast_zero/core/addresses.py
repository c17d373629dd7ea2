"""Classify and normalize network addresses."""

import ipaddress
from functools import lru_cache

IPV6_PREFIX = 64  # the smallest block a provider assigns; its customer chooses addresses freely


@lru_cache(maxsize=4096)
def network(address: str) -> str:
    """Return the part of an address that identifies one client: an IPv4 address or an IPv6 network.

    A value that is not an address, such as a socket name, is returned unchanged.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((int(found), IPV6_PREFIX), strict=False))


def local_url(host: str, port: int) -> str:
    """Return the URL for a browser on the same machine as the server."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # not bound here
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_loopback(host: str) -> bool:
    """Return whether a host or an address is a loopback address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_wildcard(host: str) -> bool:
    """Return whether listening on this address means listening on all interfaces."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False
