"""Uses a deployment as a new user would, to test whether it works.

It needs only HTTP and the standard library: one connection, a few requests.
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
    """The response of a step was wrong, so the following steps are pointless."""


class Deployment:
    """Sends requests to a deployment, and records the result of each step."""

    def __init__(self, url: str, timeout: float) -> None:
        found = urlsplit(url)
        if found.scheme not in {"http", "https"} or not found.hostname or found.query:
            message = f"{url} is not a URL: it needs http:// or https://, and a host"
            raise ValueError(message)
        connection = HTTPSConnection if found.scheme == "https" else HTTPConnection
        self.connection = connection(found.hostname, found.port, timeout=timeout)
        self.base = found.path.rstrip("/")
        self.token = ""
        self.steps: list[Step] = []

    def send(
        self, name: str, method: str, path: str, body: dict[str, str] | None = None, want: int = 200
    ) -> dict[str, object]:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        data = None
        if body is not None:
            form = path == "/auth/token"
            headers["Content-Type"] = FORM if form else "application/json"
            data = urlencode(body) if form else json.dumps(body)
        began, status, content_bytes, problem = time.monotonic(), None, b"", ""
        try:
            self.connection.request(method, self.base + path, data, headers)
            response = self.connection.getresponse()
            status, content_bytes = response.status, response.read()
            content = json.loads(content_bytes or b"{}")
        except (OSError, HTTPException) as error:
            self.connection.close()
            problem = str(error) or type(error).__name__
        except ValueError:
            problem = "the response is not JSON; is this fast_zero?"
        if not problem and status != want:
            problem = f"expected status {want}: {content.get('detail', '')}"
        milliseconds = round((time.monotonic() - began) * 1000, 1)
        self.steps.append(Step(name, f"{method} {path}", status, milliseconds, problem))
        if problem:
            raise WrongStatusError
        found: dict[str, object] = content
        return found

    def expect(self, holds: bool, problem: str) -> None:  # noqa: FBT001  # the condition
        """Record a problem of the last step unless a condition holds."""
        if not holds:
            self.steps[-1] = replace(self.steps[-1], problem=problem)
            raise WrongStatusError


def run(url: str, timeout: float) -> list[Step]:
    """Run all steps; stop at the first failure, and clean up in any case."""
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
            deployment.send(step, "GET", path)
        user = deployment.send("register", "POST", "/users", account, 201)
        form = {"username": account["email"], "password": account["password"]}
        tokens = deployment.send("log in", "POST", "/auth/token", form)
        deployment.token = str(tokens["access_token"])
        write(deployment, name)
    with closing(deployment.connection), suppress(WrongStatusError):
        if deployment.token:
            deployment.send("clean up", "DELETE", f"/users/{user['id']}")
    return deployment.steps


def write(deployment: Deployment, title: str) -> None:
    todo = deployment.send("create", "POST", "/todos", {"title": title}, 201)
    listed = deployment.send("list", "GET", "/todos?limit=10")["todos"]
    titles = [one["title"] for one in listed] if isinstance(listed, list) else []
    deployment.expect(titles == [title], "the list does not contain the new todo alone")
    path = f"/todos/{todo['id']}"
    changed = deployment.send("change", "PATCH", path, {"state": "done"})
    deployment.expect(changed["state"] == "done", "the todo has not changed")
    deployment.send("delete", "DELETE", path)
