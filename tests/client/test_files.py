"""`fast-zero export`, against a running server."""

import json
import os
import stat
import subprocess

from tests.processes import PROGRAM, environment
from tests.terminals import between


def test_all_of_the_account_is_exported(person, tmp_path):
    person.create(title="Pão")
    printed = person.call("export", "-")
    assert (printed.returncode, printed.stderr) == (0, "")
    assert [todo["title"] for todo in json.loads(printed.stdout)["todos"]] == ["Pão"]

    file = tmp_path / "account.json"
    written = person.call("export", str(file))
    assert written.stderr == f"Wrote {file}: {file.stat().st_size:,} bytes.\n"
    assert json.loads(file.read_text())["account"]["username"] == person.username
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_is_replaced_only_if_that_is_wanted(person, tmp_path):
    file = tmp_path / "account.json"
    file.write_text("mine")
    refused = person.call("export", str(file))

    assert (refused.returncode, refused.stderr) == (
        1,
        f"error: {file} exists. To replace it: --force\n",
    )
    assert file.read_text() == "mine"
    assert person.call("export", "--force", str(file)).returncode == 0
    assert "account" in json.loads(file.read_text())
    unwritable = person.call("export", str(tmp_path / "no/such/folder.json"))
    assert unwritable.stderr.startswith(f"error: Cannot write {tmp_path}/no/such/folder.json: ")


def test_an_export_that_breaks_off_leaves_no_file(person, tmp_path):
    def half(_request, _body, answer):
        status, headers, content = answer
        return status, headers | {"Content-Length": str(2 * len(content))}, content

    target = tmp_path / "exports"
    target.mkdir()
    with between(person.url, half) as url:
        person.login_file.write_text(json.dumps(person.stored | {"url": url}))
        result = person.call("export", str(target / "account.json"))

    assert result.returncode == 1
    assert result.stderr.startswith("error: The export broke off: ")
    assert list(target.iterdir()) == []


def test_a_reader_of_the_export_may_stop_early(person):
    for number in range(20):
        person.create(title=f"Todo {number}", description="x" * 20_000)
    with subprocess.Popen(
        [*PROGRAM, "export"],
        env=environment(person.home, measured=True, **person.variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        process.stdout.read(10)
        process.stdout.close()
        errors = process.stderr.read()

    assert (process.returncode, errors) == (0, b"")


def test_a_full_disk_is_reported(person):
    with open("/dev/full", "wb") as full:  # noqa: PTH123  # a device
        result = subprocess.run(
            [*PROGRAM, "export"],
            env=environment(person.home, measured=True, **person.variables),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert result.returncode == 1
    assert result.stderr == "error: Cannot write the export: No space left on device.\n"


def test_a_device_is_not_replaced(person, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    result = person.call("export", "--force", str(pipe))

    assert (result.returncode, f"{pipe} is not a file." in result.stderr) == (1, True)
    assert pipe.is_fifo()


def test_an_unknown_format_is_refused(person, tmp_path):
    assert person.call("export", str(tmp_path / "x.json"), "--format", "pdf").returncode == 2
