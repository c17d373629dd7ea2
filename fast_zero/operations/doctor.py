"""Looks at all that fast_zero needs, and says what to do about what is wrong."""

import asyncio
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import psycopg
from psycopg.rows import TupleRow
from sqlalchemy import URL

from fast_zero.core.addresses import is_loopback, is_wildcard
from fast_zero.core.database import CONNECT_SECONDS, conninfo, in_use, revisions, wait_until_ready
from fast_zero.core.email import sending
from fast_zero.core.settings import Settings

OLDEST_SERVER = 15
SKEW_SECONDS = 2
FREE_MIB = (1024, 100)  # below the first it is a warning, below the second an error
FEWEST_CHARACTERS = 10  # of different ones in a key
LISTEN_SECONDS = 5
LIMITS = (
    "login_failures",
    "login_failures_per_address",
    "registrations_per_hour",
    "letters_per_hour",
    "letters_per_hour_per_address",
)
PLPGSQL = "SELECT count(*) FROM pg_extension WHERE extname = 'plpgsql'"
ZONES = "SELECT count(*) FROM pg_timezone_names"
ALIVE = """
SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '30 seconds'
"""
LATE_AND_FAILED = """
SELECT count(*) FILTER (
           WHERE status = 'todo' AND coalesce(scheduled_at, at) < now() - interval '5 minutes'
       ),
       count(*) FILTER (WHERE status = 'failed')
FROM procrastinate_jobs AS jobs
LEFT JOIN LATERAL (
    SELECT min(at) AS at FROM procrastinate_events WHERE job_id = jobs.id
) AS events ON true
"""

Level = Literal["ok", "warning", "error"]
Connection = psycopg.Connection[TupleRow]


@dataclass(frozen=True)
class Finding:
    check: str
    level: Level
    found: str
    advice: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """Check one thing after the other; what needs the database is left out when it is away."""
    for check in (
        check_key,
        check_address,
        check_proxies,
        check_links,
        check_limits,
        check_disk,
        check_mail,
    ):
        yield check(settings)
    url = settings.direct_address()
    try:
        with connect(url) as connection:
            in_use.check(connection)
            yield Finding("database", "ok", f"{place(url)} answers")
            for look in (
                check_version,
                check_encoding,
                check_extensions,
                check_time_zones,
                check_clock,
                check_worker,
                check_jobs,
            ):
                yield look(connection)
    except in_use.BeingRestoredError as error:
        yield Finding("database", "warning", str(error), "Try again when that has ended.")
        return
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[0]
        yield Finding("database", "error", reason, "Is it up, and is DATABASE_URL right?")
        yield Finding("database", "warning", "what is in it was not looked at", "Begin above.")
        return
    yield check_schema(url)
    yield check_listening(url)
    if settings.database_direct_url:
        yield check_pooler(
            settings.database_address(), standby=settings.database_read_url is not None
        )
    if standby := settings.read_address():
        yield check_standby(standby, url)


def connect(url: URL) -> Connection:
    return psycopg.connect(conninfo(url), autocommit=True, connect_timeout=CONNECT_SECONDS)


def place(url: URL) -> str:
    return f"{url.host or url.query.get('host', 'localhost')}:{url.port or 5432}"


def ask(connection: Connection, statement: str) -> tuple[object, ...]:
    return connection.execute(statement.encode()).fetchone() or ()


# What the settings say.


def check_key(settings: Settings) -> Finding:
    keys = settings.signing_keys()
    if any(len(set(key)) < FEWEST_CHARACTERS for key in keys):
        advice = 'Make one with: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
        return Finding("key", "warning", "SECRET_KEY has few different characters", advice)
    return Finding("key", "ok", f"{len(keys)} of {min(map(len, keys))} characters or more")


def check_address(settings: Settings) -> Finding:
    where = f"{settings.host}:{settings.port}"
    if not is_loopback(settings.host) and not settings.forwarded_allow_ips:
        advice = "With a proxy in front, name it in FORWARDED_ALLOW_IPS; without, use TLS."
        return Finding("address", "warning", f"{where} is open, and no proxy is named", advice)
    return Finding("address", "ok", where)


