"""`fast-zero doctor`: each problem is real, and only that problem is found."""

import asyncio
import json

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from fast_zero.core.database import conninfo, in_use
from fast_zero.operations import doctor
from tests.chaos import own_database
from tests.core.mailbox import receiving
from tests.migrating import upgrade
from tests.processes import call, on_a_terminal, run
from tests.test_pooler import PGBOUNCER, pooled

CLOSED = make_url("postgresql+psycopg://ana:s3cr3t@127.0.0.1:1/todos")


@pytest.fixture
def healthy(settings, tmp_path, database_url):
    """Return settings and a database without findings, except for the worker and mail."""
    return settings.model_copy(update={"data_dir": tmp_path})


def examine(settings) -> dict[str, doctor.Finding]:
    return {finding.check: finding for finding in doctor.examine(settings)}


def problems(settings) -> dict[str, str]:
    return {
        name: finding.level for name, finding in examine(settings).items() if finding.level != "ok"
    }


EXPECTED = {"links": "warning", "mail": "warning", "worker": "warning"}


def test_a_healthy_installation_has_no_findings(healthy):
    assert problems(healthy) == EXPECTED


@pytest.mark.parametrize(
    ("changes", "check", "level", "text"),
    [
        ({"secret_key": SecretStr("ab" * 30)}, "key", "warning", "few different characters"),
        ({"host": "0.0.0.0"}, "address", "warning", "no proxy is set"),
        ({"forwarded_allow_ips": "*"}, "proxies", "warning", "trusted from every client"),
        ({"public_url": "http://todo.example.com"}, "links", "warning", "http://todo.example.com"),
        ({"port": 8311}, "links", "warning", "http://127.0.0.1:8311, which works on this machine"),
        ({"host": "::1"}, "links", "warning", "http://[::1]:8000, which works on this machine"),
        ({"host": "0.0.0.0"}, "links", "warning", "http://127.0.0.1:8000, which works on this"),
        ({"public_url": "http://0.0.0.0:8000"}, "links", "warning", "works on this machine only"),
        ({"port": 0}, "links", "warning", "only `serve` knows the port"),
        ({"registrations_per_hour": 0}, "limits", "warning", "nothing: REGISTRATIONS_PER_HOUR"),
        ({"database_url": CLOSED}, "database", "warning", "was not checked"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_an_unusual_setting_is_reported(healthy, changes, check, level, text):
    finding = examine(healthy.model_copy(update=changes))[check]

    assert finding.level == level
    assert text in finding.found
    assert finding.advice


@pytest.mark.parametrize(
    "changes", [{"public_url": "https://todo.example.com", "port": 0}, {"letters_per_hour": None}]
)
def test_a_valid_setting_is_not_reported(healthy, changes):
    findings = examine(healthy.model_copy(update={"public_url": "https://a.example"} | changes))

    assert (findings["links"].level, findings["limits"].level) == ("ok", "ok")


def test_low_disk_space_is_reported(healthy, monkeypatch):
    for enough, level in (((10**9, 1), "warning"), ((10**9, 10**9), "error")):
        monkeypatch.setattr(doctor, "FREE_MIB", enough)
        assert problems(healthy) == EXPECTED | {"disk": level}


async def test_missing_database_features_are_reported(healthy, empty, monkeypatch):
    for constant in ("PLPGSQL", "ZONES"):
        monkeypatch.setattr(doctor, constant, "SELECT 0")
    settings = healthy.model_copy(update={"database_url": empty})
    findings = await asyncio.to_thread(lambda: examine(settings))

    assert findings["extensions"].advice == "Run: CREATE EXTENSION plpgsql"
    assert findings["time zones"].level == "error"


async def test_mail_servers_are_checked(healthy, monkeypatch):
    async with receiving() as mailbox:
        with_mail = healthy.model_copy(update={"smtp_url": SecretStr(mailbox.url)})
        findings = await asyncio.to_thread(lambda: examine(with_mail))
    unavailable = await asyncio.to_thread(lambda: examine(with_mail))

    assert findings["mail"].level == "ok"
    assert unavailable["mail"].level == "error"
    assert "SMTP_URL" in unavailable["mail"].advice


async def test_a_missing_older_or_newer_schema_is_reported(healthy, empty):
    settings = healthy.model_copy(update={"database_url": empty})
    assert (await asyncio.to_thread(lambda: problems(settings)))["schema"] == "error"

    await upgrade(empty)
    for revision, level, text in (
        ("0001", "error", "revision 0001"),
        ("9999", "warning", "revision 9999, which is newer than"),
    ):
        async with await psycopg.AsyncConnection.connect(conninfo(empty)) as connection:
            await connection.execute("UPDATE alembic_version SET version_num = %s", [revision])
        findings = await asyncio.to_thread(lambda: examine(settings))
        assert findings["schema"].level == level
        assert text in findings["schema"].found


async def test_failed_jobs_and_running_workers_are_reported(healthy, empty):
    await upgrade(empty)
    settings = healthy.model_copy(update={"database_url": empty})
    async with await psycopg.AsyncConnection.connect(conninfo(empty)) as connection:
        await connection.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, status, args)"
            " VALUES ('q', 'q', 'failed', '{}')"
        )
        await connection.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now())"
        )
    findings = await asyncio.to_thread(lambda: examine(settings))

    assert findings["jobs"].found == "0 wait for more than five minutes, 1 have failed"
    assert findings["worker"].level == "ok"


