"""Slow and silent clients, with short timeouts of `fast-zero serve`."""

import asyncio
import contextlib
import json
import socket
from urllib.parse import urlsplit

import httpx2
import pytest

from tests import clusters
from tests.processes import PATIENCE, serving

HEAD_SECONDS = 1.0
REQUEST = b"GET /livez HTTP/1.1\r\nHost: test\r\n\r\n"
POST = b"POST /users HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    timeouts = {
        "REQUEST_HEAD_TIMEOUT": str(HEAD_SECONDS),
        "REQUEST_BODY_MIN_RATE": "1000",
        "RESPONSE_READ_TIMEOUT": "1",
    }
    data_dir = clusters.copy_to(tmp_path_factory.mktemp("slow") / "data")
    with serving(data_dir, measured=True, **timeouts) as server:
        yield server


@pytest.fixture
def connect(server):
    """Open raw connections with a small receive buffer."""
    with contextlib.ExitStack() as stack:

        def connect() -> socket.socket:
            address = urlsplit(server.url)
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(PATIENCE)
            connection.connect((address.hostname, address.port))
            return connection

        yield connect


def read_to_end(connection: socket.socket) -> bytes:
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65_536):
            parts.append(part)
    return b"".join(parts)


def read_problem(connection: socket.socket) -> tuple[int, str]:
    """Read the problem that the server sends before it closes the connection."""
    head, _, body = read_to_end(connection).partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert {"content-type: application/problem+json", "connection: close"} <= set(lines)
    assert "x-content-type-options: nosniff" in lines
    problem = json.loads(body)
    assert lines[0].split()[1] == str(problem["status"])
    return problem["status"], problem["detail"]


@pytest.mark.parametrize("start", [b"GET", REQUEST[:-2], b"\r\n"])
def test_an_incomplete_head_times_out_with_408(connect, start):
    connection = connect()
    connection.sendall(start)

    assert read_problem(connection) == (408, "The head of the request took too long.")


@pytest.mark.parametrize("start", [b"", REQUEST, REQUEST + b"GET / HTT"])
def test_an_idle_connection_is_closed(connect, start):
    connection = connect()
    connection.sendall(start)

    assert read_to_end(connection).count(b"HTTP/1.1 ") == start.count(b"livez")


async def drip(writer: asyncio.StreamWriter, data: bytes) -> None:
    with contextlib.suppress(ConnectionError):
        for byte in data * 1000:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("start", "repeated", "detail"),
    [
        (b"GET / HTTP/1.1\r\nX-Long: ", b"a", "The head of the request took too long."),
        (POST + b"Content-Length: 9999\r\n\r\n", b"a", "The body of the request is too slow."),
        (
            POST + b"Transfer-Encoding: chunked\r\n\r\n",
            b"1\r\na\r\n",
            "The body of the request is too slow.",
        ),
    ],
)
async def test_a_body_that_is_sent_too_slowly_times_out(server, start, repeated, detail):
    address = urlsplit(server.url)
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(start)
        dripper = asyncio.create_task(drip(writer, repeated))
        response = await reader.read()
        dripper.cancel()
        writer.close()

    assert response.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert json.loads(response.partition(b"\r\n\r\n")[2])["detail"] == detail


async def test_a_body_above_the_minimum_rate_may_take_long(server):
    async def steady():
        yield b'{"username": "'
        for _ in range(30):
            yield b"a" * 400
            await asyncio.sleep(0.1)  # three times the timeout, at four times the minimum rate
        yield b'"}'

    async with httpx2.AsyncClient(base_url=server.url, timeout=PATIENCE) as client:
        headers = {"Content-Type": "application/json"}
        assert (await client.post("/users", content=steady(), headers=headers)).status_code == 422


def test_a_response_that_the_client_does_not_read_is_aborted(connect):
    connection = connect()
    request = b"GET /docs/assets/swagger-ui-bundle.js HTTP/1.1\r\nHost: test\r\n\r\n"
    # The operating system buffers megabytes, so the requested responses are larger than that.
    connection.sendall(request * 10)

    def write_on() -> None:  # reading would empty the buffers, so only writing shows the end
        while True:
            connection.sendall(REQUEST * 1000)

    with pytest.raises(ConnectionError):
        write_on()


def test_an_endless_head_is_refused_as_too_large(connect):
    connection = connect()
    connection.sendall(b"GET / HTTP/1.1\r\nHost: test\r\nX-Long: " + b"a" * 70_000)

    assert read_problem(connection) == (431, "The head is too large.")


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"Host: test\r\nX-Long: " + b"a" * 70_000, (431, "The head is too large.")),
        (b"X: y", (400, "A request needs one Host.")),
        (b"Host: a\r\nHost: b", (400, "A request needs one Host.")),
    ],
    ids=["long", "no host", "two hosts"],
)
def test_an_invalid_head_is_refused(connect, head, expected):
    connection = connect()
    connection.sendall(b"GET /livez HTTP/1.1\r\nConnection: close\r\n" + head + b"\r\n\r\n")

    assert read_problem(connection) == expected


def test_data_that_is_not_http_is_refused(connect):
    connection = connect()
    connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")

    assert read_problem(connection) == (400, "Invalid HTTP request received.")


def test_an_http_1_0_request_needs_no_host(connect):
    connection = connect()
    connection.sendall(b"GET /livez HTTP/1.0\r\n\r\n")

    assert read_to_end(connection).endswith(b'{"status":"alive"}')


async def test_three_hundred_slow_clients_do_not_block_others(server):
    address = urlsplit(server.url)
    starts = [
        b"",
        REQUEST[:-2],
        POST + b"Content-Length: 9999\r\n\r\n{",
        b"GET /docs/assets/swagger-ui-bundle.js HTTP/1.1\r\nHost: test\r\n\r\n" * 3,
    ]

    async def open_slow(start: bytes):
        reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=1)
        writer.write(start)
        return reader, writer

    async with asyncio.timeout(PATIENCE):
        slow = await asyncio.gather(*(open_slow(starts[n % 4]) for n in range(300)))
        async with httpx2.AsyncClient(base_url=server.url, timeout=PATIENCE) as client:
            responses = [(await client.get("/users")).status_code for _ in range(50)]
        assert responses == [200] * 50
        for number, (reader, writer) in enumerate(slow):
            if number % 4 != 3:  # the server aborts the last kind
                with contextlib.suppress(ConnectionError):
                    await reader.read()
            writer.close()

    assert "Traceback" not in server.log.read_text()
