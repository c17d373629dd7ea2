"""Emails from a server and a worker that are started as a user starts them."""

import asyncio
import email
import re
import signal
from email.policy import default

import httpx2
import pytest

from tests.chaos import own_database
from tests.core.mailbox import BUSY, UNKNOWN, receiving
from tests.processes import PATIENCE, run, serving, until, working

ANA = {"username": "ana", "email": "ana@example.com", "password": "a fine long sentence"}
NEW_PASSWORD = "another fine sentence"
TOKEN = re.compile(r"/account/(?:confirm|password)\?lang=en#(\S+)")
# Makes waiting jobs due at once.
MAKE_JOBS_DUE = """
UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE status = 'todo';
SELECT pg_notify('procrastinate_queue_v1#accounts.send_link', '{"type": "job_inserted"}')
"""
REPORT_AGAIN = """
SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(
    'news.send_report', 'news.send_report', 0, NULL, NULL,
    jsonb_build_object('user_id', user_id, 'monday', monday), NULL
)::procrastinate_job_to_defer_v1]) FROM weekly_reports WHERE monday = '2026-11-23'
"""  # On Mondays, another one may become due meanwhile.
REPORT_IS_DUE = f"""
DELETE FROM procrastinate_jobs;
UPDATE users SET letters = '{{weekly_report}}', email_verified_at = now();
INSERT INTO todos (owner_id, title, description, state)
SELECT id, 'Bake bread', '', 'done' FROM users;
UPDATE completions SET finished_at = '2026-11-20';
INSERT INTO weekly_reports (user_id, monday) SELECT id, '2026-11-23' FROM users;
{REPORT_AGAIN}
"""
REPORT_IS_SENT = "SELECT sent_at IS NOT NULL FROM weekly_reports WHERE monday = '2026-11-23'"
EXPIRE_HEARTBEATS = "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'"


@pytest.fixture
def database():
    with own_database() as database:
        yield database


@pytest.fixture
def variables(database) -> dict[str, str]:
    return {"DATABASE_URL": database.url, "SECRET_KEY": "k" * 48}


@pytest.fixture
def folder(database):
    return database.folder.parent / "server"


def client_of(server) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=server.url, timeout=PATIENCE)


def rows(database, statement: str) -> list[tuple]:
    with database.connect() as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def jobs(database) -> list[tuple]:
    return rows(
        database,
        "SELECT status::text, attempts FROM procrastinate_jobs"
        " WHERE task_name ~ '^(accounts|news)[.]send_'",
    )


def token_of(message) -> str:
    return TOKEN.search(message.get_body(["plain"]).get_content())[1]


async def test_an_email_is_retried_until_a_busy_mail_server_accepts_it(database, variables, folder):
    async with receiving(BUSY, BUSY) as mailbox:
        variables["SMTP_URL"] = mailbox.url.replace("//", "//ana:never-to-be-seen@")
        with serving(folder, measured=True, LOG_LEVEL="debug", **variables) as server:
            async with client_of(server) as client:
                (await client.post("/users", json=ANA)).raise_for_status()
                for attempt in (1, 2):
                    await until(lambda n=attempt: ("todo", n) in jobs(database))
                    rows(database, MAKE_JOBS_DUE)
                await until(lambda: mailbox.emails)
                await until(lambda: jobs(database) == [])

                [message] = mailbox.emails
                token = token_of(message)
                response = await client.post("/auth/email/confirm", json={"token": token})
            log = server.log.read_text()

    assert mailbox.attempts == 3
    assert mailbox.logins == [(b"ana", b"never-to-be-seen")] * 3
    assert "never-to-be-seen" not in log
    assert response.status_code == 204
    assert log.count("refused the recipient with 451") == 2
    assert ANA["email"] not in log
    assert token not in log
    assert "Traceback" not in log


async def test_an_unknown_recipient_is_a_failed_job(database, variables, folder):
    async with receiving(UNKNOWN) as mailbox:
        with serving(folder, SMTP_URL=mailbox.url, **variables) as server:
            async with client_of(server) as client:
                await client.post("/users", json=ANA)
            await until(lambda: jobs(database) == [("failed", 1)])
            await until(lambda: "failed permanently" in server.log.read_text())
            log = server.log.read_text()

    assert mailbox.attempts == 1
    assert ANA["email"] not in log


