"""Every invalid input gets a response that names the error, never a 5xx or an exception."""

import json

import pytest

from tests.core.expect import invalid_fields, problem
from tests.factories import PASSWORD

ANA = {"username": "Ana Lúcia", "email": "ana@example.com", "password": PASSWORD}
TODO = {"title": "Buy bread", "description": "Dark", "state": "todo"}
JSON = {"Content-Type": "application/json"}

WRITES = {"POST /users": ANA, "PUT /users/1": ANA, "POST /todos": TODO, "PATCH /todos/1": TODO}
BAD_VALUES = [
    "a\0b\0c\0d",
    "abc\ud800defg",
    "\udfff\ud800 the wrong way round",
    10**25,
    -(10**25),
    True,
    float("nan"),
    float("-inf"),
    ["\ud800"],
    {"\0": "\ud800"},
]


async def send(client, content: bytes, path: str = "/todos", method: str = "POST", headers=JSON):
    return await client.request(method, path, content=content, headers=headers)


@pytest.mark.parametrize(
    ("write", "field"), [(write, field) for write, body in WRITES.items() for field in body]
)
async def test_a_bad_value_is_refused_with_the_name_of_its_field(client, write, field):
    method, path = write.split()
    for value in BAD_VALUES:
        content = json.dumps(WRITES[write] | {field: value}).encode()
        response = await send(client, content, path, method)
        assert set(invalid_fields(response)) == {f"body.{field}"}, value


@pytest.mark.parametrize("field", ["username", "password"])
@pytest.mark.parametrize("value", ["%00", "ana%00", "a" * 1025])
async def test_a_bad_value_in_a_form_is_refused_with_the_name_of_its_field(anonymous, field, value):
    fields = {"username": "ana", "password": "secret", field: value}
    content = "&".join(map("=".join, fields.items())).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    assert invalid_fields(await send(anonymous, content, "/auth/token", headers=headers)) == [
        f"body.{field}"
    ]


@pytest.mark.parametrize(
    "charset", ["utf-8", "utf-7", "unicode_escape", "undefined", "punycode", "\0", "no-such-one"]
)
@pytest.mark.parametrize("value", [rb"\ud800", b"\xff\xfe", b"\0", b"%ED%A0%80", b""])
async def test_a_multipart_form_in_any_charset_gets_a_response(anonymous, charset, value):
    content = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name, value)
        for name in (b"username", b"password")
    )
    headers = {"Content-Type": f"multipart/form-data; boundary=x; charset={charset}"}

    status, _ = problem(
        await send(anonymous, content + b"--x--\r\n", "/auth/token", headers=headers)
    )

    assert status in {400, 401, 422}


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"", "body"),
        (b"null", "body"),
        (b"[]", "body"),
        (b'"text"', "body"),
        (b"NaN", "body"),
        (b"12345678901234567890", "body"),
        (b"{", "body.1"),
        (b"{'title': 'a'}", "body.1"),
        (b'{"title": "a" "b"}', "body.14"),
        (b"\xef\xbb\xbf", "body.0"),
        (b'{"title": 1e400}', "body.title"),
        (b'{"title": NaN}', "body.title"),
        (b'{"title": "\\ud800"}', "body.title"),
        (b'{"title": "a", "title": null}', "body.title"),
        (b'{"title": ' + b"[" * 500 + b"]" * 500 + b"}", "body.title"),
        (b'{"title": ' + b'{"a":' * 500 + b"1" + b"}" * 501, "body.title"),
        (json.dumps(dict.fromkeys(map(str, range(50_000)))).encode(), "body.title"),
    ],
    ids=lambda value: str(value[:30]),
)
async def test_an_invalid_todo_is_refused(client, content, place):
    assert set(invalid_fields(await send(client, content))) == {place}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"[" * 100_000, id="deep and open"),
        pytest.param(b"[" * 100_000 + b"]" * 100_000, id="deep"),
        pytest.param(b'{"title":' * 100_000 + b"1" + b"}" * 100_000, id="deep objects"),
        pytest.param(b'{"title": ' + b"9" * 5000 + b"}", id="a number of 5000 digits"),
        pytest.param(b'{"title": "\xff"}', id="no UTF-8"),
        pytest.param(b'{"title": "\xed\xa0\x80"}', id="a surrogate in UTF-8"),
        pytest.param(b"\xff\xfe\x00\xd8", id="half a UTF-16"),
    ],
)
async def test_a_body_that_cannot_be_parsed_is_refused(client, content):
    status, detail = problem(await send(client, content))

    assert (status, bool(detail)) in {(400, True), (422, True)}


async def test_the_last_of_duplicate_keys_is_used(client):
    response = await send(client, b'{"title": 1, "title": "first", "title": "last"}')

    assert (response.status_code, response.json()["title"]) == (201, "last")


async def test_the_last_of_duplicate_parameters_is_used(client):
    assert (await client.get("/todos?limit=0&limit=1")).status_code == 200
    assert invalid_fields(await client.get("/todos?limit=1&limit=0")) == ["query.limit"]


@pytest.mark.parametrize(
    ("field", "length", "allowed"),
    [
        ("title", 200, True),
        ("title", 201, False),
        ("description", 20_000, True),
        ("description", 20_001, False),
    ],
)
@pytest.mark.parametrize("character", ["a", "ã", "🍞"])
async def test_lengths_count_characters_after_stripping(client, field, length, allowed, character):
    response = await client.post("/todos", json=TODO | {field: f" \n{character * length}\u3000 "})

    if allowed:
        assert (response.status_code, response.json()[field]) == (201, character * length)
    else:
        assert invalid_fields(response) == [f"body.{field}"]


@pytest.mark.parametrize("title", ["", " ", "\t\r\n", "\u3000", "\u00a0"])
async def test_an_empty_title_is_refused(client, title):
    assert invalid_fields(await client.post("/todos", json={"title": title})) == ["body.title"]
    assert invalid_fields(await client.patch("/todos/1", json={"title": title})) == ["body.title"]
