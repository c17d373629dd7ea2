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
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"


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
def written(tmp_path_factory):
    """Return the folder of an embedded database with an account and some todos."""
    data = clusters.copy_to(tmp_path_factory.mktemp("written") / "data")
    with serving(data) as server, httpx2.Client(base_url=server.url, timeout=PATIENCE) as client:
        log_in(client)
        for number in range(5):
            client.post("/todos", json={"title": f"todo {number} \t\\ ação"})
    return data


@pytest.fixture
def data(written, tmp_path):
    """Return a copy of it that is in use, so that no command has to start its database."""
    data = tmp_path / "data"
    subprocess.run(["cp", "--archive", written, data], check=True)  # its owner is another account
    with embedded.running(data):
        yield data


def log_in(client: httpx2.Client) -> None:
    client.post("/users", json=ACCOUNT)
    form = {"username": ACCOUNT["email"], "password": ACCOUNT["password"]}
    token = client.post("/auth/token", data=form).json()["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"


def restore(data_dir: Path, *words: str) -> subprocess.CompletedProcess:
    return call(data_dir, "restore", *words)


def test_a_restore_is_identical_to_the_backup(data, tmp_path):
    file, other = tmp_path / "all.backup", tmp_path / "other"
    backed_up = run(data, "backup", str(file))
    restored = run(other, "restore", str(file))
    again = call(other, "backup", str(tmp_path / "again.backup"))
    twice = restore(other, str(tmp_path / "again.backup"), "--yes", "postgres")

    for done in (backed_up, restored, again, twice):
        assert done.returncode == 0, done.stderr
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
        made = httpx2.post(
            f"{server.url}/users", json=ACCOUNT | {"username": "another", "email": "b@example.com"}
        )

    assert made.json()["id"] > 1_000_000


def test_a_backup_is_a_consistent_snapshot_during_writes(tmp_path):
    with own_database() as database:
        variables = {"DATABASE_URL": database.url, "SECRET_KEY": "k" * 48}
        with (
            serving(database.folder.parent / "server", **variables) as server,
            httpx2.Client(base_url=server.url, timeout=PATIENCE) as client,
        ):
            log_in(client)
            stop, written = threading.Event(), []

            def write() -> None:
                while not stop.is_set():
                    body = {"items": [{"op": "create", "title": "pair"}] * 2}
                    written.append(client.post("/todos/batch", json=body).status_code)

            writer = threading.Thread(target=write)
            writer.start()
            while len(written) < 5:
                time.sleep(0.01)
            before = len(written)
            file = tmp_path / "all.backup"
            done = call(tmp_path, "backup", str(file), "--programs", PROGRAMS, **variables)
            stop.set()
            writer.join()
        assert done.returncode == 0, done.stderr
        restored = restore(tmp_path / "copy", str(file))

    assert restored.returncode == 0, restored.stderr
    assert set(written) == {200}
    todos = contents_of(tmp_path / "copy")["todos"]
    assert 2 * before <= len(todos) <= 2 * len(written)
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


def test_a_link_in_the_place_of_a_backup_is_not_followed(tmp_path):
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
    """As in a network folder that maps root to nobody."""
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)

    with pytest.raises(StartError, match="belongs to another account"):
        back_up(with_dump(tmp_path / "programs", ""), tmp_path / "all.backup", force=False)

    assert [path.name for path in tmp_path.iterdir()] == ["programs"]


def test_the_leftovers_of_a_killed_backup_do_not_prevent_another(tmp_path):
    dying = with_dump(tmp_path / "dying", "kill -9 $PPID")
    file = tmp_path / "all.backup"
    code = f"""if True:
        from pathlib import Path
        from sqlalchemy import make_url
        from fast_zero.operations.backup import Database, back_up
        database = Database(make_url({str(dying.url)!r}), Path({str(dying.programs)!r}))
        back_up(database, Path({str(file)!r}), force=False)
    """
    killed = subprocess.run([sys.executable, "-c", code], check=False)

    assert killed.returncode == -signal.SIGKILL
    assert not file.exists()
    back_up(with_dump(tmp_path / "programs", ""), file, force=False)
    assert file.read_text() == "PGDMP"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda file: file.write_bytes(file.read_bytes()[:-2000]), ""),
        (lambda file: file.write_text("no backup at all"), "was not written by `fast-zero backup`"),
        (lambda file: file.unlink(), "No such file or directory"),
    ],
    ids=["cut off", "something else", "not there"],
)
def test_an_incomplete_backup_changes_nothing(data, tmp_path, spoil, said):
    file = tmp_path / "all.backup"
    call(data, "backup", str(file))
    spoil(file)
    before = contents_of(data)

    done = restore(data, str(file), "--yes", "postgres")

    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert said in " ".join(done.stderr.split())
    assert contents_of(data) == before


def test_a_database_that_is_in_use_is_replaced_only_by_its_name(data, tmp_path):
    file = tmp_path / "all.backup"
    call(data, "backup", str(file))
    before = contents_of(data)

    for words in ([], ["--yes", "another"]):
        refused = restore(data, str(file), *words)
        assert refused.returncode == 1
        assert "Nothing was changed. Confirm with --yes postgres." in refused.stderr
    words = ("restore", str(file))
    shown = on_a_terminal(data, *words, typed="postgres\n", measured=True)

    assert "Everything in the database" in shown
    assert "Restored" in shown
    assert contents_of(data) == before


def test_a_backup_of_a_newer_release_is_refused(data, tmp_path):
    file = tmp_path / "all.backup"
    with embedded.running(data) as url, psycopg.connect(conninfo(url)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    call(data, "backup", str(file))

    done = restore(tmp_path / "other", str(file))

    assert done.returncode == 1
    assert "has the revision 9999, and this release knows none after" in " ".join(
        done.stderr.split()
    )


def test_missing_or_outdated_programs_are_reported(tmp_path):
    old = tmp_path / "old"
    old.mkdir()
    (old / "pg_dump").write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 15.1'\n")
    (old / "pg_dump").chmod(0o755)
    with own_database() as database:
        variables = {"DATABASE_URL": database.url, "SECRET_KEY": "k" * 48}
        for folder in (old, tmp_path / "nowhere"):
            file = tmp_path / "all.backup"
            done = call(tmp_path, "backup", str(file), "--programs", str(folder), **variables)
            assert done.returncode == 1
            assert "there is no pg_dump of 18 or later" in " ".join(done.stderr.split())
            assert not file.exists()


def test_a_password_is_on_no_command_line(tmp_path):
    seen = tmp_path / "seen"
    spy = tmp_path / "spy"
    spy.mkdir()
    for name in ("pg_dump", "pg_restore", "psql"):
        (spy / name).write_text(
            f'#!/bin/sh\necho "$@" >> "{seen}"\nexec "{PROGRAMS}/{name}" "$@"\n'
        )
        (spy / name).chmod(0o755)
    with own_database() as database:
        words = {
            "DATABASE_URL": database.url,
            "DATABASE_PASSWORD": "s3cr3t",
            "SECRET_KEY": "k" * 48,
        }
        done = call(tmp_path, "backup", str(tmp_path / "b"), "--programs", str(spy), **words)

    assert done.returncode == 0, done.stderr
    assert "s3cr3t" not in seen.read_text() + done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder_is_reported(data, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    done = call(data, "backup", str(closed / "all.backup"))

    assert done.returncode == 1
    assert "Cannot write" in done.stderr


def test_a_missing_folder_is_reported(data, tmp_path):
    done = call(data, "backup", str(tmp_path / "nowhere" / "all.backup"))

    assert done.returncode == 1
    assert "No such file or directory" in done.stderr
