"""Which addresses a push service may have. Browsers name it, so it could be inside our network."""

import ipaddress
import re
from urllib.parse import urlsplit

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# Quotes, backslashes and spaces are left out: parsers of URLs disagree about them.
URL = re.compile(r"https?://[A-Za-z0-9._:\[\]-]+(/[!#-\[\]^_`a-z{|}~]*)?")
LOCAL_SUFFIXES = (".localhost", ".local", ".internal")


def is_url(text: str) -> bool:
    """Return whether a text is a URL of http or https without a user, a password and a fragment."""
    if not URL.fullmatch(text) or "#" in text:
        return False
    try:
        url = urlsplit(text)
        # Its look-up would fail otherwise, and not with an error of the network.
        return bool((url.hostname or "").encode("idna")) and url.port != 0
    except ValueError:  # the port, an IPv6 address, or a part of the name is empty or too long
        return False


def is_public_url(text: str) -> bool:
    """Return whether a URL is encrypted and may lead to a public address.

    The name is not resolved here: only the address that is connected to counts.
    """
    url = urlsplit(text)
    host = (url.hostname or "").rstrip(".")
    if url.scheme != "https":
        return False
    try:
        return is_public_address(host)
    except ValueError:  # a name, unless its end is a number: 127.1 is an address, too
        _, dot, end = host.rpartition(".")
        return bool(dot) and end[:1].isalpha() and not host.endswith(LOCAL_SUFFIXES)


def is_public_address(address: str) -> bool:
    """Return whether an IP address is public, and so is an IPv4 address that it contains."""
    found = ipaddress.ip_address(address.partition("%")[0])  # without the zone
    if isinstance(found, ipaddress.IPv6Address):
        translated = ipaddress.IPv4Address(found.packed[-4:]) if found in NAT64 else None
        found = found.ipv4_mapped or found.sixtofour or translated or found
    return found.is_global and not (found.is_multicast or found.is_reserved)
