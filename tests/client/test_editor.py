"""`fast-zero edit` in an editor: a program that changes the file."""

import json
import os
import re
import stat
import sys
from pathlib import Path

import pytest

from tests.terminals import between


@pytest.fixture
def editor(tmp_path, monkeypatch):
    """Make a Python function's body the editor: `path` is the file, `text` its content."""

    def make(body: str) -> None:
        program = tmp_path / "editor.py"
        program.write_text(
            "import os, sys, stat\nfrom pathlib import Path\npath = Path(sys.argv[1])\n"
            f"text = path.read_text()\n{body}\n"
        )
        monkeypatch.setenv("EDITOR", f"'{sys.executable}' '{program}'")

    monkeypatch.delenv("VISUAL", raising=False)
    return make


def test_what_is_edited_is_changed_and_the_rest_stays(person, editor, tmp_path):
    todo_id = person.create(
        title="Bake", description="One.\n# Two.\n", labels=["a", "b"], due_on="2026-12-04"
    )
    editor(
        f"Path({str(tmp_path / 'seen')!r}).write_text(text)\n"
        f"Path({str(tmp_path / 'mode')!r}).write_text(oct(os.stat(path.parent).st_mode))\n"
        "path.write_text(text.replace('title: Bake', 'title: Bake bread').replace('a, b', 'b'))"
    )
    shown = person.at_terminal("edit", str(todo_id))

    assert re.search(r"Changed: .*Bake bread", shown), shown
    changed = person.read(todo_id)
    assert (changed["title"], changed["labels"]) == ("Bake bread", ["b"])
    assert (changed["description"], changed["due_on"]) == ("One.\n# Two.", "2026-12-04")
    seen = (tmp_path / "seen").read_text()
    assert "due: 2026-12-04\n" in seen
    assert seen.endswith("---\nOne.\n# Two.\n")
    assert stat.S_IMODE(int((tmp_path / "mode").read_text(), 8)) == 0o700


def test_nothing_is_sent_when_nothing_is_edited(person, editor):
    todo_id = person.create(title="Bake", due_at="2026-12-04T12:34:56Z")
    editor("")

    assert person.at_terminal("edit", str(todo_id)) == "Nothing is changed.\r\n"
    assert person.read(todo_id)["version"] == 1


def test_a_mistake_can_be_corrected_in_the_editor(person, editor, tmp_path):
    todo_id = person.create(title="Bake")
    editor(
        "wrong = 'priority: huge'\n"
        "path.write_text(text.replace(wrong, 'priority: high') if wrong in text"
        " else text.replace('priority: none', wrong))"
    )
    shown = person.at_terminal("edit", str(todo_id), dialog=[("Edit again? [Y/n]", "\n")])

    assert "priority: Input should be" in shown
    assert person.read(todo_id)["priority"] == "high"


def test_the_text_is_kept_when_a_mistake_is_not_corrected(person, editor):
    todo_id = person.create(title="Bake")
    editor("path.write_text(text.replace('due:', 'due: soon'))")
    shown = person.at_terminal("edit", str(todo_id), dialog=[("Edit again? [Y/n]", "n\n")])

    kept = Path(re.search(r"Your text is in (\S+)\.\r\n", shown)[1])
    assert "due: soon" in kept.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    kept.unlink()
    assert person.read(todo_id)["version"] == 1


def meanwhile(person, todo_id: int, fields: str) -> str:
    """Return code that changes the todo as another device would."""
    return (
        "import httpx2\n"
        f"httpx2.patch('{person.url}/todos/{todo_id}', json={fields},"
        f" headers={{'Authorization': 'Bearer {person.stored['token']}'}}).raise_for_status()\n"
    )


def test_a_conflict_says_what_was_changed_and_asks(person, editor):
    todo_id = person.create(title="Bake")
    editor(
        meanwhile(person, todo_id, "{'title': 'Cook', 'labels': ['x']}")
        + "path.write_text(text.replace('title: Bake', 'title: Fry'))"
    )
    question = "Save your changes all the same? [y/N]"
    refused = person.at_terminal("edit", str(todo_id), dialog=[(question, "\n")])

    assert "title: 'Bake' is now 'Cook'; you entered 'Fry'" in refused
    assert "labels: '' is now 'x'\r\n" in refused
    kept = Path(re.search(r"Your text is in (\S+)\.\r\n", refused)[1])
    assert "title: Fry" in kept.read_text()
    kept.unlink()
    assert person.read(todo_id)["title"] == "Cook"

    editor(
        meanwhile(person, todo_id, "{'priority': 'low'}")
        + "path.write_text(text.replace('title: Cook', 'title: Fry'))"
    )
    person.at_terminal("edit", str(todo_id), dialog=[(question, "y\n")])
    assert (person.read(todo_id)["title"], person.read(todo_id)["priority"]) == ("Fry", "low")


