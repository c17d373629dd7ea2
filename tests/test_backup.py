"""`fast-zero backup` and `restore`, with PostgreSQL's own programs."""

import os
import shlex
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx2
import psycopg
import pytest
from sqlalchemy import make_url

from fast_zero.core.database import conninfo, embedded
from fast_zero.core.database.embedded import programs
from fast_zero.core.errors import StartError
from fast_zero.operations.backup import Database, back_up
from tests import clusters
from tests.chaos import own_database
from tests.processes import PATIENCE, call, on_a_terminal, run, serving

ACCOUNT = {"username": "ana", "email": "ana@example.com", "password": "a fine long sentence"}
PROGRAMS = str(programs.find())
# Without the log of changes, which a restore empties.
TABLES = """
SELECT tablename FROM pg_tables
WHERE schemaname = 'public' AND tablename NOT LIKE 'change%' ORDER BY 1
"""


def contents(connection: psycopg.Connection) -> dict[str, list[str]]:
    """Return every row of every table, as text."""
    return {
        table: [
            row
            for (row,) in connection.execute(
                f"SELECT t::text FROM {table} AS t ORDER BY 1".encode()
            )
        ]
        for (table,) in connection.execute(TABLES)
    }


def contents_of(data_dir: Path) -> dict[str, list[str]]:
    with embedded.running(data_dir) as url, psycopg.connect(conninfo(url)) as connection:
        return contents(connection)


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """Return the folder of an embedded database with an account and some todos."""
    data = clusters.copy_to(tmp_path_factory.mktemp("written") / "data")
    with serving(data) as server, httpx2.Client(base_url=server.url, timeout=PATIENCE) as client:
        log_in(client)
        for number in range(5):
            client.post("/todos", json={"title": f"todo {number} \t\\ ação"})
    return data


@pytest.fixture
def data(filled, tmp_path):
    """Return a copy of `filled` that is in use, so that no command has to start its database."""
    data = tmp_path / "data"
    subprocess.run(["cp", "--archive", filled, data], check=True)  # its owner is another account
    with embedded.running(data):
        yield data


