"""The CPU time of kinds of requests, of the server and of PostgreSQL, beside one kind of them."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import report, traffic
from bench.servers import TICKS, Server

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


@dataclass(frozen=True)
class Meter:
    """Measures kinds of requests. `cluster` is the folder of the PostgreSQL cluster."""

    cluster: Path
    wrk: traffic.Wrk

    def compare(
        self,
        server: Server,
        requests_by_kind: Mapping[str, Sequence[bytes]],
        rounds: int,
        seconds: int,
        log: Log,
    ) -> dict[str, list[Cost]]:
        """Measure each kind, whose requests are sent in turn, in each round."""
        for kind, requests in requests_by_kind.items():
            (self.wrk.folder / kind).write_bytes(b"\0".join(requests))
            self.measure(server, kind, 1)
        costs: dict[str, list[Cost]] = {kind: [] for kind in requests_by_kind}
        for number in range(rounds):
            for kind in requests_by_kind:
                cost = self.measure(server, kind, seconds)
                costs[kind].append(cost)
                log(f"round {number + 1}: {kind}: {cost.micros:,.0f} µs of CPU time")
        return costs

    def measure(self, server: Server, kind: str, seconds: float) -> Cost:
        before = database_seconds(self.cluster)
        measured = self.wrk.measure(server, kind, seconds)
        spent = settled_seconds(self.cluster) - before
        if measured.refused or measured.broken:
            message = f"{kind}: {measured.refused} refused, {measured.broken} broken"
            raise RuntimeError(message)
        return Cost(measured, measured.cpu_micros, spent / max(measured.requests, 1) * 1e6)


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


def times(costs: Mapping[str, Sequence[Cost]], kind: str, base: str) -> float:
    """Return the median of the ratios within each round."""
    pairs = zip(costs[kind], costs[base], strict=True)
    return median(cost.micros / base_cost.micros for cost, base_cost in pairs)


def table(costs: Mapping[str, Sequence[Cost]], base: str) -> str:
    header = ["", "requests/s", "p50 ms", "p99 ms", "server µs", "database µs", f"times the {base}"]
    return report.table(header, rows(costs, base))


def rows(costs: Mapping[str, Sequence[Cost]], base: str) -> Iterator[list[str]]:
    columns: tuple[tuple[Callable[[Cost], float], int], ...] = (
        (lambda cost: cost.measured.rate, 0),
        (lambda cost: cost.measured.p50 / 1000, 1),
        (lambda cost: cost.measured.p99 / 1000, 1),
        (lambda cost: cost.server, 0),
        (lambda cost: cost.database, 0),
    )
    for kind, values in costs.items():
        numbers = [f"{median(map(column, values)):,.{places}f}" for column, places in columns]
        yield [kind, *numbers, f"{times(costs, kind, base):.2f}"]
