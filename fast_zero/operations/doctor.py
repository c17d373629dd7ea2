"""Checks everything that fast_zero depends on, and recommends fixes."""

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
FREE_MIB = (1024, 100)  # below the first: a warning; below the second: an error
FEWEST_CHARACTERS = 10  # minimum number of different characters in a key
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

CHECK_URL = "Is it running, and is DATABASE_URL correct?"

Level = Literal["ok", "warning", "error"]
Connection = psycopg.Connection[TupleRow]


@dataclass(frozen=True)
class Finding:
    check: str
    level: Level
    found: str
    advice: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """Run all checks. Those that need the database are skipped if it cannot be reached."""
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
            yield Finding("database", "ok", f"{place(url)} responds")
            yield from examine_database(connection)
    except in_use.BeingRestoredError as error:
        yield Finding("database", "warning", str(error), "Try again when that has ended.")
    except psycopg.OperationalError as error:
        yield Finding("database", "error", first_line(error), CHECK_URL)
        yield Finding("database", "warning", "its content was not checked", "Fix this first.")
    else:
        yield from examine_connections(settings, url)


def examine_database(connection: Connection) -> Iterator[Finding]:
    for check in (
        check_version,
        check_encoding,
        check_extensions,
        check_time_zones,
        check_clock,
        check_worker,
        check_jobs,
    ):
        yield check(connection)


def examine_connections(settings: Settings, url: URL) -> Iterator[Finding]:
    """Run the checks that open their own connections: to the database, a pooler, a standby."""
    yield check_schema(url)
    yield check_listening(url)
    if settings.database_direct_url:
        yield check_pooler(
            settings.database_address(), standby=settings.database_read_url is not None
        )
    if standby := settings.read_address():
        yield check_standby(standby, url)


def first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def connect(url: URL) -> Connection:
    return psycopg.connect(conninfo(url), autocommit=True, connect_timeout=CONNECT_SECONDS)


def place(url: URL) -> str:
    return f"{url.host or url.query.get('host', 'localhost')}:{url.port or 5432}"


def query(connection: Connection, statement: str) -> tuple[object, ...]:
    return connection.execute(statement.encode()).fetchone() or ()


# Checks of the settings.


def check_key(settings: Settings) -> Finding:
    keys = settings.signing_keys()
    if any(len(set(key)) < FEWEST_CHARACTERS for key in keys):
        advice = 'Generate one with: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
        return Finding("key", "warning", "SECRET_KEY has few different characters", advice)
    return Finding("key", "ok", f"{len(keys)} of {min(map(len, keys))} characters or more")


def check_address(settings: Settings) -> Finding:
    where = f"{settings.host}:{settings.port}"
    if not is_loopback(settings.host) and not settings.forwarded_allow_ips:
        advice = "Behind a proxy, set FORWARDED_ALLOW_IPS to its address; without one, use TLS."
        return Finding("address", "warning", f"{where} is public, and no proxy is set", advice)
    return Finding("address", "ok", where)


def check_proxies(settings: Settings) -> Finding:
    if settings.forwarded_allow_ips == "*":
        advice = "Correct only if nobody but the proxy can connect; else set its network."
        return Finding("proxies", "warning", "X-Forwarded-For is trusted from every client", advice)
    return Finding("proxies", "ok", settings.forwarded_allow_ips or "none")


def check_links(settings: Settings) -> Finding:
    base = settings.base_url()
    url = urlsplit(base)
    host = url.hostname or ""
    if not (settings.public_url or settings.port):
        advice = "Set PUBLIC_URL to the address that people use."
        return Finding("links", "warning", "PORT=0: only `serve` knows the port of links", advice)
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
        advice = "To disable a limit, as 0 did in the past, set it to off."
        return Finding("limits", "warning", f"0 allows nothing: {', '.join(zero)}", advice)
    return Finding("limits", "ok", "none is 0")


def check_disk(settings: Settings) -> Finding:
    folder = existing(settings.data_dir.absolute())
    free = shutil.disk_usage(folder).free // 2**20
    level: Level = "error" if free < FREE_MIB[1] else "warning" if free < FREE_MIB[0] else "ok"
    advice = "" if level == "ok" else "Free some space, or set DATA_DIR to another disk."
    return Finding("disk", level, f"{free:,} MiB free in {folder}", advice)


def existing(folder: Path) -> Path:
    return folder if folder.exists() else existing(folder.parent)


def check_mail(settings: Settings) -> Finding:
    if settings.smtp_url is None:
        folder = settings.data_dir.absolute() / "mail"
        if not os.access(existing(folder), os.W_OK):
            return Finding(
                "mail", "error", f"{folder} is not writable", "Change its owner or permissions."
            )
        advice = "Set SMTP_URL to send them."
        return Finding("mail", "warning", f"emails are written to {folder}", advice)
    where = sending.connection(settings.smtp_url.get_secret_value())
    server = f"{where['hostname']}:{where['port'] or 'default port'}"
    try:
        asyncio.run(sending.try_server(settings.smtp_url.get_secret_value()))
    except Exception as error:  # noqa: BLE001  # with any error, emails are not sent
        found = f"{server}: {type(error).__name__}"
        return Finding("mail", "error", found, "Check SMTP_URL: host, port, TLS, password.")
    return Finding("mail", "ok", f"{server} accepts the log-in")


# Checks of the database.


def check_version(connection: Connection) -> Finding:
    version = connection.info.server_version // 10_000
    if version < OLDEST_SERVER:
        return Finding("version", "error", f"PostgreSQL {version}", "Upgrade to 15 or later.")
    return Finding("version", "ok", f"PostgreSQL {version}")


