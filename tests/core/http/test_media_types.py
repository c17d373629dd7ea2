"""Bodies of a media type that the route does not accept."""

import json

import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from tests.core.expect import invalid_fields, problem
from tests.factories import PASSWORD

TODO = json.dumps({"title": "Buy bread"}).encode()
LOG_IN = json.dumps({"username": "ana", "password": PASSWORD}).encode()
FORM = b"username=ana&password=secret"
NOT_JSON = (415, "Content-Type must be application/json")
NOT_FORM = (415, "Content-Type must be application/x-www-form-urlencoded")
PATH_PARAMETERS = dict.fromkeys(
    [
        *("user_id", "todo_id", "post_id", "notification_id", "project_id", "section_id"),
        "label_id",
        "filter_id",
    ],
    1,
)


def content_type_header(content_type: str | None) -> dict[str, bytes]:
    return {} if content_type is None else {"Content-Type": content_type.encode("latin-1")}


async def send(client, content: bytes, content_type: str | None, path: str = "/todos"):
    return await client.post(path, content=content, headers=content_type_header(content_type))


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/xml",
        "json",
        "text/json",
        "\xff",
    ],
)
async def test_json_needs_a_json_content_type(client, content_type):
    response = await send(client, TODO, content_type)

    assert problem(response) == NOT_JSON
    assert response.json()["code"] == "unsupported_media_type"
    assert response.headers["accept"] == "application/json"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/x+json",
        "application/merge-patch+json",
    ],
)
async def test_other_json_media_types_are_accepted(client, content_type):
    assert (await send(client, TODO, content_type)).status_code == 201


async def test_a_missing_body_needs_no_media_type(client, anonymous):
    assert invalid_fields(await send(client, b"", "text/plain")) == ["body"]
    missing = ["body.username", "body.password"]
    assert invalid_fields(await send(anonymous, b"", "application/json", "/auth/token")) == missing


async def test_missing_permission_is_reported_before_the_media_type(anonymous):
    assert problem(await send(anonymous, TODO, "text/plain"))[0] == 401


async def test_every_route_that_takes_json_refuses_another_body(app, client):
    routes = [
        route
        for route in iter_route_contexts(app.routes)
        if isinstance(route.original_route, APIRoute)
        and list(content_of(app, route)) == ["application/json"]
    ]
    assert len(routes) >= 15

    for route in routes:
        path = route.path.format_map(PATH_PARAMETERS)
        if path.startswith("/admin"):  # needs a token with the scope `admin`
            continue
        for method in route.methods:
            response = await client.request(
                method, path, content=b"title=a", headers=content_type_header("text/plain")
            )
            assert problem(response) == NOT_JSON, f"{method} {path}"


def content_of(app, route) -> dict:
    """Return the documented body of a route, by media type."""
    operations = app.openapi()["paths"].get(route.path, {})
    bodies = [operations.get(method.lower(), {}).get("requestBody", {}) for method in route.methods]
    return {name: entry for body in bodies for name, entry in body.get("content", {}).items()}


def test_only_routes_with_a_body_document_415(app):
    operations = [
        operation for path in app.openapi()["paths"].values() for operation in path.values()
    ]
    for operation in operations:
        content = operation.get("requestBody", {}).get("content", {})
        refused = operation["responses"].get("415", {"content": {}})["content"]
        examples = [
            example["value"] for entry in refused.values() for example in entry["examples"].values()
        ]
        expected = [f"Content-Type must be {', '.join(content)}"] if content else []
        assert [example["detail"] for example in examples] == expected


@pytest.mark.parametrize(
    ("content", "content_type"),
    [(LOG_IN, "application/json"), (FORM, "text/plain"), (FORM, None), (FORM, "\xff")],
)
async def test_a_log_in_with_json_is_refused(anonymous, content, content_type):
    response = await send(anonymous, content, content_type, "/auth/token")

    assert problem(response) == NOT_FORM
    assert response.headers["accept"] == "application/x-www-form-urlencoded"


async def test_a_chunked_log_in_with_json_is_refused_before_it_is_read(anonymous):
    chunks = []

    async def endless():
        while True:
            chunks.append(1)
            yield b"a" * 65_536

    assert problem(await send(anonymous, endless(), "application/json", "/auth/token")) == NOT_FORM
    assert len(chunks) <= 1


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded",
        "Application/X-WWW-Form-URLencoded; charset=utf-8",
        "multipart/form-data; boundary=x",
    ],
)
async def test_other_form_media_types_are_accepted(anonymous, user, content_type):
    fields = {"username": user.username, "password": PASSWORD}
    content = "&".join(map("=".join, fields.items())).replace(" ", "+").encode()
    if content_type.startswith("multipart"):
        part = '--x\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'.format
        content = ("".join(map(part, fields, fields.values())) + "--x--\r\n").encode()

    assert (await send(anonymous, content, content_type, "/auth/token")).status_code == 200
