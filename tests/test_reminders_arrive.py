"""Reminders and digests in a mailbox and at a push service, although workers are killed."""

import asyncio
from collections import Counter
from contextlib import contextmanager

import httpx2
import pytest

from tests.chaos import own_database
from tests.core.mailbox import receiving
from tests.processes import PATIENCE, serving, until, working
from tests.push import push_service
from tests.push.push_service import Browser

PASSWORD = "a fine long sentence"
ZONES = {"ana": "UTC", "bea": "America/Sao_Paulo", "eva": "Asia/Kolkata"}
# What workers do every minute, now.
EVERY_MINUTE = """
SELECT procrastinate_defer_jobs_v1(array_agg(ROW(
    name, name, 1, NULL, NULL, '{"timestamp": 0}'::jsonb, NULL
)::procrastinate_job_to_defer_v1))
FROM unnest(ARRAY['reminders.remind', 'reminders.ask_for_digests']) AS name
"""
# Reminders and digests wait for a worker since a minute ago.
ALL_IS_DUE = f"""
DELETE FROM procrastinate_jobs;
UPDATE todos SET due_at = now() - interval '1 minute';
UPDATE scheduled_reminders SET fires_at = now() - interval '1 minute';
UPDATE digests SET fires_at = now() - interval '1 minute';
{EVERY_MINUTE}
"""
BLOCKED = """
SELECT pid FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND query ~ 'FROM scheduled_reminders AS'
"""
UNSENT = r"SELECT id FROM procrastinate_jobs WHERE task_name ~ '^(reminders\.send|push\.)'"
EXPIRE_HEARTBEATS = "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'"


@pytest.fixture
def database():
    with own_database() as database:
        yield database


@pytest.fixture
def rows(database):
    def rows(statement: str) -> list[tuple]:
        with database.connect() as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    return rows


async def subscribe(client: httpx2.AsyncClient, name: str, browser: Browser) -> None:
    """Register a user who wants reminders as emails and pushes, and digests, and has a todo."""
    account = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
    (await client.post("/users", json=account)).raise_for_status()
    log_in = await client.post("/auth/token", data={"username": name, "password": PASSWORD})
    headers = {"Authorization": f"Bearer {log_in.json()['access_token']}"}
    wanted = {"time_zone": ZONES[name], "digest_time": "00:00", "letters": ["reminder"]}
    todo = {
        "title": f"Bread of {name}",
        "due_at": "2040-01-01T00:00:00Z",
        "reminders": [{"minutes_before": 0}],
    }
    for method, path, body in (
        ("PATCH", "/users/me", wanted),
        ("POST", "/users/me/push-subscriptions", browser.subscription()),
        ("POST", "/todos", todo),
    ):
        (await client.request(method, path, json=body, headers=headers)).raise_for_status()


@contextmanager
def locked(database, table: str):
    """Let nobody write to a table until the block ends."""
    with database.connect() as connection, connection.transaction():
        connection.execute(f"LOCK TABLE {table} IN SHARE MODE")
        yield


def kill(worker) -> None:
    worker.process.kill()
    worker.process.wait()


async def test_each_arrives_once_though_workers_are_killed(database, rows):
    """Kill one before it commits what is due, and another one while it sends emails."""
    folder = database.folder.parent / "server"
    async with receiving() as mailbox, push_service.running() as service:
        variables = {
            "DATABASE_URL": database.url,
            "SECRET_KEY": "k" * 48,
            "SMTP_URL": mailbox.url,
            "PUSH_PRIVATE_NETWORKS": "true",
        }
        browsers = {name: Browser(service.origin) for name in ZONES}
        with serving(folder, RUN_JOBS="false", **variables) as server:
            async with httpx2.AsyncClient(base_url=server.url, timeout=PATIENCE) as client:
                for name, browser in browsers.items():
                    await subscribe(client, name, browser)
        rows("UPDATE users SET email_verified_at = now()")
        rows(ALL_IS_DUE)

        with locked(database, "notifications"), working(folder, **variables) as worker:
            await until(lambda: rows(BLOCKED))
            kill(worker)
        await until(lambda: not rows(BLOCKED))
        assert rows("SELECT id FROM notifications") == []

        rows(EXPIRE_HEARTBEATS)
        mailbox.open.clear()
        with working(folder, **variables) as worker:
            await asyncio.wait_for(mailbox.reached.wait(), PATIENCE)
            kill(worker)
        accepted = len(mailbox.emails)
        mailbox.open.set()
        await until(lambda: len(mailbox.emails) > accepted)

        rows(EXPIRE_HEARTBEATS)
        with working(folder, **variables):
            await until(lambda: not rows(UNSENT))
            rows(EVERY_MINUTE)  # nothing is left for later minutes
            await until(lambda: not rows("SELECT id FROM procrastinate_jobs WHERE priority = 1"))
            await until(lambda: not rows(UNSENT))

    # Those that the killed worker had sent came twice, with the same id.
    distinct = {one["Message-ID"]: one for one in mailbox.emails}.values()
    assert Counter(one["To"] for one in distinct) == {f"{name}@example.com": 2 for name in ZONES}
    subjects = {(one["To"], one["Subject"].partition(" ")[0]) for one in distinct}
    assert subjects == {(f"{n}@example.com", s) for n in ZONES for s in ("Reminder:", "Today")}
    for name, browser in browsers.items():
        received = [push for push in service.received if push.path.endswith(browser.secret)]
        texts = {browser.decrypt(push.body)["text"] for push in received}
        assert texts == {f"Reminder: Bread of {name}"}
    assert len(rows("SELECT id FROM notifications")) == len(ZONES)
