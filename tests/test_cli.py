"""The other commands of the installed program, without a terminal and with one."""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import psycopg
import pytest
from sqlalchemy import make_url
from typer.testing import CliRunner

from fast_zero import __version__
from fast_zero.cli import cli
from fast_zero.core.database import conninfo, embedded
from fast_zero.operations.demo_commands import is_here
from tests import clusters
from tests.processes import PATIENCE, call, on_a_terminal, postmaster, run, serving

PASSWORD = "a fine long sentence\n"


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """Return a folder whose database is in use, so that no command has to start it."""
    data_dir = clusters.copy_to(tmp_path_factory.mktemp("cli") / "data")
    with embedded.running(data_dir):
        taken = call(data_dir, "users", "create", "taken", "taken@example.com", stdin=PASSWORD)
        assert taken.returncode == 0
        yield data_dir


def test_help_and_version_are_plain_in_a_pipe(data_dir):
    help_text = run(data_dir, "--help").stdout

    for command in ("serve", "worker", "migrate", "openapi", "users", "shell", "login", "list"):
        assert command in help_text
    assert "\x1b" not in help_text
    assert "─" not in help_text
    assert run(data_dir, "--version").stdout == f"fast_zero {__version__}\n"
    program = Path(sys.executable).with_name("fast-zero")
    assert subprocess.check_output([program, "--version"], text=True).endswith(f"{__version__}\n")


def test_help_on_a_terminal_is_the_same_text(data_dir):
    for terminal in ("xterm-256color", "dumb"):
        shown = on_a_terminal(data_dir, "users", "show", "--help", terminal=terminal)
        assert shown.replace("\r\n", "\n") == call(data_dir, "users", "show", "--help").stdout


@pytest.mark.parametrize(
    "command",
    [
        *("seed", "smoke", "doctor", "users list", "users show", "users audit", "users create"),
        *("users invite", "todos list", "posts list", "jobs list"),
        *("add", "list", "show", "done", "edit", "delete", "undo", "import"),
    ],
)
def test_commands_that_print_data_can_print_json(command):
    help_text = CliRunner().invoke(cli, [*command.split(), "--help"]).output

    assert re.search(r"^  --json +Write JSON\.$", help_text, re.MULTILINE)