def test_the_end_of_the_input_keeps_the_text(person, editor):
    todo_id = person.create(title="Bake")
    editor("path.write_text(text.replace('state: todo', 'state: lost'))")
    shown = person.at_terminal("edit", str(todo_id), dialog=[("Edit again? [Y/n]", "\x04")])

    kept = Path(re.search(r"Your text is in (\S+)\.\r\n", shown)[1])
    assert "state: lost" in kept.read_text()
    kept.unlink()


def test_a_second_conflict_is_asked_about_too(person, editor):
    todo_id = person.create(title="Bake")
    editor(
        meanwhile(person, todo_id, "{'priority': 'low'}")
        + "path.write_text(text.replace('title: Bake', 'title: Fry'))"
    )
    reads = []

    def change_again(request, _body, answer):
        reads.extend([1] if request.command == "GET" else [])
        if request.command == "GET" and len(reads) == 2:  # the one behind the first conflict
            with person.http() as http:
                http.patch(f"{server}/todos/{todo_id}", json={"state": "doing"})
        return answer

    server = person.url
    question = "Save your changes all the same? [y/N]"
    with between(server, change_again) as url:
        person.login_file.write_text(json.dumps(person.stored | {"url": url}))
        dialog = [(question, "y\n"), ("state: 'todo' is now 'doing'", ""), (question, "y\n")]
        person.at_terminal("edit", str(todo_id), dialog=dialog)

    changed = person.read(todo_id)
    assert (changed["title"], changed["priority"], changed["state"]) == ("Fry", "low", "doing")


def test_an_edit_whose_answer_is_lost_is_no_conflict(person, editor):
    todo_id = person.create(title="Bake")
    editor("path.write_text(text.replace('title: Bake', 'title: Fry'))")
    lost = []

    def lose_first(request, _body, answer):
        if request.command == "PATCH" and not lost:
            lost.append(answer)
            return None
        return answer

    with between(person.url, lose_first) as url:
        person.login_file.write_text(json.dumps(person.stored | {"url": url}))
        shown = person.at_terminal("edit", str(todo_id))

    assert "Changed: " in shown
    assert (len(lost), person.read(todo_id)["title"]) == (1, "Fry")


def test_a_conflict_in_what_the_form_does_not_show_is_none(person, editor):
    todo_id = person.create(title="Bake")
    editor(
        meanwhile(person, todo_id, "{'share': 'public'}")
        + "path.write_text(text.replace('title: Bake', 'title: Fry'))"
    )

    assert "Changed: " in person.at_terminal("edit", str(todo_id))
    assert (person.read(todo_id)["title"], person.read(todo_id)["share"]) == ("Fry", "public")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("no-such-editor-here", "Cannot run no-such-editor-here: "),
        ("'unclosed", "Cannot run 'unclosed: "),
        ("false", "false ended with status 1. Nothing is changed."),
        ("rm", "The edited text cannot be read. Nothing is changed."),
    ],
)
def test_an_editor_that_fails_changes_nothing(person, monkeypatch, command, message):
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setitem(os.environ, "EDITOR", command)
    todo_id = person.create(title="Bake")
    shown = person.at_terminal("edit", str(todo_id), columns=200)

    assert message in shown
    assert person.read(todo_id)["version"] == 1


def test_a_project_is_shown_by_name_and_can_be_changed(person, editor):
    with person.http() as http:
        first, second, twin = (
            http.post("/projects", json={"name": name}).json()["id"]
            for name in ("Home", "Garden", "garden")
        )
    todo_id = person.create(title="Rake", project_id=first)
    editor(
        "assert 'project: Home\\n' in text\n"
        f"path.write_text(text.replace('project: Home', 'project: {second}'))"
    )
    person.at_terminal("edit", str(todo_id))
    assert person.read(todo_id)["project_id"] == second
    editor(
        f"assert 'project: {second}\\n' in text  # {twin} has the same name\n"
        f"path.write_text(text.replace('project: {second}', 'project: none'))"
    )
    person.at_terminal("edit", str(todo_id))
    assert person.read(todo_id)["project_id"] is None