def test_a_running_restore_is_reported_without_waiting(healthy):
    with psycopg.connect(conninfo(healthy.database_address())) as restore:
        restore.execute("SELECT pg_advisory_xact_lock(%s)", [in_use.LOCK])
        finding = examine(healthy)["database"]

    assert finding.level == "warning"
    assert finding.found == "a backup is being restored into the database"


def test_different_clocks_are_reported(healthy, monkeypatch):
    now = doctor.time.time
    monkeypatch.setattr(doctor.time, "time", lambda: now() - 60)

    assert examine(healthy)["clock"].found == "the database's clock is 60 s ahead"


@pytest.mark.skipif(PGBOUNCER is None, reason="PgBouncer is not installed")
def test_a_pooler_is_detected_and_its_role_is_checked(healthy):
    with own_database() as database, pooled(database) as address:
        behind_pooler = healthy.model_copy(update={"database_url": make_url(address)})
        with_direct_url = behind_pooler.model_copy(
            update={"database_direct_url": make_url(database.url)}
        )
        without_direct_url, findings = examine(behind_pooler), examine(with_direct_url)

    assert without_direct_url["listening"].level == "warning"
    assert "DATABASE_DIRECT_URL" in without_direct_url["listening"].advice
    assert findings["listening"].level == "ok"
    assert findings["pooler"].found == "the role has no statement_timeout"


def test_the_command_writes_lines_a_table_or_json_and_no_secret(data_dir):
    secrets = {"SECRET_KEY": "s3cr3t" * 8, "SMTP_URL": "smtp://ana:pa55word@127.0.0.1:1"}
    lines = run(data_dir, "doctor", **secrets)
    findings = json.loads(call(data_dir, "doctor", "--json", **secrets).stdout)
    table = on_a_terminal(data_dir, "doctor")

    assert lines.returncode == 1  # because of the mail server
    assert [line.split("\t")[0] for line in lines.stdout.splitlines()] == [
        finding["check"] for finding in findings
    ]
    assert "┃" in table
    for output in (lines.stdout, lines.stderr, json.dumps(findings)):
        assert "pa55word" not in output
        assert "s3cr3t" not in output


def test_an_unavailable_database_is_an_error(tmp_path):
    variables = {"DATABASE_URL": "postgresql://ana:pa55word@127.0.0.1:1/todos"}
    result = call(tmp_path, "doctor", SECRET_KEY="k1l2m3n4o5" * 5, **variables)

    assert result.returncode == 1
    assert "database\terror\t" in result.stdout
    assert "Is it running, and is DATABASE_URL correct?" in result.stdout
    assert "pa55word" not in result.stdout
