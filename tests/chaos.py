"""Cause every kind of database failure while clients write, and count the effects.

It uses a server process, a separate PostgreSQL in a temporary folder, and clients that record
which writes were acknowledged. In the end, the log of changes is replayed from the beginning; the
column "log" counts what it misses, has twice or has differently. Run it from the checkout:

    python -m tests.chaos [--seconds 30] [fault ...]
"""

import argparse
import asyncio
import contextlib
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from fast_zero.core.database import embedded
from fast_zero.core.database.embedded import programs, roles
from tests import clusters, replayed
from tests.processes import postmaster, serving
from tests.writers import Clients, registered_client

POOL = 10  # connections of the server, by default


def url_of(folder: Path) -> str:
    """Return the URL of the cluster in a folder."""
    cluster = folder / f"pg{embedded.MAJOR}"
    return f"postgresql://{roles.SUPERUSER}@/postgres?host={cluster}"


def connect(folder: Path) -> psycopg.Connection:
    return psycopg.connect(url_of(folder), autocommit=True)


class Database:
    """An unsupervised PostgreSQL, in a folder that contains its cluster or is empty."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cluster = folder / f"pg{embedded.MAJOR}"
        self.programs = programs.find()
        embedded.ensure_cluster(self.programs, self.cluster)
        with (self.cluster / "postgresql.auto.conf").open("a") as conf:
            conf.write("max_connections = 30\n")
        self.url = url_of(folder)

    def start(self) -> None:
        embedded.ensure_started(self.programs, self.cluster)

    def stop(self, mode: str = "fast") -> None:
        embedded.control(self.programs, self.cluster, "stop", "-m", mode, "-w")

    def connect(self) -> psycopg.Connection:
        return connect(self.folder)

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
    log: Sequence[str]  # what is wrong with the log of changes
    sync: Sequence[str] = ()  # what is wrong with a copy of the account

    def passed(self) -> bool:
        data_errors = (self.lost, self.duplicated, self.torn, self.stale)
        all_errors = (*data_errors, self.other, self.broken, self.not_always, self.log, self.sync)
        return not any(all_errors) and self.connections <= POOL


@dataclass(frozen=True)
class Service:
    """What the clients use, and how to look into its database."""

    url: str
    connect: Callable[[], psycopg.Connection]
    count_connections: Callable[[], int] = lambda: 0


async def measure_fault(
    name: str,
    service: Service,
    cause_fault: Callable[[], Awaitable[float | None]],
    client_class: type[Clients] = Clients,
) -> Outcome:
    async with registered_client(service.url) as client:
        clients = client_class(client)
        async with clients.writing():
            await clients.wait_for_write(time.monotonic())
            await asyncio.sleep(0.5)
            before = await cause_fault() or 0
            recovery = before + await clients.wait_for_write(time.monotonic())
            await asyncio.sleep(1)
        connections = service.count_connections()
        rows = await clients.read_todos()
    observations = clients.observations
    with service.connect() as connection:
        log = replayed.errors_of(connection, observations.written)
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
        log=log,
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

            service = Service(server.url, database.connect, count)
            return asyncio.run(measure_fault(name, service, cause_fault))


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
            service = Service(server.url, lambda: connect(data))
            return asyncio.run(measure_fault("embedded", service, cause_fault))


ERRORS_SHOWN = 10
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
    "log": "log",
    "unready": "unready",
    "/ failed": "not_always",
    "slowest s": "slowest",
    "pause s": "pause",
    "recovery s": "recovery",
}


def line(cells: list[object]) -> str:
    cells = [sum(cell.values()) if isinstance(cell, dict) else cell for cell in cells]
    cells = [len(cell) if isinstance(cell, (list, tuple)) else cell for cell in cells]
    texts = [f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in cells]
    return "| " + " | ".join(text.rjust(14) for text in texts) + " |"


def report(outcome: Outcome, columns: dict[str, str]) -> None:
    """Print a row of the table, and below it some of what is wrong with log and copy."""
    print(line([getattr(outcome, name) for name in columns.values()]), flush=True)
    for error in [*outcome.log, *outcome.sync][:ERRORS_SHOWN]:
        print(error, flush=True)


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
        report(outcomes[-1], COLUMNS)
    sys.exit(not all(outcome.passed() for outcome in outcomes))


if __name__ == "__main__":
    main()
