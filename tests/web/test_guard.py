"""What holds for every route of the page: no writes from other sites, the headers, error pages."""

import json
import re

import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy import text

from fast_zero.core.errors import Unavailable
from fast_zero.web import cookies, middleware
from tests.web.conftest import HOST, heading

FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://test"},
    {"Sec-Fetch-Site": "", "Origin": "http://test"},
    {"Origin": "http://evil.example"},
    {"Origin": "https://test"},
    {"Origin": "http://test:81"},
    {"Origin": "http://test.evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://[::1"},
    {"Referer": "http://test/app/today"},
    {},
]
OWN = [
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"},
    {"Origin": "http://test"},
]
PARAMETERS = {
    "import_id": 1,
    "post_id": 1,
    "project_id": 1,
    "todo_id": 1,
    "user_id": 1,
    "username": "nobody",
    "deletion_id": 1,
    "filter_id": 1,
    "label_id": 1,
    "section_id": 1,
}
NO_USER = {
    ("GET", "/app"),
    ("GET", "/app/manifest.webmanifest"),
    ("GET", "/app/offline"),
    ("GET", "/app/service-worker.js"),
    ("GET", "/app/login"),
    ("POST", "/app/login"),
    ("GET", "/app/login/code"),
    ("POST", "/app/login/code"),
    ("POST", "/app/language"),
    ("GET", "/app/register"),
    ("POST", "/app/register"),
    ("GET", "/app/forgotten"),
    ("POST", "/app/forgotten"),
    ("GET", "/app/password"),
    ("POST", "/app/password"),
    ("GET", "/app/confirm"),
    ("POST", "/app/confirm"),
}


def routes(app) -> list[tuple[str, str]]:
    return sorted(
        (method, route.path)
        for route in iter_route_contexts(app.routes)
        if isinstance(route.original_route, APIRoute) and middleware.is_page(route.path)
        for method in route.methods
    )


async def call(client, method, path, **options):
    path = path.replace(":path}", "}").format(**PARAMETERS)
    return await client.request(method, path, **options)


@pytest.mark.parametrize("headers", FOREIGN)
async def test_no_form_of_another_site_reaches_a_route(
    app, anonymous, user, log_in_page, headers, statements
):
    await log_in_page(user)
    del anonymous.headers["Sec-Fetch-Site"]
    unsafe = [(method, path) for method, path in routes(app) if method != "GET"]
    assert len(unsafe) >= 8

    with statements() as sent:
        for method, path in unsafe:
            response = await call(anonymous, method, path, headers=headers)
            assert response.status_code == 403, (method, path)
            assert heading(response) == "This form was sent from another site"
    assert sent == []


@pytest.mark.parametrize("headers", OWN)
async def test_forms_of_our_own_reach_their_routes(app, anonymous, headers):
    for method, path in routes(app):
        if method != "GET":
            response = await call(anonymous, method, path, headers=headers)
            assert response.status_code in {303, 422}, (method, path)


async def test_every_page_has_its_headers_and_is_in_no_cache(app, reader):
    for method, path in [*routes(app), ("GET", "/app/nowhere"), ("PUT", "/app/login")]:
        response = await call(reader, method, path)
        assert response.headers["content-security-policy"] == middleware.POLICY
        assert response.headers["referrer-policy"] == "same-origin"
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"
    assert "unsafe" not in middleware.POLICY
    assert "frame-ancestors 'none'" in middleware.POLICY


@pytest.mark.parametrize("is_known", [True, False])
async def test_no_page_has_inline_styles_scripts_or_foreign_addresses(
    app, visitor, user, log_in_page, is_known
):
    if is_known:
        await log_in_page(user)
    pages = [await call(visitor, method, path) for method, path in routes(app)]
    shown = [page.text for page in pages if page.status_code == 200]

    assert len(shown) >= 5
    for text_ in shown:
        assert "<style" not in text_
        assert not re.search(r"<[^>]*\s(style|on\w+)=", text_)
        assert text_.count("<script") == text_.count('<script type="module" src="/static/')
        assert not re.search(r"https?://", text_)


async def test_every_other_page_needs_a_user(app, visitor):
    assert set(routes(app)) >= NO_USER
    for method, path in set(routes(app)) - NO_USER:
        response = await call(visitor, method, path)
        assert response.status_code == 303, (method, path)
        assert response.headers["location"].startswith("/app/login"), (method, path)


async def test_no_route_of_the_page_is_in_the_document(app):
    document = json.dumps(list(app.openapi()["paths"]))

    assert "/app" not in document
    assert "/static" not in document