def check_proxies(settings: Settings) -> Finding:
    if settings.forwarded_allow_ips == "*":
        advice = "Right only where nobody but the proxy can connect; else name its network."
        return Finding("proxies", "warning", "every client is believed about its address", advice)
    return Finding("proxies", "ok", settings.forwarded_allow_ips or "none")


def check_links(settings: Settings) -> Finding:
    base = settings.base_url()
    url = urlsplit(base)
    host = url.hostname or ""
    if not (settings.public_url or settings.port):
        advice = "Set PUBLIC_URL to the address that people use."
        return Finding("links", "warning", "PORT=0: only `serve` knows where they lead", advice)
    if is_loopback(host) or is_wildcard(host):
        advice = "Set PUBLIC_URL to the address that people use."
        found = f"links begin with {base}, which works on this machine only"
        return Finding("links", "warning", found, advice)
    if url.scheme == "http":
        advice = "Set PUBLIC_URL to an https:// address."
        return Finding("links", "warning", f"links begin with {base}", advice)
    return Finding("links", "ok", base)


def check_limits(settings: Settings) -> Finding:
    zero = [name.upper() for name in LIMITS if getattr(settings, name) == 0]
    if zero:
        advice = "If no limit was meant, as 0 once did, write off in its place."
        return Finding("limits", "warning", f"0 allows nothing: {', '.join(zero)}", advice)
    return Finding("limits", "ok", "none is 0")


def check_disk(settings: Settings) -> Finding:
    folder = existing(settings.data_dir.absolute())
    free = shutil.disk_usage(folder).free // 2**20
    level: Level = "error" if free < FREE_MIB[1] else "warning" if free < FREE_MIB[0] else "ok"
    advice = "" if level == "ok" else "Make room, or set DATA_DIR to another disk."
    return Finding("disk", level, f"{free:,} MiB free in {folder}", advice)


def existing(folder: Path) -> Path:
    return folder if folder.exists() else existing(folder.parent)


def check_mail(settings: Settings) -> Finding:
    if settings.smtp_url is None:
        folder = settings.data_dir.absolute() / "mail"
        if not os.access(existing(folder), os.W_OK):
            return Finding("mail", "error", f"{folder} cannot be written to", "Give it to us.")
        advice = "Set SMTP_URL, so that they are sent."
        return Finding("mail", "warning", f"emails go to {folder}", advice)
    where = sending.connection(settings.smtp_url.get_secret_value())
    server = f"{where['hostname']}:{where['port'] or 'its port'}"
    try:
        asyncio.run(sending.try_server(settings.smtp_url.get_secret_value()))
    except Exception as error:  # noqa: BLE001  # whatever it is, emails are not sent
        found = f"{server}: {type(error).__name__}"
        return Finding("mail", "error", found, "Look at SMTP_URL: host, port, TLS, password.")
    return Finding("mail", "ok", f"{server} lets us in")


# What the database says.


def check_version(connection: Connection) -> Finding:
    version = connection.info.server_version // 10_000
    if version < OLDEST_SERVER:
        return Finding("version", "error", f"PostgreSQL {version}", "It has to be 15 or later.")
    return Finding("version", "ok", f"PostgreSQL {version}")


def check_encoding(connection: Connection) -> Finding:
    (encoding,) = ask(connection, "SHOW server_encoding")
    if encoding != "UTF8":
        advice = "Create the database anew, with ENCODING 'UTF8'."
        return Finding("encoding", "error", str(encoding), advice)
    return Finding("encoding", "ok", "UTF8")


def check_extensions(connection: Connection) -> Finding:
    """Look for the language of the triggers, which every new database has."""
    (found,) = ask(connection, PLPGSQL)
    if not found:
        return Finding("extensions", "error", "plpgsql is missing", "Run: CREATE EXTENSION plpgsql")
    return Finding("extensions", "ok", "plpgsql, and no other is needed")


def check_time_zones(connection: Connection) -> Finding:
    (known,) = ask(connection, ZONES)
    if not known:
        advice = "Install tzdata on the database's machine."
        return Finding("time zones", "error", "the database knows none", advice)
    return Finding("time zones", "ok", f"{known} known")


