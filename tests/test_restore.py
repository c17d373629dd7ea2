"""`fast-zero restore`: with running servers, when killed, and with crafted backups."""

import os
import secrets
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import psutil
import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from sqlalchemy import make_url

from fast_zero.core.database import conninfo, in_use, migrations
from fast_zero.core.errors import StartError
from fast_zero.operations import restore
from fast_zero.operations.backup import Database, back_up
from tests.chaos import own_database
from tests.processes import PATIENCE, PROGRAM, call, environment, run, serving, working
from tests.test_backup import PROGRAMS, contents, log_in

ROLE = "ordinary"
WRITERS = 4
HOLDING = "fast_zero listener"


@pytest.fixture(scope="module")
def server():
    """Return the URL of a server's superuser. The server has a role without privileges."""
    with own_database() as database, database.connect() as connection:
        connection.execute(f"CREATE ROLE {ROLE} LOGIN")
        yield database.url


@contextmanager
def created_database(server: str, template: str) -> Iterator[Database]:
    """Create a database that the ordinary role owns, until the block ends."""
    name = f"restored_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {ROLE}")
        url = make_url(server).set(drivername="postgresql+psycopg", username=ROLE, database=name)
        yield Database(url, Path(PROGRAMS))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def template(server) -> Iterator[str]:
    """Return the name of a database that the ordinary role has migrated."""
    with created_database(server, "template0") as database:
        migrations.upgrade(database.url, PATIENCE)
        yield database.url.database


@pytest.fixture
def database(server) -> Iterator[Database]:
    """Return a database without any tables."""
    with created_database(server, "template0") as database:
        yield database


@pytest.fixture
def migrated(server, template) -> Iterator[Database]:
    with created_database(server, template) as database:
        yield database


@pytest.fixture
def superuser(server, migrated) -> Iterator[psycopg.Connection]:
    with psycopg.connect(make_conninfo(server, dbname=migrated.url.database)) as connection:
        yield connection


@pytest.fixture
def file(migrated, tmp_path) -> Path:
    """Return a backup of the database, to which a row was added after the backup."""
    path = tmp_path / "all.backup"
    back_up(migrated, path, force=False)
    with migrated.connect() as connection:
        connection.execute("INSERT INTO ended_sessions (session_id) VALUES (1)")
    return path


def variables(database: Database) -> dict[str, str]:
    url = database.url.render_as_string(hide_password=False)
    return {"DATABASE_URL": url, "SECRET_KEY": "k" * 48}


def restore_command(database: Database, file: Path, *options: str) -> list[str]:
    name = str(database.url.database)
    return ["restore", str(file), "--yes", name, "--programs", str(database.programs), *options]


def contents_of(database: Database) -> dict[str, list[str]]:
    with database.connect() as connection:
        return contents(connection)


@dataclass
class Writes:
    """The writes that a server acknowledged to continuous writers, and their times."""

    acknowledged: dict[str, float] = field(default_factory=dict)
    statuses: set[int] = field(default_factory=set)

    def write(self, server: str, headers: dict[str, str], stop: threading.Event) -> None:
        with httpx2.Client(base_url=server, headers=headers, timeout=PATIENCE) as client:
            while not stop.is_set():
                title = secrets.token_hex(8)
                status = client.post("/todos", json={"title": title}).status_code
                self.statuses.add(status)
                if status == 201:
                    self.acknowledged[title] = time.monotonic()

    def wait_for_more(self) -> None:
        """Wait until 20 more writes are acknowledged."""
        wanted = len(self.acknowledged) + 20
        deadline = time.monotonic() + PATIENCE
        while len(self.acknowledged) < wanted:
            assert time.monotonic() < deadline, self.statuses
            time.sleep(0.05)


@contextmanager
def writing(server: str, headers: dict[str, str]) -> Iterator[Writes]:
    writes, stop = Writes(), threading.Event()
    threads = [
        threading.Thread(target=writes.write, args=(server, headers, stop)) for _ in range(WRITERS)
    ]
    for thread in threads:
        thread.start()
    try:
        writes.wait_for_more()
        yield writes
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def authorization(server: str) -> dict[str, str]:
    with httpx2.Client(base_url=server, timeout=PATIENCE) as client:
        log_in(client)
        return {"Authorization": client.headers["Authorization"]}


def titles(database: Database) -> set[str]:
    with database.connect() as connection:
        return {title for (title,) in connection.execute("SELECT title FROM todos")}


