"""The headers of every response, and the checks of host and origin."""

import re
from base64 import b64encode
from hashlib import sha256

import pytest
from httpx2 import ASGITransport, AsyncClient

from tests.core.expect import problem

SECURITY = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
CLOSED = "default-src 'none'; frame-ancestors 'none'"
ORIGIN = "https://app.example.com"
PREFLIGHT = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "PATCH",
    "Access-Control-Request-Headers": "authorization, content-type, if-match, idempotency-key",
}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("HEAD", "/", 200),
        ("GET", "/users", 200),
        ("GET", "/todos", 401),
        ("GET", "/nowhere", 404),
        ("DELETE", "/", 405),
        ("POST", "/users", 422),
        ("GET", "/openapi.json", 200),
        ("GET", "/docs/assets/favicon.png", 200),
    ],
)
async def test_every_response_has_security_headers(anonymous, method, path, status):
    response = await anonymous.request(method, path)

    assert response.status_code == status
    assert {name: response.headers[name] for name in SECURITY} == SECURITY
    assert response.headers["content-security-policy"] == CLOSED
    assert "strict-transport-security" not in response.headers
    assert "server" not in response.headers
    assert "access-control-allow-origin" not in response.headers


async def test_an_early_error_has_security_headers_too(anonymous):
    response = await anonymous.post("/users", content=b"a" * 2_000_000)

    assert problem(response)[0] == 413
    assert response.headers["content-security-policy"] == CLOSED


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
async def test_a_page_allows_only_its_own_scripts(anonymous, page):
    response = await anonymous.get(page)
    policy = dict(
        rule.split(" ", 1) for rule in response.headers["content-security-policy"].split("; ")
    )
    inline = re.findall("<script>(.*?)</script>", response.text, re.DOTALL)
    hashes = [b64encode(sha256(text.encode()).digest()).decode() for text in inline]

    assert policy["script-src"] == " ".join(["'self'", *(f"'sha256-{h}'" for h in hashes)])
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert policy["connect-src"] == "'self'"


async def test_redoc_loads_nothing_from_a_cdn(anonymous):
    response = await anonymous.get("/docs/assets/redoc.standalone.js")

    assert response.status_code == 200
    assert "cdn.redoc.ly" not in response.text
    assert "/docs/assets/favicon.png" in response.text


async def test_hsts_is_sent_over_https(app):
    transport = ASGITransport(app)
    async with AsyncClient(transport=transport, base_url="https://test") as client:
        response = await client.get("/")

    assert response.headers["strict-transport-security"] == "max-age=31536000"


async def test_no_other_origin_is_allowed_by_default(anonymous):
    preflight = await anonymous.options("/todos", headers=PREFLIGHT)
    plain = await anonymous.get("/", headers={"Origin": ORIGIN})

    assert preflight.status_code == 405
    assert not [name for name in preflight.headers if name.startswith("access-control")]
    assert not [name for name in plain.headers if name.startswith("access-control")]


async def test_a_configured_origin_is_allowed(live):
    async with live(cors_allow_origins=f"https://a.example, {ORIGIN}") as client:
        preflight = await client.options("/todos", headers=PREFLIGHT)
        unauthenticated = await client.get("/todos", headers={"Origin": ORIGIN})
        other_origin = await client.get("/", headers={"Origin": "https://evil.example"})
        other_preflight = await client.options(
            "/", headers=PREFLIGHT | {"Origin": "https://evil.example"}
        )

    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == ORIGIN
    assert "cache-control" not in preflight.headers
    assert "access-control-allow-credentials" not in preflight.headers
    assert unauthenticated.headers["access-control-allow-origin"] == ORIGIN
    assert "ETag" in unauthenticated.headers["access-control-expose-headers"]
    assert set(unauthenticated.headers["vary"].split(", ")) == {"Authorization", "Origin"}
    assert "access-control-allow-origin" not in other_origin.headers
    assert problem(other_preflight) == (400, "Disallowed CORS origin")
    assert other_preflight.headers["x-content-type-options"] == "nosniff"


async def test_a_host_that_is_not_configured_is_refused(live):
    async with live(allowed_hosts="todo.example.com,*.example.org") as client:
        responses = {
            host: await client.get("/users/", headers={"Host": host})
            for host in ("todo.example.com", "a.example.org:8000", "evil.example", "x y", "")
        }
        health = await client.get("/livez", headers={"Host": "127.0.0.1:8000"})

    assert [response.status_code for response in responses.values()] == [200, 200, 400, 400, 400]
    assert problem(responses["evil.example"]) == (400, "Invalid host header")
    assert health.status_code == 200
