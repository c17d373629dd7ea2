"""Completion of projects and labels, as the shells ask for it."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.terminals import answering


def complete(person, *typed: str, shell: str = "bash", **variables: str) -> list[str]:
    """Return the completions of the last word."""
    words = ["fast-zero", *typed]
    asked = {
        "bash": {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1)},
        "zsh": {"_TYPER_COMPLETE_ARGS": " ".join(words)},
        "fish": {
            "_TYPER_COMPLETE_ARGS": " ".join(words),
            "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        },
    }[shell]
    result = person.call(_FAST_ZERO_COMPLETE=f"complete_{shell}", **asked, **variables)
    assert result.stderr == ""
    return result.stdout.strip().splitlines()


@pytest.fixture
def named(person):
    """Return a person with two projects and three labels."""
    with person.http() as http:
        for name in ("Pão caseiro", "Garden"):
            http.post("/projects", json={"name": name}).raise_for_status()
    person.create(title="Bake", labels=["errands", "evening", "Eve", "to go"])
    return person


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_projects_and_labels_are_completed(named, shell):
    shown = "\n".join(complete(named, "list", "--label", "e", shell=shell))
    assert re.findall(r"errands|evening|Eve\b|to go", shown) == ["errands", "evening"]
    shown = "\n".join(complete(named, "edit", "1", "-p", "Pã", shell=shell))
    assert "Pão" in shown
    assert "Garden" not in shown


def test_bash_gets_spaces_escaped_unless_they_are_quoted(named):
    assert complete(named, "list", "-p", "P") == ["Pão\\ caseiro"]
    assert complete(named, "list", "-p", '"Pão c') == ["Pão caseiro"]


def test_words_of_a_todo_are_completed(named):
    assert complete(named, "add", "'Water #Gar") == ["Water #Garden"]
    assert complete(named, "add", "'Buy bread @e") == ["Buy bread @errands", "Buy bread @evening"]
    assert complete(named, "add", '"Knead #P') == ["Knead #Pão caseiro"]
    assert complete(named, "add", "'Walk @t") == []
    assert complete(named, "add", "Buy", "@", "err") == ["errands"]  # bash splits at @
    for other in ("a@e", "Buy", "@nothing"):
        assert complete(named, "add", other) == []


def test_names_that_a_shell_would_interpret_are_not_offered(person):
    dangerous = ["$(touch x)", "\\$(touch x)", "`id`", "a;b", "a'b", 'a"b', "a&b", "-rf", "~x", "*"]
    for name in dangerous:
        with person.http() as http:
            http.post("/projects", json={"name": name}).raise_for_status()
    for shell in ("bash", "zsh", "fish"):
        shown = "\n".join(complete(person, "list", "-p", "", shell=shell))
        assert not [name for name in dangerous if name in shown]


def test_names_are_asked_for_once_a_minute_and_kept_private(named):
    first = complete(named, "list", "-l", "")
    file = named.home / "fast-zero/names.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    named.create(title="x", labels=["new"])
    assert complete(named, "list", "-l", "") == first

    stored = json.loads(file.read_text())
    file.write_text(json.dumps(stored | {"at": stored["at"] - 61}))
    assert "new" in complete(named, "list", "-l", "")
    file.write_text("broken")
    assert "new" in complete(named, "list", "-l", "")
    stored = json.loads(file.read_text())
    file.write_text(json.dumps(stored | {"url": "https://another.example", "labels": ["foreign"]}))
    assert "foreign" not in complete(named, "list", "-l", "")


def test_completion_says_nothing_when_something_is_wrong(newcomer):
    assert complete(newcomer, "list", "-p", "") == []  # not logged in
    newcomer.log_in()
    stored = newcomer.stored
    with answering(lambda *_: None) as url:
        newcomer.login_file.write_text(json.dumps(stored | {"url": url}))
        assert complete(newcomer, "list", "-p", "") == []
    with answering(lambda *_: (200, {}, b'{"projects": 1}')) as url:
        newcomer.login_file.write_text(json.dumps(stored | {"url": url}))
        assert complete(newcomer, "list", "-p", "") == []
    newcomer.login_file.chmod(0o644)
    assert complete(newcomer, "list", "-p", "") == []


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_bash_itself_completes(named, tmp_path):
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    variables = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    script = named.call("--show-completion", "bash", **variables).stdout
    asked = (
        f"{script}\nCOMP_WORDS=(fast-zero list --project P); COMP_CWORD=3\n"
        f"_fast_zero_completion fast-zero\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
    )
    result = subprocess.run(
        ["bash", "--norc"],
        input=asked,
        env=os.environ | named.variables | {"PATH": programs},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.stdout, result.stderr) == ("Pão\\ caseiro\n", "")
