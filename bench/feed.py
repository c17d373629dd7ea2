"""The cost of the feed beside a list of todos, with a hundred thousand people and their posts."""

import json
import secrets
from collections.abc import Iterator
from http.client import HTTPConnection

from pydantic import SecretStr

from bench import report, servers, traffic
from bench.costs import Log, Meter, table, times
from bench.databases import Database
from bench.feed_data import FAMOUS, FeedSize
from bench.servers import HOST, Server
from fast_zero.core import security
from fast_zero.core.settings import Settings
from fast_zero.identity.scopes import ALL_SCOPES

PAGE = 20
PAGES = 100
TIMES = 5.0
LIST = "list of todos"
WRITERS = range(1, FAMOUS + 1)


class Benchmark:
    def __init__(self, meter: Meter, size: FeedSize) -> None:
        self.meter = meter
        self.size = size
        self.key = secrets.token_urlsafe(48)
        self.settings = Settings(
            _env_file=None, secret_key=SecretStr(self.key), access_token_minutes=60
        )

    def token(self, user_id: int) -> str:
        return security.create_access_token(self.settings, user_id, user_id, ALL_SCOPES)

    def run(self, database: Database, rounds: int, seconds: int, log: Log) -> Iterator[str]:
        with servers.running("fast_zero", database, self.key, self.token(1)) as server:
            costs = self.meter.compare(server, self.requests(server), rounds, seconds, log)
        yield table(costs, LIST)
        dearest = max(times(costs, kind, LIST) for kind in costs)
        floor = report.Floor("dearest request, times the list", dearest, TIMES, at_least=False)
        yield report.table(["floor", "measured", "wanted", ""], [floor.row()])

    def requests(self, server: Server) -> dict[str, list[bytes]]:
        """Return the requests of each kind, by many users in turn."""
        readers = {reader: self.token(reader) for reader in self.size.readers()}
        writers = {writer: self.token(writer) for writer in WRITERS}
        new = json.dumps({"text": "The bread is in the oven, again."})
        get = traffic.message

        def first(path: str) -> list[bytes]:
            return [get("GET", f"{path}?limit={PAGE}", token) for token in readers.values()]

        def hundredth(path: str) -> list[bytes]:
            return [
                get("GET", f"{path}?limit={PAGE}&after={after(server, path, token)}", token)
                for token in readers.values()
            ]

        return {
            LIST: first("/todos"),
            "timeline, first page": first("/timeline"),
            "timeline, hundredth page": hundredth("/timeline"),
            "timeline of who follows ten": [
                get("GET", f"/timeline?limit={PAGE}", self.token(quiet))
                for quiet in self.size.quiet()
            ],
            "public posts, first page": first("/posts"),
            "public posts, hundredth page": hundredth("/posts"),
            "profile of anybody": [
                get("GET", f"/users/{reader * 977 % self.size.people + 1}", token)
                for reader, token in readers.items()
            ],
            "profile of the famous": [
                get("GET", f"/users/{reader % FAMOUS + 1}", token)
                for reader, token in readers.items()
            ],
            "post by the famous": [
                get("POST", "/posts", token, new, "application/json") for token in writers.values()
            ],
        }


def after(server: Server, path: str, token: str) -> str:
    """Return the cursor of the hundredth page."""
    cursor_parameter, remaining = "", PAGE * (PAGES - 1)
    connection = HTTPConnection(HOST, server.port, timeout=servers.PATIENCE)
    while remaining:
        limit = min(remaining, 1000)
        target = f"{path}?limit={limit}{cursor_parameter}"
        connection.request("GET", target, headers={"Authorization": f"Bearer {token}"})
        cursor = json.loads(connection.getresponse().read())["next"]
        cursor_parameter, remaining = f"&after={cursor}", remaining - limit
    connection.close()
    return str(cursor)
