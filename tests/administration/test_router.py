"""Routes for administrators, which other users cannot use."""

from datetime import UTC, datetime, timedelta

import pytest

from fast_zero.core import security
from fast_zero.core.types import MAX_BIGINT
from fast_zero.identity.scopes import ALL_SCOPES, Scope
from tests.core.expect import problem
from tests.factories import PASSWORD, PersonalTokenFactory, PostFactory, UserFactory, new_token

DISABLED = (403, "This account is disabled. Write to whoever runs the server.")


@pytest.fixture
def admin_headers(settings, user):
    scopes = [*ALL_SCOPES, Scope.ADMIN]
    token = security.create_access_token(settings, user.id, MAX_BIGINT, scopes)
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def log_in(anonymous):
    async def log_in(user, **given):
        form = {"username": user.email, "password": PASSWORD, **given}
        return await anonymous.post("/auth/token", data=form)

    return log_in


async def test_only_an_administrator_gets_the_admin_scope(log_in, user, save):
    [admin] = await save(UserFactory(role="admin"))
    assert "admin" not in (await log_in(user)).json()["scope"].split()
    assert problem(await log_in(user, scope="admin todos:read")) == (
        403,
        "Only administrators may have the scope admin.",
    )
    assert "admin" in (await log_in(admin)).json()["scope"].split()
    assert (await log_in(admin, scope="todos:read")).json()["scope"] == "todos:read"


async def test_only_an_administrator_can_create_a_token_with_the_admin_scope(
    client, save, open_log_in
):
    [admin] = await save(UserFactory(role="admin"))
    admin_headers = await open_log_in(admin, ALL_SCOPES | {Scope.ADMIN})
    expires = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    new = {"name": "Root", "scopes": ["admin"], "expires_at": expires}
    refused = await client.post("/auth/tokens", json=new)
    assert refused.status_code == 403
    assert (await client.post("/auth/tokens", json=new, headers=admin_headers)).status_code == 201


async def test_an_account_is_disabled_at_once_and_enabled_again(
    anonymous, log_in, stranger, save, admin_headers, bearer
):
    token = new_token()
    await save(PersonalTokenFactory(token=token, owner_id=stranger.id))
    token_headers = {"Authorization": f"Bearer {token}"}
    tokens = (await log_in(stranger)).json()
    session_headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    path = f"/admin/users/{stranger.id}/disabled"
    assert (await anonymous.get("/todos", headers=token_headers)).status_code == 200

    for _ in range(2):
        assert (await anonymous.put(path, headers=admin_headers)).status_code == 204

    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert (await anonymous.post("/auth/token", data=refresh)).status_code == 401
    for headers in (session_headers, token_headers):
        assert (await anonymous.get("/todos", headers=headers)).status_code == 401
    assert problem(await log_in(stranger)) == DISABLED
    wrong = await log_in(stranger, password="a wrong sentence")
    assert problem(wrong) == (401, "Incorrect email or password")
    for _ in range(2):
        assert (await anonymous.delete(path, headers=admin_headers)).status_code == 204
    assert (await log_in(stranger)).status_code == 200
    assert (await anonymous.get("/todos", headers=token_headers)).status_code == 200
    events = await anonymous.get(f"/admin/users/{stranger.id}/audit", headers=admin_headers)
    actions = [event["action"] for event in events.json()["events"]]
    assert [action for action in actions if action in {"disabled", "enabled"}] == [
        "enabled",
        "disabled",
    ]


async def test_an_administrator_sees_the_address_and_role_of_an_account(
    client, stranger, admin_headers
):
    shown = (await client.get(f"/admin/users/{stranger.id}", headers=admin_headers)).json()
    assert (shown["email"], shown["role"], shown["disabled_at"]) == (
        stranger.email,
        "member",
        None,
    )
    assert "password" not in str(shown)


async def test_administrators_cannot_disable_themselves(client, user, admin_headers):
    response = await client.put(f"/admin/users/{user.id}/disabled", headers=admin_headers)
    assert response.status_code == 422


async def test_an_administrator_can_delete_any_post(client, stranger, save, admin_headers):
    [post] = await save(PostFactory(author_id=stranger.id))
    path = f"/admin/posts/{post.id}"
    assert (await client.delete(path, headers=admin_headers)).status_code == 204
    assert problem(await client.delete(path, headers=admin_headers)) == (404, "Post not found")
    assert (await client.get(f"/posts/{post.id}")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "/audit"),
        ("PUT", "/disabled"),
        ("DELETE", "/disabled"),
    ],
)
async def test_a_missing_account_is_not_found(client, admin_headers, method, path):
    response = await client.request(
        method, f"/admin/users/{MAX_BIGINT}{path}", headers=admin_headers
    )
    assert problem(response) == (404, "User not found")
