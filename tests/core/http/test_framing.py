"""Message framing: requests whose length two parsers could understand differently."""

import asyncio
import contextlib
import json
import socket
from itertools import count
from urllib.parse import urlsplit

import pytest
import uvicorn
from uvicorn.server import ServerState

from fast_zero.core.server.protocol import ENCODING, TUNNEL, TimeoutProtocol
from tests import clusters
from tests.processes import PATIENCE, serving

NAMES = count()
POST = b"POST /users HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
NEXT = b"GET /version HTTP/1.1\r\nHost: test\r\n\r\n"
H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
UPGRADES = [
    H2C,
    b"connection: upgrade\r\nupgrade: websocket\r\n",
    b"UPGRADE: TLS/1.0\r\nCONNECTION: keep-alive, UPGRADE\r\n",
    b"Connection: keep-alive\r\nConnection: Upgrade\r\nUpgrade: a\r\nUpgrade: b\r\n",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    limits = {"REGISTRATIONS_PER_HOUR": "off", "PASSWORD_QUEUE": "off"}
    data_dir = clusters.copy_to(tmp_path_factory.mktemp("framing") / "data")
    with serving(data_dir, measured=True, **limits) as server:
        yield server


def account() -> bytes:
    name = f"ana-{next(NAMES)}"
    content = {"username": name, "email": f"{name}@example.com", "password": "a fine sentence"}
    return json.dumps(content).encode()


def with_length(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def chunked(body: bytes) -> bytes:
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
    return b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


def whole(head: bytes, body: bytes) -> list[bytes]:
    return [head + body]


def body_later(head: bytes, body: bytes) -> list[bytes]:
    end = body.index(b"\r\n\r\n") + 4
    return [head + body[:end], body[end:]]


def byte_by_byte(head: bytes, body: bytes) -> list[bytes]:
    return [bytes([byte]) for byte in head + body]


async def responses(server, *segments: bytes) -> list[tuple[int, bytes]]:
    """Send segments; return the statuses and bodies until the server closes the connection."""
    address = urlsplit(server.url)
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(ConnectionError):  # it may close the connection before all is sent
            for segment in segments:
                writer.write(segment)
                await writer.drain()
                await asyncio.sleep(0.001 if len(segment) == 1 else 0.05)
        received = []
        while status := await reader.readline():
            head = await reader.readuntil(b"\r\n\r\n")
            [length] = [
                int(line.partition(b":")[2])
                for line in head.splitlines()
                if line.lower().startswith(b"content-length:")
            ]
            received.append((int(status.split()[1]), await reader.readexactly(length)))
        writer.close()
    return received


@pytest.mark.parametrize("split", [whole, body_later, byte_by_byte])
@pytest.mark.parametrize("body_of", [with_length, chunked])
async def test_an_unsupported_upgrade_is_ignored_and_the_body_is_read(server, split, body_of):
    for upgrade in UPGRADES:
        new = account()

        [(status, body)] = await responses(server, *split(POST + upgrade, body_of(new)))

        assert status == 201
        assert json.loads(body)["username"] == json.loads(new)["username"]


@pytest.mark.parametrize("split", [whole, body_later, byte_by_byte])
@pytest.mark.parametrize("body_of", [with_length, chunked])
@pytest.mark.parametrize("upgrade", UPGRADES)
async def test_no_body_of_an_upgrade_is_a_request(server, split, body_of, upgrade):
    [(status, _)] = await responses(server, *split(POST + upgrade, body_of(NEXT)))

    assert status == 422


@pytest.mark.parametrize("split", [whole, body_later])
@pytest.mark.parametrize("then", [NEXT, NEXT * 500, POST + H2C + with_length(NEXT), b"\x00\xff"])
async def test_data_after_an_upgrade_is_not_a_request(server, split, then):
    first = split(POST + H2C, with_length(account()))
    first[-1] += then

    assert [status for status, _ in await responses(server, *first, NEXT, NEXT)] == [201]


async def test_an_upgrade_without_a_body_gets_its_response_in_order(server):
    head = b"GET /livez HTTP/1.1\r\nHost: test\r\n"

    received = await responses(server, NEXT + head + H2C + b"\r\n" + NEXT)

    assert [status for status, _ in received] == [200, 200]
    assert received[1][1] == b'{"status":"alive"}'


async def test_http_1_0_cannot_upgrade(server):
    head = POST.replace(b"1.1", b"1.0") + UPGRADES[1]

    [(status, _)] = await responses(server, head + with_length(account()))

    assert status == 201


@pytest.mark.parametrize("target", [b"example.com:443", b"/users", b"*"])
@pytest.mark.parametrize("fields", [b"\r\n", H2C + b"\r\n", with_length(NEXT)])
async def test_connect_is_refused(server, target, fields):
    head = b"CONNECT %b HTTP/1.1\r\nHost: test\r\n" % target

    [(status, body)] = await responses(server, head + fields, NEXT)

    assert status == 400
    assert json.loads(body)["detail"] in {TUNNEL, "Invalid HTTP request received."}


@pytest.mark.parametrize(
    "encoding",
    [
        b"gzip, chunked",
        b"identity\r\nTransfer-Encoding: chunked",
        b",chunked",
        b"\tgzip,\tchunked",
        b"chunked, chunked",
        b"chunked, identity",
        b"chunked,",
        b"chunked;a=b",
        b'"chunked"',
        b"xchunked",
        b"\x0bchunked",
        b"chunked\x00",
        b"\xa0chunked",
        b"identity",
        b"",
        b"chunked\r\nTransfer-Encoding: chunked",
        b"chunked\r\nTransfer-Encoding: identity",
        b"chunked\r\n\tidentity",
        b"chunked\r\nContent-Length: 5",
    ],
)
async def test_a_transfer_encoding_other_than_chunked_is_refused(server, encoding):
    body = chunked(account()).partition(b"\r\n")[2]
    plain = POST + b"Transfer-Encoding: " + encoding + b"\r\n" + body
    length_first = POST + b"Content-Length: 5\r\nTransfer-Encoding: " + encoding + b"\r\n" + body

    for request in (plain, length_first, plain.replace(b"Host", b"Connection: Upgrade\r\nHost")):
        assert [status for status, _ in await responses(server, request + NEXT, NEXT)] == [400]


async def test_http_1_0_cannot_use_transfer_encoding(server):
    for fields in (b"", b"Connection: keep-alive\r\n", b"Content-Length: 5\r\n"):
        request = POST.replace(b"1.1", b"1.0") + fields + chunked(account())

        [(status, body)] = await responses(server, request, NEXT)

        assert status == 400
        assert json.loads(body)["detail"] in {ENCODING, "Invalid HTTP request received."}


async def test_chunked_is_case_insensitive(server):
    request = POST + b"Connection: close\r\n" + chunked(account()).replace(b"chunked", b"CHUNKED")

    assert [status for status, _ in await responses(server, request)] == [201]


@pytest.mark.parametrize(
    "garbage", [b"\x00\r\n\r\n", POST + b"Transfer-Encoding: gzip\r\n\r\n", b"x" * 70_000]
)
async def test_an_error_is_not_sent_as_the_response_to_an_earlier_request(server, garbage):
    received = await responses(server, POST + with_length(account()) + garbage)

    assert [status for status, _ in received] == [201]


async def test_an_incomplete_body_gets_one_response(server):
    [(status, _)] = await responses(server, POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nxyz")

    assert status == 400
    assert "Traceback" not in server.log.read_text()


HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)


@pytest.fixture
async def sockets(settings):
    """Serve an application that echoes the body of each request, and accepts WebSockets."""

    async def app(scope, receive, send):
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
        else:
            body = (await receive())["body"]
            length = [(b"content-length", b"%d" % len(body))]
            await send({"type": "http.response.start", "status": 200, "headers": length})
            await send({"type": "http.response.body", "body": body})

    config = uvicorn.Config(app, ws="websockets-sansio", log_config=None)
    config.load()
    state = {"settings": settings}
    served = await asyncio.get_running_loop().create_server(
        lambda: TimeoutProtocol(config, ServerState(), state), "127.0.0.1", 0
    )
    async with served:
        yield served.sockets[0].getsockname()


async def send_raw(address, request: bytes, size: int = -1) -> bytes:
    """Send a request; return so many bytes of the response, or all until the connection closes."""
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(request)
        received = await reader.read(size)
        writer.transport.abort()
    return received


async def test_a_handshake_reaches_a_websocket_route(sockets):
    received = await send_raw(sockets, HANDSHAKE + b"\r\n", size=100)

    assert received.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")


@pytest.mark.parametrize(
    "request_",
    [
        HANDSHAKE + with_length(NEXT),
        HANDSHAKE + chunked(NEXT),
        HANDSHAKE.replace(b"GET", b"POST") + with_length(NEXT),
        HANDSHAKE.replace(b"HTTP/1.1", b"HTTP/1.0") + with_length(NEXT),
        HANDSHAKE.replace(b"WebSocket", b"h2c") + with_length(NEXT),
        HANDSHAKE + b"Connection: keep-alive\r\n" + with_length(NEXT),
    ],
)
async def test_an_invalid_handshake_is_an_ordinary_request(sockets, request_):
    received = await send_raw(sockets, request_ + NEXT)

    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert received.endswith(b"\r\n\r\n" + NEXT)
    assert received.count(b"HTTP/1.1 200 OK") == 1


async def test_a_handshake_waits_for_pending_responses(sockets):
    received = await send_raw(sockets, NEXT + HANDSHAKE + b"\r\n")

    assert received.count(b"HTTP/1.1 200 OK") == 2
    assert b"101" not in received
