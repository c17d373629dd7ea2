"""The client of docs/sync.md, as a process that copies an account into a file."""

import asyncio
import json
import sqlite3
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import httpx2

from tests.processes import PATIENCE, unmeasured

PAGE = Path(__file__).parents[1] / "docs/sync.md"

Things = dict[tuple[str, int | str], dict[str, Any]]


def program() -> str:
    return PAGE.read_text().split("```python\n")[1].split("```")[0]


@asynccontextmanager
async def started(client: httpx2.AsyncClient, file: Path) -> AsyncIterator[Process]:
    """Copy the account of a client until the end of the block, and kill the program."""
    token = client.headers["Authorization"].removeprefix("Bearer ")
    command = [sys.executable, "-c", program(), str(client.base_url).rstrip("/"), str(file)]
    running = await asyncio.create_subprocess_exec(*command, env=unmeasured() | {"TOKEN": token})
    try:
        yield running
    finally:
        with suppress(ProcessLookupError):  # it ended with an error
            running.kill()
        await running.wait()


def mirrored(file: Path) -> Things:
    with closing(sqlite3.connect(file)) as db:
        rows = db.execute("SELECT entity, id, value FROM things").fetchall()
    return {(entity, id_): json.loads(value) for entity, id_, value in rows}


async def listed(client: httpx2.AsyncClient) -> Things:
    """Return what a client that begins now has to have."""
    things: Things = {}
    since: dict[str, str] = {}
    while True:
        response = await client.get("/changes", params={"limit": 1000, **since})
        page = response.raise_for_status().json()
        for thing in page["changes"]:
            key = (thing["entity"], thing["id"])
            if "value" in thing:
                things[key] = thing["value"]
            else:
                things.pop(key, None)
        if not page["more"]:
            return things
        since = {"since": page["next"]}


def comparable(things: Things) -> Things:
    """Leave out what a write that changes nothing raises."""
    return {
        key: {name: value for name, value in thing.items() if name not in {"version", "updated_at"}}
        for key, thing in things.items()
    }


async def differences(running: Process, file: Path, expected: Things) -> list[str]:
    """Wait until a copy equals what is expected; return what remains different."""
    deadline, copy, expected = time.monotonic() + PATIENCE, {}, comparable(expected)
    while copy != expected and time.monotonic() < deadline and running.returncode is None:
        await asyncio.sleep(0.1)
        with suppress(sqlite3.OperationalError):  # its tables do not exist yet
            copy = comparable(mirrored(file))
    ended = [] if running.returncode is None else [f"it ended with {running.returncode}"]
    return ended + [
        f"{key}: {copy.get(key)} instead of {expected.get(key)}"
        for key in copy.keys() | expected.keys()
        if copy.get(key) != expected.get(key)
    ]
