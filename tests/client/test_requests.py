"""What the commands send, what they send again, and what they say when it is of no use."""

import json
import signal
import subprocess
import threading
import time

import pytest

from fast_zero.client import api
from tests.processes import PATIENCE, PROGRAM, environment
from tests.terminals import answering, between

BUSY = json.dumps({"status": 503, "code": "unavailable", "detail": "The database is away."})


def through(person, url: str) -> None:
    person.login_file.write_text(json.dumps(person.stored | {"url": url}))


def test_requests_name_the_program_and_carry_a_key(person):
    todo_id, seen = person.create(title="Bake"), []

    def record(request, _body, answer):
        seen.append((request.command, dict(request.headers)))
        return answer

    with between(person.url, record) as url:
        through(person, url)
        person.ok("done", str(todo_id))
        person.ok("list")

    (post, sent), (get, asked) = seen
    assert (post, get) == ("POST", "GET")
    assert sent["User-Agent"].startswith("fast-zero/")
    assert len(sent["Idempotency-Key"]) == 36
    assert "Idempotency-Key" not in asked


def test_a_lost_answer_is_asked_for_again_and_nothing_is_done_twice(person):
    todo_id = person.create(title="Water", due_on="2026-12-04", recurrence={"rule": "FREQ=DAILY"})
    keys = []

    def lose(request, _body, answer):
        keys.append(request.headers["Idempotency-Key"])
        return None if len(keys) < 3 else answer

    with between(person.url, lose) as url:
        through(person, url)
        person.ok("done", str(todo_id))

    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert person.read(todo_id)["due_on"] == "2026-12-05"


def test_a_server_that_gives_no_answer_is_asked_three_times(person):
    seen = []
    with answering(lambda request, _body: seen.append(request.path)) as url:
        through(person, url)
        result = person.call("list")

    assert len(seen) == 3
    assert result.returncode == 1
    assert result.stderr.startswith(f"error: Cannot reach {url}: Server disconnected")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("headers", "attempts"),
    [({"Retry-After": "0"}, 3), ({"Retry-After": "3600"}, 1), ({}, 1), ({"Retry-After": "x"}, 1)],
)
def test_a_busy_server_is_asked_again_if_it_says_when(person, headers, attempts):
    seen = []

    def busy(request, _body):
        seen.append(request.path)
        return 503, headers, BUSY.encode()

    with answering(busy) as url:
        through(person, url)
        result = person.call("list")

    assert len(seen) == attempts
    assert (result.returncode, result.stderr) == (1, "error: The database is away.\n")


def test_the_command_succeeds_when_the_server_is_back(person):
    person.create(title="Bake")
    seen = []

    def busy_first(request, _body, answer):
        seen.append(request.path)
        return answer if len(seen) > 1 else (503, {"Retry-After": "0"}, BUSY.encode())

    with between(person.url, busy_first) as url:
        through(person, url)
        assert "Bake" in person.ok("list")


def test_a_log_in_is_not_sent_again(newcomer):
    seen = []
    with answering(lambda request, _body: seen.append(request.path)) as url:
        result = newcomer.call("login", url, "-u", "x", stdin="secret\n")

    assert (result.returncode, seen) == (1, ["/auth/token"])


def test_a_server_that_is_away_is_reported(person):
    through(person, "http://127.0.0.1:9")
    result = person.call("list")

    assert result.returncode == 1
    assert result.stderr.startswith("error: Cannot reach http://127.0.0.1:9: ")
    assert result.stderr.count("\n") == 1


def test_a_slow_server_is_reported(person, monkeypatch):
    def slow(*_arguments):
        time.sleep(1)
        return 200, {}, b"{}"

    monkeypatch.setattr(api.Api.__init__, "__defaults__", (api.httpx2.Timeout(0.1),))
    with answering(slow) as url:
        through(person, url)
        assert person.call("list").stderr == f"error: {url} did not answer in time.\n"


