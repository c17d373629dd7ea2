"""The statements of the README, checked with a server that is started as a user starts it."""

import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from tests.processes import PATIENCE, serving, unmeasured

README = Path(__file__).parents[1] / "README.md"
CONCURRENCY = README.parent / "docs/concurrency.md"
FEED = README.parent / "docs/feed.md"
TUTORIAL = README.parent / "docs/tutorial.md"
TODOS = 10_000
BATCH = 200  # the most that one request may create
WRITERS = 4
NOT_MODIFIED = 2  # responses to conditions, one of a todo and one of a web feed
STATES = ["draft", "todo", "doing", "done", "trash"]


def blocks(page: Path = README) -> list[str]:
    return [part.split("```")[0] for part in page.read_text().split("```sh\n")[1:]]


@pytest.mark.skipif(not shutil.which("curl"), reason="the README's session uses curl")
def test_the_first_session_runs_as_written(data_dir):
    with serving(data_dir) as server:
        result = subprocess.run(
            ["sh", "-eu"],
            input="\n".join([blocks()[2], *blocks(CONCURRENCY), *blocks(FEED)]),
            env=unmeasured() | {"API": server.url},
            capture_output=True,
            text=True,
            check=False,
        )
    assert result.returncode == 0, result.stderr
    for expected_output in (
        '"username":"ana"',
        '"state":"done"',
        "Task has been deleted successfully.",
        "\n304\n",
        "HTTP/1.1 412 Precondition Failed",
        "idempotency-replayed: true",
        '"title":"Buy flour"',
        '"text":"The bread is in teh oven."',
        '"counts":{"posts":1,"followers":1,"following":0},"following":true,"followed_by":false',
        '"people_count":1,"read":false',
        '"letters":["reply","weekly_report"]',
        '"parent_gone":true',
        '"version":"https://jsonfeed.org/version/1.1"',
        '"text":"Bake bread","finished":true',
        '"current_streak":1,"best_streak":1',
    ):
        assert expected_output in result.stdout.replace("}304", "}\n304"), result.stdout
    assert len(re.findall(r"^(?:.*\})?304$", result.stdout, re.MULTILINE)) == NOT_MODIFIED


@pytest.mark.skipif(not shutil.which("curl"), reason="the tutorial uses curl")
def test_the_week_of_the_tutorial_runs_as_written(data_dir):
    [week] = [block for block in blocks(TUTORIAL) if "KITCHEN" in block]
    with serving(data_dir) as server:
        result = subprocess.run(
            ["sh", "-eu"],
            input=f"{blocks()[2]}\n{week}",
            env=unmeasured() | {"API": server.url},
            capture_output=True,
            text=True,
            check=False,
        )
    assert result.returncode == 0, result.stderr
    for expected_output in (
        '"code": "todo_blocked"',
        "It is blocked.",
        '"labels":["errands"]',
        '"labels":["errands","Market"]',
        '"subtasks":1,"open_subtasks":0',
        '"kind":"project"',
        '"inbox":0,"today":0,"overdue":0,"next_seven_days":0,"projects":[],"labels":[]',
    ):
        assert expected_output in result.stdout, result.stdout


def test_the_two_commands_are_one_line_each():
    run, test, *_ = blocks()
    assert (run.count("\n"), test.count("\n")) == (1, 1)
    assert run.endswith("fast-zero serve\n")
    assert test.endswith("task test\n")


def test_the_readme_names_the_repository_and_the_installation_shows_progress():
    for page in (README, README.with_name("README.pt-BR.md")):
        text = page.read_text()
        assert "git clone https://github.com/OWNER/fast_zero.git && cd fast_zero" in text
        for line in blocks(page)[:2]:
            assert "install -c constraints.txt -e" in line  # without -q, which hides the progress
        assert blocks(page)[:2] == blocks()[:2]


def test_ten_thousand_todos_are_listed_filtered_and_paged(data_dir):
    expected = [
        {"title": f"Todo {number}", "state": STATES[number % 5], "description": f"{number:05}"}
        for number in range(TODOS)
    ]
    with serving(data_dir) as server, httpx2.Client(base_url=server.url) as client:
        account = {"username": "ana", "email": "ana@example.com", "password": "a long sentence"}
        client.post("/users", json=account)
        form = {"username": "ana", "password": account["password"]}
        token = client.post("/auth/token", data=form).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        with ThreadPoolExecutor(WRITERS) as writers:
            parts = [expected[first::WRITERS] for first in range(WRITERS)]
            list(writers.map(lambda part: post_all(server.url, token, part), parts))

        def walk(**query) -> list[dict]:
            todos, after = [], {}
            while after is not None:
                page = client.get("/todos", params=query | after, timeout=PATIENCE).json()
                todos += page["todos"]
                after = page["next"] and {"after": page["next"]}
            return todos

        everything = walk(limit=997)
        assert [todo["id"] for todo in everything] == sorted({todo["id"] for todo in everything})
        assert comparable(everything) == comparable(expected)
        assert comparable(walk(state="doing", limit=1000)) == comparable(expected[2::5])
        assert comparable(walk(title="TODO 99", limit=100)) == comparable(
            [todo for todo in expected if "Todo 99" in todo["title"]]
        )
        assert client.get("/todos").json()["todos"] == everything[:100]
        skipped = client.get("/todos", params={"offset": 9_990, "limit": 20}).json()
        assert skipped == {"todos": everything[9_990:], "next": None}


def post_all(url: str, token: str, todos: list[dict]) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    with httpx2.Client(base_url=url, headers=headers, timeout=PATIENCE) as client:
        for first in range(0, len(todos), BATCH):
            items = [{"op": "create", **todo} for todo in todos[first : first + BATCH]]
            client.post("/todos/batch", json={"items": items}).raise_for_status()


def comparable(todos: list[dict]) -> list[tuple[str, str, str]]:
    return sorted((todo["title"], todo["state"], todo["description"]) for todo in todos)
