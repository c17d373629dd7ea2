"""Measure fast_zero beside `limit.py` and `tutorial.py`, in alternating rounds."""

import compileall
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr
from rich.console import Console
from rich.progress import Progress, TaskID
from sqlalchemy import URL

import bench
import fast_zero
from bench import (
    databases,
    feed,
    feed_data,
    page,
    reminders,
    report,
    servers,
    sync,
    todos,
    todos_data,
    traffic,
)
from bench.costs import Meter
from bench.feed_data import FeedSize
from bench.servers import Server
from bench.todos_data import TodosSize
from fast_zero.core import security
from fast_zero.core.database import embedded
from fast_zero.core.database.embedded import roles
from fast_zero.core.settings import Settings
from fast_zero.identity.scopes import ALL_SCOPES

TODOS_EACH = 100
TODOS_EACH_IN_LARGE = 1000
WARM_UP_SECONDS = 1


Rounds = Annotated[int, typer.Option(min=1, max=100, help="Rounds; 5 give a fair median.")]
Seconds = Annotated[int, typer.Option(min=1, max=60, help="Length of each measurement.")]


@dataclass(frozen=True)
class Plan:
    rounds: int
    seconds: int
    kinds: list[str]


def main(
    context: typer.Context,
    rounds: Rounds = 5,
    seconds: Seconds = 3,
    only: Annotated[
        str, typer.Option(help="Kinds of request, with commas: list,filter,create,patch,log in.")
    ] = ",".join(traffic.KINDS),
    *,
    extras: Annotated[
        bool, typer.Option(help="Also log-in storm, a million todos, start and memory.")
    ] = True,
) -> None:
    """Measure fast_zero beside the limit and the tutorial, on a separate PostgreSQL.

    It runs on the loopback interface and in a temporary folder, which is removed at the
    end. The default takes about ten minutes; `--rounds 1 --seconds 1` shows that it works.
    """
    if context.invoked_subcommand:
        return
    if unknown := set(only.split(",")) - set(traffic.KINDS):
        raise typer.BadParameter(f"no such kind of request: {', '.join(sorted(unknown))}")
    plan = Plan(rounds, seconds, [kind for kind in traffic.KINDS if kind in only.split(",")])
    wrk = traffic.find_wrk()
    # As in an image. Otherwise, each start would include compilation, mostly that of fast_zero.
    for package in (fast_zero, bench):
        compileall.compile_dir(Path(str(package.__file__)).parent, quiet=2)
    with tempfile.TemporaryDirectory(prefix="fast_zero-bench-") as folder:
        place = Path(folder)
        with embedded.running(place / "data") as url:
            superuser = url.set(username=roles.SUPERUSER)  # which may create databases
            results = Benchmark(superuser, traffic.Wrk(wrk, place), plan).run(extras=extras)
    for part in report.write(results):
        typer.echo(f"{part}\n")


def log(text: str) -> None:
    typer.echo(text, err=True)


def tokens(key: str) -> list[str]:
    """Sign a token for every user, as a log-in does, without hashing."""
    settings = Settings(_env_file=None, secret_key=SecretStr(key), access_token_minutes=60)
    users = range(1, databases.USERS + 1)
    return [
        security.create_access_token(settings, user_id, user_id, ALL_SCOPES) for user_id in users
    ]