def check_encoding(connection: Connection) -> Finding:
    (encoding,) = query(connection, "SHOW server_encoding")
    if encoding != "UTF8":
        advice = "Recreate the database with ENCODING 'UTF8'."
        return Finding("encoding", "error", str(encoding), advice)
    return Finding("encoding", "ok", "UTF8")


def check_extensions(connection: Connection) -> Finding:
    """Check for the language of the triggers, which every new database has."""
    (found,) = query(connection, PLPGSQL)
    if not found:
        return Finding("extensions", "error", "plpgsql is missing", "Run: CREATE EXTENSION plpgsql")
    return Finding("extensions", "ok", "plpgsql; no other is needed")


def check_time_zones(connection: Connection) -> Finding:
    (known,) = query(connection, ZONES)
    if not known:
        advice = "Install tzdata on the database server."
        return Finding("time zones", "error", "the database knows none", advice)
    return Finding("time zones", "ok", f"{known} known")


def check_clock(connection: Connection) -> Finding:
    before = time.time()
    (there,) = query(connection, "SELECT extract(epoch FROM clock_timestamp())::float8")
    skew = float(str(there)) - (before + time.time()) / 2
    if abs(skew) > SKEW_SECONDS:
        found = f"the database's clock is {abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}"
        return Finding("clock", "warning", found, "Synchronize both machines with NTP.")
    return Finding("clock", "ok", datetime.now(UTC).isoformat(timespec="seconds"))


def check_schema(url: URL) -> Finding:
    schema = wait_until_ready(url, 0)
    if schema.revision is None:
        return Finding(
            "schema", "error", "the database was never migrated", "Run: fast-zero migrate"
        )
    if schema.is_too_new():
        return Finding("schema", "error", schema.words(revisions.TOO_OLD))
    if schema.is_ahead():
        return Finding("schema", "warning", schema.words(revisions.AHEAD), "Update when you can.")
    if not schema.is_newest():
        return Finding("schema", "error", f"revision {schema.revision}", "Run: fast-zero migrate")
    return Finding("schema", "ok", f"revision {schema.revision}")


def check_worker(connection: Connection) -> Finding:
    if query(connection, "SELECT to_regclass('procrastinate_workers') IS NOT NULL") != (True,):
        return Finding("worker", "warning", "not checked", "Run: fast-zero migrate")
    (alive,) = query(connection, ALIVE)
    if not alive:
        advice = "Run: fast-zero worker, or set RUN_JOBS=true for `serve`."
        return Finding("worker", "warning", "no worker is running", advice)
    return Finding("worker", "ok", f"{alive} running")


def check_jobs(connection: Connection) -> Finding:
    if query(connection, "SELECT to_regclass('procrastinate_jobs') IS NOT NULL") != (True,):
        return Finding("jobs", "warning", "not checked", "Run: fast-zero migrate")
    late, failed = query(connection, LATE_AND_FAILED)
    if late or failed:
        found = f"{late} wait for more than five minutes, {failed} have failed"
        return Finding("jobs", "warning", found, "See the log of the worker.")
    return Finding("jobs", "ok", "none is late, none has failed")


def check_listening(url: URL) -> Finding:
    """Send a notification to this process: through a pooler, LISTEN succeeds but never receives."""
    with connect(url) as connection, connect(url) as other:
        connection.execute("LISTEN fast_zero_doctor")
        other.execute("NOTIFY fast_zero_doctor")
        if not list(connection.notifies(timeout=LISTEN_SECONDS, stop_after=1)):
            advice = "DATABASE_URL leads to a pooler. Set DATABASE_DIRECT_URL to the server itself."
            return Finding("listening", "warning", "notifications are not received", advice)
    return Finding("listening", "ok", "notifications are received")


def check_pooler(url: URL, *, standby: bool) -> Finding:
    advice = "See docs/configuration.md, Behind a pooler."
    try:
        with connect(url) as connection:
            (timeout,), (zone,), (commit,) = (
                query(connection, f"SHOW {name}")
                for name in ("statement_timeout", "timezone", "synchronous_commit")
            )
    except psycopg.OperationalError as error:
        return Finding("pooler", "error", first_line(error), CHECK_URL)
    if timeout == "0":
        return Finding("pooler", "warning", "the role has no statement_timeout", advice)
    if zone != "UTC":
        return Finding("pooler", "warning", f"the role's timezone is {zone}", advice)
    if standby and commit != "remote_apply":
        found = f"the role's synchronous_commit is {commit}, so reads from the standby are stale"
        return Finding("pooler", "error", found, advice)
    return Finding("pooler", "ok", f"{place(url)} responds")


def check_standby(url: URL, primary: URL) -> Finding:
    advice = "See docs/configuration.md, Reads from a standby."
    try:
        with connect(url) as standby, connect(primary) as connection:
            (recovers,) = query(standby, "SELECT pg_is_in_recovery()")
            (waited_for,) = query(connection, "SHOW synchronous_standby_names")
    except psycopg.OperationalError as error:
        advice = "Reads go to the primary until it responds."
        return Finding("standby", "warning", first_line(error), advice)
    if not recovers:
        return Finding("standby", "warning", f"{place(url)} is not a standby", advice)
    if not waited_for:
        return Finding(
            "standby", "error", "writes do not wait for it, so its reads are stale", advice
        )
    return Finding("standby", "ok", f"{place(url)} responds")
