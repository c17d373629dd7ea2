"""People at terminals: each has a folder for the configuration, and maybe a log-in."""

import contextlib
import json
import os
import pty
import select
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2

from tests import processes

PASSWORD = "a fine long sentence"
PLAIN: dict[str, Any] = {"timeout": processes.PATIENCE, "verify": False}
"""Options of requests over plain http, which need none of the certificates of the system."""


@dataclass
class Person:
    home: Path
    url: str
    username: str

    @property
    def variables(self) -> dict[str, str]:
        return {"XDG_CONFIG_HOME": str(self.home)}

    @property
    def login_file(self) -> Path:
        return self.home / "fast-zero/login.json"

    @property
    def stored(self) -> dict[str, Any]:
        return json.loads(self.login_file.read_text())

    def call(self, *arguments: str, stdin: str = "", **variables: str):
        """Run a command in this process, without a terminal."""
        return processes.call(self.home, *arguments, stdin=stdin, **self.variables | variables)

    def run(self, *arguments: str, stdin: str = "", **variables: str):
        """Run a command as a program, without a terminal."""
        return processes.run(
            self.home, *arguments, stdin=stdin, measured=True, **self.variables | variables
        )

    def ok(self, *arguments: str, stdin: str = "", **variables: str) -> str:
        result = self.call(*arguments, stdin=stdin, **variables)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.ok(*arguments, "--json"))

    def log_in(self) -> "Person":
        self.ok("login", self.url, "-u", self.username, stdin=f"{PASSWORD}\n")
        return self

    def http(self) -> httpx2.Client:
        headers = {"Authorization": f"Bearer {self.stored['token']}"}
        return httpx2.Client(base_url=self.url, headers=headers, **PLAIN)

    def create(self, **fields: object) -> int:
        with self.http() as http:
            return http.post("/todos", json=fields).raise_for_status().json()["id"]

    def read(self, todo_id: int) -> dict[str, Any]:
        with self.http() as http:
            return http.get(f"/todos/{todo_id}").raise_for_status().json()

    def at_terminal(
        self, *arguments: str, dialog: list[tuple[str, str]] | None = None, columns: int = 100
    ) -> str:
        """Run a command on a pseudo-terminal. `dialog`: what is awaited, and then typed."""
        ours, theirs = pty.openpty()
        environment = processes.environment(
            self.home, measured=True, TERM="xterm-256color", COLUMNS=str(columns), **self.variables
        )
        environment.pop("TTY_COMPATIBLE", None)
        with subprocess.Popen(
            [*processes.PROGRAM, *arguments],
            env=environment | {"EDITOR": os.environ.get("EDITOR", "true")},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        ) as process:
            os.close(theirs)
            shown = converse(ours, dialog or [])
            process.wait(processes.PATIENCE)
        os.close(ours)
        return shown


def converse(terminal: int, dialog: list[tuple[str, str]]) -> str:
    """Type each line when its prompt has come, and return all that was shown."""
    shown, seen = "", 0
    deadline = time.monotonic() + processes.PATIENCE
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            part = os.read(terminal, 4096)
        except OSError:  # the program has ended
            break
        if not part:
            break
        shown += part.decode(errors="replace")
        while dialog and (place := shown.find(dialog[0][0], seen)) >= 0:
            seen = place + len(dialog[0][0])
            os.write(terminal, dialog.pop(0)[1].encode())
    assert not dialog, f"{dialog[0][0]!r} did not come:\n{shown}"
    return shown


def register(home: Path, url: str, username: str) -> Person:
    new = {"username": username, "email": f"{username}@example.com", "password": PASSWORD}
    httpx2.post(f"{url}/users", json=new, **PLAIN).raise_for_status()
    home.mkdir(exist_ok=True)
    return Person(home, url, username)


Answer = tuple[int, dict[str, str], bytes]
"""A status, headers, and a body."""


@contextlib.contextmanager
def answering(answer: Callable[[BaseHTTPRequestHandler, bytes], Answer | None]) -> Iterator[str]:
    """Run a server that answers as a function says. None: it closes the connection."""

    class Handler(BaseHTTPRequestHandler):
        def handle_request(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answered = answer(self, body)
            self.close_connection = True
            if answered is None:
                return
            status, headers, content = answered
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(content))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # the client may have hung up
                self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = handle_request  # noqa: N815  # the library's names

        def log_message(self, *_arguments: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def between(
    url: str, answer: Callable[[BaseHTTPRequestHandler, bytes, Answer], Answer | None]
) -> Iterator[str]:
    """Run a proxy. `answer` gets the answer of the server, and may return another one."""

    def forward(request: BaseHTTPRequestHandler, body: bytes) -> Answer | None:
        headers = {name: value for name, value in request.headers.items() if name != "Host"}
        response = httpx2.request(
            request.command,
            url + request.path,
            content=body,
            headers=headers,
            **PLAIN,
        )
        kept = {
            name: value
            for name, value in response.headers.items()
            if name in {"content-type", "etag", "x-change-set", "location"}
        }
        return answer(request, body, (response.status_code, kept, response.content))

    with answering(forward) as address:
        yield address
