"""The measured servers: each is one uvicorn process on a loopback port, with the same options."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bench.databases import Database

HOST = "127.0.0.1"
PATIENCE = 60  # seconds
TICKS = os.sysconf("SC_CLK_TCK")
APPLICATIONS = {
    # The options that `fast-zero serve` gives its own workers.
    "fast_zero": (
        *("--http", "fast_zero.core.server.protocol:TimeoutProtocol"),
        *("--ws", "none", "--no-server-header"),
        *("--factory", "fast_zero.app:create_worker_app"),
    ),
    "plain": (
        *("--http", "fast_zero.core.server.protocol:TimeoutProtocol"),
        *("--ws", "none", "--no-server-header"),
        *("--factory", "bench.plain:create_app"),
    ),
    "limit": ("bench.limit:app",),
    "tutorial": ("bench.tutorial:app",),
}
# The limits of fast_zero would refuse the requests of a load test.
LIMITS = (
    "LOGIN_FAILURES",
    "LOGIN_FAILURES_PER_ADDRESS",
    "PASSWORD_QUEUE",
    "PASSWORD_QUEUE_PER_USER",
    "PASSWORD_QUEUE_PER_ADDRESS",
    "REGISTRATIONS_PER_HOUR",
    "LETTERS_PER_HOUR",
    "LETTERS_PER_HOUR_PER_ADDRESS",
    "REQUESTS_PER_MINUTE",
)
SETTINGS = {
    **dict.fromkeys(LIMITS, "off"),
    "ACCESS_TOKEN_MINUTES": "60",
    "LOG_LEVEL": "warning",
}


@dataclass(frozen=True)
class Server:
    name: str
    pid: int
    port: int
    database: Database

    def cpu_seconds(self) -> float:
        """Read how long all of the process's threads have run."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS  # utime and stime, proc(5)

    def memory_mib(self) -> float:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return 0

    def settle(self) -> None:
        """Wait until the server has finished the requests that no client waits for."""
        deadline = time.monotonic() + PATIENCE
        busy = True
        while busy and time.monotonic() < deadline:
            before = self.cpu_seconds()
            time.sleep(0.25)
            busy = self.cpu_seconds() - before > 1 / TICKS


def uvicorn(name: str, port: int) -> list[str]:
    options = ("--host", HOST, "--port", str(port), "--no-access-log", "--log-level", "warning")
    return [sys.executable, "-m", "uvicorn", *APPLICATIONS[name], *options]


@contextmanager
def running(
    name: str, database: Database, key: str, token: str, **variables: str
) -> Iterator[Server]:
    """Serve until the block ends, with changed settings."""
    port = free_port()
    with started(uvicorn(name, port), database, key, **variables) as process:
        wait_for_response(process, port, token)
        yield Server(name, process.pid, port, database)


@contextmanager
def collecting() -> Iterator[str]:
    """Run a collector that discards what it receives, and yield its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the library's name
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def start_seconds(
    command: Sequence[str], port: int, database: Database, key: str, tok: str
) -> float:
    """Time a start: from the command to the first list."""
    begin = time.monotonic()
    with started(command, database, key) as process:
        wait_for_response(process, port, tok)
        return time.monotonic() - begin


@contextmanager
def started(
    command: Sequence[str], database: Database, key: str, **variables: str
) -> Iterator[subprocess.Popen[bytes]]:
    environment = SETTINGS | {"DATABASE_URL": database.address(), "SECRET_KEY": key}
    devnull = subprocess.DEVNULL
    process = subprocess.Popen(
        command,
        env=os.environ | environment | variables,
        stdout=devnull,
        stderr=devnull if variables else None,  # the log of each request is discarded
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for_response(process: subprocess.Popen[bytes], port: int, token: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        connection = HTTPConnection(HOST, port, timeout=PATIENCE)
        try:
            connection.request(
                "GET", "/todos?limit=20", headers={"Authorization": f"Bearer {token}"}
            )
            if connection.getresponse().status == 200:  # noqa: PLR2004  # OK
                return
        except OSError:
            time.sleep(0.005)
        finally:
            connection.close()
    message = f"There was no response on port {port}: {process.args!r}"
    raise RuntimeError(message)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port
