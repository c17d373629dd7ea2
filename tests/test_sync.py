"""The client of docs/sync.md, killed at random, while others write."""

import asyncio
import json
import os
import random
import sqlite3
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx2

from tests.mirrored import everything
from tests.processes import PATIENCE, serving

PAGE = Path(__file__).parents[1] / "docs/sync.md"
SECONDS = float(os.environ.get("SYNC_SECONDS", "8"))
WRITERS = 3
ANA = {"username": "ana", "email": "ana@example.com", "password": "a fine long sentence"}
LONGEST = 60  # lines


def program() -> str:
    return PAGE.read_text().split("```python\n")[1].split("```")[0]


def test_the_client_is_short():
    assert len(program().splitlines()) <= LONGEST
    assert len(PAGE.read_text().split()) <= 350


class Writer:
    """Sends random writes to things that exist, or did."""

    def __init__(self, client, seed: int) -> None:
        self.client, self.chance = client, random.Random(seed)
        self.statuses: dict[int, int] = {}

    async def pick(self, collection: str) -> int:
        listed = (await self.client.get(f"/{collection}", params={"limit": 1000})).json()
        return self.chance.choice([*(thing["id"] for thing in listed[collection]), 1])

    async def send(self, method: str, path: str, **body) -> None:
        response = await self.client.request(method, path, json=body or None)
        self.statuses[response.status_code] = self.statuses.get(response.status_code, 0) + 1

    async def write(self) -> None:
        todo, other, project = [await self.pick(name) for name in ("todos", "todos", "projects")]
        label = f"label {self.chance.randrange(6)}"
        kind = self.chance.choice(["blocks", "relates_to"])
        due = f"2026-12-{self.chance.randrange(1, 28):02}"
        writes = [
            ("POST", "/todos", {"title": "Bread", "labels": [label]}),
            ("POST", "/todos", {"title": "Salt", "project_id": project}),
            ("POST", "/todos", {"title": "Below", "parent_id": todo}),
            ("POST", "/projects", {"name": "Home"}),
            ("POST", f"/projects/{project}/sections", {"name": "Later"}),
            ("PATCH", f"/todos/{todo}", {"due_on": due}),
            ("PATCH", f"/todos/{todo}", {"labels": [label]}),
            ("PATCH", f"/projects/{project}", {"description": due}),
            ("POST", f"/todos/{todo}/complete", {}),
            ("POST", f"/todos/{todo}/move", {"after": other}),
            ("PUT", f"/todos/{todo}/relations/{kind}/{other}", {}),
            ("DELETE", f"/todos/{todo}", {}),
            ("POST", f"/todos/{other + 1}/restore", {}),
            ("POST", f"/projects/{project + 1}/restore", {}),
            ("DELETE", f"/labels/{await self.pick('labels')}", {}),
            *self.chance.sample(
                [("DELETE", f"/projects/{project}", {}), ("DELETE", "/trash", {})],
                self.chance.random() < 0.2,
            ),
        ]
        method, path, body = self.chance.choice(writes)
        await self.send(method, path, **body)

    async def write_until(self, end: float) -> None:
        while time.monotonic() < end:
            await self.write()


@asynccontextmanager
async def started(command: list[str], environment: dict[str, str]) -> AsyncIterator[Process]:
    """Run a program until the end of the block, and kill it."""
    running = await asyncio.create_subprocess_exec(*command, env=environment)
    try:
        yield running
    finally:
        running.kill()
        await running.wait()


async def kill_at_random(command: list[str], environment: dict[str, str], end: float) -> int:
    """Run a program again and again, each time until it is killed; return how often."""
    chance, kills = random.Random(3), 0
    while time.monotonic() < end:
        async with started(command, environment) as running:
            await asyncio.sleep(chance.uniform(0.1, 1))
            assert running.returncode is None
            kills += 1
    return kills


def mirrored(file: Path) -> dict:
    with sqlite3.connect(file) as db:
        rows = db.execute("SELECT entity, id, value FROM things").fetchall()
    return {(entity, id_): json.loads(value) for entity, id_, value in rows}


def comparable(things: dict) -> dict:
    """Leave out what a write that changes nothing raises."""
    return {
        key: {name: value for name, value in thing.items() if name not in {"version", "updated_at"}}
        for key, thing in things.items()
    }


async def test_a_mirror_that_is_killed_at_random_equals_the_server(data_dir, tmp_path):
    file, end = tmp_path / "mirror.db", time.monotonic() + SECONDS
    with serving(data_dir) as server:
        async with httpx2.AsyncClient(base_url=server.url, timeout=PATIENCE) as client:
            await client.post("/users", json=ANA)
            form = {"username": ANA["username"], "password": ANA["password"]}
            token = (await client.post("/auth/token", data=form)).json()["access_token"]
            client.headers["Authorization"] = f"Bearer {token}"
            command = [sys.executable, "-c", program(), server.url, str(file)]
            environment = os.environ | {"TOKEN": token}
            writers = [Writer(client, seed) for seed in range(WRITERS)]
            kills, *_ = await asyncio.gather(
                kill_at_random(command, environment, end),
                *(writer.write_until(end) for writer in writers),
            )
            expected = comparable(await everything(client))

        async with started(command, environment):
            deadline = time.monotonic() + PATIENCE
            while time.monotonic() < deadline:
                with suppress(sqlite3.OperationalError):
                    if comparable(mirrored(file)) == expected:
                        break
                await asyncio.sleep(0.1)

    assert comparable(mirrored(file)) == expected
    assert kills >= SECONDS / 2
    assert {entity for entity, _ in expected} >= {"todo", "label", "project"}
    assert {status for writer in writers for status in writer.statuses} <= {
        200,
        201,
        204,
        404,
        409,
        422,
    }