class Benchmark:
    def __init__(self, url: URL, wrk: traffic.Wrk, plan: Plan) -> None:
        self.url = url
        self.wrk = wrk
        self.plan = plan
        self.key = secrets.token_urlsafe(48)
        self.tokens = tokens(self.key)
        self.results = report.Results()

    def run(self, *, extras: bool) -> report.Results:
        traffic.write_requests(self.wrk.folder, self.tokens)
        log(f"Seeding {databases.USERS:,} users with {TODOS_EACH} todos each")
        prepared = databases.prepare(self.url, TODOS_EACH)
        with ExitStack() as stack:
            contenders = [
                stack.enter_context(servers.running(name, prepared[name], self.key, self.tokens[0]))
                for name in ("limit", "fast_zero", "tutorial")
            ]
            self.measure(contenders)
            self.results.memory = {one.name: one.memory_mib() for one in contenders}
            if extras:
                self.measure_storm(contenders[1])
                self.measure_large(contenders[1])
        if extras:
            self.measure_telemetry(prepared["fast_zero"])
            self.measure_starts(prepared)
        return self.results

    def measure(self, contenders: list[Server]) -> None:
        for server in contenders:
            for kind in self.plan.kinds:
                self.wrk.measure(server, kind, WARM_UP_SECONDS)
            server.database.reset()
        for number in range(self.plan.rounds):
            first = number % len(contenders)
            turn = contenders[first:] + contenders[:first]
            for kind in self.plan.kinds:
                for server in turn:
                    measured = self.wrk.measure(server, kind, self.plan.seconds)
                    self.results.add(server.name, kind, measured)
                    if kind in {"create", "patch"}:
                        server.database.reset()
                    log(
                        f"round {number + 1}: {kind}, {server.name}: {measured.rate:,.0f}/s, "
                        f"p99 {measured.p99 / 1000:.1f} ms, {measured.cpu_micros:.0f} µs"
                    )

    def measure_storm(self, ours: Server) -> None:
        for _ in range(self.plan.rounds):
            calm = self.wrk.measure(ours, "list", self.plan.seconds)
            with self.wrk.log_in_storm(ours, self.plan.seconds):
                stormy = self.wrk.load(ours, "list", self.plan.seconds)
            ours.settle()
            self.results.storm.append(stormy.p99 / calm.p99)
            log(f"log-in storm: list p99 {calm.p99 / 1000:.1f} -> {stormy.p99 / 1000:.1f} ms")

    def measure_large(self, ours: Server) -> None:
        log(f"Seeding {databases.USERS:,} users with {TODOS_EACH_IN_LARGE} todos each")
        database = databases.prepare_large(self.url, TODOS_EACH_IN_LARGE)
        with servers.running(ours.name, database, self.key, self.tokens[0]) as large:
            self.wrk.measure(large, "list", WARM_UP_SECONDS)
            for number in range(self.plan.rounds):
                pair = [ours, large] if number % 2 else [large, ours]
                rate = {
                    one.port: self.wrk.measure(one, "list", self.plan.seconds).rate for one in pair
                }
                self.results.large.append(rate[large.port] / rate[ours.port])
                log(f"a million todos: {rate[large.port]:,.0f}/s, not {rate[ours.port]:,.0f}/s")

    def measure_telemetry(self, database: databases.Database) -> None:
        """Compare fast_zero with itself: with log and metrics, and with a tenth of requests traced.

        The best round of each counts. The difference is smaller than the noise of a shared machine,
        which only ever makes a round slower.
        """
        observed = {
            "LOG_LEVEL": "info",
            "LOG_FORMAT": "json",
            "METRICS_PORT": str(servers.free_port()),
        }
        with ExitStack() as stack:
            traced = {
                "OTEL_EXPORTER_OTLP_ENDPOINT": stack.enter_context(servers.collecting()),
                "OTEL_METRICS_EXPORTER": "none",
                "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
                "OTEL_TRACES_SAMPLER_ARG": "0.1",
            }
            running = {
                name: stack.enter_context(
                    servers.running("fast_zero", database, self.key, self.tokens[0], **variables)
                )
                for name, variables in (("quiet", {}), ("observed", observed), ("traced", traced))
            }
            for server in running.values():
                self.wrk.measure(server, "list", WARM_UP_SECONDS)
            best = dict.fromkeys(running, 0.0)
            for number in range(self.plan.rounds):
                order = list(running)[number % 3 :] + list(running)[: number % 3]
                rate = {
                    name: self.wrk.measure(running[name], "list", self.plan.seconds).rate
                    for name in order
                }
                best = {name: max(best[name], rate[name]) for name in best}
                log(
                    f"telemetry: {rate['quiet']:,.0f}/s, with log and metrics"
                    f" {rate['observed']:,.0f}/s, with a tenth traced {rate['traced']:,.0f}/s"
                )
            self.results.observed = best["observed"] / best["quiet"]
            self.results.traced = best["traced"] / best["quiet"]

    def measure_starts(self, prepared: dict[str, databases.Database]) -> None:
        """Compare `fast-zero serve`, which also checks the migrations, with the tutorial."""
        for _ in range(self.plan.rounds):
            measured = {}
            for name in ("fast_zero", "tutorial"):
                port = servers.free_port()
                serve = [sys.executable, "-m", "fast_zero", "serve", "--port", str(port)]
                command = serve if name == "fast_zero" else servers.uvicorn(name, port)
                token = self.tokens[0]
                measured[name] = servers.start_seconds(
                    command, port, prepared[name], self.key, token
                )
                self.results.start_seconds.setdefault(name, []).append(measured[name])
            self.results.start.append(measured["fast_zero"] / measured["tutorial"])
            log(f"start: {measured['fast_zero']:.2f} s, not {measured['tutorial']:.2f} s")


