"""Clients that write during `task chaos` and `task topology`, and what they observe."""

import asyncio
import contextlib
import itertools
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import httpx2

from tests.processes import PATIENCE
from tests.replayed import Written

WRITERS = 8
ACCOUNT = {"username": "rui", "email": "rui@example.com", "password": "a fine long sentence"}
ALWAYS = ("/", "/livez")  # they do not need the database


@dataclass
class Observations:
    """What the clients observed."""

    statuses: Counter[int] = field(default_factory=Counter)
    acknowledged: set[str] = field(default_factory=set)
    written: list[Written] = field(default_factory=list)  # all acknowledged writes
    broken: int = 0  # no response at all
    not_always: int = 0  # errors of routes that do not need the database
    unready: int = 0
    stale: int = 0  # reads that did not return an acknowledged write
    slowest: float = 0
    successes: list[float] = field(default_factory=list)

    def longest_pause(self) -> float:
        """Return the longest period without an acknowledged write, in seconds."""
        pairs = itertools.pairwise(self.successes)
        return max((after - before for before, after in pairs), default=0)


class Write(NamedTuple):
    """A change of a todo, and what it leaves in the log."""

    method: str
    path: str
    body: dict[str, object]
    written: Written


def changes_of(todo_id: int, title: str, label: str, parent_id: int | None) -> Iterator[Write]:
    """Rename a todo; then label it, or move it below another one."""
    path = f"/todos/{todo_id}"
    new = f"{title}!"
    renamed = Written("todos", todo_id, "title", new)
    yield Write("PATCH", path, {"title": new, "description": new}, renamed)
    if parent_id is None:
        labelled = Written("todo_labels", todo_id, "todo_id", todo_id)
        yield Write("PATCH", path, {"labels": [label]}, labelled)
    else:
        moved = Written("todos", todo_id, "parent_id", parent_id)
        yield Write("POST", f"{path}/move", {"parent_id": parent_id}, moved)


class Clients:
    """Independent writers, and requests to routes that must always work."""

    expected: ClassVar = {200, 201, 503}
    name = ""  # what the titles begin with

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self.client = client
        self.observations = Observations()
        self.stopped = asyncio.Event()

    async def request(self, method: str, path: str, **content: object) -> httpx2.Response | None:
        began = time.monotonic()
        try:
            response = await self.client.request(method, path, **content)
        except httpx2.TransportError:
            self.observations.broken += 1
            return None
        finally:
            self.observations.slowest = max(self.observations.slowest, time.monotonic() - began)
        return response

    async def write(self, writer: int) -> None:
        above = None
        for number in itertools.count():
            if self.stopped.is_set():
                return
            title = f"{self.name}{writer}-{number}"
            todo_id = await self.create(title)
            if todo_id is None:
                await asyncio.sleep(0.05)
                continue
            for write in changes_of(todo_id, title, f"writer {writer}", above):
                if await self.change(write):
                    self.observations.written.append(write.written)
            above = todo_id if above is None else None

    async def create(self, title: str) -> int | None:
        content = {"title": title, "description": title}
        created = await self.request_and_count("POST", "/todos", json=content)
        if created is None or created.status_code != 201:
            return None
        self.acknowledge(title, created)
        await self.request_and_count("GET", "/todos", params={"limit": 5, "title": title})
        return created.json()["id"]

    def acknowledge(self, title: str, created: httpx2.Response) -> None:
        written = Written("todos", created.json()["id"], "title", title)
        self.observations.written.append(written)
        self.observations.acknowledged.add(title)
        self.observations.successes.append(time.monotonic())

    async def change(self, write: Write) -> bool:
        response = await self.request_and_count(write.method, write.path, json=write.body)
        return response is not None and response.status_code == 200

    async def request_and_count(
        self, method: str, path: str, **content: object
    ) -> httpx2.Response | None:
        response = await self.request(method, path, **content)
        if response is not None:
            self.observations.statuses[response.status_code] += 1
            if response.status_code == 503 and "retry-after" not in response.headers:
                self.observations.statuses[0] += 1
        return response

    async def probe(self) -> None:
        while not self.stopped.is_set():
            for path in ALWAYS:
                response = await self.request("GET", path)
                self.observations.not_always += response is None or response.status_code != 200
            response = await self.request("GET", "/readyz")
            self.observations.unready += response is None or response.status_code != 200
            await asyncio.sleep(0.1)

    @contextlib.asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            for writer in range(WRITERS):
                group.create_task(self.write(writer))
            group.create_task(self.probe())
            try:
                yield
            finally:
                self.stopped.set()

    async def wait_for_write(self, since: float) -> float:
        """Wait for a write that is acknowledged after a given time, and return how long it took."""
        async with asyncio.timeout(PATIENCE):
            while not any(moment >= since for moment in self.observations.successes[-1:]):  # noqa: ASYNC110  # a list sets no event
                await asyncio.sleep(0.01)
        return next(moment for moment in self.observations.successes if moment >= since) - since

    async def read_todos(self) -> list[dict[str, str]]:
        rows: list[dict[str, str]] = []
        after: dict[str, str] = {}
        while True:
            response = await self.client.get("/todos", params={"limit": 1000, **after})
            page = response.raise_for_status().json()
            rows += page["todos"]
            if page["next"] is None:
                return rows
            after = {"after": page["next"]}


class KeyedClients(Clients):
    """Retry with the same key until the write is acknowledged; then read it."""

    expected: ClassVar = {200, 201, 409, 503}

    def __init__(self, client: httpx2.AsyncClient) -> None:
        super().__init__(client)
        self.name = f"{secrets.token_hex(4)}-"  # todos of an earlier fault still exist

    async def create(self, title: str) -> int | None:
        content = {"title": title, "description": title}
        key = {"Idempotency-Key": title}
        created = await self.retry("POST", "/todos", json=content, headers=key)
        if created is None:
            return None
        self.acknowledge(title, created)
        await self.read(created.headers["location"], "title", title)
        return created.json()["id"]

    async def change(self, write: Write) -> bool:
        key = {"Idempotency-Key": f"{self.name}{write.path}"} if write.method == "POST" else {}
        if await self.retry(write.method, write.path, json=write.body, headers=key) is None:
            return False
        name, value = next(iter(write.body.items()))
        await self.read(f"/todos/{write.written.entity_id}", name, value)
        return True

    async def retry(self, method: str, path: str, **content: object) -> httpx2.Response | None:
        while not self.stopped.is_set():
            response = await self.request_and_count(method, path, **content)
            if response is not None and response.status_code in {200, 201}:
                return response
            await asyncio.sleep(0.05)
        return None

    async def read(self, path: str, name: str, value: object) -> None:
        response = await self.request("GET", path)
        if response is None:
            return
        if response.status_code == 200:
            self.observations.stale += response.json()[name] != value
        self.observations.stale += response.status_code == 404
        self.observations.statuses[
            200 if response.status_code == 404 else response.status_code
        ] += 1


@contextlib.asynccontextmanager
async def registered_client(url: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=url, timeout=PATIENCE) as client:
        await client.post("/users", json=ACCOUNT)
        form = {"username": ACCOUNT["email"], "password": ACCOUNT["password"]}
        token = (await client.post("/auth/token", data=form)).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client
