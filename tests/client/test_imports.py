"""`fast-zero import`, and back with `export`."""

import json

import pytest

from tests.terminals import answering

CSV = "title,labels\nBake,oven\nKnead,\n"


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "todos.csv"
    file.write_text(CSV)
    return file


def titles(person) -> list[str]:
    return [line.split("\t")[-1] for line in person.ok("list", "--sort", "title").splitlines()]


def test_a_file_is_imported_once_and_can_be_undone(person, file):
    result = person.call("import", str(file))

    assert result.returncode == 0, result.stderr
    assert "Imported 2 todos. Imported before: 0." in result.stderr
    assert titles(person) == ["Bake", "Knead"]
    again = person.json("import", str(file))
    assert (again["status"], again["created"], again["found"]) == ("done", 0, 2)
    person.ok("undo")
    assert titles(person) == []


def test_a_dry_run_changes_nothing(person, file):
    result = person.call("import", str(file), "--dry-run")

    assert (result.returncode, "Would import 2 todos." in result.stderr) == (0, True)
    assert titles(person) == []


def test_mistakes_are_shown_line_by_line_and_nothing_is_imported(person, file):
    file.write_text("title,due_on\nBake,2026-12-04\nKnead,soon\n")
    result = person.call("import", str(file))

    assert result.returncode == 1
    assert "\t3\t" in result.stdout
    assert "error: Nothing was imported: " in result.stderr
    assert titles(person) == []


def test_a_terminal_shows_the_progress_and_the_result(person, file):
    shown = person.at_terminal("import", str(file))

    assert "Importing…" in shown
    assert "Imported 2 todos." in shown


@pytest.mark.parametrize(
    ("name", "message"),
    [("missing.csv", "Cannot read "), ("todos.xlsx", "Give --format: csv, todoist_csv, ")],
)
def test_a_file_that_cannot_be_sent_is_refused(person, tmp_path, name, message):
    result = person.call("import", str(tmp_path / name))

    assert (result.returncode, message in result.stderr) == (1, True)


def test_the_format_can_be_given(person, tmp_path):
    file = tmp_path / "todos.txt"
    file.write_text(CSV)
    person.ok("import", str(file), "--format", "csv")

    assert titles(person) == ["Bake", "Knead"]


@pytest.mark.parametrize("ending", ["csv", "ics"])
def test_what_is_exported_can_be_imported(person, tmp_path, ending):
    person.create(title="Pão", due_on="2026-12-04", labels=["forno"])
    file = tmp_path / f"todos.{ending}"
    person.ok("export", str(file))
    content = file.read_text(encoding="utf-8-sig")
    assert content.startswith("BEGIN:VCALENDAR" if ending == "ics" else "key,title")

    person.ok("import", str(file))
    listed = person.json("list", "-q", "pão")
    assert {todo["due_on"] for todo in listed} == {"2026-12-04"}


def test_a_failed_import_is_reported_while_it_is_waited_for(person, file):
    begun = {
        "id": 1,
        "status": "running",
        "total": None,
        "processed": 0,
        "dry_run": False,
        "created": 0,
        "found": 0,
        "losses": 0,
        "report": [],
        "error": None,
    }
    failed = begun | {"status": "failed", "error": "It took too long."}
    answers = iter([(202, begun), (200, begun), (200, failed)])

    def answer(*_arguments):
        status, body = next(answers)
        return status, {}, json.dumps(body).encode()

    with answering(answer) as url:
        person.login_file.write_text(json.dumps(person.stored | {"url": url}))
        result = person.call("import", str(file))

    assert result.returncode == 1
    assert result.stderr.endswith("error: It took too long.\n")
