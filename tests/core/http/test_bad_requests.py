"""Invalid paths, queries, headers and body lengths."""

import json
import logging

import pytest
from httpx2 import ASGITransport, AsyncClient

from tests.core.expect import invalid_fields, problem

TODO = json.dumps({"title": "Buy bread"}).encode()
BATCH = json.dumps({"items": [{"op": "create", "title": "Buy bread"}]}).encode()
JSON = {"Content-Type": "application/json"}
MEBIBYTE = 1_048_576
TOO_LARGE = (413, "The body is larger than 1048576 bytes.")


async def send_raw(client, method: str, path: str, headers: tuple = (), **scope):
    """Put values into the ASGI scope that a client library would normalize."""
    app = client.app

    async def altered(original, receive, send):
        others = [pair for pair in original["headers"] if pair[0] not in dict(headers)]
        await app({**original, **scope, "headers": [*others, *headers]}, receive, send)

    transport = ASGITransport(altered)
    async with AsyncClient(
        transport=transport, base_url="http://test", headers=client.headers
    ) as raw:
        return await raw.request(method, path)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/todos/%", 422),
        ("/todos/%zz", 422),
        ("/todos/%ff", 422),
        ("/todos/%00", 422),
        ("/users/%ED%A0%80", 422),
        ("/%ff%00", 404),
        ("/todos/%2e%2e%2fusers", 404),
        ("/users/9223372036854775808", 422),
        ("/users/-9223372036854775809", 422),
        ("/users/" + "9" * 5000, 422),
        ("/todos/1e3", 422),
        ("/todos/٣", 422),
    ],
)
async def test_a_bad_path_is_refused(client, path, status):
    response = await client.get(path)

    assert problem(response)[0] == status
    if status == 422:
        [_, collection, _] = path.split("/")
        assert invalid_fields(response) == [f"path.{collection.removesuffix('s')}_id"]


@pytest.mark.parametrize(
    ("query", "place"),
    [
        (b"title=%00", "query.title"),
        (b"description=a%00b", "query.description"),
        (b"limit=%", "query.limit"),
        (b"limit=%zz", "query.limit"),
        (b"offset=9223372036854775808", "query.offset"),
        (b"limit=" + b"9" * 5000, "query.limit"),
        (b"after=%ff", "query.after"),
        (b"after=\xff\xfe", "query.after"),
        (b"state=%ed%a0%80", "query.state"),
        (b"title=a&limit=NaN", "query.limit"),
        (b"&&limit=&limit=", "query.limit"),
        (b"&&==;limit=&limit=", "query."),
        (b"\xff=\xff&limit=0", "query.ÿ"),
        (b"%=%", "query.%"),
    ],
)
async def test_a_bad_query_is_refused_with_the_name_of_its_parameter(client, query, place):
    assert invalid_fields(await send_raw(client, "GET", "/todos", query_string=query)) == [place]


@pytest.mark.parametrize("query", [b"title=%ff", b"title=%zz%", b"title=\xff"])
async def test_an_unusual_but_valid_query_finds_nothing(client, query):
    response = await send_raw(client, "GET", "/todos", query_string=query)

    assert (response.status_code, response.json()["todos"]) == (200, [])


async def in_chunks(size: int):
    yield b'{"title": "'
    for _ in range(size // 65_536):
        yield b"a" * 65_536
    yield b'"}'


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/todos", "application/json"),
        ("/todos", "text/plain"),
        ("/users", "application/json"),
        ("/auth/token", "application/x-www-form-urlencoded"),
    ],
)
@pytest.mark.parametrize("in_one", [True, False])
async def test_a_body_of_two_mebibytes_is_refused(client, path, in_one, content_type):
    headers = {"Content-Type": content_type}
    content = b"a" * 2 * MEBIBYTE if in_one else in_chunks(2 * MEBIBYTE)

    response = await client.post(path, content=content, headers=headers)

    assert problem(response) == TOO_LARGE


async def test_a_chunked_body_is_refused_while_it_is_read(client):
    chunks = []

    async def endless():
        while True:
            chunks.append(1)
            yield b"a" * 65_536

    assert problem(await client.post("/todos", content=endless(), headers=JSON)) == TOO_LARGE
    assert len(chunks) <= MEBIBYTE // 65_536 + 1


async def test_a_body_of_exactly_the_limit_is_accepted(client):
    largest = TODO.ljust(MEBIBYTE)

    assert (await client.post("/todos", content=largest, headers=JSON)).status_code == 201
    assert problem(await client.post("/todos", content=largest + b" ", headers=JSON)) == TOO_LARGE


@pytest.mark.parametrize("length", [b"", b"ten", b"-1", b"1.5", b"\xb2", b"0x10", b"1, 2", b"+1"])
async def test_a_content_length_that_is_not_a_number_is_refused(client, length):
    response = await send_raw(client, "POST", "/todos", headers=((b"content-length", length),))

    assert problem(response) == (400, "Content-Length is not a number.")


@pytest.mark.parametrize("length", [b"1048577", b"9" * 5000, b"0" * 30 + b"1048577"])
async def test_a_content_length_above_the_limit_is_refused_before_the_body_is_read(client, length):
    response = await send_raw(client, "POST", "/todos", headers=((b"content-length", length),))

    assert problem(response) == TOO_LARGE


@pytest.mark.parametrize(
    "value",
    [b"\xff\xfe", b"Bearer \xff", b"Bearer \0", b"", b" ", b"Bearer", b"Bearer \xc3\xa9.b.c"],
)
async def test_a_malformed_authorization_header_is_refused(client, value):
    response = await send_raw(client, "GET", "/todos", headers=((b"authorization", value),))

    assert problem(response)[0] == 401
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("host", [b"", b"[", b"\xff", b"a/b?c#d", b"[::1]:x", b"a b", b"\0"])
async def test_a_malformed_host_does_not_change_the_response(client, host):
    response = await send_raw(client, "GET", "/todos/0", headers=((b"host", host),))

    assert invalid_fields(response) == ["path.todo_id"]


@pytest.mark.parametrize(
    ("method", "path", "kind", "body"),
    [
        ("POST", "/todos", "application/json", TODO),
        ("POST", "/todos/batch", "application/json", BATCH),
        ("PATCH", "/users/me", "application/json", b'{"username": "ana"}'),
        ("POST", "/auth/token", "application/x-www-form-urlencoded", b"username=a&password=b"),
    ],
)
async def test_a_request_with_an_incomplete_body_has_no_effect(
    client, statements, caplog, method, path, kind, body
):
    messages = [
        # The whole body, but without the message that ends it.
        {"type": "http.request", "body": body, "more_body": True},
        {"type": "http.disconnect"},
    ]
    app = client.app

    async def disconnecting(scope, _receive, send):
        async def receive():
            return messages.pop(0) if len(messages) > 1 else messages[0]

        await app(scope, receive, send)

    caplog.set_level(logging.INFO)
    headers = dict(client.headers) | {"Content-Type": kind, "Idempotency-Key": "key"}
    async with AsyncClient(
        transport=ASGITransport(disconnecting), base_url="http://test", headers=headers
    ) as raw:
        with statements() as sent:
            response = await raw.request(method, path)

    assert problem(response)[0] == 400  # which the client does not read
    assert (sent, sent.transactions) == ([], 0)
    assert {record.levelno for record in caplog.records} == {logging.INFO}
