"""The client of docs/sync.md, killed at random, while others write and PostgreSQL is killed.

Afterwards, some of what they wrote is undone and redone.
"""

import asyncio
import logging
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import httpx2
import psycopg

from tests import chaos, mirroring, replayed
from tests.change_sets.conftest import VISIBLE
from tests.mirrored import everything
from tests.mirroring import PAGE, program
from tests.processes import PATIENCE, postmaster, serving, until

SECONDS = float(os.environ.get("SYNC_SECONDS", "8"))
PEOPLE = ("ana", "eva")
WRITERS = 2  # of each
UNDONE = 13 if SECONDS >= 60 else 3  # change sets of each
KILL_SECONDS = min(SECONDS, 15)  # at most, until PostgreSQL is killed again
PASSWORD = "a fine long sentence"
LONGEST = 60  # lines

logger = logging.getLogger(__name__)


def test_the_client_is_short():
    assert len(program().splitlines()) <= LONGEST
    assert len(PAGE.read_text().split()) <= 350


class Writer:
    """Sends random writes to things that exist, or did."""

    def __init__(self, client, seed: int) -> None:
        self.client, self.chance = client, random.Random(seed)
        self.statuses: Counter[int] = Counter()
        self.change_sets: list[str] = []

    async def pick(self, collection: str) -> int:
        limit = self.chance.choice([10, 100, 1000])  # long lists take the time of writes
        response = await self.client.get(f"/{collection}", params={"limit": limit})
        _, _, name = collection.rpartition("/")
        listed = response.json().get(name, [])  # none if PostgreSQL does not run
        return self.chance.choice([*(thing["id"] for thing in listed), 1])

    async def send(self, method: str, path: str, **body) -> None:
        response = await self.client.request(method, path, json=body or None)
        self.statuses[response.status_code] += 1
        if response.is_success:
            self.change_sets.append(response.headers["x-change-set"])
        if response.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            await asyncio.sleep(0.1)

    async def write(self) -> None:
        todo, other, project = [await self.pick(name) for name in ("todos", "todos", "projects")]
        label = f"label {self.chance.randrange(6)}"
        saved, sibling = [await self.pick("filters") for _ in range(2)]
        parent, section = (
            await self.pick("projects"),
            await self.pick(f"projects/{project}/sections"),
        )
        kind = self.chance.choice(["blocks", "relates_to"])
        due = f"2026-12-{self.chance.randrange(1, 28):02}"
        writes = [
            ("POST", "/todos", {"title": "Bread", "labels": [label]}),
            ("POST", "/todos", {"title": "Salt", "project_id": project}),
            ("POST", "/todos", {"title": "Below", "parent_id": todo}),
            ("POST", "/projects", {"name": "Home"}),
            ("POST", f"/projects/{project}/sections", {"name": "Later"}),
            ("PATCH", f"/todos/{todo}", {"due_on": due}),
            ("PATCH", f"/todos/{todo}", {"due_on": due, "recurrence": {"rule": "FREQ=DAILY"}}),
            ("POST", f"/todos/{todo}/skip", {}),
            ("PATCH", f"/todos/{todo}", {"labels": [label]}),
            ("POST", "/todos", {"title": "Rye", "section_id": section}),
            ("PATCH", f"/projects/{project}", {"description": due}),
            ("POST", f"/projects/{project}/move", {"parent_id": parent}),
            ("DELETE", f"/projects/{project}/sections/{section}", {}),
            ("POST", f"/todos/{todo}/complete", {}),
            ("POST", f"/todos/{todo}/move", {"after": other}),
            ("POST", f"/todos/{todo}/move", {"parent_id": other}),
            ("PUT", f"/todos/{todo}/relations/{kind}/{other}", {}),
            ("DELETE", f"/todos/{todo}", {}),
            ("POST", f"/todos/{other + 1}/restore", {}),
            ("POST", f"/projects/{project + 1}/restore", {}),
            ("DELETE", f"/labels/{await self.pick('labels')}", {}),
            ("POST", "/filters", {"name": label, "filter": f"due<={due}"}),
            ("PATCH", f"/filters/{saved}", {"filter": f"due:{due}"}),
            ("POST", f"/filters/{saved}/move", {"before": sibling}),
            ("DELETE", f"/filters/{saved}", {}),
            *(("POST", f"/change-sets/{last}/undo", {}) for last in self.change_sets[-1:]),
            *self.chance.sample(
                [("DELETE", f"/projects/{project}", {}), ("DELETE", "/trash", {})],
                self.chance.random() < 0.2,
            ),
        ]
        method, path, body = self.chance.choice(writes)
        await self.send(method, path, **body)

    async def write_until(self, end: float) -> None:
        await self.send("POST", "/projects", name="Work")
        await self.send("POST", "/todos", title="Flour", labels=["label 0"])
        while time.monotonic() < end:
            await self.write()