def test_help_imports_neither_the_server_nor_an_http_client():
    script = (
        "import sys; from fast_zero.cli import cli; from typer.testing import CliRunner;"
        "CliRunner().invoke(cli, ['list', '--help']);"
        "slow = {'fastapi', 'sqlalchemy', 'httpx2', 'rich.table'};"
        "print(sorted(slow & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", script], text=True) == "[]\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_statuses_of_jobs_are_completed(data_dir, shell):
    typed = "fast-zero jobs list --status "
    variables = {
        "bash": {"COMP_WORDS": typed, "COMP_CWORD": "4"},
        "zsh": {"_TYPER_COMPLETE_ARGS": typed},
        "fish": {"_TYPER_COMPLETE_ARGS": typed, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }
    result = run(data_dir, _FAST_ZERO_COMPLETE=f"complete_{shell}", **variables[shell])

    assert re.findall(r"\w+", result.stdout.replace("_arguments", "")) == [
        *("todo", "doing", "failed", "cancelled")
    ]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script_is_shown(data_dir, shell):
    # Makes Typer take the shell from the argument instead of detecting it.
    variables = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    result = run(data_dir, "--show-completion", shell, **variables)
    assert "fast-zero" in result.stdout


def test_migrate_reports_its_result_and_can_be_repeated(tmp_path):
    unmigrated = run(tmp_path / "data", "users", "list")
    first = run(tmp_path / "data", "migrate")
    second = call(tmp_path / "data", "migrate")

    assert unmigrated.stderr == "error: The database is not migrated yet. Run: fast-zero migrate\n"
    assert "Migrated the database from nothing to" in first.stderr
    assert second.stderr == "The database has the newest revision.\n"
    assert postmaster(tmp_path / "data") is None


def test_an_older_release_can_use_a_newer_compatible_schema(tmp_path):
    clusters.copy_to(tmp_path / "data")
    change_schema(tmp_path / "data", "UPDATE alembic_version SET version_num = '9999'")
    migrated = call(tmp_path / "data", "migrate")
    with serving(tmp_path / "data") as server:
        ready = httpx2.get(f"{server.url}/readyz", timeout=PATIENCE)

    assert migrated.returncode == 0
    assert "The database has the revision 9999, which is newer than" in migrated.stderr
    assert "this release can use the database" in server.log.read_text()
    assert (ready.status_code, ready.json()["revision"]) == (200, "9999")


def test_an_older_release_refuses_a_newer_incompatible_schema(tmp_path):
    clusters.copy_to(tmp_path / "data")
    change_schema(
        tmp_path / "data",
        "UPDATE alembic_version SET version_num = '9999'",
        "COMMENT ON TABLE alembic_version IS '9998'",
    )
    result = run(tmp_path / "data", "serve", "--port", "0")

    assert result.returncode == 1
    assert "requires a release with the revision 9998" in result.stderr
    assert result.stderr.endswith("Start a newer release.\n")


def test_ten_concurrent_starts_migrate_once(tmp_path):
    with embedded.running(tmp_path / "data") as url, ThreadPoolExecutor(10) as threads:
        variables = {"DATABASE_URL": url.render_as_string(), "SECRET_KEY": "k" * 32}
        results = list(
            threads.map(lambda _: run(tmp_path / "other", "migrate", **variables), range(10))
        )

    assert [result.returncode for result in results] == [0] * 10
    assert sum("Migrated the database from nothing" in result.stderr for result in results) == 1


def change_schema(data, *statements: str) -> None:
    with embedded.running(data) as url, psycopg.connect(conninfo(url)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_the_operator_can_read_the_audit_log_of_an_account(data_dir):
    created = call(data_dir, "users", "create", "watched", "w@example.com", stdin=PASSWORD).stdout
    lines = run(data_dir, "users", "audit", created.strip()).stdout.splitlines()
    listed = call(data_dir, "users", "audit", created.strip(), "--json")
    assert listed.stderr == ""
    events = json.loads(listed.stdout)

    assert [line.split("\t")[1] for line in lines] == ["account made"]
    assert [event["action"] for event in events] == ["account made"]
    assert "account made" in on_a_terminal(data_dir, "users", "audit", created.strip())
    missing = call(data_dir, "users", "audit", "999999")
    assert (missing.returncode, missing.stderr) == (1, "error: There is no user 999999.\n")


def test_openapi_is_written_without_a_database(tmp_path):
    document = json.loads(call(tmp_path / "data", "openapi").stdout)
    assert document["openapi"].startswith("3.1")
    assert not (tmp_path / "data").exists()

    call(tmp_path / "data", "openapi", str(tmp_path / "file.json"))

    assert json.loads((tmp_path / "file.json").read_text()) == document
    refused = run(tmp_path / "data", "openapi", "/no/such/folder/file.json").stderr
    assert refused == "error: Cannot write /no/such/folder/file.json: No such file or directory.\n"


def test_users_are_created_listed_and_deleted(data_dir):
    created = run(data_dir, "users", "create", "ana", "ana@example.com", stdin=PASSWORD)
    user_id = created.stdout.strip()
    listed = f"{user_id}\tana\tana@example.com\n"
    assert listed in run(data_dir, "users", "list").stdout

    assert "Confirm with --yes" in call(data_dir, "users", "delete", user_id).stderr
    assert run(data_dir, "users", "delete", user_id, "--yes").returncode == 0

    assert listed not in call(data_dir, "users", "list").stdout
    repeated = call(data_dir, "users", "delete", user_id, "--yes")
    assert (repeated.returncode, repeated.stderr) == (1, f"error: There is no user {user_id}.\n")


@pytest.mark.parametrize(
    ("username", "email", "password", "message"),
    [
        ("an", "nowhere", PASSWORD, "username: String should have at least 3 characters; email: "),
        ("anna", "anna@example.com", "password123\n", "one of the most common ones"),
        ("TAKEN", "other@example.com", PASSWORD, "Username already exists"),
    ],
)
def test_an_invalid_account_is_refused_with_a_message(data_dir, username, email, password, message):
    result = call(data_dir, "users", "create", username, email, stdin=password)

    assert result.returncode == 1
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert password.strip() not in result.stderr


def test_a_terminal_gets_a_coloured_table_and_a_confirmation_prompt(data_dir):
    call(data_dir, "users", "create", "joe [bold]", "joe@example.com", stdin=PASSWORD)

    shown = on_a_terminal(data_dir, "users", "list", measured=True)
    assert "\x1b[1m" in shown
    assert "joe [bold]" in shown
    user_id = re.search(r"(\d+)\W+joe", shown)[1]

    assert "Confirm with --yes" in on_a_terminal(data_dir, "users", "delete", user_id, typed="n\n")
    on_a_terminal(data_dir, "users", "delete", user_id, typed="y\n", measured=True)
    assert "joe" not in call(data_dir, "users", "list").stdout


def test_the_operator_can_list_todos_and_posts_and_delete_a_post(data_dir):
    user_id = call(data_dir, "users", "create", "poster", "p@example.com", stdin=PASSWORD).stdout
    user_id = user_id.strip()
    with embedded.running(data_dir) as url, psycopg.connect(conninfo(url)) as connection:
        connection.execute(
            "INSERT INTO todos (owner_id, title, description, state, share)"
            " VALUES (%s, 'Bake\tbread', '', 'done', 'public'), (%s, 'Rest', '', 'todo', NULL)",
            (user_id, user_id),
        )
        [(post_id,)] = connection.execute("SELECT id FROM posts").fetchall()

    shown = json.loads(run(data_dir, "users", "show", user_id, "--json").stdout)
    assert (shown["email"], shown["share_todos"]) == ("p@example.com", "off")
    todos = json.loads(run(data_dir, "todos", "list", user_id, "--json").stdout)
    assert [(todo["title"], todo["share"]) for todo in todos] == [
        ("Bake\tbread", "public"),
        ("Rest", None),
    ]
    assert "todo\t\tnone\t\t\tRest\n" in call(data_dir, "todos", "list", user_id).stdout
    line = f"{post_id}\t{user_id}\tpublic\t\tBake\tbread\n"
    assert run(data_dir, "posts", "list").stdout == line
    assert call(data_dir, "posts", "list", "--user", "Poster").stdout == line
    assert json.loads(call(data_dir, "posts", "list", "--user", "taken", "--json").stdout) == []
    unconfirmed = call(data_dir, "posts", "delete", str(post_id))
    assert (unconfirmed.returncode, "Confirm with --yes" in unconfirmed.stderr) == (1, True)
    deleted = run(data_dir, "posts", "delete", str(post_id), "--yes")
    assert (deleted.returncode, deleted.stderr) == (0, f"Post {post_id} is deleted.\n")
    repeated = call(data_dir, "posts", "delete", str(post_id), "--yes")
    assert (repeated.returncode, repeated.stderr) == (1, f"error: There is no post {post_id}.\n")
    for command in (("users", "show"), ("todos", "list"), ("posts", "list", "--user")):
        missing = call(data_dir, *command, "999999")
        assert (missing.returncode, missing.stderr) == (1, "error: There is no user 999999.\n")


PLANNER = """
INSERT INTO users (username, email, password_hash, time_zone)
VALUES ('planner', 'planner@example.com', '', 'America/Sao_Paulo') RETURNING id
"""
PLANNED = """
INSERT INTO deletions (owner_id, kind, item_id, title) VALUES ({me}, 'project', 1, 'Gone');
INSERT INTO projects (owner_id, name, deletion_id)
SELECT {me}, name, CASE name WHEN 'Gone' THEN deletions.id END FROM deletions,
    unnest(ARRAY['Pão', 'Twice', 'twice', 'Gone']) AS name WHERE deletions.owner_id = {me};
INSERT INTO labels (owner_id, name) VALUES ({me}, 'home'), ({me}, 'Errands');
INSERT INTO todos (owner_id, project_id, title, description, state, priority, due_on)
SELECT {me}, id, 'Buy flour', '', 'todo', 'high', '2026-12-04' FROM projects WHERE name = 'Pão';
INSERT INTO todos (owner_id, project_id, title, description, state, priority, due_at, time_zone)
SELECT {me}, id, 'Bake', '', 'doing', 'urgent', '2026-12-01 12:00Z', 'America/Sao_Paulo'
FROM projects WHERE name = 'Pão';
INSERT INTO todos (owner_id, title, description, state) VALUES ({me}, 'Sleep', '', 'todo');
INSERT INTO todo_labels (owner_id, todo_id, label_id)
SELECT {me}, todos.id, labels.id FROM todos JOIN labels USING (owner_id)
WHERE owner_id = {me} AND (title = 'Buy flour' OR (title, name) = ('Bake', 'home'));
"""


def test_todos_are_listed_by_project_label_state_and_sort(data_dir, monkeypatch):
    with embedded.running(data_dir) as url, psycopg.connect(conninfo(url)) as connection:
        [(me,)] = connection.execute(PLANNER).fetchall()
        for statement in PLANNED.format(me=me).split(";\n")[:-1]:
            connection.execute(statement)
        [bread, *twice] = connection.execute("SELECT id FROM projects ORDER BY id").fetchmany(3)

    def titles(*options) -> list[str]:
        listed = call(data_dir, "todos", "list", "planner", *options)
        assert listed.returncode == 0, listed.stderr
        return [line.rsplit("\t", 1)[1] for line in listed.stdout.splitlines()]

    listed = call(data_dir, "todos", "list", "planner").stdout
    assert [line.split("\t", 1)[1] for line in listed.splitlines()] == [
        "todo\t\thigh\t2026-12-04\tErrands, home\tBuy flour",
        "doing\t\turgent\t2026-12-01T09:00-03:00\thome\tBake",
        "todo\t\tnone\t\t\tSleep",
    ]
    first, *_ = json.loads(call(data_dir, "todos", "list", "planner", "--json").stdout)
    assert (first["labels"], first["due"]) == (["Errands", "home"], "2026-12-04")
    for project in (str(bread[0]), "Pão", "pÃO"):
        assert titles("--project", project) == ["Buy flour", "Bake"]
    assert titles("--project", "none") == ["Sleep"]
    assert titles("--label", "HOME") == ["Buy flour", "Bake"]
    assert titles("--label", "home", "--label", "errands") == ["Buy flour"]
    assert titles("--label", "unknown") == []
    assert titles("--state", "todo") == ["Buy flour", "Sleep"]
    assert titles("--state", "todo", "--state", "doing", "--sort", "due") == [
        *("Bake", "Buy flour", "Sleep")
    ]
    with monkeypatch.context() as patch:
        patch.setattr("fast_zero.core.pagination.MAX_LIMIT", 1)
        assert titles("--sort=-title") == ["Sleep", "Buy flour", "Bake"]
        assert titles("--sort=due") == ["Bake", "Buy flour", "Sleep"]
        assert titles() == ["Buy flour", "Bake", "Sleep"]

    for options, message in (
        (("--project", "Gone"), "There is no project Gone."),
        (("--project", "9" * 30), f"There is no project {'9' * 30}."),
        (("--project", "a\0b"), "There is no project"),
        (("--project", "twice"), f"Use one of the IDs {', '.join(str(id_) for (id_,) in twice)}."),
        (("--sort", "size"), "'size' is not a key to sort by"),
        (("--label", ""), "label"),
        (("--state", "open"), "state"),
    ):
        refused = call(data_dir, "todos", "list", "planner", *options)
        assert (refused.returncode, message in refused.stderr) == (1, True), refused.stderr


def test_an_account_is_shown_line_by_line_in_a_pipe_and_on_a_terminal(data_dir):
    call(data_dir, "users", "create", "shown", "shown@example.com", stdin=PASSWORD)
    with embedded.running(data_dir) as url, psycopg.connect(conninfo(url)) as connection:
        bio = "Bakes.\nrole: admin\x1b[2J"
        connection.execute("UPDATE users SET bio = %s WHERE username = 'shown'", (bio,))

    piped = call(data_dir, "users", "show", "shown").stdout
    lines = dict(re.findall(r"^(\w+): ?(.*)$", piped, re.MULTILINE))
    assert (lines["username"], lines["email"]) == ("shown", "shown@example.com")
    assert (lines["email_verified"], lines["disabled_at"]) == ("false", "")
    assert (lines["bio"], lines["role"]) == (r'"Bakes.\nrole: admin\u001b[2J"', "member")
    assert on_a_terminal(data_dir, "users", "show", "shown").replace("\r\n", "\n") == piped


def test_an_account_is_named_by_id_username_or_address(data_dir):
    created = call(
        data_dir, "users", "create", "Named", "named@example.com", "--json", stdin=PASSWORD
    )
    user = json.loads(created.stdout)
    call(data_dir, "users", "create", "named@example.org", "other@example.com", stdin=PASSWORD)
    number = str(user["id"])
    call(data_dir, "users", "create", number.zfill(3), "digits@example.com", stdin=PASSWORD)

    def username_of(name: str) -> str:
        return json.loads(call(data_dir, "users", "show", name, "--json").stdout)["username"]

    assert user["username"] == "Named"
    assert [username_of(name) for name in (number, "nAMED", "Named@Example.com")] == ["Named"] * 3
    assert username_of("named@example.org") == "named@example.org"
    assert username_of(number.zfill(3)) == "Named"  # a number is an ID
    assert username_of("digits@example.com") == number.zfill(3)
    for nonsense in ("9" * 5000, os.fsdecode(b"\xff"), "no\nbody"):
        missing = call(data_dir, "users", "show", nonsense)
        assert (missing.returncode, missing.stderr[:24]) == (1, "error: There is no user ")
    assert call(data_dir, "users", "delete", "NAMED", "--yes").stderr == "User NAMED is deleted.\n"


def test_the_operator_can_invite_people(data_dir):
    result = run(data_dir, "users", "invite", "guest@example.com")
    repeated = call(
        data_dir, "users", "invite", "Guest@example.com", "--language", "pt-BR", "--json"
    )
    jobs = call(data_dir, "jobs", "list", "--limit", "1").stdout

    pattern = (
        r"guest@example\.com is invited\. The link works until \d{4}-\d\d-\d\d \d\d:\d\d UTC\.\n"
    )
    assert re.fullmatch(pattern, result.stderr)
    invitation = json.loads(repeated.stdout)
    assert (invitation["email"], invitation["language"]) == ("Guest@example.com", "pt-BR")
    assert "accounts.send_invitation\ttodo" in jobs
    taken = call(data_dir, "users", "invite", "taken@example.com")
    assert (taken.returncode, taken.stderr) == (1, "error: Email already exists\n")
    invalid = call(data_dir, "users", "invite", "nowhere")
    assert (invalid.returncode, invalid.stderr.startswith("error: email: value is not")) == (
        1,
        True,
    )
    closed = call(data_dir, "users", "invite", "other@example.com", REGISTRATION="closed")
    assert (closed.returncode, closed.stderr) == (1, "error: Registration is closed.\n")


def test_an_empty_list_prints_a_message_only_on_a_terminal(data_dir):
    command = ("jobs", "list", "--status", "failed")

    assert on_a_terminal(data_dir, *command) == "The list is empty.\r\n"
    assert (call(data_dir, *command).stdout, call(data_dir, *command).stderr) == ("", "")
    assert call(data_dir, *command, "--json").stdout == "[]\n"


def test_the_operator_can_disable_enable_and_promote_users(data_dir):
    created = call(data_dir, "users", "create", "boss", "boss@example.com", stdin=PASSWORD).stdout
    user_id = created.strip()
    cases = [
        ("promote", f"User {user_id} is an administrator, from the next log-in on.\n"),
        ("disable", f"User {user_id} is disabled.\n"),
        ("enable", f"User {user_id} is enabled.\n"),
        ("demote", f"User {user_id} is a member.\n"),
    ]
    for command, message in cases:
        result = run(data_dir, "users", command, user_id)
        assert (result.returncode, result.stderr) == (0, message)
        if command == "disable":
            shown = json.loads(call(data_dir, "users", "show", user_id, "--json").stdout)
            assert (shown["role"], shown["disabled_at"] is None) == ("admin", False)

    reset = run(data_dir, "users", "reset-password", user_id, stdin="another fine sentence\n")
    assert reset.stderr == f"User {user_id} has a new password. All sessions have ended.\n"
    weak = call(data_dir, "users", "reset-password", user_id, stdin="short\n")
    assert (weak.returncode, "short" in weak.stderr) == (1, False)
    missing = call(data_dir, "users", "promote", "999999")
    assert (missing.returncode, missing.stderr) == (1, "error: There is no user 999999.\n")


def test_demo_data_is_written_and_reset_only_by_the_database_name(tmp_path):
    data_dir = clusters.copy_to(tmp_path / "data")
    with embedded.running(data_dir) as url:
        # The account of the README's first session exists already.
        call(data_dir, "users", "create", "ana", "ana@example.com", stdin=PASSWORD)
        result = run(data_dir, "seed", "--people", "3", "--todos", "4", "--json")
        created = json.loads(result.stdout)
        counts, [username, *_] = created["written"], created["usernames"]
        assert (counts["person"], counts["todo"], counts["post"]) == (3, 12, 24)
        assert 0 < counts["done"] <= 12
        assert created["password"] not in result.stderr
        shown = call(data_dir, "users", "show", username, "--json").stdout
        user_id = json.loads(shown)["id"]
        with psycopg.connect(conninfo(url)) as connection:
            query = "SELECT max(created_at) < now(), bool_or(edited_at IS NOT NULL) FROM posts"
            assert connection.execute(query).fetchone() == (True, False)
        with serving(data_dir) as server:
            form = {"username": username, "password": created["password"]}
            assert httpx2.post(f"{server.url}/auth/token", data=form).status_code == 200
            timeline = httpx2.get(f"{server.url}/users/{user_id}").json()
            assert timeline["counts"]["posts"] > 0
        repeated = call(data_dir, "seed")
        assert (repeated.returncode, "the demo data is there already" in repeated.stderr) == (
            1,
            True,
        )

        for invalid in ((), ("--yes", "another")):
            refused = call(data_dir, "reset-db", *invalid)
            assert (refused.returncode, "Confirm with --yes" in refused.stderr) == (1, True)
        assert "ana" in call(data_dir, "users", "list").stdout
        reset = run(data_dir, "reset-db", "--yes", url.database)
        assert (reset.returncode, "The database is empty" in reset.stderr) == (0, True)
        assert call(data_dir, "users", "list").stdout == ""
        seeded = call(data_dir, "seed", "--people", "2", "--todos", "0")
        assert "person\t2\n" in seeded.stdout
        assert f"Log in as {username}, or another user, with the password " in seeded.stderr


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("postgresql://a@127.0.0.1/b", True),
        ("postgresql://a@localhost/b", True),
        ("postgresql://a@[::1]/b", True),
        ("postgresql://a@/b?host=/run/postgresql", True),
        ("postgresql://a@db.example.com/b", False),
        ("postgresql://a@192.0.2.1/b", False),
    ],
)
def test_only_a_database_on_this_machine_is_local(url, here):
    assert is_here(make_url(url)) == here


