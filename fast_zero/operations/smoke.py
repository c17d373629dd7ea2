"""A first session with a deployment, as a stranger has it, to see whether it works.

It speaks HTTP with the standard library: one connection, a few requests, nothing to install.
"""

import json
import secrets
import time
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlencode, urlsplit

PREFIX = "smoke-"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Step:
    name: str
    request: str
    status: int | None
    milliseconds: float
    problem: str = ""


class WrongStatusError(Exception):
    """A step got another response than it should, so those after it make no sense."""


class Deployment:
    """Asks one deployment, and keeps the response to each step."""

    def __init__(self, url: str, timeout: float) -> None:
        found = urlsplit(url)
        if found.scheme not in {"http", "https"} or not found.hostname or found.query:
            message = f"{url} is no address: write http:// or https://, then the host"
            raise ValueError(message)
        connection = HTTPSConnection if found.scheme == "https" else HTTPConnection
        self.connection = connection(found.hostname, found.port, timeout=timeout)
        self.base = found.path.rstrip("/")
        self.token = ""
        self.steps: list[Step] = []

    def ask(
        self, name: str, method: str, path: str, body: dict[str, str] | None = None, want: int = 200
    ) -> dict[str, object]:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        data = None
        if body is not None:
            form = path == "/auth/token"
            headers["Content-Type"] = FORM if form else "application/json"
            data = urlencode(body) if form else json.dumps(body)
        began, status, answer, problem = time.monotonic(), None, b"", ""
        try:
            self.connection.request(method, self.base + path, data, headers)
            response = self.connection.getresponse()
            status, answer = response.status, response.read()
            content = json.loads(answer or b"{}")
        except (OSError, HTTPException) as error:
            self.connection.close()
            problem = str(error) or type(error).__name__
        except ValueError:
            problem = "the response is no JSON; is this fast_zero?"
        if not problem and status != want:
            problem = f"{want} was expected: {content.get('detail', '')}"
        milliseconds = round((time.monotonic() - began) * 1000, 1)
        self.steps.append(Step(name, f"{method} {path}", status, milliseconds, problem))
        if problem:
            raise WrongStatusError
        found: dict[str, object] = content
        return found

    def expect(self, holds: bool, problem: str) -> None:  # noqa: FBT001  # a condition
        """Note that the last response is not what it should be."""
        if not holds:
            self.steps[-1] = replace(self.steps[-1], problem=problem)
            raise WrongStatusError


def run(url: str, timeout: float) -> list[Step]:
    """Go through it step by step; stop at the first that fails, and clean up in any case."""
    deployment = Deployment(url, timeout)
    name = PREFIX + secrets.token_hex(6)
    account = {
        "username": name,
        "email": f"{name}@example.com",
        "password": secrets.token_urlsafe(18),
    }
    user: dict[str, object] = {}
    with closing(deployment.connection), suppress(WrongStatusError):
        for step, path in (("live", "/livez"), ("ready", "/readyz"), ("version", "/version")):
            deployment.ask(step, "GET", path)
        user = deployment.ask("register", "POST", "/users", account, 201)
        form = {"username": account["email"], "password": account["password"]}
        tokens = deployment.ask("log in", "POST", "/auth/token", form)
        deployment.token = str(tokens["access_token"])
        write(deployment, name)
    with closing(deployment.connection), suppress(WrongStatusError):
        if deployment.token:
            deployment.ask("clean up", "DELETE", f"/users/{user['id']}")
    return deployment.steps


def write(deployment: Deployment, title: str) -> None:
    todo = deployment.ask("create", "POST", "/todos", {"title": title}, 201)
    listed = deployment.ask("list", "GET", "/todos?limit=10")["todos"]
    titles = [one["title"] for one in listed] if isinstance(listed, list) else []
    deployment.expect(titles == [title], "the list is not the todo that was created")
    path = f"/todos/{todo['id']}"
    changed = deployment.ask("change", "PATCH", path, {"state": "done"})
    deployment.expect(changed["state"] == "done", "the todo has not changed")
    deployment.ask("delete", "DELETE", path)