@asynccontextmanager
async def registered(url: str, name: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=url, timeout=PATIENCE) as client:
        account = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
        (await client.post("/users", json=account)).raise_for_status()
        form = {"username": name, "password": PASSWORD}
        token = (await client.post("/auth/token", data=form)).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


async def kill_client(client: httpx2.AsyncClient, file: Path, end: float) -> int:
    """Copy an account, each time until the program is killed; return how often."""
    chance, kills = random.Random(3), 0
    while time.monotonic() < end:
        async with mirroring.started(client, file) as running:
            await asyncio.sleep(chance.uniform(0.1, 1))
            assert running.returncode is None
            kills += 1
    return kills


async def kill_postgresql(data_dir: Path, end: float) -> int:
    """Kill the embedded server, which fast_zero starts again; return how often."""
    chance, kills = random.Random(4), 0
    while (pause := chance.uniform(0.3, 0.9) * KILL_SECONDS) < end - time.monotonic():
        await asyncio.sleep(pause)
        server = postmaster(data_dir)
        server.kill()
        await until(lambda gone=server: postmaster(data_dir) not in {None, gone})
        kills += 1
    return kills


async def undo_and_redo(writer: Writer, data_dir: Path) -> int:
    """Undo change sets of a writer at random, and each time undo that; return how many."""
    changed = 0
    for change_set in writer.chance.sample(writer.change_sets, len(writer.change_sets)):
        if changed == UNDONE:
            break
        with chaos.connect(data_dir) as connection:
            before = visible_rows(connection)
        force = writer.chance.random() < 0.5
        path = f"/change-sets/{change_set}/undo"
        undo = await writer.client.post(path, params={"force": force})
        if undo.status_code == HTTPStatus.NOT_FOUND:  # it changed nothing
            continue
        assert undo.status_code == HTTPStatus.OK, undo.text
        if undo.json()["undone"]:
            redo = await writer.client.post(f"/change-sets/{undo.headers['x-change-set']}/undo")
            assert redo.json()["conflicts"] == []
            changed += 1
        with chaos.connect(data_dir) as connection:
            assert visible_rows(connection) == before, (undo.text, change_set)
    return changed


def visible_rows(connection: psycopg.Connection) -> dict[str, list]:
    """Return all rows that are not in the trash, without what is never restored."""
    statement = "SELECT to_jsonb(t) - 'version' - 'updated_at' FROM {} AS t WHERE {} ORDER BY 1"
    return {
        table: connection.execute(statement.format(table, visible)).fetchall()
        for table, visible in VISIBLE.items()
    }


async def test_mirrors_that_are_killed_at_random_equal_the_server(data_dir, tmp_path):
    with serving(data_dir) as server:
        async with registered(server.url, "ana") as ana, registered(server.url, "eva") as eva:
            mirrors = {ana: tmp_path / "ana.db", eva: tmp_path / "eva.db"}
            writers = [Writer(client, seed) for client in mirrors for seed in range(WRITERS)]
            end = time.monotonic() + SECONDS
            kills, *kills_of_clients = await asyncio.gather(
                kill_postgresql(data_dir, end),
                *(kill_client(client, file, end) for client, file in mirrors.items()),
                *(writer.write_until(end) for writer in writers),
            )
            await until(lambda: httpx2.get(f"{server.url}/readyz").status_code == HTTPStatus.OK)
            undone = [await undo_and_redo(writer, data_dir) for writer in writers]
            for client, file in mirrors.items():
                expected = await everything(client)
                async with mirroring.started(client, file) as running:
                    assert await mirroring.differences(running, file, expected) == []
        with chaos.connect(data_dir) as connection:
            assert replayed.errors_of(connection) == []
            changes, _ = replayed.read(connection)

    statuses = sum((writer.statuses for writer in writers), Counter())
    counts = (dict(statuses), len(changes), kills, kills_of_clients[: len(mirrors)], undone)
    logger.info("responses %s, changes %s, PostgreSQL killed %s, clients %s, undone %s", *counts)
    assert {change.entity for change in changes} >= {"todos", "projects", "labels", "todo_labels"}
    assert kills >= 1
    assert sum(undone) >= UNDONE
    assert min(kills_of_clients[: len(mirrors)]) > 1
    assert statuses.keys() <= {200, 201, 204, 404, 409, 422, 503}