async def test_without_a_mail_server_the_log_names_the_file(data_dir):
    with serving(data_dir) as server:
        async with client_of(server) as client:
            await client.post("/users", json=ANA)
            await client.post("/auth/password/forgotten", json={"email": ANA["email"]})
            await client.post("/auth/password/forgotten", json={"email": "eva@example.com"})
            await until(lambda: len(list(data_dir.glob("mail/*.eml"))) == 2)
            messages = {
                message["Subject"]: (path, message)
                for path in data_dir.glob("mail/*.eml")
                for message in [email.message_from_bytes(path.read_bytes(), policy=default)]
            }
            path, message = messages["Choose a new password"]
            await until(lambda: str(path) in server.log.read_text())
            body = {"token": token_of(message), "password": NEW_PASSWORD}
            reset = await client.post("/auth/password/reset", json=body)
            form = {"username": "ana", "password": NEW_PASSWORD}
            log_in = await client.post("/auth/token", data=form)
        log = server.log.read_text()

    assert (reset.status_code, log_in.status_code) == (204, 200)
    assert log.count(f"SMTP_URL is not set, so an email was written to {path}") == 1
    assert ANA["email"] not in log
    assert token_of(message) not in log


async def test_an_email_survives_a_killed_worker(database, variables, folder):
    """Kill a worker while the mail server has the email; then let another worker finish."""
    async with receiving() as mailbox:
        variables["SMTP_URL"] = mailbox.url
        with serving(folder, RUN_JOBS="false", **variables) as server:
            async with client_of(server) as client:
                await client.post("/users", json=ANA)
                with working(folder, **variables) as worker:
                    mailbox.open.clear()
                    await asyncio.wait_for(mailbox.reached.wait(), PATIENCE)
                    worker.process.kill()
                mailbox.open.set()
                await until(lambda: len(mailbox.emails) == 1)
                assert jobs(database) == [("doing", 0)]

                rows(database, EXPIRE_HEARTBEATS)
                with working(folder, **variables) as worker:
                    await until(lambda: jobs(database) == [])
                    log = worker.log.read_text()

                first, second = mailbox.emails
                response = await client.post("/auth/email/confirm", json={"token": token_of(first)})

    assert first["Message-ID"] == second["Message-ID"]
    assert token_of(first) == token_of(second)
    assert response.status_code == 204
    assert "lost its worker and will be retried" in log


async def test_a_weekly_report_survives_a_killed_worker(database, variables, folder):
    """Kill the worker that sends the report, and another one; then let new workers continue."""
    async with receiving() as mailbox:
        variables["SMTP_URL"] = mailbox.url
        with serving(folder, RUN_JOBS="false", **variables) as server:
            async with client_of(server) as client:
                (await client.post("/users", json=ANA)).raise_for_status()
        mailbox.open.clear()
        rows(database, REPORT_IS_DUE)
        with working(folder, **variables) as worker, working(folder, **variables) as other:
            await asyncio.wait_for(mailbox.reached.wait(), PATIENCE)
            for started in (worker, other):
                started.process.kill()
                started.process.wait()
        mailbox.open.set()
        await until(lambda: len(mailbox.emails) == 1)
        rows(database, EXPIRE_HEARTBEATS)
        with working(folder, **variables), working(folder, **variables):
            await until(lambda: jobs(database) == [])
            rows(database, REPORT_AGAIN)
            await until(lambda: jobs(database) == [])

    first, second = mailbox.emails  # the first was accepted, but the killed worker did not know
    assert first["Message-ID"] == second["Message-ID"]
    assert "- Bake bread\n" in first.get_body(["plain"]).get_content().replace("\r\n", "\n")
    assert rows(database, REPORT_IS_SENT) == [(True,)]


async def test_a_worker_finishes_its_email_on_shutdown(database, variables, folder):
    async with receiving() as mailbox:
        variables["SMTP_URL"] = mailbox.url
        with serving(folder, RUN_JOBS="false", **variables) as server:
            async with client_of(server) as client:
                await client.post("/users", json=ANA)
        with working(folder, measured=True, **variables) as worker:
            mailbox.open.clear()
            await asyncio.wait_for(mailbox.reached.wait(), PATIENCE)
            worker.process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.5)
            assert worker.process.poll() is None
            mailbox.open.set()
            status = await asyncio.to_thread(worker.process.wait, PATIENCE)

    assert (status, len(mailbox.emails)) == (0, 1)
    assert jobs(database) == []


async def test_a_worker_waits_for_the_migration(tmp_path):
    with own_database(migrated=False) as database:
        variables = {"DATABASE_URL": database.url, "SECRET_KEY": "k" * 48}
        with working(tmp_path / "worker", **variables) as worker:
            await until(lambda: "not migrated yet" in worker.log.read_text())
            assert run(tmp_path, "migrate", **variables).returncode == 0
            await until(lambda: rows(database, "SELECT 1 FROM procrastinate_workers"))


async def test_jobs_continue_after_an_outage(database, variables, folder):
    async with receiving() as mailbox:
        with serving(folder, measured=True, SMTP_URL=mailbox.url, **variables) as server:
            await until(lambda: rows(database, "SELECT 1 FROM procrastinate_workers"))
            database.stop("immediate")
            await until(lambda: "jobs cannot run" in server.log.read_text())
            database.start()
            async with client_of(server) as client:
                (await client.post("/users", json=ANA)).raise_for_status()
            await until(lambda: mailbox.emails)