def wait_for_listeners(database: Database, number: int) -> None:
    """Wait until this number of server workers hold the lock, which each takes after its start."""
    holding = (
        "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
        " WHERE locktype = 'advisory' AND granted AND application_name = %s"
    )
    deadline = time.monotonic() + PATIENCE
    with database.connect() as connection:
        while connection.execute(holding, [HOLDING]).fetchone() != (number,):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_restore_is_refused_while_servers_and_workers_run(database, tmp_path):
    file, env = tmp_path / "all.backup", variables(database)
    with serving(tmp_path / "server", "--workers", "2", **env) as server:
        headers = authorization(server.url)
        back_up(database, file, force=False)
        with working(tmp_path / "worker", **env), writing(server.url, headers) as writes:
            wait_for_listeners(database, 2)
            refused = call(tmp_path, *restore_command(database, file), **env)
            writes.wait_for_more()
    message = " ".join(refused.stderr.split())
    stored = titles(database)
    # The killed processes hold no lock.
    restored = call(tmp_path, *restore_command(database, file), **env)

    assert refused.returncode == 1
    assert "The database is in use. Nothing was changed." in message
    assert "disconnect them with --force: " in message
    assert message.count(f"{HOLDING} (local, process ") == 2
    assert "fast_zero jobs (local, process " in message
    assert writes.statuses == {201}
    assert writes.acknowledged.keys() <= stored
    assert restored.returncode == 0, restored.stderr
    assert titles(database) == set()


def test_servers_continue_with_the_restored_data_after_a_forced_restore(database, tmp_path):
    file, env = tmp_path / "all.backup", variables(database)
    with serving(tmp_path / "server", "--workers", "2", **env) as server:
        headers = authorization(server.url)
        back_up(database, file, force=False)
        with writing(server.url, headers) as writes:
            result = run(tmp_path, *restore_command(database, file, "--force"), **env)
            ended = time.monotonic()
            writes.wait_for_more()
        stored = titles(database)

    assert result.returncode == 0, result.stderr
    assert writes.statuses <= {201, 503}
    lost_at = [moment for title, moment in writes.acknowledged.items() if title not in stored]
    kept_at = [moment for title, moment in writes.acknowledged.items() if title in stored]
    assert lost_at  # the writes after the backup
    # No write that was acknowledged during or after the restore is lost.
    assert max(lost_at) < min(kept_at)
    assert max(lost_at) < ended < max(kept_at)


def write_stalling_restore(folder: Path) -> Path:
    """Create a `pg_restore` that stops in the middle of its output."""
    folder.mkdir()
    real = shlex.quote(f"{PROGRAMS}/pg_restore")
    shim = folder / "pg_restore"
    shim.write_text(
        f'#!/bin/sh\ncase "$*" in *--table=*) exec {real} "$@";; esac\n'
        f"{real} \"$@\" | sed -n '/^COPY public.todos /q;p'\n"
        "yes -- '-- fills every buffer on its way' | head -c 300000\n"
        f"touch {shlex.quote(str(folder / 'stalled'))}\nexec sleep {PATIENCE}\n"
    )
    shim.chmod(0o755)
    (folder / "pg_dump").symlink_to(f"{PROGRAMS}/pg_dump")
    return folder


