"""Virtual hosts for tests: network namespaces connected to a switch. They need root."""

import contextlib
import subprocess
from collections.abc import Iterator, Sequence

NETWORK = "10.213.77"
EDGE = f"{NETWORK}.1"  # the address of this machine in the network
# Also a namespace, so that no firewall of this machine filters its traffic.
SWITCH = "fz-switch"


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


def address_of(number: int) -> str:
    return f"{NETWORK}.{10 + number}"


@contextlib.contextmanager
def hosts(names: Sequence[str]) -> Iterator[dict[str, str]]:
    """Return the hosts' addresses by their names, until the block ends."""
    addresses = {name: address_of(number) for number, name in enumerate(names, start=1)}
    with contextlib.ExitStack() as stack:
        ip("netns", "add", SWITCH)
        stack.callback(ip, "netns", "delete", SWITCH)
        ip("-n", SWITCH, "link", "add", "bridge", "type", "bridge")
        ip("-n", SWITCH, "link", "set", "bridge", "up")
        plug_in("edge")
        stack.callback(ip, "link", "delete", "fz-edge")
        ip("address", "add", f"{EDGE}/24", "dev", "fz-edge")
        ip("link", "set", "fz-edge", "up")
        for name, address in addresses.items():
            ip("netns", "add", name)
            stack.callback(ip, "netns", "delete", name)
            plug_in(name)
            ip("link", "set", f"fz-{name}", "netns", name)
            ip("-n", name, "address", "add", f"{address}/24", "dev", f"fz-{name}")
            ip("-n", name, "link", "set", f"fz-{name}", "up")
            ip("-n", name, "link", "set", "lo", "up")
        yield addresses


def plug_in(name: str) -> None:
    """Connect a host to the switch with a virtual cable, which has the name of the host."""
    ip("link", "add", f"fz-{name}", "type", "veth", "peer", "name", name, "netns", SWITCH)
    ip("-n", SWITCH, "link", "set", name, "master", "bridge", "up")


def disconnect(name: str) -> None:
    """Disconnect a host: packets in flight are lost without a notification."""
    ip("-n", SWITCH, "link", "set", name, "down")


def reconnect(name: str) -> None:
    ip("-n", SWITCH, "link", "set", name, "up")


def inside(name: str, account: str = "nobody") -> list[str]:
    """Return the command prefix that runs a program on a host, as an unprivileged account."""
    return ["ip", "netns", "exec", name, *as_account(account)]


def as_account(account: str) -> list[str]:
    return ["setpriv", f"--reuid={account}", "--regid=nogroup", "--clear-groups"]