@pytest.mark.parametrize(
    ("method", "path", "status", "text_"),
    [
        ("GET", "/app/nowhere", 404, "There is nothing here"),
        ("GET", "/app/projects/0", 422, "That did not work"),
        ("GET", "/app/projects/999", 404, "There is nothing here"),
        ("GET", "/app/inbox?after=x", 422, "That did not work"),
        ("DELETE", "/app/login", 405, "That did not work"),
    ],
)
async def test_an_error_is_a_page(reader, method, path, status, text_):
    response = await reader.request(method, path)

    assert response.status_code == status
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert heading(response) == text_
    head = await reader.head(path)
    if method == "GET":
        assert (head.status_code, head.content) == (status, b"")


async def test_too_large_a_form_is_a_page(visitor):
    response = await visitor.post("/app/login", data={"username": "a" * 2_000_000})

    assert (response.status_code, heading(response)) == (413, "This is too large")


@pytest.mark.parametrize("body", [b"%ff=%fe", b"a" * 5000, b"&" * 5000, b"=&=&", b"username=%00"])
@pytest.mark.parametrize(
    "kind",
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "text/plain",
        "",
        "multipart/form-data; boundary=x",
    ],
)
async def test_whatever_bytes_a_form_has_the_answer_is_a_page(app, reader, body, kind):
    for method, path in routes(app):
        if method == "POST" and path != "/app/logout":
            headers = {"Content-Type": kind}
            response = await call(reader, method, path, content=body, headers=headers)
            assert response.status_code < 500, path


async def test_without_the_database_a_page_says_so_and_comes_back(reader, app, monkeypatch):
    reader.headers["Accept-Language"] = "pt"

    async def away(*_):
        raise Unavailable("The database is not available.")

    monkeypatch.setattr("fast_zero.sessions.queries.use_cookie", away)
    response = await reader.get("/app/today")

    assert response.status_code == 503
    assert heading(response) == "O banco de dados não responde"
    assert '<meta http-equiv="refresh" content="5">' in response.text
    assert response.headers["retry-after"] == "2"
    form = await reader.post("/app/todos", data={"text": "Bread"})
    assert form.status_code == 503
    assert "http-equiv" not in form.text
    assert cookies.SESSION in reader.cookies


async def test_too_many_requests_are_a_page(live, save):
    async with live(requests_per_minute=2) as client:
        for _ in range(2):
            assert (await client.get("/app/login")).status_code == 200
        response = await client.get("/app/login")

        assert (response.status_code, heading(response)) == (429, "Too many requests")
        assert int(response.headers["retry-after"]) >= 1
        page = await client.get("/")
        assert page.status_code == 200


async def test_a_mistake_of_ours_is_a_page_without_details(reader, monkeypatch):
    async def fail(*_):
        raise RuntimeError("secret")

    monkeypatch.setattr("fast_zero.web.pages.todos.lists.read_shell", fail)
    response = await reader.get("/app/today")

    assert response.status_code == 500
    assert "secret" not in response.text
    assert heading(response) == "That did not work"


async def test_browsers_are_sent_to_the_page(anonymous):
    browser = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    response = await anonymous.get("/", headers=browser)

    assert (response.status_code, response.headers["location"]) == (303, "/app/")
    assert response.headers["vary"] == "Accept"
    assert (await anonymous.get("/app/")).headers["location"] == "/app/login"
    assert (await anonymous.get("/")).json() == {"message": "Olá Mundo!"}


async def test_the_page_can_be_switched_off(live):
    async with live(web=False) as client:
        response = await client.get("/", headers={"Accept": "text/html"})
        assert response.headers["location"] == "/docs"
        for path in ("/app/", "/app/login", "/static/x/app.js"):
            response = await client.get(path)
            assert response.status_code == 404
            assert response.headers["content-type"] == "application/problem+json"
        assert (await client.get("/account/confirm")).status_code == 200


async def test_a_notice_of_somebody_else_is_not_shown(reader):
    for value in ("x", "e30=", "eyJjb2RlIjoiYmFkIn0="):
        reader.cookies.set(cookies.NOTICE, value, domain=HOST, path="/")
        page = await reader.get("/app/today")
        assert page.status_code == 200
        assert 'class="toast"' not in page.text
        assert cookies.NOTICE not in reader.cookies


async def test_the_language_of_an_error_is_that_of_the_account(reader, sessions):
    async with sessions.begin() as session:
        await session.execute(text("UPDATE users SET language = 'pt-BR'"))

    assert heading(await reader.get("/app/projects/999")) == "Não há nada aqui"


async def test_an_address_of_no_page_is_answered_in_the_language_of_the_account(reader, sessions):
    async with sessions.begin() as session:
        await session.execute(text("UPDATE users SET language = 'pt-BR'"))
    await reader.get("/app/today")

    assert heading(await reader.get("/app/nowhere")) == "Não há nada aqui"
    reader.cookies.delete(cookies.SESSION)
    assert heading(await reader.get("/app/login")) == "Entrar"