def test_no_proxy_gets_what_is_sent_over_plain_http(person):
    seen = []
    with answering(lambda request, _body: seen.append(request.path)) as proxy:
        person.ok("list", http_proxy=proxy, HTTP_PROXY=proxy, all_proxy=proxy, ALL_PROXY=proxy)

    assert seen == []


def test_a_sentence_of_a_server_cannot_command_the_terminal(person):
    problem = {"detail": "Evil \x1b]0;title\x07", "code": "x"}
    with answering(lambda *_: (400, {}, json.dumps(problem).encode())) as url:
        through(person, url)
        assert person.call("list").stderr == "error: Evil �]0;title�\n"


def test_the_token_stays_with_its_server(person):
    elsewhere, seen = [], []
    with answering(lambda request, _body: elsewhere.append(request.path)) as other:

        def redirect(request, _body):
            seen.append(request.headers["Authorization"])
            return 307, {"Location": f"{other}/todos"}, b""

        with answering(redirect) as url:
            through(person, url)
            result = person.call("list")

    assert result.stderr == f"error: {url} redirects to {other}/todos. Log in to that one.\n"
    assert (len(seen), elsewhere) == (1, [])


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (200, {"todos": [{"id": 1, "title": "x"}]}, "The answer of the server has no project_id."),
        (200, {"todos": [1]}, "does not answer as fast_zero does."),
        (404, {"detail": "Not Found"}, "The server does not know /todos. It may be older."),
        (422, {"detail": {"a": 1}}, "answered 422, but not as fast_zero does."),
        (422, {"detail": [1]}, "answered 422, but not as fast_zero does."),
        (422, {"detail": None}, "answered 422, but not as fast_zero does."),
    ],
)
def test_a_server_of_another_version_is_reported(person, status, body, message):
    with answering(lambda *_: (status, {}, json.dumps(body).encode())) as url:
        through(person, url)
        result = person.call("list")

    assert (result.returncode, result.stdout, message in result.stderr) == (1, "", True)
    assert result.stderr.count("\n") == 1


def test_pages_without_todos_end_a_list(person):
    seen, page = [], json.dumps({"todos": [], "next": "x"}).encode()
    with answering(lambda request, _body: seen.append(request.path) or (200, {}, page)) as url:
        through(person, url)
        assert person.ok("list") == ""

    assert len(seen) == 1


@pytest.mark.parametrize("proxy", ["socks5://ana:secret@127.0.0.1:9", "nonsense://ana:secret@b"])
def test_a_proxy_that_cannot_be_used_is_reported(newcomer, proxy):
    variables = {"FAST_ZERO_URL": "https://a.example", "FAST_ZERO_TOKEN": "fzp_x"}
    result = newcomer.call("list", ALL_PROXY=proxy, **variables)

    assert result.stderr.startswith("error: Cannot connect to https://a.example: ")
    assert (result.stderr.count("\n"), "secret" in result.stderr) == (1, False)


@pytest.fixture
def interruptible():
    """Let programs be interrupted, even if the tests run in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_ends_a_command_without_a_trace(person, interruptible):
    asked, interrupted = threading.Event(), threading.Event()

    def answer(*_arguments):
        asked.set()
        interrupted.wait(PATIENCE)

    with answering(answer) as url:
        through(person, url)
        with subprocess.Popen(
            [*PROGRAM, "list"],
            env=environment(person.home, measured=True, **person.variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert asked.wait(PATIENCE)
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate()
        interrupted.set()

    assert process.returncode == 130
    assert (output, errors) == ("", "")


def test_the_caret_points_at_the_mistake_in_a_filter(person):
    problem = {
        "status": 422,
        "code": "invalid_filter",
        "column": 9,
        "detail": [{"loc": ["query", "filter"], "msg": "Column 9: expected a condition."}],
    }
    with answering(lambda *_: (422, {}, json.dumps(problem).encode())) as url:
        through(person, url)
        result = person.call("list", "hoje e 日 &")

    assert result.stderr == (
        "error: filter: Column 9: expected a condition.\n  hoje e 日 &\n           ^\n"
    )
