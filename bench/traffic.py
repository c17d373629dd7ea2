"""What is asked of the servers, and how wrk asks it."""

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


def ask_list(_user_id: int, token: str) -> bytes:
    return message("GET", "/todos?limit=20", token)


def ask_filter(_user_id: int, token: str) -> bytes:
    return message("GET", "/todos?state=doing&title=bread&limit=20", token)


def ask_create(user_id: int, token: str) -> bytes:
    new = {"title": f"Buy bread for {user_id}", "description": "The dark one.", "state": "todo"}
    return message("POST", "/todos", token, json.dumps(new), "application/json")


def ask_patch(user_id: int, token: str) -> bytes:
    change = {"title": f"Sell bread to {user_id}", "state": "doing"}
    target = f"/todos/{7 * USERS + user_id}"  # the user's eighth
    return message("PATCH", target, token, json.dumps(change), "application/json")


def ask_log_in(user_id: int, _token: str) -> bytes:
    form = urlencode({"username": email(user_id), "password": PASSWORD})
    return message("POST", "/auth/token", body=form, kind=FORM)


KINDS: dict[str, Callable[[int, str], bytes]] = {
    "list": ask_list,
    "filter": ask_filter,
    "create": ask_create,
    "patch": ask_patch,
    "log in": ask_log_in,
}


def write_requests(folder: Path, tokens: list[str]) -> None:
    """Write a file for each kind, with a request of every user; NUL stands between them."""
    for kind, ask in KINDS.items():
        asked = [ask(user_id, token) for user_id, token in enumerate(tokens, start=1)]
        (folder / kind).write_bytes(b"\0".join(asked))


@dataclass(frozen=True)
class Wrk:
    program: str
    folder: Path

    def words(self, server: Server, kind: str, connections: int, seconds: float) -> list[str]:
        load = [f"-c{connections}", "-t1", f"-d{seconds:.0f}s", "--timeout", "30s"]
        address = f"http://{HOST}:{server.port}"
        return [self.program, *load, "-s", str(SCRIPT), address, "--", str(self.folder / kind)]

    def measure(self, server: Server, kind: str, seconds: float) -> Measured:
        """Ask without pause, and leave the server at rest."""
        measured = self.ask(server, kind, seconds)
        server.settle()
        return measured

    def ask(self, server: Server, kind: str, seconds: float) -> Measured:
        before = server.cpu_seconds()
        done = subprocess.run(
            self.words(server, kind, CONNECTIONS, seconds),
            capture_output=True,
            text=True,
            timeout=seconds + PATIENCE,
            check=True,
        )
        cpu = server.cpu_seconds() - before
        return Measured(**json.loads(done.stdout.splitlines()[-1]), cpu=cpu)

    @contextmanager
    def log_in_storm(self, server: Server, seconds: float) -> Iterator[None]:
        """Have some clients log in without pause until the block ends."""
        words = self.words(server, "log in", STORM_CONNECTIONS, seconds + PATIENCE)
        storm = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        try:
            yield
        finally:
            storm.terminate()
            storm.wait(PATIENCE)
