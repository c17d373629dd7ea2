import pytest
from httpx2 import ASGITransport, AsyncClient

from tests.core.expect import problem, same_headers
from tests.factories import PASSWORD, TodoFactory

GETS = [
    "/",
    "/livez",
    "/readyz",
    "/version",
    "/users",
    "/users/me",
    "/users/{user}",
    "/todos",
    "/todos/{todo}",
    "/openapi.json",
]


@pytest.fixture
async def ids(save, user):
    [todo] = await save(TodoFactory(owner_id=user.id))
    return {"user": user.id, "todo": todo.id}


async def test_the_root_returns_the_greeting(anonymous, statements):
    with statements() as sent:
        response = await anonymous.get("/")

    assert (response.status_code, response.json()) == (200, {"message": "Olá Mundo!"})
    assert sent == []


@pytest.mark.parametrize("path", [*GETS, "/docs", "/redoc"])
async def test_a_path_works_with_and_without_its_slash(client, ids, path):
    path = path.format(**ids)

    without_slash, with_slash = [await client.get(path.rstrip("/") + end) for end in ("", "/")]

    assert without_slash.status_code == with_slash.status_code == 200
    assert without_slash.content == with_slash.content


@pytest.mark.parametrize("slash", ["", "/"])
async def test_writes_work_with_and_without_the_slash(client, user, ids, slash):
    new = {"username": "Ana", "email": "ana@example.com", "password": PASSWORD}
    form = {"username": user.email, "password": PASSWORD}
    token = await client.post(f"/auth/token{slash}", data=form)
    headers = {"Authorization": f"Bearer {token.json()['access_token']}"}
    responses = [
        await client.post(f"/users{slash}", json=new),
        token,
        await client.post(f"/auth/refresh_token{slash}", headers=headers),
        await client.post(f"/todos{slash}", json={"title": "Buy bread"}),
        await client.patch(f"/todos/{ids['todo']}{slash}", json={}),
        await client.delete(f"/todos/{ids['todo']}{slash}"),
        await client.delete(f"/users/{user.id}{slash}"),
    ]

    assert [response.status_code for response in responses] == [201, 200, 200, 201, 200, 200, 200]


@pytest.mark.parametrize("path", [*GETS, "/docs", "/docs/assets/favicon.png"])
async def test_head_returns_the_headers_of_get_without_the_body(client, ids, path):
    path = path.format(**ids)

    get, head = await client.get(path), await client.head(path)

    assert head.status_code == get.status_code == 200
    assert head.content == b""
    assert same_headers(head) == same_headers(get)
    assert int(head.headers["content-length"]) == len(get.content)


async def test_head_has_no_body_for_errors_either(anonymous):
    for path, status in {"/todos": 401, "/users/0": 422, "/nowhere": 404}.items():
        get, head = await anonymous.get(path), await anonymous.head(path)
        assert (head.status_code, head.content) == (status, b"")
        assert same_headers(head) == same_headers(get)


async def test_no_byte_of_a_body_is_sent_for_head(client):
    """Inspect the ASGI messages, since httpx itself would drop a body."""
    app, bodies = client.app, []

    async def observed(scope, receive, send):
        async def record(message):
            bodies.append(message.get("body", b""))
            await send(message)

        await app(scope, receive, record)

    async with AsyncClient(transport=ASGITransport(observed), base_url="http://test") as observer:
        for path in ("/users", "/docs", "/docs/assets/favicon.png", "/nowhere"):
            await observer.head(path)
        await observer.head("/", headers={"Content-Length": "ten"})

    assert len(bodies) >= 10
    assert b"".join(bodies) == b""


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/", "GET, HEAD"),
        ("PUT", "/todos", "GET, HEAD, POST"),
        ("PUT", "/todos/", "GET, HEAD, POST"),
        ("OPTIONS", "/users", "GET, HEAD, POST"),
        ("POST", "/todos/1", "DELETE, GET, HEAD, PATCH"),
        ("PUT", "/todos/1", "DELETE, GET, HEAD, PATCH"),
        ("PATCH", "/users/1", "DELETE, GET, HEAD, PUT"),
        ("GET", "/auth/token", "POST"),
        ("HEAD", "/auth/token", "POST"),
        ("DELETE", "/auth/refresh_token/", "POST"),
        ("POST", "/docs", "GET, HEAD"),
        ("POST", "/users/me", "GET, HEAD, PATCH"),
        ("PUT", "/users/me", "GET, HEAD, PATCH"),
        ("DELETE", "/users/me/", "GET, HEAD, PATCH"),
        ("GET", "/todos/batch", "POST"),
        ("POST", "/docs/assets/favicon.png", "GET, HEAD"),
        ("BREW", "/openapi.json", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_gets_the_allowed_ones(client, method, path, allow):
    response = await client.request(method, path)

    assert response.headers["allow"] == allow
    if method == "HEAD":
        assert (response.status_code, response.content) == (405, b"")
    else:
        assert problem(response) == (405, "Method Not Allowed")


@pytest.mark.parametrize("path", ["/nowhere", "/todos/1/2", "/Todos", "/docs/assets/nothing.js"])
async def test_an_unknown_path_is_not_found(client, path):
    assert problem(await client.get(path)) == (404, "Not Found")
