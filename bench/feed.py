"""The cost of the feed beside a list of todos, with a hundred thousand people and their posts."""

import json
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

from pydantic import SecretStr

from bench import report, servers, traffic
from bench.databases import Database
from bench.feed_data import FAMOUS, FeedSize
from bench.servers import HOST, TICKS, Server
from fast_zero.core import security
from fast_zero.core.settings import Settings
from fast_zero.identity.scopes import ALL_SCOPES

PAGE = 20
PAGES = 100
TIMES = 5.0
LIST = "list of todos"
WRITERS = range(1, FAMOUS + 1)

Log = Callable[[str], None]


@dataclass(frozen=True)
class Cost:
    """The cost of one kind of request, in microseconds of CPU time for each request."""

    measured: traffic.Measured
    server: float
    database: float

    @property
    def micros(self) -> float:
        return self.server + self.database


class Benchmark:
    def __init__(self, cluster: Path, wrk: traffic.Wrk, size: FeedSize) -> None:
        self.cluster = cluster
        self.wrk = wrk
        self.size = size
        self.key = secrets.token_urlsafe(48)
        self.settings = Settings(
            _env_file=None, secret_key=SecretStr(self.key), access_token_minutes=60
        )

    def token(self, user_id: int) -> str:
        return security.create_access_token(self.settings, user_id, user_id, ALL_SCOPES)

    def run(self, database: Database, rounds: int, seconds: int, log: Log) -> Iterator[str]:
        with servers.running("fast_zero", database, self.key, self.token(1)) as server:
            kinds = self.write_requests(server)
            costs: dict[str, list[Cost]] = {kind: [] for kind in kinds}
            for kind in kinds:
                self.measure(server, kind, 1)
            for number in range(rounds):
                for kind in kinds:
                    cost = self.measure(server, kind, seconds)
                    costs[kind].append(cost)
                    log(f"round {number + 1}: {kind}: {cost.micros:,.0f} µs of CPU time")
        yield report.table(
            ["", "requests/s", "p50 ms", "p99 ms", "server µs", "database µs", "times the list"],
            (row(kind, costs) for kind in kinds),
        )
        dearest = max(times(kind, costs) for kind in kinds)
        floor = report.Floor("dearest request, times the list", dearest, TIMES, at_least=False)
        yield report.table(["floor", "measured", "wanted", ""], [floor.row()])

    def write_requests(self, server: Server) -> list[str]:
        """Write a file for each kind, with requests of many users in turn."""
        readers = {reader: self.token(reader) for reader in self.size.readers()}
        writers = {writer: self.token(writer) for writer in WRITERS}
        new = json.dumps({"text": "The bread is in the oven, again."})
        get = traffic.message

        def first(path: str) -> list[bytes]:
            return [get("GET", f"{path}?limit={PAGE}", token) for token in readers.values()]

        def hundredth(path: str) -> list[bytes]:
            return [
                get("GET", f"{path}?limit={PAGE}&after={after(server, path, token)}", token)
                for token in readers.values()
            ]

        requests_by_kind = {
            LIST: first("/todos"),
            "timeline, first page": first("/timeline"),
            "timeline, hundredth page": hundredth("/timeline"),
            "timeline of who follows ten": [
                get("GET", f"/timeline?limit={PAGE}", self.token(quiet))
                for quiet in self.size.quiet()
            ],
            "public posts, first page": first("/posts"),
            "public posts, hundredth page": hundredth("/posts"),
            "profile of anybody": [
                get("GET", f"/users/{reader * 977 % self.size.people + 1}", token)
                for reader, token in readers.items()
            ],
            "profile of the famous": [
                get("GET", f"/users/{reader % FAMOUS + 1}", token)
                for reader, token in readers.items()
            ],
            "post by the famous": [
                get("POST", "/posts", token, new, "application/json") for token in writers.values()
            ],
        }
        for kind, requests in requests_by_kind.items():
            (self.wrk.folder / kind).write_bytes(b"\0".join(requests))
        return list(requests_by_kind)

    def measure(self, server: Server, kind: str, seconds: float) -> Cost:
        before = database_seconds(self.cluster)
        measured = self.wrk.measure(server, kind, seconds)
        spent = settled_seconds(self.cluster) - before
        if measured.refused or measured.broken:
            message = f"{kind}: {measured.refused} refused, {measured.broken} broken"
            raise RuntimeError(message)
        return Cost(measured, measured.cpu_micros, spent / max(measured.requests, 1) * 1e6)


def after(server: Server, path: str, token: str) -> str:
    """Return the cursor of the hundredth page."""
    cursor_parameter, remaining = "", PAGE * (PAGES - 1)
    connection = HTTPConnection(HOST, server.port, timeout=servers.PATIENCE)
    while remaining:
        limit = min(remaining, 1000)
        target = f"{path}?limit={limit}{cursor_parameter}"
        connection.request("GET", target, headers={"Authorization": f"Bearer {token}"})
        cursor = json.loads(connection.getresponse().read())["next"]
        cursor_parameter, remaining = f"&after={cursor}", remaining - limit
    connection.close()
    return str(cursor)


def settled_seconds(cluster: Path) -> float:
    """Wait until PostgreSQL is idle, and return its CPU time."""
    before = -1.0
    while (spent := database_seconds(cluster)) - before > 2 / TICKS:
        before = spent
        time.sleep(0.25)
    return spent


def database_seconds(cluster: Path) -> float:
    """Return the CPU time of all PostgreSQL processes, including those that have ended."""
    postmaster = (cluster / "postmaster.pid").read_text().splitlines()[0]
    ticks = sum(map(int, fields(Path("/proc") / postmaster)[11:15]))  # including ended children
    for process in Path("/proc").glob("[0-9]*"):
        try:
            stat = fields(process)
        except OSError:  # it has just ended
            continue
        if stat[1] == postmaster:
            ticks += int(stat[11]) + int(stat[12])
    return ticks / TICKS


def fields(process: Path) -> list[str]:
    """Return the fields of `stat` from the third on: state, parent and so on (proc(5))."""
    return (process / "stat").read_text().rpartition(")")[2].split()


def times(kind: str, costs: dict[str, list[Cost]]) -> float:
    """Return the median of the ratios within each round."""
    pairs = zip(costs[kind], costs[LIST], strict=True)
    return median(cost.micros / list_cost.micros for cost, list_cost in pairs)


def row(kind: str, costs: dict[str, list[Cost]]) -> list[str]:
    values = costs[kind]
    columns: tuple[tuple[Callable[[Cost], float], int], ...] = (
        (lambda cost: cost.measured.rate, 0),
        (lambda cost: cost.measured.p50 / 1000, 1),
        (lambda cost: cost.measured.p99 / 1000, 1),
        (lambda cost: cost.server, 0),
        (lambda cost: cost.database, 0),
    )
    numbers = [f"{median(map(column, values)):,.{places}f}" for column, places in columns]
    return [kind, *numbers, f"{times(kind, costs):.2f}"]
