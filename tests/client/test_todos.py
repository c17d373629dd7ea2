"""The commands for todos, against a running server."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from tests.terminals import register

TODAY = datetime.now().astimezone().date()


def day(offset: int) -> str:
    return str(TODAY + timedelta(days=offset))


def titles(person, *arguments: str) -> list[str]:
    return [line.split("\t")[-1] for line in person.ok("list", *arguments).splitlines()]


@pytest.fixture
def project(person) -> int:
    with person.http() as http:
        return http.post("/projects", json={"name": "Pão caseiro"}).json()["id"]


def test_open_todos_are_listed_by_due_and_priority(person, project):
    first = person.create(title="Rest")
    person.create(title="Later", due_on=day(2))
    person.create(
        title="Bake", due_on=day(0), priority="high", labels=["oven", "b"], project_id=project
    )
    person.create(title="Knead", due_on=day(0), priority="urgent", state="doing")
    person.create(title="Over", state="done")
    person.create(title="Put\taway\n", state="trash")

    result = person.call("list")
    assert result.returncode == 0, result.stderr
    assert [line.split("\t")[1:] for line in result.stdout.splitlines()] == [
        ["doing", "urgent", day(0), "", "", "Knead"],
        ["todo", "high", day(0), "Pão caseiro", "b, oven", "Bake"],
        ["todo", "none", day(2), "", "", "Later"],
        ["todo", "none", "", "", "", "Rest"],
    ]
    assert titles(person, "--all", "--sort", "-title") == [
        *("Rest", "Put away", "Over", "Later", "Knead", "Bake")
    ]
    assert titles(person, "-q", "LATER") == ["Later"]
    assert titles(person, "--label", "oven", "-l", "b") == ["Bake"]
    assert titles(person, "--project", "PÃO caseiro") == ["Bake"]
    assert titles(person, "-p", str(project)) == ["Bake"]
    assert titles(person, "-p", "none") == ["Knead", "Later", "Rest"]
    assert person.json("list", "-q", "rest")[0]["id"] == first
    assert person.json("list", "-q", "nothing") == []


def test_a_list_follows_pages_up_to_its_limit(person, monkeypatch):
    for number in range(5):
        person.create(title=f"Todo {number}")
    monkeypatch.setattr("fast_zero.client.api.LARGEST_PAGE", 2)

    assert len(titles(person)) == 5
    limited = person.call("list", "--limit", "3")
    assert len(limited.stdout.splitlines()) == 3
    assert limited.stderr == "There are more than 3. List more with --limit.\n"
    assert person.call("list", "--limit", "5").stderr == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--project", "Nowhere"), "There is no project Nowhere."),
        (("--project", "999999"), "There is no project 999999."),
        (("--project", "9" * 30), f"There is no project {'9' * 30}."),
        (("--sort", "size"), "'size' is not a key to sort by"),
        (("--label", ""), "label"),
    ],
)
def test_a_list_that_cannot_be_is_refused_with_a_sentence(person, options, message):
    result = person.call("list", *options)

    assert (result.returncode, result.stdout) == (1, "")
    assert message in result.stderr
    assert result.stderr.startswith("error: ")


def test_projects_of_the_same_name_are_told_apart_by_id(person, project):
    with person.http() as http:
        other = http.post("/projects", json={"name": "pão CASEIRO"}).json()["id"]
    result = person.call("list", "-p", "Pão caseiro")

    assert result.stderr == (
        f"error: Several projects are named Pão caseiro. Use one of the IDs {project}, {other}.\n"
    )


def test_a_terminal_gets_a_coloured_table_with_dues_in_words(person, project):
    person.create(title="Late [bold]", due_on=day(-1), priority="urgent", project_id=project)
    person.create(title="Now \x1b]0;evil\x07", due_on=day(0), labels=["x"])
    person.create(title="Soon", due_on=day(1))
    shown = person.at_terminal("list")

    assert "\x1b[1;31myesterday\x1b[0m" in shown
    assert "Late [bold]" in shown
    assert "\x1b]0" not in shown
    assert re.search(r"Now �\]0;evil�", shown)
    assert "today" in shown
    assert "tomorrow" in shown
    assert "Pão caseiro" in shown
    narrow = person.at_terminal("list", columns=40)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", narrow).splitlines()
    assert max(map(len, lines)) <= 40
    assert "Late [bold]" in narrow
    assert "Pão" not in narrow


def test_json_cannot_command_a_terminal(person):
    todo_id = person.create(title="a\x9b2Jb\u202ec 👩‍🍳")
    printed = person.ok("show", str(todo_id), "--json")

    assert r'"a\u009b2Jb\u202ec 👩‍🍳"' in printed
    assert json.loads(printed) == person.read(todo_id)


def test_colons_are_no_emoji(person):
    todo_id = person.create(title="Mix 1:100: [x]")

    assert "Mix 1:100: [x]" in person.at_terminal("list")
    assert person.call("done", str(todo_id)).stderr == f"Done: {todo_id} Mix 1:100: [x]\n"


def test_an_empty_list_prints_a_message_only_on_a_terminal(person):
    assert person.at_terminal("list") == "Nothing to do. --all lists what is done.\r\n"
    listed = person.call("list")
    assert (listed.returncode, listed.stdout, listed.stderr) == (0, "", "")


def test_a_todo_is_shown_with_its_description(person, project):
    todo_id = person.create(
        title="Bake", description="One.\n\x1b[2JTwo.", due_on="2026-12-04", project_id=project
    )
    result = person.call("show", str(todo_id))

    assert result.stdout == (
        f"id: {todo_id}\nstate: todo\npriority: none\ndue: 2026-12-04\nproject: Pão caseiro\n"
        "title: Bake\n\nOne.\n�[2JTwo.\n"
    )
    assert person.json("show", str(todo_id)) == person.read(todo_id)
    missing = person.call("show", "999999999")
    assert (missing.returncode, missing.stderr) == (1, "error: Task not found.\n")
    assert person.call("show", "x").returncode == 2


def test_todos_of_others_do_not_exist(person, tmp_path):
    todo_id = person.create(title="Mine")
    stranger = register(tmp_path / "other", person.url, f"{person.username}x").log_in()

    for command in (["show"], ["done"], ["delete"]):
        result = stranger.call(*command, str(todo_id))
        assert (result.returncode, "Task not found." in result.stderr) == (1, True)
    assert stranger.call("edit", str(todo_id), "--title", "x").returncode == 1
    assert person.read(todo_id)["title"] == "Mine"


def test_several_todos_are_done_and_those_that_cannot_be_are_named(person):
    bread = person.create(title="Buy [bold]bread")
    plants = person.create(
        title="Water", due_on=day(1), recurrence={"rule": "FREQ=DAILY;INTERVAL=2"}
    )
    result = person.call("done", str(bread), "999999999", str(plants), str(bread))

    assert result.returncode == 1
    assert result.stdout == ""
    done, missing, again = result.stderr.splitlines()
    assert done == f"Done: {bread} Buy [bold]bread"
    assert missing == "error: 999999999: Task not found."
    assert re.fullmatch(
        rf"Done: {plants} Water\. It comes back: \w{{3}} \d+ \w{{3}}( \d+)?\.", again
    )
    assert person.read(bread)["state"] == "done"
    assert person.read(plants)["due_on"] == day(3)
    [completed] = person.json("done", str(plants))
    assert completed["completed_occurrence"] == day(3)


def test_a_blocked_todo_is_done_with_force(person):
    first, second = person.create(title="First"), person.create(title="Second")
    with person.http() as http:
        http.put(f"/todos/{first}/relations/blocks/{second}").raise_for_status()
    refused = person.call("done", str(second))

    assert refused.returncode == 1
    assert refused.stderr.endswith("Complete that one first. Or add --force.\n")
    assert person.call("done", "--force", str(second)).returncode == 0


def test_the_last_command_is_undone_and_redone(person):
    first, second = person.create(title="First"), person.create(title="Second")
    assert person.call("undo").stderr.startswith("error: Your last command is not known.")
    person.ok("done", str(first), str(second))

    undone = person.call("undo")
    assert (undone.returncode, undone.stderr) == (0, "Undone: 2 changes.\n")
    assert [person.read(id_)["state"] for id_ in (first, second)] == ["todo", "todo"]
    person.ok("undo")
    assert [person.read(id_)["state"] for id_ in (first, second)] == ["done", "done"]
    person.ok("delete", str(first))
    assert person.call("show", str(first)).returncode == 1
    [result] = person.json("undo")
    assert [one["operation"] for one in result["undone"]] == ["restore"]
    assert person.read(first)["title"] == "First"


def test_what_was_changed_since_is_left_by_an_undo_unless_forced(person):
    todo_id = person.create(title="First")
    person.ok("edit", str(todo_id), "--title", "Second")
    with person.http() as http:
        http.patch(f"/todos/{todo_id}", json={"title": "Third"}).raise_for_status()

    result = person.call("undo")
    assert result.returncode == 1
    assert result.stderr == (
        f"Undone: 0 changes.\nLeft as it is: todo {todo_id} (title), changed since.\n"
    )
    person.ok("undo", "--force")
    assert person.read(todo_id)["title"] == "First"


def test_a_change_set_is_undone_by_its_id(person):
    with person.http() as http:
        made = http.post("/todos", json={"title": "Wrong"})
    person.ok("undo", made.headers["X-Change-Set"])

    assert titles(person) == []
    for wrong in ("x", "0197c9a2-5c0f-4c5a-9f0e-2f6f3c1f7f10"):
        result = person.call("undo", wrong)
        assert (result.returncode, "change set" in result.stderr) == (1, True)


def test_options_change_a_todo(person, project):
    todo_id = person.create(title="Bake", labels=["a"], priority="low", due_on=day(0))
    number = str(todo_id)
    result = person.call(
        *("edit", number, "--title", "Bake bread", "--description", "Rye.", "--priority", "high"),
        *("--due", "2026-12-04", "--label", "x", "-l", "y, z", "--project", "pão caseiro"),
        *("--state", "doing"),
    )

    assert result.returncode == 0, result.stderr
    assert result.stderr.startswith(f"Changed: {number} Bake bread")
    changed = person.read(todo_id)
    assert (changed["title"], changed["description"], changed["state"]) == (
        *("Bake bread", "Rye.", "doing"),
    )
    assert (changed["priority"], changed["due_on"], changed["labels"]) == (
        *("high", "2026-12-04", ["x", "y, z"]),
    )
    assert changed["project_id"] == project
    emptied = person.json("edit", number, "--due", "none", "--label", "none", "-p", "none")
    assert (emptied["due_on"], emptied["labels"], emptied["project_id"]) == (None, [], None)
    person.ok("undo")
    assert person.read(todo_id)["project_id"] == project
    assert person.read(todo_id)["labels"] == ["x", "y, z"]


def test_a_moment_is_taken_in_the_time_zone_of_the_machine(person):
    todo_id = person.create(title="Call")
    due = ("--due", "2026-12-04 9:00")

    result = person.run("edit", str(todo_id), *due, TZ="America/Sao_Paulo")
    assert result.returncode == 0, result.stderr
    assert person.read(todo_id)["due_at"] == "2026-12-04T12:00:00Z"
    listed = person.run("list", TZ="Asia/Tokyo").stdout
    assert "\t2026-12-04T21:00+09:00\t" in listed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "Say what to change with options"),
        (("--due", "soon"), "'soon' is no due. Examples: 2026-12-04"),
        (("--priority", "x"), "priority: Input should be 'none', 'low'"),
        (("--title", ""), "title: String should have at least 1 character"),
        (("--title", "a\0b"[:1] + "\udcff"), "is not UTF-8"),
        (("--project", "Nowhere"), "There is no project Nowhere."),
    ],
)
def test_a_change_that_cannot_be_is_refused_and_changes_nothing(person, options, message):
    todo_id = person.create(title="Bake")
    result = person.call("edit", str(todo_id), *options)

    assert (result.returncode, message in result.stderr) == (1, True), result.stderr
    assert person.read(todo_id)["version"] == 1


def test_commands_at_the_same_time_do_not_disturb_each_other(person):
    ids = [person.create(title=f"Todo {number}") for number in range(4)]
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda id_: person.run("done", str(id_)), ids))

    assert [result.returncode for result in results] == [0] * 4
    assert [person.read(id_)["state"] for id_ in ids] == ["done"] * 4
    person.ok("undo")  # that of whichever ended last
    states = sorted(person.read(id_)["state"] for id_ in ids)
    assert states == ["done", "done", "done", "todo"]
    assert json.loads((person.home / "fast-zero/last-changes.json").read_text())["change_sets"]
