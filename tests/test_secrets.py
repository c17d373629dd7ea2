"""Secrets never appear in logs or responses."""

import json
import re
import time

import httpx2
import pytest

from tests.chaos import own_database
from tests.processes import PATIENCE, serving

KEY = "key-that-signs-and-must-never-be-seen-anywhere"
ACCOUNT = {"username": "ana", "email": "ana@example.com", "password": "never to be seen 1"}
OTHER = "never to be seen 2"
SQL = re.compile(r"\b(SELECT .+ FROM|INSERT INTO|UPDATE \w+ SET|DELETE FROM|ON CONFLICT)\b")


@pytest.mark.parametrize("level", ["info", "debug"])
def test_no_log_and_no_response_contains_a_secret(level):
    with own_database() as database:
        variables = {"DATABASE_URL": database.url, "SECRET_KEY": KEY, "LOG_LEVEL": level}
        with (
            serving(database.folder.parent / "server", **variables) as server,
            httpx2.Client(base_url=server.url, timeout=PATIENCE) as client,
        ):
            seen, token = live_through(client, database)
            with database.connect() as connection:
                password_hash = connection.execute("SELECT password_hash FROM users").fetchone()[0]
        log = server.log.read_text()

    # Only the response to a log-in contains a token.
    text = log + "".join(seen)
    statuses = {line["status"] for line in lines_of(log) if line["message"] == "answered"}
    assert {200, 201, 401, 404, 409, 413, 422, 503} <= statuses
    for secret in (ACCOUNT["password"], OTHER, KEY, token, token.rsplit(".", 1)[1], password_hash):
        assert secret not in text
    # The log identifies users only by their id.
    for private in (ACCOUNT["username"], ACCOUNT["email"], "Buy bread", "127.0.0.1"):
        assert private not in "".join(line["message"] for line in lines_of(log))
        assert private not in "".join(map(str, lines_of(log)))
    assert "argon2" not in text
    assert "Traceback" not in text
    assert not SQL.search(text)


def lines_of(log: str) -> list[dict]:
    """Return the lines of the log. Messages of the command itself are not JSON."""
    return [json.loads(line) for line in log.splitlines() if line.startswith("{")]


def live_through(client: httpx2.Client, database) -> tuple[list[str], str]:
    """Send requests that succeed and fail; return all responses but that of the log-in."""
    seen: list[str] = []

    def ask(method: str, path: str, **content: object) -> httpx2.Response:
        response = client.request(method, path, **content)
        seen.append(f"{response.status_code} {response.headers} {response.text}")
        return response

    form = {"username": ACCOUNT["email"], "password": ACCOUNT["password"]}
    ask("POST", "/users", json=ACCOUNT)
    token = client.post("/auth/token", data=form).json()["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"

    def everything() -> None:
        ask("POST", "/users", json=ACCOUNT)
        ask("POST", "/users", json=ACCOUNT | {"username": 1, "email": OTHER})
        ask("POST", "/users", json=ACCOUNT | {"password": [OTHER]})
        ask("POST", "/users", content=b'{"password": "' + OTHER.encode())
        ask("POST", "/users", content=b"a" * 2_000_000)
        ask("POST", "/auth/token", data=form | {"password": OTHER})
        ask("POST", "/auth/token", data={"password": OTHER})
        ask("GET", "/todos", headers={"Authorization": f"Bearer {token}x"})
        ask("POST", "/todos", json={"title": "Buy bread"})
        ask("POST", "/todos", json={"title": OTHER + "\0", "state": OTHER})
        ask("GET", "/todos/9223372036854775807")
        ask("PUT", "/users/1", json=ACCOUNT | {"email": OTHER})
        ask("GET", "/readyz")

    everything()
    with database.connect() as connection, connection.transaction():
        connection.execute("LOCK TABLE todos")
        ask("POST", "/todos", json={"title": "Buy bread"})
    drop_and_restore(database, lambda: ask("GET", "/todos"))
    database.stop("immediate")
    everything()
    database.start()
    while ask("GET", "/readyz").status_code != httpx2.codes.OK:
        time.sleep(0.05)
    everything()
    return seen, token


def drop_and_restore(database, meanwhile) -> None:
    """Remove a table, as if a migration had not run."""
    with database.connect() as connection:
        connection.execute("ALTER TABLE todos RENAME TO gone")
        meanwhile()
        connection.execute("ALTER TABLE gone RENAME TO todos")


def test_the_tests_own_patterns_find_what_they_look_for():
    assert SQL.search("[SQL: INSERT INTO users (username) VALUES (%s)]")
    assert SQL.search("SELECT users.id \nFROM users".replace("\n", ""))
