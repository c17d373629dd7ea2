"""Hosts of the tests' own: network namespaces on one bridge, which need root."""

import contextlib
import subprocess
from collections.abc import Iterator, Sequence

BRIDGE = "fz0"
NETWORK = "10.213.77"
EDGE = f"{NETWORK}.1"  # this machine's own address in it


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def address_of(number: int) -> str:
    return f"{NETWORK}.{10 + number}"


@contextlib.contextmanager
def hosts(names: Sequence[str]) -> Iterator[dict[str, str]]:
    """Give the hosts' addresses by their names, until the block ends."""
    with contextlib.ExitStack() as stack:
        ip("link", "add", BRIDGE, "type", "bridge")
        stack.callback(ip, "link", "delete", BRIDGE)
        ip("address", "add", f"{EDGE}/24", "dev", BRIDGE)
        ip("link", "set", BRIDGE, "up")
        for number, name in enumerate(names, start=1):
            ip("netns", "add", name)
            stack.callback(ip, "netns", "delete", name)
            ip("link", "add", cable(name), "type", "veth", "peer", "name", "eth0", "netns", name)
            stack.callback(ip, "link", "delete", cable(name))
            ip("link", "set", cable(name), "master", BRIDGE, "up")
            ip("-n", name, "address", "add", f"{address_of(number)}/24", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")
            ip("-n", name, "link", "set", "lo", "up")
        yield {name: address_of(number) for number, name in enumerate(names, start=1)}


def cable(name: str) -> str:
    return f"{BRIDGE}-{name}"


def cut(name: str) -> None:
    """Pull a host's cable: what is on the way is lost, and nobody is told."""
    ip("link", "set", cable(name), "down")


def mend(name: str) -> None:
    ip("link", "set", cable(name), "up")


def inside(name: str, account: str = "nobody") -> list[str]:
    """Give the words before a command that run it on a host, as somebody who may do little."""
    return ["ip", "netns", "exec", name, *as_account(account)]


def as_account(account: str) -> list[str]:
    return ["setpriv", f"--reuid={account}", "--regid=nogroup", "--clear-groups"]
