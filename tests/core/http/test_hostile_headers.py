"""No header value causes a 5xx on any route."""

import re
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import clusters
from tests.factories import PASSWORD
from tests.processes import serving

ANA = {"username": "ana", "email": "ana@example.com", "password": PASSWORD}
UNLIMITED = (
    "LOGIN_FAILURES",
    "LOGIN_FAILURES_PER_ADDRESS",
    "REGISTRATIONS_PER_HOUR",
    "LETTERS_PER_HOUR",
    "LETTERS_PER_HOUR_PER_ADDRESS",
)
TRUSTING = {"FORWARDED_ALLOW_IPS": "*", "CORS_ALLOW_ORIGINS": "https://app.example"}
# These would delete the account or session that the other requests use.
DESTRUCTIVE = {
    ("DELETE", "/users/{user_id}"),
    ("DELETE", "/auth/sessions"),
    ("DELETE", "/auth/sessions/{session_id}"),
    ("POST", "/auth/logout"),
}
UNDOCUMENTED = [
    ("GET", "/docs"),
    ("GET", "/docs/assets/swagger-ui.css"),
    ("HEAD", "/todos"),
    ("OPTIONS", "/todos"),
    ("GET", "/nowhere"),
]

# Every header that fast_zero or one of its libraries reads.
NAMES = [
    *(
        "Accept",
        "Accept-Language",
        "Access-Control-Request-Headers",
        "Access-Control-Request-Method",
    ),
    *("Authorization", "Connection", "Content-Encoding", "Content-Length"),
    *("Content-Type", "Cookie", "Expect", "Forwarded"),
    *("Host", "Idempotency-Key", "If-Match", "If-Modified-Since"),
    *("If-None-Match", "If-Range", "If-Unmodified-Since", "Origin"),
    *("Range", "Transfer-Encoding", "Upgrade", "User-Agent"),
    *("X-Forwarded-For", "X-Forwarded-Proto", "X-Request-Id", "baggage"),
    *("traceparent", "tracestate"),
]
HUGE = b"9" * 20
PIECES = [
    *(
        b"",
        b" ",
        b"\t",
        b",",
        b";",
        b"=",
        b":",
        b"/",
        b"*",
        b'"',
        b"\\",
        b"-",
        b".",
        b"%",
        b"[",
        b"]",
    ),
    *(b"0", b"1", b"-1", b"1.5", b"nan", b"1e400", HUGE, HUGE * 300, b"\xb2", b"\xff\xfe", b"\x80"),
    *(b"Wed, 25 Nov ", b" 08:00:00 GMT", b"2026", b" +0000", b" -2359", b"31 Dec 9999 23:59:59"),
    *(b'"1"', b'W/"1"', b'"1-public"', b"Bearer ", b"Basic ", b"a.b.c", b"e30.e30.e30", b"fz_"),
    *(b"application/json", b"application/x-www-form-urlencoded", b"multipart/form-data"),
    *(
        b"; boundary=",
        b"; charset=",
        b"utf-7",
        b"nope",
        b"idna",
        b"undefined",
        b"text/html",
        b"null",
    ),
    *(b"bytes=", b"0-", b"-5", b"for=", b"proto=https", b"127.0.0.1", b"[::1]", b"fe80::1%eth0"),
    *(b"http://", b"https://app.example", b"GET", b"close", b"upgrade", b"websocket", b"chunked"),
    *(b"en", b"pt-BR", b"q=", b"gzip", b"100-continue", b"00-", b"f" * 32, b"0" * 16, b"-01"),
]
VALUES = st.lists(st.sampled_from(PIECES), max_size=6).map(b"".join) | st.binary(max_size=40).map(
    lambda value: value.translate(None, b"\r\n")
)
BODIES = {
    b"application/json": b'{"title": "a", "text": "a"}',
    b"application/x-www-form-urlencoded": b"username=ana&password=b",
    b"multipart/form-data; boundary=a": b'--a\r\nContent-Disposition: form-data; name="a"\r\n\r\n'
    b"\xff\r\n--a--\r\n",
}


@dataclass
class Target:
    address: tuple[str, int]
    token: str
    routes: list[tuple[str, str]] = field(default_factory=list)

    def send(self, route: tuple[str, str], headers: dict[bytes, bytes], body: bytes) -> bytes:
        """Send raw bytes; return the start of the response, if there is one."""
        lines = ["{} {} HTTP/1.1".format(*route).encode(), *map(b": ".join, headers.items())]
        with socket.create_connection(self.address) as connection, suppress(OSError):
            connection.settimeout(1)  # the server may wait for a longer body than is sent
            connection.sendall(b"\r\n".join([*lines, b"", body]))
            return connection.recv(65_536)
        return b""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    variables = {**dict.fromkeys(UNLIMITED, "off"), **TRUSTING}
    data_dir = clusters.copy_to(tmp_path_factory.mktemp("hostile") / "data")
    with serving(data_dir, **variables) as server:
        yield server


@pytest.fixture(scope="module")
def target(server) -> Target:
    with httpx2.Client(base_url=server.url, timeout=30) as client:
        user_id = client.post("/users", json=ANA).json()["id"]
        token = client.post("/auth/token", data=ANA).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        client.post("/todos", json={"title": "a"}).raise_for_status()
        client.post("/posts", json={"text": "a"}).raise_for_status()
        paths = client.get("/openapi.json").json()["paths"]
    routes = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    filled = [
        (method, re.sub(r"\{\w+\}", "1", path.format_map(PathParameters(user_id))))
        for method, path in sorted(routes - DESTRUCTIVE)
    ]
    address = urlsplit(server.url)
    return Target((address.hostname, address.port), token, [*filled, *UNDOCUMENTED])


class PathParameters(dict):
    """Fill in the username and id of the account, and 1 for all other parameters."""

    def __init__(self, user_id: int) -> None:
        super().__init__(username=ANA["username"], user_id=user_id)

    def __missing__(self, _name: str) -> int:
        return 1


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_no_header_value_causes_a_5xx(server, target, data):
    route = data.draw(st.sampled_from(target.routes))
    kind = data.draw(st.sampled_from(sorted(BODIES)))
    hostile = data.draw(st.dictionaries(st.sampled_from(NAMES), VALUES, min_size=1, max_size=3))
    headers = {
        b"host": b"test",
        b"authorization": b"Bearer " + target.token.encode(),
        b"content-type": kind,
        b"content-length": b"%d" % len(BODIES[kind]),
        **{name.lower().encode(): value for name, value in hostile.items()},
    }

    logged = server.log.stat().st_size

    response = target.send(route, headers, BODIES[kind])

    assert not response.startswith(b"HTTP/1.1 5"), response
    assert b'"level": "error"' not in server.log.read_bytes()[logged:]


READ_BY_ROUTES = [
    *("Accept-Language", "Authorization", "Content-Type", "Idempotency-Key", "If-Match"),
    *("If-Modified-Since", "If-None-Match", "Range", "User-Agent"),
]


@pytest.mark.parametrize("value", [b"Wed, 25 Nov %b 08:00:00 GMT" % HUGE, HUGE * 300])
def test_no_huge_number_in_a_header_causes_a_5xx(target, value):
    for route in target.routes:
        for name in READ_BY_ROUTES:
            headers = {
                b"host": b"test",
                b"authorization": b"Bearer " + target.token.encode(),
                name.lower().encode(): value,
            }
            response = target.send(route, headers, b"")
            assert re.match(rb"HTTP/1.1 [234]", response), (route, name, response)