def kill_all_of(process: subprocess.Popen) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.parametrize("victim", ["fast-zero", "pg_restore"])
def test_a_killed_restore_changes_nothing_and_leaves_no_lock(migrated, file, tmp_path, victim):
    programs = write_stalling_restore(tmp_path / "programs")
    before = contents_of(migrated)
    command = restore_command(migrated._replace(programs=programs), file)
    with ExitStack() as stack:
        process = stack.enter_context(
            subprocess.Popen(
                [*PROGRAM, *command],
                env=environment(tmp_path, **variables(migrated)),
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        )
        stack.callback(kill_all_of, process)
        wait_for((programs / "stalled").exists)
        with migrated.connect() as connection, pytest.raises(psycopg.errors.LockNotAvailable):
            connection.execute("SET lock_timeout = 1; SELECT FROM todos")  # the restore is running
        if victim == "fast-zero":
            process.kill()
        else:
            [child] = psutil.Process(process.pid).children()
            child.kill()
            assert process.wait(PATIENCE) == 1
            assert b"Nothing was changed." in process.stderr.read().replace(b"\n", b" ")
        assert contents_of(migrated) == before  # waits for locks of the killed processes

    restore.restore(migrated, file, force=False)
    assert contents_of(migrated) != before


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_restore_empties_the_log_of_changes_and_begins_another_epoch(migrated, tmp_path):
    write = """
INSERT INTO users (username, email, password_hash) VALUES ('ana', 'ana@example.com', '');
INSERT INTO labels (owner_id, name) SELECT id, 'green' FROM users;
UPDATE change_log SET kept_since = now()
"""
    log = "SELECT epoch, kept_since, (SELECT count(*) FROM changes) FROM change_log"
    file = tmp_path / "all.backup"
    with migrated.connect() as connection:
        connection.execute(write)
        [before] = connection.execute(log).fetchall()
    back_up(migrated, file, force=False)

    restore.restore(migrated, file, force=False)

    with migrated.connect() as connection:
        [after] = connection.execute(log).fetchall()
        assert connection.execute("SELECT name FROM labels").fetchall() == [("green",)]
        connection.execute("UPDATE labels SET name = 'red'")
        assert connection.execute("SELECT count(*) FROM changes").fetchone() == (1,)
    assert before[1:] == (before[1], 1)
    assert after[1:] == (None, 0)
    assert after[0] != before[0]


def test_a_session_that_may_have_written_prevents_a_restore(migrated, file):
    """A server that is about to reconnect does not hold the lock."""
    with psycopg.connect(conninfo(migrated.url), application_name="fast_zero"):
        with pytest.raises(StartError, match=r"Nothing was changed\.[^\n]*\n  fast_zero \(local"):
            restore.restore(migrated, file, force=False)

        assert contents_of(migrated)["ended_sessions"]
        restore.restore(migrated, file, force=True)
    assert contents_of(migrated)["ended_sessions"] == []


@pytest.mark.parametrize("force", [False, True])
def test_a_session_that_locks_a_table_and_cannot_be_ended_is_named(
    migrated, file, superuser, monkeypatch, force
):
    monkeypatch.setattr(restore, "LOCK_SECONDS", 0)
    superuser.execute("LOCK TABLE todos")

    with pytest.raises(
        StartError, match=f"in use.*\n.*process {superuser.info.backend_pid}\\)"
    ) as caught:
        restore.restore(migrated, file, force=force)

    assert ("could not be disconnected" in str(caught.value)) == force
    superuser.rollback()
    assert contents_of(migrated)["ended_sessions"]


def test_processes_that_start_during_a_restore_wait_for_its_end(migrated, tmp_path):
    env = variables(migrated)
    with migrated.connect() as connection, connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [in_use.LOCK])
        waiting = subprocess.Popen([*PROGRAM, "migrate"], env=environment(tmp_path, **env))
        refused = [
            run(tmp_path, *command, **env, DATABASE_WAIT="0")
            for command in (["serve", "--port", "0"], ["worker"], ["migrate"])
        ]
        assert waiting.poll() is None

    assert waiting.wait(PATIENCE) == 0
    for result in refused:
        assert result.returncode == 1
        assert "The restore of a backup did not end within 0 s." in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    "grant", ["ALTER ROLE {} SUPERUSER", "GRANT pg_execute_server_program TO {}"]
)
def test_a_privileged_role_restores_only_trusted_backups(
    migrated, file, superuser, tmp_path, grant
):
    superuser.execute(grant.format(ROLE))
    superuser.commit()
    env = variables(migrated)
    try:
        refused = call(tmp_path, *restore_command(migrated, file), **env)
        result = call(
            tmp_path,
            *restore_command(migrated, file, "--allow-server-programs"),
            **env,
        )
    finally:
        superuser.execute(f"ALTER ROLE {ROLE} NOSUPERUSER")
        superuser.execute(f"REVOKE pg_execute_server_program FROM {ROLE}")
        superuser.commit()

    assert refused.returncode == 1
    assert f"The role {ROLE} may run programs" in " ".join(refused.stderr.split())
    assert result.returncode == 0, result.stderr


def crafted(database: Database, file: Path, sql: str) -> Path:
    """Create a backup that contains this SQL between its own statements."""
    padding = "A" * 400
    with database.connect() as connection:
        connection.execute(f"CREATE VIEW crafted AS SELECT '{padding}'::text AS text")
        back_up(database, file, force=True)
        connection.execute("DROP VIEW crafted")
    inserted = f"'::text AS text;\n{sql}\nSELECT '".encode()
    content = file.read_bytes()
    assert content.count(padding.encode()) == 1
    file.write_bytes(content.replace(padding.encode(), inserted.ljust(len(padding))))
    return file


@pytest.mark.parametrize("sql", ["COPY (SELECT 1) TO PROGRAM 'touch {}';", "\\! touch {}"])
def test_a_crafted_backup_runs_no_program(migrated, file, tmp_path, sql):
    programs, created_file = tmp_path / "programs", tmp_path / "mark"
    programs.mkdir()
    shim = programs / "pg_restore"  # behaves like a release before the fix of CVE-2025-8714
    real = shlex.quote(f"{PROGRAMS}/pg_restore")
    shim.write_text(f"#!/bin/sh\n{real} \"$@\" | grep -v -e '^.restrict ' -e '^.unrestrict '\n")
    shim.chmod(0o755)
    crafted(migrated, file, sql.format(created_file))
    before = contents_of(migrated)

    with pytest.raises(StartError, match=r"The restore failed: .*\. Nothing was changed\."):
        restore.restore(migrated._replace(programs=programs), file, force=False)

    assert not created_file.exists()
    assert contents_of(migrated) == before
