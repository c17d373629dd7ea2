"""Unknown query parameters are refused, except where other programs may append to the URL."""

from uuid import UUID

import pytest
from pydantic import SecretStr

from fast_zero.core import security
from fast_zero.core.http.dependencies import MAX_REPORTED
from fast_zero.models import CalendarFeed
from tests.core.expect import invalid_fields, problem

PATH_PARAMETERS = dict.fromkeys(
    ["user_id", "todo_id", "session_id", "token_id", "post_id", "notification_id"], 1
) | {
    "invitation_id": 1,
    "project_id": 1,
    "section_id": 1,
    "deletion_id": 1,
    "change_set_id": UUID(int=1),
    "subscription_id": 1,
    "import_id": 1,
    "label_id": 1,
    "filter_id": 1,
    "other_id": 2,
    "username": "ana",
    "kind": "blocks",
    "day": "2026-12-04",
}
UNCHECKED = {
    ("GET", "/"),
    ("GET", "/livez"),
    ("GET", "/readyz"),
    ("GET", "/version"),
    ("GET", "/users/{username}/feed.atom"),
    ("GET", "/users/{username}/feed.json"),
    ("GET", "/letters/unsubscribe"),
    ("POST", "/letters/unsubscribe"),
    ("GET", "/calendars/{secret}.ics"),
}
HIDDEN = ["/account/confirm", "/account/password", "/account/register", "/docs", "/redoc"]


@pytest.fixture(scope="module")
def operations(app) -> dict[tuple[str, str], dict]:
    paths = app.openapi()["paths"].items()
    return {
        (method.upper(), path): operation
        for path, methods in paths
        for method, operation in methods.items()
    }


def names(operation) -> list[str]:
    parameters = operation.get("parameters", [])
    return [parameter["name"] for parameter in parameters if parameter["in"] == "query"]


async def test_every_operation_names_the_parameters_that_it_takes(client, operations):
    checked = operations.keys() - UNCHECKED
    assert len(checked) >= 60
    for method, path in sorted(checked):
        response = await client.request(
            method, path.format(**PATH_PARAMETERS), params={"order": "x"}
        )

        assert invalid_fields(response) == ["query.order"], (method, path)
        [entry] = response.json()["detail"]
        known = ", ".join(sorted(names(operations[method, path]))) or "none"
        assert entry["msg"] == f"unknown parameter; this operation takes {known}"
        assert entry["type"] == "extra_forbidden"


async def test_no_documented_parameter_is_reported_as_unknown(client, operations):
    for method, path in sorted(operations):
        if known := names(operations[method, path]):
            params = dict.fromkeys(known, "\0")
            response = await client.request(method, path.format(**PATH_PARAMETERS), params=params)
            assert "extra_forbidden" not in response.text, (method, path)


async def test_a_missing_token_is_reported_first(anonymous, operations):
    protected = [name for name, operation in operations.items() if operation.get("security")]
    assert len(protected) >= 50
    for method, path in protected:
        response = await anonymous.request(
            method, path.format(**PATH_PARAMETERS), params={"order": "x"}
        )
        assert problem(response) == (401, "Not authenticated"), (method, path)


async def test_an_invalid_token_is_reported_first(anonymous, settings, user):
    forged = security.create_access_token(
        settings.model_copy(update={"secret_key": SecretStr("another key" * 9)}), user.id, 1, []
    )
    for token in ("a.b.c", forged):
        headers = {"Authorization": f"Bearer {token}"}
        response = await anonymous.get("/todos?sort=x", headers=headers)
        assert problem(response) == (401, "Could not validate credentials")


async def test_a_wrong_method_is_reported_first(client):
    response = await client.get("/todos/batch?sort=x")

    assert response.status_code == 405
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["/users", "/users/1", "/users/by-name/ana"])
async def test_public_routes_report_unknown_parameters(anonymous, path):
    assert invalid_fields(await anonymous.get(f"{path}?sort=x")) == ["query.sort"]


async def test_pages_feeds_probes_and_email_links_ignore_unknown_parameters(anonymous, user, save):
    await save(CalendarFeed(owner_id=user.id, digest=security.digest("secret")))
    names = {"username": user.username, "secret": "secret"}
    public = [path.format(**names) for method, path in UNCHECKED if method == "GET"]
    for path in [*public, *HIDDEN]:
        response = await anonymous.get(path, params={"utm_source": "newsletter"})
        # Where the page is served, links in emails lead to it.
        assert response.status_code == (303 if path.startswith("/account/") else 200), path
    response = await anonymous.post("/letters/unsubscribe?token=a&utm_source=newsletter")
    assert response.status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/todos?dry_run=1"),
        ("POST", "/todos/batch/?dry_run=1"),
        ("PATCH", "/users/me?dry_run=1"),
        ("DELETE", "/todos/1?dry_run=1"),
        ("GET", "/todos?limit=1&dry_run=1"),
    ],
)
async def test_an_unknown_parameter_has_no_effect_and_begins_no_transaction(
    client, statements, method, path
):
    with statements() as sent:
        response = await client.request(method, path, json={"title": "Buy bread"})

    assert invalid_fields(response) == ["query.dry_run"]
    assert (sent, sent.transactions) == ([], 0)


async def test_each_unknown_name_is_reported_once(client):
    response = await client.get("/todos/?order=a&limit=1&order=b&page=2&=&Limit=3")

    assert invalid_fields(response) == ["query.order", "query.page", "query.", "query.Limit"]


async def test_the_number_of_reported_names_is_limited(client):
    response = await client.get("/todos", params={str(number): 1 for number in range(1000)})

    assert len(invalid_fields(response)) == MAX_REPORTED


async def test_head_is_refused_like_get(client):
    refused, accepted = await client.head("/todos?sort=x"), await client.head("/todos?limit=1")

    assert (refused.status_code, accepted.status_code) == (422, 200)


@pytest.mark.parametrize("path", ["/todos?", "/todos/?&&", "/todos?limit=1&limit=2"])
async def test_an_empty_query_and_a_repeated_name_are_allowed(client, path):
    assert (await client.get(path)).status_code == 200
