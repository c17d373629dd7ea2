"""The cost of the page: a list of 200 todos as HTML, beside the same list as JSON."""

import secrets
from collections.abc import Iterator, Mapping, Sequence

from pydantic import SecretStr
from sqlalchemy import URL

from bench import report, servers, todos_data, traffic
from bench.costs import Cost, Log, Meter, table, times
from bench.databases import Database
from bench.todos_data import TodosSize
from fast_zero.core import security
from fast_zero.core.settings import Settings
from fast_zero.identity.scopes import ALL_SCOPES
from fast_zero.web import cookies

SIZE = TodosSize(people=20, todos_each=200)
JSON, PAGE, LOG_IN = "list as JSON", "list as a page", "log-in page"
LIST = "/todos?limit=200&state=todo&sort=position&project_id=none&parent_id=none"
MOST = 8.0
"""How many times the JSON a page may cost."""

# All in the inbox, with what a row shows: labels, a priority, and for most a day.
TODOS = """
    UPDATE todos SET parent_id = NULL, project_id = NULL, state = 'todo',
        priority = ('{none,low,medium,high}'::todo_priority[])[id % 4 + 1],
        due_on = CASE WHEN id % 5 > 0 THEN current_date + (id % 20)::integer - 5 END
    WHERE owner_id <= 20
"""
SESSION = """
    INSERT INTO login_sessions (owner_id, scopes, user_agent, address, expires_at, cookie_digest)
    VALUES ({user}, '{{}}', '', '', now() + interval '1 day', '\\x{digest}')
"""

Costs = Mapping[str, Sequence[Cost]]


def prepare(server: URL, secrets_: Sequence[str]) -> Database:
    database = todos_data.prepare(server, SIZE, lambda *_: None)
    sessions = [
        SESSION.format(user=user, digest=security.digest(secret).hex())
        for user, secret in enumerate(secrets_, 1)
    ]
    database.run(TODOS, *sessions, "VACUUM ANALYZE")
    return database


def with_cookie(target: str, secret: str) -> bytes:
    request = traffic.message("GET", target)
    line = f"\r\nCookie: {cookies.SESSION}={secret}\r\n".encode()
    return request.replace(b"\r\n", line, 1)


def measure(meter: Meter, server: URL, rounds: int, seconds: int, log: Log) -> Costs:
    key = secrets.token_urlsafe(48)
    settings = Settings(_env_file=None, secret_key=SecretStr(key), access_token_minutes=60)
    people = range(1, SIZE.people + 1)
    tokens = [
        security.create_access_token(settings, user_id, user_id, ALL_SCOPES) for user_id in people
    ]
    secrets_ = [secrets.token_urlsafe(32) for _ in people]
    requests = {
        JSON: [traffic.message("GET", LIST, token) for token in tokens],
        PAGE: [with_cookie("/app/inbox", secret) for secret in secrets_],
        LOG_IN: [traffic.message("GET", "/app/login")],
    }
    database = prepare(server, secrets_)
    with servers.running("fast_zero", database, key, tokens[0]) as running:
        return meter.compare(running, requests, rounds, seconds, log)


def show(costs: Costs) -> Iterator[str]:
    """Yield tables of the costs, and of the floor."""
    yield table(costs, JSON)
    floor = report.Floor(f"{PAGE}, times the JSON", times(costs, PAGE, JSON), MOST, at_least=False)
    yield report.table(["floor", "measured", "wanted", ""], [floor.row()])
