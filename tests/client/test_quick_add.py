"""`fast-zero add`: the words of a person."""

import json
import re

import pytest

from tests.terminals import between


@pytest.fixture(autouse=True)
def home(person) -> None:
    with person.http() as http:
        http.post("/projects", json={"name": "Casa"}).raise_for_status()


def test_the_words_of_a_person_become_a_todo(person):
    result = person.call("add", "Comprar pão amanhã 9h #Casa @mercado !alta")

    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    id_, *columns, title = result.stdout.rstrip("\n").split("\t")
    assert (columns[0], columns[1], columns[3], columns[4]) == ("todo", "high", "Casa", "mercado")
    assert title == "Comprar pão"
    todo = person.read(int(id_))
    assert (todo["title"], todo["labels"]) == ("Comprar pão", ["mercado"])
    assert todo["due_at"] is not None
    person.ok("undo")
    assert person.ok("list") == ""


def test_several_arguments_are_one_text(person):
    answer = person.json("add", "Buy", "bread", "@errands")

    assert answer["todo"]["title"] == "Buy bread"
    assert [part["kind"] for part in answer["understood"]] == ["label"]


def test_a_dry_run_shows_what_is_understood_and_adds_nothing(person):
    result = person.call("add", "--dry-run", "Pay rent 2027-01-05 #Casa every month")

    assert result.returncode == 0, result.stderr
    first, *understood = result.stdout.splitlines()
    assert first.startswith("Would add: Pay rent")
    assert "#Casa" in first
    assert "  #Casa → project: Casa" in understood
    assert any("every month → recurrence: " in line for line in understood)
    unknown = person.ok("add", "--dry-run", "Rake #Garden")
    assert "  #Garden: there is no such project. It stays in the title.\n" in unknown
    assert person.ok("list", "--all") == ""


def test_a_terminal_shows_what_is_understood(person):
    shown = re.sub(r"\x1b\[[0-9;]*m", "", person.at_terminal("add", "Call Bob tomorrow 9h [x]"))

    assert re.search(r"Added: \d+ Call Bob \[x\] · tomorrow 09:00", shown), shown
    assert "tomorrow 9h → due: tomorrow 09:00" in shown


@pytest.mark.parametrize(
    ("words", "message"), [([""], "text: "), (["x" * 5000], "text: "), (["\udcff"], "not UTF-8")]
)
def test_words_that_cannot_be_are_refused(person, words, message):
    result = person.call("add", *words)

    assert (result.returncode, message in result.stderr) == (1, True), result.stderr
    assert person.ok("list", "--all") == ""


def test_a_todo_whose_answer_is_lost_is_added_once(person):
    lost = []

    def lose_first(request, _body, answer):
        if request.command == "POST" and not lost:
            lost.append(answer)
            return None
        return answer

    with between(person.url, lose_first) as url:
        stored = person.stored
        person.login_file.write_text(json.dumps(stored | {"url": url}))
        person.ok("add", "Once @x")
        person.login_file.write_text(json.dumps(stored))

    assert len(lost) == 1
    assert len(person.ok("list").splitlines()) == 1


def test_an_added_todo_is_reported_even_if_its_project_cannot_be_named(person):
    def away(request, _body, answer):
        return (500, {}, b"") if request.path.startswith("/projects") else answer

    with between(person.url, away) as url:
        person.login_file.write_text(json.dumps(person.stored | {"url": url}))
        assert person.ok("add", "Bake #Casa").endswith("\tBake\n")