def test_the_operator_can_cancel_and_retry_a_job(data_dir):
    call(data_dir, "users", "create", "worker", "jobs@example.com", stdin=PASSWORD)
    newest = json.loads(run(data_dir, "jobs", "list", "--limit", "1", "--json").stdout)
    [job] = newest
    assert (job["task"], job["status"], job["attempts"]) == ("accounts.send_link", "todo", 0)
    number = str(job["id"])

    cancelled = run(data_dir, "jobs", "cancel", number)
    assert (cancelled.returncode, cancelled.stderr) == (0, f"Job {number} is cancelled.\n")
    line = rf"{number}\taccounts.send_link\tcancelled\t0\t\t2\S+\n"
    assert re.fullmatch(line, call(data_dir, "jobs", "list", "--status", "cancelled").stdout)
    repeated = call(data_dir, "jobs", "cancel", number)
    assert (repeated.returncode, repeated.stderr) == (
        1,
        f"error: There is no job {number}, or it is running or has ended.\n",
    )
    retried = run(data_dir, "jobs", "retry", number)
    assert (retried.returncode, call(data_dir, "jobs", "list", "--status", "cancelled").stdout) == (
        0,
        "",
    )
    assert f"{number}\t" in call(data_dir, "jobs", "list", "--status", "todo").stdout
    invalid = call(data_dir, "jobs", "list", "--status", "lost")
    assert (invalid.returncode, "'lost' is not one of 'todo', 'doing'" in invalid.stderr) == (
        2,
        True,
    )


def test_the_shell_supports_await(data_dir):
    typed = """\
print("users:", (await session.execute(select(func.count(User.id)))).scalar())
print(nothing)
print("todos:", (await session.execute(select(func.count(Todo.id)))).scalar())
raise SystemExit
"""
    result = run(data_dir, "shell", stdin=typed, measured=True)

    assert "NameError: name 'nothing' is not defined" in result.stderr
    assert "users: " in result.stdout
    assert "todos: " in result.stdout
    assert "To keep changes: await session.commit()" in result.stderr


def test_the_shell_saves_only_committed_changes(data_dir):
    typed = """\
async def add(name):
    values = {"username": name, "email": f"{name}@example.com", "password_hash": ""}
    await session.execute(insert(User).values(values))

await add("kept")
await session.commit()
await add("given up")
await session.rollback()
await add("forgotten")
"""
    run(data_dir, "shell", stdin=typed)

    names = [line.split("\t")[1] for line in call(data_dir, "users", "list").stdout.splitlines()]
    assert "kept" in names
    assert not {"given up", "forgotten"} & set(names)