def check_clock(connection: Connection) -> Finding:
    before = time.time()
    (there,) = ask(connection, "SELECT extract(epoch FROM clock_timestamp())::float8")
    skew = float(str(there)) - (before + time.time()) / 2
    if abs(skew) > SKEW_SECONDS:
        found = f"the database's clock is {abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}"
        return Finding("clock", "warning", found, "Let both machines follow NTP.")
    return Finding("clock", "ok", datetime.now(UTC).isoformat(timespec="seconds"))


def check_schema(url: URL) -> Finding:
    schema = wait_until_ready(url, 0)
    if schema.revision is None:
        return Finding("schema", "error", "it was never migrated", "Run: fast-zero migrate")
    if schema.is_too_new():
        return Finding("schema", "error", schema.words(revisions.TOO_OLD))
    if schema.is_ahead():
        return Finding("schema", "warning", schema.words(revisions.AHEAD), "Update when you can.")
    if not schema.is_newest():
        return Finding("schema", "error", f"revision {schema.revision}", "Run: fast-zero migrate")
    return Finding("schema", "ok", f"revision {schema.revision}")


def check_worker(connection: Connection) -> Finding:
    if ask(connection, "SELECT to_regclass('procrastinate_workers') IS NOT NULL") != (True,):
        return Finding("worker", "warning", "was not looked at", "Migrate first.")
    (alive,) = ask(connection, ALIVE)
    if not alive:
        advice = "Start one: fast-zero worker, or RUN_JOBS=true where it serves."
        return Finding("worker", "warning", "nobody does the jobs", advice)
    return Finding("worker", "ok", f"{alive} alive")


def check_jobs(connection: Connection) -> Finding:
    if ask(connection, "SELECT to_regclass('procrastinate_jobs') IS NOT NULL") != (True,):
        return Finding("jobs", "warning", "were not looked at", "Migrate first.")
    late, failed = ask(connection, LATE_AND_FAILED)
    if late or failed:
        found = f"{late} wait for more than five minutes, {failed} have failed"
        return Finding("jobs", "warning", found, "The log of the worker says why.")
    return Finding("jobs", "ok", "none waits for long, none has failed")


def check_listening(url: URL) -> Finding:
    """Notify ourselves: through a pooler LISTEN is accepted, and nothing is ever heard."""
    with connect(url) as connection, connect(url) as other:
        connection.execute("LISTEN fast_zero_doctor")
        other.execute("NOTIFY fast_zero_doctor")
        if not list(connection.notifies(timeout=LISTEN_SECONDS, stop_after=1)):
            advice = "It leads to a pooler. Set DATABASE_DIRECT_URL to the way past it."
            return Finding("listening", "warning", "notifications are not heard", advice)
    return Finding("listening", "ok", "notifications are heard")


def check_pooler(url: URL, *, standby: bool) -> Finding:
    advice = "See docs/configuration.md, Behind a pooler."
    try:
        with connect(url) as connection:
            (timeout,), (zone,), (commit,) = (
                ask(connection, f"SHOW {name}")
                for name in ("statement_timeout", "timezone", "synchronous_commit")
            )
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[0]
        return Finding("pooler", "error", reason, "Is it up, and is DATABASE_URL right?")
    if timeout == "0":
        return Finding("pooler", "warning", "the role has no statement_timeout", advice)
    if zone != "UTC":
        return Finding("pooler", "warning", f"the role's timezone is {zone}", advice)
    if standby and commit != "remote_apply":
        found = f"the role's synchronous_commit is {commit}, so the standby is late"
        return Finding("pooler", "error", found, advice)
    return Finding("pooler", "ok", f"{place(url)} answers")


def check_standby(url: URL, primary: URL) -> Finding:
    advice = "See docs/configuration.md, Reads from a standby."
    try:
        with connect(url) as standby, connect(primary) as connection:
            (recovers,) = ask(standby, "SELECT pg_is_in_recovery()")
            (waited_for,) = ask(connection, "SHOW synchronous_standby_names")
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[0]
        return Finding("standby", "warning", reason, "Reads go to the primary until it answers.")
    if not recovers:
        return Finding("standby", "warning", f"{place(url)} is no standby", advice)
    if not waited_for:
        return Finding("standby", "error", "writes do not wait for it, so it is late", advice)
    return Finding("standby", "ok", f"{place(url)} answers")