def log_in(client: httpx2.Client) -> None:
    client.post("/users", json=ACCOUNT)
    form = {"username": ACCOUNT["email"], "password": ACCOUNT["password"]}
    token = client.post("/auth/token", data=form).json()["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"


def restore(data_dir: Path, *arguments: str) -> subprocess.CompletedProcess:
    return call(data_dir, "restore", *arguments)


def test_a_restore_is_identical_to_the_backup(data, tmp_path):
    file, other = tmp_path / "all.backup", tmp_path / "other"
    backed_up = run(data, "backup", str(file))
    restored = run(other, "restore", str(file))
    backed_up_again = call(other, "backup", str(tmp_path / "again.backup"))
    restored_again = restore(other, str(tmp_path / "again.backup"), "--yes", "postgres")

    for result in (backed_up, restored, backed_up_again, restored_again):
        assert result.returncode == 0, result.stderr
    before = contents_of(data)
    assert len(before) > 10
    assert len(before["todos"]) == 5
    assert contents_of(other) == before
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert f"{file.stat().st_size:,} bytes" in backed_up.stderr.replace("\n", "")
    assert [path.name for path in tmp_path.glob(".*.part")] == []
    with serving(other) as server:
        form = {"username": ACCOUNT["email"], "password": ACCOUNT["password"]}
        assert httpx2.post(f"{server.url}/auth/token", data=form).status_code == 200


def test_ids_assigned_after_the_backup_are_not_reused(data, tmp_path):
    file = tmp_path / "all.backup"
    call(data, "backup", str(file))
    restore(data, str(file), "--yes", "postgres")
    with serving(data) as server:
        response = httpx2.post(
            f"{server.url}/users", json=ACCOUNT | {"username": "another", "email": "b@example.com"}
        )

    assert response.json()["id"] > 1_000_000


def test_a_backup_is_a_consistent_snapshot_during_writes(tmp_path):
    with own_database() as database:
        variables = {"DATABASE_URL": database.url, "SECRET_KEY": "k" * 48}
        with (
            serving(database.folder.parent / "server", **variables) as server,
            httpx2.Client(base_url=server.url, timeout=PATIENCE) as client,
        ):
            log_in(client)
            stop, statuses = threading.Event(), []

            def write() -> None:
                while not stop.is_set():
                    body = {"items": [{"op": "create", "title": "pair"}] * 2}
                    statuses.append(client.post("/todos/batch", json=body).status_code)

            writer = threading.Thread(target=write)
            writer.start()
            while len(statuses) < 5:
                time.sleep(0.01)
            before = len(statuses)
            file = tmp_path / "all.backup"
            result = call(tmp_path, "backup", str(file), "--programs", PROGRAMS, **variables)
            stop.set()
            writer.join()
        assert result.returncode == 0, result.stderr
        restored = restore(tmp_path / "copy", str(file))

    assert restored.returncode == 0, restored.stderr
    assert set(statuses) == {200}
    todos = contents_of(tmp_path / "copy")["todos"]
    assert 2 * before <= len(todos) <= 2 * len(statuses)
    assert len(todos) % 2 == 0  # no partial batch


def test_a_backup_overwrites_a_file_only_on_request(data, tmp_path):
    file = tmp_path / "all.backup"
    file.write_text("precious")

    refused = call(data, "backup", str(file))
    assert refused.returncode == 1
    assert "Choose another name, or replace it with --force." in refused.stderr.replace("\n", " ")
    assert file.read_text() == "precious"

    assert call(data, "backup", str(file), "--force").returncode == 0
    assert file.read_bytes().startswith(b"PGDMP")


def with_dump(folder: Path, script: str) -> Database:
    """Return an unused database, and a `pg_dump` that runs a script."""
    folder.mkdir()
    (folder / "pg_dump").write_text(f"#!/bin/sh\nprintf PGDMP > /dev/stdout\n{script}\n")
    (folder / "pg_dump").chmod(0o755)
    return Database(make_url("postgresql://ana@nowhere/todos"), folder)


def test_a_symbolic_link_in_the_place_of_a_backup_is_not_followed(tmp_path):
    database = with_dump(tmp_path / "programs", "")
    file, elsewhere = tmp_path / "all.backup", tmp_path / "elsewhere"
    file.symlink_to(elsewhere)

    with pytest.raises(StartError, match="exists"):
        back_up(database, file, force=False)
    assert file.is_symlink()

    assert back_up(database, file, force=True) == len("PGDMP")
    assert not elsewhere.exists()
    assert stat.S_IMODE(file.lstat().st_mode) == 0o600


def test_files_of_others_in_a_shared_folder_are_not_used(tmp_path):
    shared = tmp_path / "shared folder"
    shared.mkdir()
    exchange = 'for part in .*.part; do mv "$part" "$part.ours"; echo theirs > "$part"; done'
    script = f"cd {shlex.quote(str(shared))} && {exchange}"
    database = with_dump(tmp_path / "programs", script)

    with pytest.raises(StartError, match="Choose a folder that only you can write to"):
        back_up(database, shared / "all.backup", force=False)

    [ours] = shared.iterdir()
    assert ours.read_text() == "PGDMP"
    assert stat.S_IMODE(ours.stat().st_mode) == 0o600


def test_a_backup_that_belongs_to_another_account_is_refused(tmp_path, monkeypatch):
    """This happens in a network folder that maps root to nobody."""
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)

    with pytest.raises(StartError, match="belongs to another account"):
        back_up(with_dump(tmp_path / "programs", ""), tmp_path / "all.backup", force=False)

    assert [path.name for path in tmp_path.iterdir()] == ["programs"]


