"""Cause every kind of database failure while clients write, and count the effects.

It uses a server process, a separate PostgreSQL in a temporary folder, and clients that record
which writes were acknowledged. Run it from the checkout:

    python -m tests.chaos [--seconds 30] [fault ...]
"""

import argparse
import asyncio
import contextlib
import itertools
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import httpx2
import psutil
import psycopg

from fast_zero.core.database import embedded
from fast_zero.core.database.embedded import programs, roles
from tests import clusters
from tests.processes import PATIENCE, postmaster, serving

WRITERS = 8
POOL = 10  # connections of the server, by default
ACCOUNT = {"username": "rui", "email": "rui@example.com", "password": "a fine long sentence"}
ALWAYS = ("/", "/livez")  # they do not need the database


class Database:
    """An unsupervised PostgreSQL, in a folder that contains its cluster or is empty."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cluster = folder / f"pg{embedded.MAJOR}"
        self.programs = programs.find()
        embedded.ensure_cluster(self.programs, self.cluster)
        with (self.cluster / "postgresql.auto.conf").open("a") as conf:
            conf.write("max_connections = 30\n")
        self.url = f"postgresql://{roles.SUPERUSER}@/postgres?host={self.cluster}"

    def start(self) -> None:
        embedded.ensure_started(self.programs, self.cluster)

    def stop(self, mode: str = "fast") -> None:
        embedded.control(self.programs, self.cluster, "stop", "-m", mode, "-w")

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(self.url, autocommit=True)

    def signal(self, number: signal.Signals) -> None:
        server = postmaster(self.folder)
        for process in (server, *server.children()):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)


Fault = Callable[[Database, float], Awaitable[None]]


async def restarted(database: Database, _seconds: float) -> None:
    await asyncio.to_thread(database.stop)
    await asyncio.to_thread(database.start)


async def killed(database: Database, _seconds: float) -> None:
    """The system kills it, for example without free memory, and its supervisor restarts it."""
    server_process = postmaster(database.folder)
    server_process.kill()
    await asyncio.to_thread(server_process.wait)
    await asyncio.to_thread(database.start)


async def away(database: Database, seconds: float) -> None:
    """The server is stopped: connections are refused."""
    await asyncio.to_thread(database.stop, "immediate")
    await asyncio.sleep(seconds)
    await asyncio.to_thread(database.start)


async def full(database: Database, seconds: float) -> None:
    """Another client takes all connections, also those of the pool."""
    connections = [database.connect()]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(psycopg.OperationalError):
            connections[0].execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'fast_zero'"
            )
            connections.append(database.connect())
            continue
        await asyncio.sleep(0.05)
    for connection in connections:
        connection.close()


async def locked(database: Database, seconds: float) -> None:
    """Another transaction locks the table."""
    with database.connect() as connection, connection.transaction():
        connection.execute("LOCK TABLE todos")
        await asyncio.sleep(seconds)


async def silent(database: Database, seconds: float) -> None:
    """Connections stay open, and the server does not respond."""
    database.signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(max(seconds, 10))
    finally:
        database.signal(signal.SIGCONT)


async def disconnected(database: Database, _seconds: float) -> None:
    """Every connection is closed once."""
    with database.connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )


FAULTS: dict[str, Fault] = {
    fault.__name__: fault for fault in (restarted, killed, away, full, locked, silent, disconnected)
}


@dataclass
class Observations:
    """What the clients observed."""

    statuses: Counter[int] = field(default_factory=Counter)
    acknowledged: set[str] = field(default_factory=set)
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


@dataclass
class Outcome:
    fault: str
    requests: int
    refused: int
    other: dict[int, int]
    broken: int
    lost: int
    duplicated: int
    torn: int
    stale: int
    unready: int
    not_always: int
    connections: int
    slowest: float
    pause: float
    recovery: float

    def passed(self) -> bool:
        data_errors = (self.lost, self.duplicated, self.torn, self.stale)
        all_errors = (*data_errors, self.other, self.broken, self.not_always)
        return not any(all_errors) and self.connections <= POOL


class Clients:
    """Independent writers, and requests to routes that must always work."""

    expected: ClassVar = {200, 201, 503}

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
        for number in itertools.count():
            if self.stopped.is_set():
                return
            title = f"{writer}-{number}"
            response = await self.request_and_count(
                "POST", "/todos", json={"title": title, "description": title}
            )
            if response is None or response.status_code != 201:
                await asyncio.sleep(0.05)
                continue
            self.observations.acknowledged.add(title)
            self.observations.successes.append(time.monotonic())
            changed = {"title": title + "!", "description": title + "!"}
            await self.request_and_count("PATCH", f"/todos/{response.json()['id']}", json=changed)
            await self.request_and_count("GET", "/todos", params={"limit": 5, "title": title})

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


@contextlib.asynccontextmanager
async def registered_client(url: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=url, timeout=PATIENCE) as client:
        await client.post("/users", json=ACCOUNT)
        form = {"username": ACCOUNT["email"], "password": ACCOUNT["password"]}
        token = (await client.post("/auth/token", data=form)).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


async def measure_fault(
    name: str,
    url: str,
    cause_fault: Callable[[], Awaitable[float | None]],
    count: Callable[[], int],
    client_class: type[Clients] = Clients,
) -> Outcome:
    async with registered_client(url) as client:
        clients = client_class(client)
        async with clients.writing():
            await clients.wait_for_write(time.monotonic())
            await asyncio.sleep(0.5)
            before = await cause_fault() or 0
            recovery = before + await clients.wait_for_write(time.monotonic())
            await asyncio.sleep(1)
        connections = count()
        rows = await clients.read_todos()
    observations = clients.observations
    stored_titles = Counter(row["title"].removesuffix("!") for row in rows)
    return Outcome(
        fault=name,
        requests=observations.statuses.total(),
        refused=observations.statuses[503],
        other={
            status: n
            for status, n in observations.statuses.items()
            if status not in client_class.expected
        },
        broken=observations.broken,
        lost=len(observations.acknowledged - stored_titles.keys()),
        duplicated=sum(times - 1 for times in stored_titles.values()),
        torn=sum(row["title"] != row["description"] for row in rows),
        stale=observations.stale,
        unready=observations.unready,
        not_always=observations.not_always,
        connections=connections,
        slowest=observations.slowest,
        pause=observations.longest_pause(),
        recovery=recovery,
    )


@contextlib.contextmanager
def own_database(*, migrated: bool = True) -> Iterator[Database]:
    with tempfile.TemporaryDirectory(prefix="fast_zero-chaos-") as folder:
        Path(folder).chmod(0o755)  # as root, PostgreSQL runs as another account, which needs access
        data = Path(folder) / "data"
        if migrated and clusters.are_shared():
            clusters.copy_to(data)
            data.chmod(0o755)
        else:
            data.mkdir()
        database = Database(data)
        database.start()
        try:
            yield database
        finally:
            database.stop("immediate")


def run(name: str, seconds: float) -> Outcome:
    """Cause one failure with a new server and a new database."""
    if name == "embedded":
        return run_embedded()
    with own_database() as database:
        variables = {"DATABASE_URL": database.url, "SECRET_KEY": "k" * 48}
        with serving(database.folder.parent / "server", **variables) as server:

            async def cause_fault() -> None:
                await FAULTS[name](database, seconds)

            def count() -> int:
                with database.connect() as connection:
                    return connection.execute(
                        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'fast_zero'"
                    ).fetchone()[0]

            return asyncio.run(measure_fault(name, server.url, cause_fault, count))


def run_embedded() -> Outcome:
    """Kill the embedded database, which the server itself starts again."""
    with tempfile.TemporaryDirectory(prefix="fast_zero-chaos-") as folder:
        data = Path(folder) / "data"

        async def cause_fault() -> float:
            """Return the seconds until another server ran."""
            server_process = postmaster(data)
            began = time.monotonic()
            server_process.kill()
            while postmaster(data) in {None, server_process}:  # noqa: ASYNC110  # a process sets no event
                await asyncio.sleep(0.01)
            return time.monotonic() - began

        with serving(data) as server:
            return asyncio.run(measure_fault("embedded", server.url, cause_fault, lambda: 0))


COLUMNS = {
    "fault": "fault",
    "requests": "requests",
    "503": "refused",
    "other": "other",
    "no response": "broken",
    "lost": "lost",
    "duplicated": "duplicated",
    "torn": "torn",
    "stale": "stale",
    "unready": "unready",
    "/ failed": "not_always",
    "slowest s": "slowest",
    "pause s": "pause",
    "recovery s": "recovery",
}


def line(cells: list[object]) -> str:
    cells = [sum(cell.values()) if isinstance(cell, dict) else cell for cell in cells]
    texts = [f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in cells]
    return "| " + " | ".join(text.rjust(14) for text in texts) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="task chaos", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    names = [*FAULTS, "embedded"]
    parser.add_argument("faults", nargs="*", metavar="fault", help=", ".join(names))
    parser.add_argument(
        "--seconds", type=float, default=30, help="duration of the faults that have one (30)"
    )
    options = parser.parse_args()
    if unknown := set(options.faults) - set(names):
        parser.error(f"there is no fault {', '.join(sorted(unknown))}")
    print(line(list(COLUMNS)), flush=True)
    outcomes = []
    for name in options.faults or names:
        outcomes.append(run(name, options.seconds))
        print(line([getattr(outcomes[-1], field) for field in COLUMNS.values()]), flush=True)
    sys.exit(not all(outcome.passed() for outcome in outcomes))


if __name__ == "__main__":
    main()
