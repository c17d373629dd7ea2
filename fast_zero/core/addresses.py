"""Who is at the other end, as far as an address tells."""

import ipaddress
from functools import lru_cache

IPV6_PREFIX = 64  # what one customer has at least, and whose addresses are theirs to choose


@lru_cache(maxsize=4096)
def network(address: str) -> str:
    """Give what of an address is one client: an IPv4 address, or a network of IPv6.

    What is no address, such as the name of a socket, stands for itself.
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
    """Give the URL for a browser on the machine that listens."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # not bound here
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_loopback(host: str) -> bool:
    """Tell whether a host or an address is this machine, whichever machine asks."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_wildcard(host: str) -> bool:
    """Tell whether to listen on an address is to listen on all interfaces."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False
