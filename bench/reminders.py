"""Reminders of many owners that fall due together, and the list meanwhile."""

import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import psycopg
from pydantic import SecretStr
from sqlalchemy import URL

from bench import databases, report, servers, traffic
from bench.costs import Log
from bench.databases import Database
from bench.servers import Server
from fast_zero.core import security
from fast_zero.core.settings import Settings
from fast_zero.identity.scopes import ALL_SCOPES

REMINDERS = 100_000
TODOS_EACH = 100
MOST = 3.0
"""How many times the calm p99 that of the list may be."""

# None of them is due until a round begins: what is past when it is written does not go out.
OWNERS = f"""
    INSERT INTO users (username, email, password_hash, letters, email_verified_at)
    SELECT 'reminded' || number, 'reminded' || number || '@example.com', '', '{{reminder}}', now()
    FROM generate_series(1, {REMINDERS}) AS number
"""
TODOS = """
    INSERT INTO todos (owner_id, title, description, state, due_at, time_zone, reminders)
    SELECT id, 'Buy bread', '', 'todo', now(), 'UTC', '[{"minutes_before": 0}]'
    FROM users WHERE letters <> '{}'
"""
# All emails are left out that a round has deferred.
RESET = "DELETE FROM procrastinate_jobs WHERE status = 'todo'"
FALL_DUE = """
    UPDATE scheduled_reminders SET fires_at = todos.due_at
    FROM todos WHERE todos.owner_id = scheduled_reminders.owner_id AND todos.id = todo_id
"""
LEFT = "SELECT count(*) FROM scheduled_reminders WHERE fires_at IS NOT NULL"
TOOK = "SELECT extract(epoch FROM max(reminded_at) - min(reminded_at)) FROM scheduled_reminders"


@dataclass(frozen=True)
class Round:
    calm: traffic.Measured
    busy: traffic.Measured
    left: int
    """Reminders that were still due when the busy measurement ended."""
    seconds: float
    """How long all took to be queued."""

    @property
    def ratio(self) -> float:
        return self.busy.p99 / self.calm.p99


def prepare(server: URL) -> Database:
    database = Database(server.set(database="reminders"), TODOS_EACH)
    databases.prepare_migrated(Database(server, 0), database)
    database.run("SET statement_timeout = 0", OWNERS, TODOS, "VACUUM ANALYZE")
    return database


def number(database: Database, statement: str) -> float:
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url) as connection:
        [found] = connection.execute(statement.encode()).fetchone() or [0]
        return float(found)


def wait_until_left(database: Database, most: int) -> None:
    while number(database, LEFT) > most:
        time.sleep(0.2)


def measure(wrk: traffic.Wrk, server: URL, rounds: int, seconds: int, log: Log) -> Sequence[Round]:
    key = secrets.token_urlsafe(48)
    settings = Settings(_env_file=None, secret_key=SecretStr(key), access_token_minutes=60)
    people = range(1, databases.USERS + 1)
    tokens = [
        security.create_access_token(settings, user_id, user_id, ALL_SCOPES) for user_id in people
    ]
    traffic.write_requests(wrk.folder, tokens)
    log(f"Writing {REMINDERS:,} reminders")
    database = prepare(server)
    folder = str(wrk.folder)  # of the emails
    with servers.running("fast_zero", database, key, tokens[0], DATA_DIR=folder) as running:
        wrk.measure(running, "list", 1)
        found = []
        for _ in range(rounds):
            found.append(measure_once(wrk, running, seconds))
            log(
                f"list: p99 {found[-1].calm.p99 / 1000:.1f} -> {found[-1].busy.p99 / 1000:.1f} ms; "
                f"all were queued in {found[-1].seconds:.0f} s"
            )
        return found


def measure_once(wrk: traffic.Wrk, server: Server, seconds: int) -> Round:
    """Measure the list before reminders are due, and while the job of the minute queues them."""
    database = server.database
    database.run(RESET)
    calm = wrk.measure(server, "list", seconds)
    database.run("SET statement_timeout = 0", FALL_DUE, "VACUUM ANALYZE scheduled_reminders")
    wait_until_left(database, REMINDERS - 1)
    busy = wrk.load(server, "list", seconds)
    left = int(number(database, LEFT))
    wait_until_left(database, 0)
    return Round(calm, busy, left, number(database, TOOK))


def show(found: Sequence[Round]) -> Iterator[str]:
    """Yield a table of the rounds, and of the floor."""
    yield report.table(
        ["", "list p99 ms", "requests/s", "meanwhile: p99 ms", "requests/s", "queued in s", "left"],
        (
            [
                f"round {place}",
                f"{one.calm.p99 / 1000:.1f}",
                f"{one.calm.rate:,.0f}",
                f"{one.busy.p99 / 1000:.1f}",
                f"{one.busy.rate:,.0f}",
                f"{one.seconds:.0f}",
                f"{one.left:,}",
            ]
            for place, one in enumerate(found, 1)
        ),
    )
    name = f"list while {REMINDERS:,} reminders are queued: p99, times the calm one"
    floor = report.Floor(name, median(one.ratio for one in found), MOST, at_least=False)
    yield report.table(["floor", "measured", "wanted", ""], [floor.row()])
