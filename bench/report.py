"""The tables of the results, and the floors that they meet or miss."""

import platform
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from statistics import median

from bench.traffic import KINDS, Measured

PACKAGES = ("fastapi", "uvicorn", "sqlalchemy", "psycopg")
OF_LIMIT = {"list": 0.28, "filter": 0.28, "create": 0.24, "patch": 0.24}
TIMES_TUTORIAL = 2.5
P99_OF_TUTORIAL = 0.35
STORM = 8.0
LARGE = 0.8
START = 1.4
OBSERVED = 0.85
TRACED = 0.75
MEMORY = 1.3

Rounds = dict[tuple[str, str], list[Measured]]
"""By server and kind of request, one entry for each round."""


@dataclass
class Results:
    rounds: Rounds = field(default_factory=dict)
    storm: list[float] = field(default_factory=list)
    large: list[float] = field(default_factory=list)
    start: list[float] = field(default_factory=list)
    observed: float = 0
    traced: float = 0
    memory: dict[str, float] = field(default_factory=dict)
    start_seconds: dict[str, list[float]] = field(default_factory=dict)

    def add(self, server: str, kind: str, measured: Measured) -> None:
        self.rounds.setdefault((server, kind), []).append(measured)

    def ratio(self, kind: str, other: str, of: Callable[[Measured], float]) -> float:
        """Give the median of the ratios within each round: noise that lasts cancels out."""
        pairs = zip(self.rounds["fast_zero", kind], self.rounds[other, kind], strict=True)
        return median(of(ours) / of(theirs) for ours, theirs in pairs)


@dataclass(frozen=True)
class Floor:
    name: str
    measured: float
    bound: float
    at_least: bool = True

    def met(self) -> bool:
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound

    def row(self) -> list[str]:
        sign = "≥" if self.at_least else "≤"
        result = "met" if self.met() else "**missed**"
        return [self.name, f"{self.measured:.2f}", f"{sign} {self.bound:g}", result]


def floors(results: Results) -> Iterator[Floor]:
    measured = [kind for kind in OF_LIMIT if ("fast_zero", kind) in results.rounds]
    for kind in measured:
        rate = results.ratio(kind, "limit", lambda one: one.rate)
        yield Floor(f"{kind}: rate, of the limit's", rate, OF_LIMIT[kind])
    for kind in measured:
        rate = results.ratio(kind, "tutorial", lambda one: one.rate)
        yield Floor(f"{kind}: rate, times the tutorial's", rate, TIMES_TUTORIAL)
    for kind in measured:
        p99 = results.ratio(kind, "tutorial", lambda one: one.p99)
        yield Floor(f"{kind}: p99, of the tutorial's", p99, P99_OF_TUTORIAL, at_least=False)
    if results.storm:
        name = "list while 8 clients log in: p99, times the calm one"
        yield Floor(name, median(results.storm), STORM, at_least=False)
    if results.large:
        name = "list of 1,000,000 todos: rate, of that at 100,000"
        yield Floor(name, median(results.large), LARGE)
    if results.observed:
        name = "list with log and metrics on: rate, of that without"
        yield Floor(name, results.observed, OBSERVED)
        name = "list with a tenth traced: rate, of that without"
        yield Floor(name, results.traced, TRACED)
    if results.start:
        name = "first response after a start: time, of the tutorial's"
        yield Floor(name, median(results.start), START, at_least=False)
    if results.memory:
        memory = results.memory["fast_zero"] / results.memory["tutorial"]
        yield Floor("memory after load, of the tutorial's", memory, MEMORY, at_least=False)


def rates(results: Results) -> Iterator[list[str]]:
    for kind in KINDS:
        for server in ("limit", "fast_zero", "tutorial"):
            measured = results.rounds.get((server, kind))
            if measured is None:
                continue
            columns: tuple[Callable[[Measured], float], ...] = (
                lambda one: one.rate,
                lambda one: one.p50 / 1000,
                lambda one: one.p99 / 1000,
                lambda one: one.cpu_micros,
            )
            numbers = [median(map(column, measured)) for column in columns]
            failed = sum(one.refused + one.broken for one in measured)
            yield [
                kind,
                server,
                *(
                    f"{number:,.{places}f}"
                    for number, places in zip(numbers, (0, 1, 1, 0), strict=True)
                ),
                str(failed),
            ]


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write(results: Results) -> Iterator[str]:
    today = datetime.now(UTC).date()
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    yield f"{today}, Python {platform.python_version()}, {packages}."
    yield table(
        ["", "server", "requests/s", "p50 ms", "p99 ms", "CPU µs/request", "failed"],
        rates(results),
    )
    memory = [[name, f"{mib:.0f} MiB"] for name, mib in results.memory.items()]
    yield table(["server", "memory after load"], memory)
    starts = [[name, f"{median(each):.2f} s"] for name, each in results.start_seconds.items()]
    if starts:
        yield table(["server", "first response after a start"], starts)
    yield table(["floor", "measured", "wanted", ""], (floor.row() for floor in floors(results)))
