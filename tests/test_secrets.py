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
            responses, token, address = send_requests(client, database)
            with database.connect() as connection:
                password_hash = connection.execute("SELECT password_hash FROM users").fetchone()[0]
        log = server.log.read_text()

    # Only the response to a log-in may contain a token, and only that to a new address its secret.
    text = log + "".join(responses)
    statuses = {line["status"] for line in lines_of(log) if line["message"] == "answered"}
    assert {200, 201, 401, 404, 409, 413, 422, 503} <= statuses
    secrets = (ACCOUNT["password"], OTHER, KEY, token, token.rsplit(".", 1)[1], password_hash)
    for secret in (*secrets, address):
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


def send_requests(client: httpx2.Client, database) -> tuple[list[str], str, str]:
    """Send requests that succeed and fail; return the responses without secrets, and these."""
    responses: list[str] = []

    def request(method: str, path: str, **content: object) -> httpx2.Response:
        response = client.request(method, path, **content)
        responses.append(f"{response.status_code} {response.headers} {response.text}")
        return response

    form = {"username": ACCOUNT["email"], "password": ACCOUNT["password"]}
    request("POST", "/users", json=ACCOUNT)
    token = client.post("/auth/token", data=form).json()["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"
    calendar = client.put("/users/me/calendar-feed").json()["url"]
    address = calendar.rpartition("/")[2].removesuffix(".ics")

    def request_all() -> None:
        request("POST", "/users", json=ACCOUNT)
        request("POST", "/users", json=ACCOUNT | {"username": 1, "email": OTHER})
        request("POST", "/users", json=ACCOUNT | {"password": [OTHER]})
        request("POST", "/users", content=b'{"password": "' + OTHER.encode())
        request("POST", "/users", content=b"a" * 2_000_000)
        request("POST", "/auth/token", data=form | {"password": OTHER})
        request("POST", "/auth/token", data={"password": OTHER})
        request("GET", "/todos", headers={"Authorization": f"Bearer {token}x"})
        request("POST", "/todos", json={"title": "Buy bread"})
        request("POST", "/todos", json={"title": OTHER + "\0", "state": OTHER})
        request("GET", "/todos/9223372036854775807")
        request("PUT", "/users/1", json=ACCOUNT | {"email": OTHER})
        request("GET", "/readyz")
        # A problem names the path of its request, so its reader has sent what it says.
        assert client.get(calendar).headers["referrer-policy"] == "no-referrer"
        client.get(f"{calendar}?page=x", headers={"If-None-Match": "x"})
        client.post(calendar)

    request_all()
    with database.connect() as connection, connection.transaction():
        connection.execute("LOCK TABLE todos")
        request("POST", "/todos", json={"title": "Buy bread"})
    drop_and_restore(database, lambda: request("GET", "/todos"))
    database.stop("immediate")
    request_all()
    database.start()
    while request("GET", "/readyz").status_code != httpx2.codes.OK:
        time.sleep(0.05)
    request_all()
    return responses, token, address


def drop_and_restore(database, meanwhile) -> None:
    """Rename a table for a moment, as if a migration had not run."""
    with database.connect() as connection:
        connection.execute("ALTER TABLE todos RENAME TO gone")
        meanwhile()
        connection.execute("ALTER TABLE gone RENAME TO todos")


def test_the_pattern_finds_sql_statements():
    assert SQL.search("[SQL: INSERT INTO users (username) VALUES (%s)]")
    assert SQL.search("SELECT users.id \nFROM users".replace("\n", ""))
