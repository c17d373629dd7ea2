"""Metrics of this process and its sibling workers, served to Prometheus on a separate port.

Rooms define their own metrics in a `metrics` module. Labels have few values: the label of a route
is its path template, and all requests without a route share one series. Several workers write to
files in a shared folder, and a scrape adds them up.
"""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import cache
from pathlib import Path

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    disable_created_metrics,
    start_http_server,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from fast_zero.core.errors import StartError

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client looks there
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
SAMPLE_SECONDS = 1
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 0.5, 1, 2.5, 5, 10)
FINE_SECONDS = (0.0005, 0.001, 0.0025, *SECONDS)

disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has few types

REQUESTS = Histogram(
    "fast_zero_http_request_seconds",
    "Time from the head of a request to the end of its response.",
    ["method", "route", "status"],
    buckets=SECONDS,
)
IN_FLIGHT = Gauge(
    "fast_zero_http_requests_in_flight",
    "Requests in progress.",
    multiprocess_mode="livesum",
)
STATEMENTS = Histogram(
    "fast_zero_database_statement_seconds",
    "Time from sending a statement to having its rows.",
    buckets=FINE_SECONDS,
)
WAITS = Histogram(
    "fast_zero_database_pool_wait_seconds",
    "Time that requests waited for a connection when none was free.",
    buckets=SECONDS,
)
POOL_SIZE = Gauge(
    "fast_zero_database_pool_size",
    "Connections that the pools may open.",
    multiprocess_mode="livesum",
)
POOL_IN_USE = Gauge(
    "fast_zero_database_pool_in_use",
    "Connections that are in use.",
    multiprocess_mode="livesum",
)
POOL_WAITING = Gauge(
    "fast_zero_database_pool_waiting",
    "Requests that wait for a connection.",
    multiprocess_mode="livesum",
)
STANDBY_READS = Counter(
    "fast_zero_standby_reads",
    "Reads for the standby, by the server that executed them: standby, primary.",
    ["answered_by"],
)
PASSWORDS_WAITING = Gauge(
    "fast_zero_passwords_waiting",
    "Passwords that wait to be hashed, which is done one at a time in each process.",
    multiprocess_mode="livesum",
)
JOBS = Gauge(
    "fast_zero_jobs",
    "Jobs in the database: todo, doing, failed.",
    ["status"],
    multiprocess_mode="livemostrecent",
)
OLDEST_JOB = Gauge(
    "fast_zero_oldest_job_seconds",
    "Waiting time of the oldest job that is due.",
    multiprocess_mode="livemostrecent",
)
LOOP_LAG = Histogram(
    "fast_zero_event_loop_lag_seconds",
    "Delay of the event loop, measured once a second.",
    buckets=FINE_SECONDS,
)


@cache
def request_series(method: str, route: str, status: int) -> Histogram:
    return REQUESTS.labels(method, route, str(status))


def time_request(method: str, route: str, status: int, seconds: float) -> None:
    request_series(method if method in METHODS else "other", route, status).observe(seconds)


Sampler = Callable[[], Awaitable[None]]


@asynccontextmanager
async def sampled(*samplers: Sampler) -> AsyncIterator[None]:
    """Call the samplers every second, until the block ends."""
    sampling = asyncio.create_task(sample(samplers), name="metrics")
    try:
        yield
    finally:
        sampling.cancel()
        with suppress(asyncio.CancelledError):
            await sampling


async def sample(samplers: tuple[Sampler, ...]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + SAMPLE_SECONDS
        await asyncio.sleep(SAMPLE_SECONDS)
        LOOP_LAG.observe(max(loop.time() - due, 0))
        for sampler in samplers:
            await sampler()


class WorkerCollector(MultiProcessCollector):
    """Adds up the metrics of several processes, without the gauges of those that have ended."""

    def __init__(self, folder: str) -> None:
        super().__init__(None, folder)  # type: ignore[no-untyped-call]  # as above
        self.folder = Path(folder)

    def collect(self) -> Iterable[Metric]:
        for pid in {file.stem.rpartition("_")[2] for file in self.folder.glob("gauge_live*.db")}:
            if not is_running(int(pid)):
                mark_process_dead(pid, str(self.folder))  # type: ignore[no-untyped-call]  # as above
        found: Iterable[Metric] = super().collect()  # type: ignore[no-untyped-call]  # as above
        return found


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def served(host: str, port: int, *, several: bool) -> Iterator[None]:
    """Serve metrics on `port` until the block ends. 0 disables it.

    With `several`, processes that are started meanwhile write their metrics to files.
    """
    if not port:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="fast_zero-metrics-") as folder:
        registry: CollectorRegistry = REGISTRY
        if several:
            os.environ[FOLDER] = folder
            registry = CollectorRegistry()
            registry.register(WorkerCollector(folder))
        try:
            server, thread = start_http_server(port, host, registry)
        except OSError as error:
            raise StartError(
                f"Cannot listen on {host}:{port} for metrics: {error.strerror or error}. "
                "Choose another METRICS_PORT."
            ) from error
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
            os.environ.pop(FOLDER, None)
