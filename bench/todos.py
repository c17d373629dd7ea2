"""The cost of todos with projects, labels, subtasks and an order, beside a plain list of todos."""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from urllib.parse import urlencode

from pydantic import SecretStr

from bench import report, servers, traffic
from bench.costs import Cost, Log, Meter, table, times
from bench.databases import Database
from bench.todos_data import TodosSize
from fast_zero.core import security
from fast_zero.core.settings import Settings
from fast_zero.identity.scopes import ALL_SCOPES

PLAIN = "plain list"
LIST = "list"
SUMMARY = "summary"
FILTERED = "list by a filter of four conditions"
SEARCHED, BEST_MATCHES = "search for two words", "search by relevance"
CREATE, CREATE_WITH_LABELS = "create", "create with labels"
QUICK = "quick add"
MOVE_OF_FEW, MOVE_OF_MANY = "move among 10", "move among 10,000"
# How many times the second kind a kind of request may cost.
FLOORS = (
    (LIST, PLAIN, 2.0),
    (SUMMARY, PLAIN, 3.0),
    (FILTERED, LIST, 3.0),
    (SEARCHED, LIST, 3.0),
    (QUICK, CREATE, 3.0),
    (CREATE_WITH_LABELS, CREATE, 3.0),
    (MOVE_OF_MANY, MOVE_OF_FEW, 1.2),
)
FLAT = (LIST, FILTERED, SEARCHED)
"""The kinds of requests that are also measured beside a tenth of the people."""
MOST_GROWTH = 1.25
FILTER = 'state:todo,doing label:"label 1" not is:blocked created<30d'
WORDS = "bread week"
SENTENCE = 'Buy bread tomorrow 9am #"Project 1" @"label 1" !high every 2 weeks'

Costs = Mapping[str, Sequence[Cost]]


class Benchmark:
    def __init__(self, meter: Meter, size: TodosSize) -> None:
        self.meter = meter
        self.size = size
        self.key = secrets.token_urlsafe(48)
        self.settings = Settings(
            _env_file=None, secret_key=SecretStr(self.key), access_token_minutes=60
        )

    def token(self, user_id: int) -> str:
        return security.create_access_token(self.settings, user_id, user_id, ALL_SCOPES)

    def measure(
        self, database: Database, rounds: int, seconds: int, log: Log, *, only_flat: bool = False
    ) -> Costs:
        requests = self.requests()
        wanted = {kind: requests[kind] for kind in FLAT} if only_flat else requests
        with servers.running("plain", database, self.key, self.token(1)) as server:
            return self.meter.compare(server, wanted, rounds, seconds, log)

    def requests(self) -> dict[str, list[bytes]]:
        """Return the requests of each kind, by many users in turn."""
        tokens = [self.token(user_id) for user_id in range(1, self.size.people + 1)]
        new = {"title": "Buy bread", "description": "The dark one, with seeds."}
        labels = [f"label {number}" for number in (1, 2, 3)]

        def get(target: str) -> list[bytes]:
            return [traffic.message("GET", target, token) for token in tokens]

        def post(body: dict[str, object], target: str = "/todos") -> list[bytes]:
            return [message(target, token, body) for token in tokens]

        return {
            PLAIN: get("/plain?limit=20"),
            LIST: get("/todos?limit=20"),
            "list by due and priority": get("/todos?limit=20&sort=due,-priority"),
            "list of a label": get("/todos?limit=20&label=label%201"),
            FILTERED: get("/todos?" + urlencode({"limit": 20, "filter": FILTER})),
            SEARCHED: get("/todos?" + urlencode({"limit": 20, "q": WORDS})),
            BEST_MATCHES: get(
                "/todos?" + urlencode({"limit": 20, "q": WORDS, "sort": "relevance"})
            ),
            SUMMARY: get("/todos/summary"),
            CREATE: post(dict(new)),
            CREATE_WITH_LABELS: post({**new, "labels": labels}),
            QUICK: post({"text": SENTENCE}, "/todos/quick"),
            MOVE_OF_FEW: self.moves(self.size.mover_of_few),
            MOVE_OF_MANY: self.moves(self.size.mover_of_many),
        }

    def moves(self, owner: int) -> list[bytes]:
        """Move the todos of a list to different places, one after the other."""
        token = self.token(owner)
        ids = [todo_id for todo_id, user_id in self.size.siblings() if user_id == owner]
        steps = range(0, len(ids), max(1, len(ids) // 1000))
        return [
            message(f"/todos/{ids[at]}/move", token, {"before": ids[(at * 7 + 3) % len(ids)]})
            for at in steps
            if ids[at] != ids[(at * 7 + 3) % len(ids)]
        ]


def show(costs: Costs, of_few: Costs) -> Iterator[str]:
    """Yield tables of the costs, and of the floors; `of_few` are beside a tenth of the people."""
    yield table(costs, PLAIN)
    floors = [
        report.Floor(f"{kind}, times the {base}", times(costs, kind, base), most, at_least=False)
        for kind, base, most in FLOORS
    ]
    floors += [
        report.Floor(
            f"{kind}, times that beside a tenth of the people",
            median(cost.micros for cost in costs[kind])
            / median(cost.micros for cost in of_few[kind]),
            MOST_GROWTH,
            at_least=False,
        )
        for kind in FLAT
    ]
    yield report.table(["floor", "measured", "wanted", ""], (floor.row() for floor in floors))


def message(target: str, token: str, body: dict[str, object]) -> bytes:
    return traffic.message("POST", target, token, json.dumps(body), "application/json")