def test_the_leftovers_of_a_killed_backup_do_not_prevent_another(tmp_path):
    killing = with_dump(tmp_path / "dying", "kill -9 $PPID")
    file = tmp_path / "all.backup"
    code = f"""if True:
        from pathlib import Path
        from sqlalchemy import make_url
        from fast_zero.operations.backup import Database, back_up
        database = Database(make_url({str(killing.url)!r}), Path({str(killing.programs)!r}))
        back_up(database, Path({str(file)!r}), force=False)
    """
    killed = subprocess.run([sys.executable, "-c", code], check=False)

    assert killed.returncode == -signal.SIGKILL
    assert not file.exists()
    back_up(with_dump(tmp_path / "programs", ""), file, force=False)
    assert file.read_text() == "PGDMP"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda file: file.write_bytes(file.read_bytes()[:-2000]), ""),
        (lambda file: file.write_text("no backup at all"), "was not written by `fast-zero backup`"),
        (lambda file: file.unlink(), "No such file or directory"),
    ],
    ids=["cut off", "something else", "not there"],
)
def test_an_incomplete_backup_changes_nothing(data, tmp_path, damage, message):
    file = tmp_path / "all.backup"
    call(data, "backup", str(file))
    damage(file)
    before = contents_of(data)

    result = restore(data, str(file), "--yes", "postgres")

    assert result.returncode == 1
    assert result.stderr.startswith("error: ")
    assert message in " ".join(result.stderr.split())
    assert contents_of(data) == before


def test_a_database_with_data_is_replaced_only_if_its_name_confirms_it(data, tmp_path):
    file = tmp_path / "all.backup"
    call(data, "backup", str(file))
    before = contents_of(data)

    for options in ([], ["--yes", "another"]):
        refused = restore(data, str(file), *options)
        assert refused.returncode == 1
        assert "Nothing was changed. Confirm with --yes postgres." in refused.stderr
    command = ("restore", str(file))
    shown = on_a_terminal(data, *command, typed="postgres\n", measured=True)

    assert "Everything in the database" in shown
    assert "Restored" in shown
    assert contents_of(data) == before


def test_a_backup_of_a_newer_release_is_refused(data, tmp_path):
    file = tmp_path / "all.backup"
    with embedded.running(data) as url, psycopg.connect(conninfo(url)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    call(data, "backup", str(file))

    result = restore(tmp_path / "other", str(file))

    assert result.returncode == 1
    assert "has the revision 9999, which is newer than" in " ".join(result.stderr.split())


def test_missing_or_outdated_programs_are_reported(tmp_path):
    old = tmp_path / "old"
    old.mkdir()
    (old / "pg_dump").write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 15.1'\n")
    (old / "pg_dump").chmod(0o755)
    with own_database() as database:
        variables = {"DATABASE_URL": database.url, "SECRET_KEY": "k" * 48}
        for folder in (old, tmp_path / "nowhere"):
            file = tmp_path / "all.backup"
            result = call(tmp_path, "backup", str(file), "--programs", str(folder), **variables)
            assert result.returncode == 1
            assert "there is no pg_dump of 18 or later" in " ".join(result.stderr.split())
            assert not file.exists()


def test_a_password_is_on_no_command_line(tmp_path):
    recorded = tmp_path / "seen"
    wrappers = tmp_path / "spy"
    wrappers.mkdir()
    for name in ("pg_dump", "pg_restore", "psql"):
        (wrappers / name).write_text(
            f'#!/bin/sh\necho "$@" >> "{recorded}"\nexec "{PROGRAMS}/{name}" "$@"\n'
        )
        (wrappers / name).chmod(0o755)
    with own_database() as database:
        variables = {
            "DATABASE_URL": database.url,
            "DATABASE_PASSWORD": "s3cr3t",
            "SECRET_KEY": "k" * 48,
        }
        result = call(
            tmp_path, "backup", str(tmp_path / "b"), "--programs", str(wrappers), **variables
        )

    assert result.returncode == 0, result.stderr
    assert "s3cr3t" not in recorded.read_text() + result.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder_is_reported(data, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    result = call(data, "backup", str(closed / "all.backup"))

    assert result.returncode == 1
    assert "Cannot write" in result.stderr


def test_a_missing_folder_is_reported(data, tmp_path):
    result = call(data, "backup", str(tmp_path / "nowhere" / "all.backup"))

    assert result.returncode == 1
    assert "No such file or directory" in result.stderr
