"""A server that is killed between its commit and its response."""

import signal
import sys
from contextlib import contextmanager

import httpx2
import pytest

from tests import processes
from tests.processes import PATIENCE, serving

ANA = {"username": "ana", "email": "ana@example.com", "password": "a fine long sentence"}
EVA = {"username": "eva", "email": "eva@example.com", "password": "a fine long sentence"}
KEY = {"Idempotency-Key": "0197c2f2-5f0e-7c3a-9d51-3f4f0a7c9b1e"}
BATCH = {"items": [{"op": "create", "title": "one"}, {"op": "create", "title": "two"}]}

# A server that kills itself before it sends the response to a request with a key.
SELF_KILLING_SERVER = """
import os, signal
from starlette.middleware import Middleware
from fast_zero import app, cli

def deadly(inner):
    async def run(scope, receive, send):
        async def kill(message):
            if b"idempotency-key" in dict(scope["headers"]):
                os.kill(os.getpid(), signal.SIGKILL)
            await send(message)

        await inner(scope, receive, kill if scope["type"] == "http" else send)

    return run

listed = app.middleware
app.middleware = lambda settings: [Middleware(deadly), *listed(settings)]
cli.main()
"""


def log_in(client: httpx2.Client) -> None:
    form = {"username": ANA["username"], "password": ANA["password"]}
    token = client.post("/auth/token", data=form).json()["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"


def count(client: httpx2.Client, collection: str) -> dict[str, int]:
    return {collection: len(client.get(f"/{collection}").json()[collection])}


@pytest.fixture
def self_killing(monkeypatch):
    """Start servers that kill themselves."""

    @contextmanager
    def self_killing():
        with monkeypatch.context() as patched:
            patched.setattr(processes, "PROGRAM", [sys.executable, "-c", SELF_KILLING_SERVER])
            yield

    return self_killing


@contextmanager
def running(data_dir):
    with (
        serving(data_dir) as server,
        httpx2.Client(base_url=server.url, timeout=PATIENCE) as client,
    ):
        yield server, client


@pytest.mark.parametrize(
    ("path", "body", "rows"),
    [
        ("/todos", {"title": "one"}, {"todos": 1}),
        ("/todos/batch", BATCH, {"todos": 2}),
        ("/users", EVA, {"users": 2}),
    ],
)
def test_a_retry_gets_the_response_that_was_lost(data_dir, self_killing, path, body, rows):
    with self_killing(), running(data_dir) as (server, client):
        client.post("/users", json=ANA).raise_for_status()
        log_in(client)
        with pytest.raises(httpx2.TransportError):
            client.post(path, json=body, headers=KEY)
        assert server.process.wait(PATIENCE) == -signal.SIGKILL

    [collection] = rows
    with running(data_dir) as (_, client):
        log_in(client)
        assert count(client, collection) == rows

        retried = client.post(path, json=body, headers=KEY)

        assert retried.is_success
        assert retried.headers["idempotency-replayed"] == "true"
        assert count(client, collection) == rows
