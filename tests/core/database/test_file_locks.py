"""File locks: private, and with a timeout."""

import fcntl
import os
import stat
import threading

import pytest

from fast_zero.core.database import embedded
from fast_zero.core.database.embedded import file_locks
from fast_zero.core.errors import StartError


@pytest.fixture
def open_umask():
    """Set a umask of 0, so that files get exactly the requested mode."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_lock_files_are_private_even_if_an_earlier_release_created_them(tmp_path, open_umask):
    (tmp_path / "lock").touch(mode=0o644)

    with embedded.running(tmp_path):
        modes = {
            name: stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("lock", "in-use")
        }

    assert modes == {"lock": 0o600, "in-use": 0o600}


def test_a_symbolic_link_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").touch(mode=0o644)
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OSError, match="symbolic links"), file_locks.held(tmp_path / "lock"):
        pass


@pytest.mark.parametrize("name", ["lock", "in-use"])
def test_waiting_for_a_held_lock_times_out_with_its_name(tmp_path, monkeypatch, caplog, name):
    monkeypatch.setattr(file_locks, "WAIT_SECONDS", 0.2)
    monkeypatch.setattr(file_locks, "NOTICE_SECONDS", 0.1)
    (tmp_path / name).touch()

    with (tmp_path / name).open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with (
            pytest.raises(
                StartError, match=rf"held the lock on .*/{name} for .* `fuser -v .*{name}`"
            ),
            embedded.running(tmp_path),
        ):
            pass

    notices = [line for line in caplog.messages if line.startswith("Waiting for another process")]
    assert len(notices) == 1
    assert name in notices[0]


def test_a_process_that_cannot_get_the_lock_still_exits(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(file_locks, "WAIT_SECONDS", 0.2)
    with embedded.running(tmp_path):
        held = (tmp_path / "lock").open()
        fcntl.flock(held, fcntl.LOCK_EX)
    held.close()

    assert "The embedded PostgreSQL was not stopped: Another process has held" in caplog.text
    with embedded.running(tmp_path):
        """The server stops at the end of the block."""


def test_a_released_lock_is_acquired(tmp_path):
    released = threading.Event()

    def hold() -> None:
        with file_locks.held(tmp_path / "lock"):
            held.set()
            released.wait(60)

    held = threading.Event()
    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(60)
    with file_locks.opened(tmp_path / "lock") as file:
        assert not file_locks.try_acquire(file, fcntl.LOCK_EX)
        released.set()
        file_locks.acquire(file, fcntl.LOCK_EX)
        assert not holder.is_alive() or holder.join(60) is None
