"""The requests to the servers, and how wrk sends them."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from bench.databases import PASSWORD, USERS, email
from bench.servers import HOST, PATIENCE, Server

CONNECTIONS = 32
STORM_CONNECTIONS = 8
SCRIPT = Path(__file__).with_name("rotate.lua")
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Measured:
    """One server under one kind of request for some seconds."""

    requests: int
    seconds: float
    p50: float
    p99: float
    refused: int
    broken: int
    cpu: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds

    @property
    def cpu_micros(self) -> float:
        return self.cpu / max(self.requests, 1) * 1e6


def find_wrk() -> str:
    found = shutil.which("wrk")
    if found is None:
        message = (
            "The benchmark needs wrk, which makes the load. Install it with: apt install wrk "
            "(Debian, Ubuntu), dnf install wrk (Fedora) or brew install wrk (macOS)."
        )
        raise SystemExit(message)
    return found


def message(method: str, target: str, token: str = "", body: str = "", kind: str = "") -> bytes:
    lines = [f"{method} {target} HTTP/1.1", f"Host: {HOST}"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body:
        lines += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", body]).encode()


def list_request(_user_id: int, token: str) -> bytes:
    return message("GET", "/todos?limit=20", token)


def filter_request(_user_id: int, token: str) -> bytes:
    return message("GET", "/todos?state=doing&title=bread&limit=20", token)


def create_request(user_id: int, token: str) -> bytes:
    new = {"title": f"Buy bread for {user_id}", "description": "The dark one.", "state": "todo"}
    return message("POST", "/todos", token, json.dumps(new), "application/json")


def patch_request(user_id: int, token: str) -> bytes:
    change = {"title": f"Sell bread to {user_id}", "state": "doing"}
    target = f"/todos/{7 * USERS + user_id}"  # the user's eighth
    return message("PATCH", target, token, json.dumps(change), "application/json")


def log_in_request(user_id: int, _token: str) -> bytes:
    form = urlencode({"username": email(user_id), "password": PASSWORD})
    return message("POST", "/auth/token", body=form, kind=FORM)


KINDS: dict[str, Callable[[int, str], bytes]] = {
    "list": list_request,
    "filter": filter_request,
    "create": create_request,
    "patch": patch_request,
    "log in": log_in_request,
}


def write_requests(folder: Path, tokens: list[str]) -> None:
    """Write a file for each kind, with a request of each user, separated by NUL."""
    for kind, make_request in KINDS.items():
        requests = [make_request(user_id, token) for user_id, token in enumerate(tokens, start=1)]
        (folder / kind).write_bytes(b"\0".join(requests))


@dataclass(frozen=True)
class Wrk:
    program: str
    folder: Path

    def command(self, server: Server, kind: str, connections: int, seconds: float) -> list[str]:
        options = [f"-c{connections}", "-t1", f"-d{seconds:.0f}s", "--timeout", "30s"]
        address = f"http://{HOST}:{server.port}"
        return [self.program, *options, "-s", str(SCRIPT), address, "--", str(self.folder / kind)]

    def measure(self, server: Server, kind: str, seconds: float) -> Measured:
        """Send requests continuously, and wait until the server is idle."""
        measured = self.load(server, kind, seconds)
        server.settle()
        return measured

    def load(self, server: Server, kind: str, seconds: float) -> Measured:
        before = server.cpu_seconds()
        result = subprocess.run(
            self.command(server, kind, CONNECTIONS, seconds),
            capture_output=True,
            text=True,
            timeout=seconds + PATIENCE,
            check=True,
        )
        cpu = server.cpu_seconds() - before
        return Measured(**json.loads(result.stdout.splitlines()[-1]), cpu=cpu)

    @contextmanager
    def log_in_storm(self, server: Server, seconds: float) -> Iterator[None]:
        """Let some clients log in continuously until the block ends."""
        command = self.command(server, "log in", STORM_CONNECTIONS, seconds + PATIENCE)
        storm = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            yield
        finally:
            storm.terminate()
            storm.wait(PATIENCE)