def measure_feed(
    rounds: Rounds = 5,
    seconds: Seconds = 3,
    people: Annotated[
        int, typer.Option(min=2000, help="Number of people; each follows 100.")
    ] = 100_000,
    posts: Annotated[int, typer.Option(min=10_000, help="Number of posts.")] = 5_000_000,
) -> None:
    """Measure the feed beside a list of todos, with 10,000,000 follows by default.

    Writing them takes some minutes and 4 GB in the temporary folder, which is removed at the end.
    """
    size = FeedSize(people, posts)
    with meter() as (superuser, costs):
        with progress_bar() as progress:
            database = feed_data.prepare(superuser, size, progress)
        for part in feed.Benchmark(costs, size).run(database, rounds, seconds, log):
            typer.echo(f"{part}\n")


def measure_todos(
    rounds: Rounds = 5,
    seconds: Seconds = 3,
    people: Annotated[int, typer.Option(min=100, help="Number of people.")] = 1000,
    todos_each: Annotated[int, typer.Option(min=100, help="Todos of each of them.")] = 1000,
) -> None:
    """Measure todos with labels, subtasks and an order beside a plain list of todos.

    Each todo has five labels. Writing them takes some minutes and 2 GB in the temporary folder,
    which is removed at the end.
    """
    sizes = TodosSize(people // 10, todos_each), TodosSize(people, todos_each)
    with meter() as (superuser, costs):
        with progress_bar() as progress:
            few, many = (todos_data.prepare(superuser, size, progress) for size in sizes)
        of_few = todos.Benchmark(costs, sizes[0]).measure(few, rounds, seconds, log, only_flat=True)
        of_many = todos.Benchmark(costs, sizes[1]).measure(many, rounds, seconds, log)
        for part in todos.show(of_many, of_few):
            typer.echo(f"{part}\n")


def measure_page(rounds: Rounds = 5, seconds: Seconds = 3) -> None:
    """Measure a list of 200 todos as a page, beside the same as JSON."""
    with meter() as (superuser, costs):
        for part in page.show(page.measure(costs, superuser, rounds, seconds, log)):
            typer.echo(f"{part}\n")


def measure_reminders(
    rounds: Rounds = 3,
    seconds: Annotated[int, typer.Option(min=1, max=60, help="Length of each measurement.")] = 20,
) -> None:
    """Measure the list while 100,000 reminders that fall due together are queued.

    A round takes about two minutes.
    """
    with meter() as (superuser, costs):
        found = reminders.measure(costs.wrk, superuser, rounds, seconds, log)
    for part in reminders.show(found):
        typer.echo(f"{part}\n")


def measure_sync(rounds: Rounds = 5, seconds: Seconds = 3) -> None:
    """Measure pages of changes, for a client that is 100,000 changes behind, and for others."""
    with meter() as (superuser, costs):
        for part in sync.show(sync.measure(costs, superuser, rounds, seconds, log)):
            typer.echo(f"{part}\n")


@contextmanager
def meter() -> Iterator[tuple[URL, Meter]]:
    """Run a PostgreSQL in a temporary folder; yield its superuser's URL, and what measures it."""
    wrk = traffic.find_wrk()
    with tempfile.TemporaryDirectory(prefix="fast_zero-bench-") as folder:
        place = Path(folder)
        with embedded.running(place / "data") as url:
            cluster = place / "data" / f"pg{embedded.MAJOR}"
            yield url.set(username=roles.SUPERUSER), Meter(cluster, traffic.Wrk(wrk, place))


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """Show the progress of tables: the number of rows that are written, and of all if known."""
    with Progress(console=Console(stderr=True)) as bar:
        tasks: dict[str, TaskID] = {}

        def progress(table: str, done: int, expected: int) -> None:
            if table not in tasks:
                tasks[table] = bar.add_task(table, total=expected or None)
            bar.update(tasks[table], completed=done, total=expected or done)

        yield progress


if __name__ == "__main__":
    program = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    program.callback(invoke_without_command=True)(main)
    program.command("feed")(measure_feed)
    program.command("page")(measure_page)
    program.command("reminders")(measure_reminders)
    program.command("sync")(measure_sync)
    program.command("todos")(measure_todos)
    program()
