"""The cost of a page of `GET /changes`, for a client that is far behind and for one that is not."""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection

from pydantic import SecretStr
from sqlalchemy import URL

from bench import report, servers, todos_data, traffic
from bench.costs import Cost, Log, Meter, table, times
from bench.databases import PATIENCE, Database
from bench.servers import HOST, Server
from bench.todos_data import TodosSize
from fast_zero.core import security
from fast_zero.core.settings import Settings
from fast_zero.identity.scopes import ALL_SCOPES

SIZE = TodosSize(people=20, todos_each=5000)
BEHIND = 100_000
LIMIT = 100
FAR, HALF, NEAR = f"{BEHIND:,} behind", f"{BEHIND // 2:,} behind", f"{LIMIT} behind"
NOTHING, FIRST, LAST = "nothing new", "all: first page", "all: last page"
LIST = "list of 100 todos"
MOST = 1.2
"""How many times the page of a client that is near another one may cost."""

# Each change is a transaction, and every second one is of somebody else, as in real life.
CHANGE = f"""
DO $$ BEGIN
    SET synchronous_commit = off;
    FOR number IN 0..{2 * BEHIND - 1} LOOP
        UPDATE todos SET title = 'Buy bread ' || number
        WHERE id = number / 2 * 7919 % {SIZE.todos_each} * {SIZE.people} + 1 + number % 2;
        COMMIT;
    END LOOP;
END $$
"""

Costs = Mapping[str, Sequence[Cost]]


@dataclass
class Walk:
    """The pages that a client reads, one after the other."""

    server: Server
    token: str

    def read(self, since: str | None) -> tuple[int, str, bool]:
        """Return the number of things in a page, the next cursor, and whether there is more."""
        connection = HTTPConnection(HOST, self.server.port, timeout=PATIENCE)
        headers = {"Authorization": f"Bearer {self.token}"}
        connection.request("GET", target(since), headers=headers)
        page = json.loads(connection.getresponse().read())
        connection.close()
        return len(page["changes"]), page["next"], page["more"]

    def cursors(self, since: str | None) -> list[str | None]:
        """Read until there is nothing more; return with what each page was read, and the end."""
        found, more = [since], True
        while more:
            _, since, more = self.read(since)
            found.append(since)
        return found


def target(since: str | None) -> str:
    return f"/changes?limit={LIMIT}" + (f"&since={since}" if since else "")


def measure(meter: Meter, server: URL, rounds: int, seconds: int, log: Log) -> Costs:
    key = secrets.token_urlsafe(48)
    settings = Settings(_env_file=None, secret_key=SecretStr(key), access_token_minutes=60)
    token = security.create_access_token(settings, 1, 1, ALL_SCOPES)
    database: Database = todos_data.prepare(server, SIZE, lambda *_: None)
    with servers.running("fast_zero", database, key, token) as running:
        walk = Walk(running, token)
        listing = walk.cursors(None)
        database.run(CHANGE, "VACUUM ANALYZE")
        pages = walk.cursors(listing[-1])
        log(f"{len(listing)} pages of everything, then {len(pages) - 1} pages of changes")
        targets = {
            LIST: f"/todos?limit={LIMIT}",
            NEAR: target(pages[-2]),
            HALF: target(pages[len(pages) // 2]),
            FAR: target(pages[0]),
            NOTHING: target(pages[-1]),
            FIRST: target(None),
            LAST: target(listing[-4]),  # the last one that is full
        }
        requests = {kind: [traffic.message("GET", path, token)] for kind, path in targets.items()}
        return meter.compare(running, requests, rounds, seconds, log)


def show(costs: Costs) -> Iterator[str]:
    """Yield tables of the costs, and of the floor."""
    yield table(costs, NEAR)
    floors = [
        report.Floor(f"{kind}, times {other}", times(costs, kind, other), MOST, at_least=False)
        for kind, other in ((FAR, NEAR), (HALF, NEAR), (LAST, FIRST))
    ]
    yield report.table(["floor", "measured", "wanted", ""], [floor.row() for floor in floors])
