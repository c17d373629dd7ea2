from datetime import UTC, datetime, timedelta

import jwt
import pytest
from freezegun import freeze_time
from pydantic import SecretStr
from sqlalchemy import select

from fast_zero.core import security
from fast_zero.core.errors import Unauthenticated
from fast_zero.core.security.password_queue import OPERATOR
from fast_zero.identity.scopes import ALL_SCOPES
from fast_zero.models import User
from fast_zero.sessions import queries as session_queries
from tests.core.expect import invalid_fields, problem, same_headers
from tests.factories import PASSWORD, PASSWORD_HASH, WEAK_HASH, UserFactory

NOT_AUTHENTICATED = (401, "Not authenticated")
NOT_VALIDATED = (401, "Could not validate credentials")
FAR_FUTURE = 32_503_680_000  # the year 3000
REFUSED = (401, "Incorrect email or password")

PRIVATE = [
    ("GET", "/users/me"),
    ("PUT", "/users/1"),
    ("DELETE", "/users/1"),
    ("POST", "/auth/refresh_token"),
    ("GET", "/todos"),
    ("POST", "/todos"),
    ("GET", "/todos/1"),
    ("PATCH", "/todos/1"),
    ("DELETE", "/todos/1"),
]


def form(username: str, password: str = PASSWORD) -> dict[str, dict[str, str]]:
    return {"data": {"username": username, "password": password}}


async def me(client, token: str | bytes):
    prefix = b"Bearer " if isinstance(token, bytes) else "Bearer "
    return await client.get("/users/me", headers={"Authorization": prefix + token})


@pytest.mark.parametrize(("method", "path"), PRIVATE)
@pytest.mark.parametrize("slash", ["", "/"])
async def test_a_private_route_checks_the_token_first(anonymous, method, path, slash, statements):
    with statements() as sent:
        without_token = await anonymous.request(method, path + slash)
        with_false_token = await anonymous.request(
            method, path + slash, headers={"Authorization": "Bearer false"}
        )

    assert problem(without_token) == NOT_AUTHENTICATED
    assert problem(with_false_token) == NOT_VALIDATED
    assert (
        without_token.headers["www-authenticate"]
        == with_false_token.headers["www-authenticate"]
        == "Bearer"
    )
    assert sent == []


@pytest.mark.parametrize("name", ["email", "username"])
@pytest.mark.parametrize("case", [str.lower, str.upper, str.title])
async def test_log_in_accepts_address_or_username_in_any_case(
    anonymous, user, name, case, statements
):
    with statements() as sent:
        response = await anonymous.post("/auth/token", **form(case(getattr(user, name))))

    assert response.status_code == 200
    body = response.json()
    assert body.keys() == {
        "access_token",
        "token_type",
        "expires_in",
        "refresh_token",
        "scope",
    }
    assert (body["token_type"], body["expires_in"]) == ("bearer", 900)
    assert body["scope"] == " ".join(sorted(ALL_SCOPES))
    assert response.headers["cache-control"] == "no-store"
    assert len(sent) == 4
    assert (await me(anonymous, body["access_token"])).json()["id"] == user.id


async def test_log_in_accepts_the_form_of_oauth2_clients(anonymous, user):
    fields = {"grant_type": "password", "scope": "", "client_id": "", "client_secret": ""}

    response = await anonymous.post(
        "/auth/token/", data=form(user.email)["data"] | fields, auth=("id", "secret")
    )

    assert response.status_code == 200


async def test_an_email_address_takes_precedence_over_a_username(anonymous, user, save):
    await save(UserFactory(username=user.email))

    token = (await anonymous.post("/auth/token", **form(user.email))).json()["access_token"]

    assert (await me(anonymous, token)).json()["id"] == user.id


async def test_a_wrong_password_and_an_unknown_user_get_the_same_response(anonymous, user):
    wrong = await anonymous.post("/auth/token", **form(user.email, PASSWORD + " "))
    unknown = await anonymous.post("/auth/token", **form("nobody@example.com"))

    assert problem(wrong) == problem(unknown) == REFUSED
    assert wrong.content == unknown.content
    assert same_headers(wrong) == same_headers(unknown)
    assert wrong.headers["www-authenticate"] == "Bearer"


def test_the_dummy_hash_costs_as_much_as_a_real_one(real_hasher):
    current = real_hasher.current_hasher

    assert current.identify(security.DUMMY_HASH)
    assert not current.check_needs_rehash(security.DUMMY_HASH)
    assert real_hasher.verify(PASSWORD, security.DUMMY_HASH) is False


@pytest.mark.parametrize(
    ("stored", "accepted"),
    [(PASSWORD_HASH, True), (None, False), ("!locked", False)],
    ids=["hash", "none", "locked"],
)
async def test_only_the_hash_of_a_password_verifies_it(session, stored, accepted):
    assert await security.verify_password(session, PASSWORD, stored, OPERATOR) == (accepted, None)
    assert await security.verify_password(session, "", stored, OPERATOR) == (False, None)


async def test_a_log_in_upgrades_a_hash_with_old_parameters(anonymous, save, session, real_hasher):
    [user] = await save(UserFactory(password_hash=WEAK_HASH))

    responses = [await anonymous.post("/auth/token", **form(user.email)) for _ in range(2)]

    assert [response.status_code for response in responses] == [200, 200]
    [(stored, changed)] = await session.execute(
        select(User.password_hash, User.updated_at).where(User.id == user.id)
    )
    assert await security.verify_password(session, PASSWORD, stored, OPERATOR) == (True, None)
    assert changed == user.updated_at


async def test_a_hash_upgrade_does_not_change_the_etag(client, user, session):
    before = (await client.get("/users/me")).headers["etag"]
    await session_queries.upgrade_password_hash(session, user.id, user.password_hash, WEAK_HASH)
    await session.flush()

    assert (await client.get("/users/me")).headers["etag"] == before
    renamed = await client.patch("/users/me", json={"username": "another name"})
    assert renamed.headers["etag"] != before


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"data": {"username": "ana"}}, ["body.password"]),
        ({"data": {"password": PASSWORD}}, ["body.username"]),
        ({"data": form("ana")["data"] | {"grant_type": "implicit"}}, ["body.grant_type"]),
        ({"data": form("a" * 1025)["data"]}, ["body.username"]),
        ({"data": form("ana", "p" * 1025)["data"]}, ["body.password"]),
        ({}, ["body.username", "body.password"]),
        ({"data": {"grant_type": "refresh_token"}}, ["body.refresh_token"]),
        ({"data": form("ana")["data"] | {"scope": "todos:eat"}}, ["body.scope"]),
    ],
)
async def test_an_invalid_field_of_a_log_in_is_refused(anonymous, content, expected):
    assert invalid_fields(await anonymous.post("/auth/token", **content)) == expected


async def test_renewing_returns_a_token_that_expires_later(anonymous, user, statements):
    with freeze_time(datetime.now(UTC), real_asyncio=True) as clock:
        old = (await anonymous.post("/auth/token", **form(user.email))).json()["access_token"]
        clock.tick(timedelta(minutes=14))
        with statements() as sent:
            response = await anonymous.post(
                "/auth/refresh_token/", headers={"Authorization": f"Bearer {old}"}
            )
        new = response.json()["access_token"]
        clock.tick(timedelta(minutes=14))
        assert problem(await me(anonymous, old)) == NOT_VALIDATED
        assert (await me(anonymous, new)).json()["id"] == user.id

    assert response.status_code == 200
    assert response.json().keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert response.headers["cache-control"] == "no-store"
    assert len(sent) == 1


async def test_tokens_created_at_the_same_time_differ(user, token_of):
    with freeze_time(datetime.now(UTC), real_asyncio=True):
        assert token_of(user) != token_of(user)


async def test_a_token_expires(anonymous, user, token_of):
    with freeze_time(datetime.now(UTC), real_asyncio=True) as clock:
        token = token_of(user)
        clock.tick(timedelta(minutes=15, seconds=security.LEEWAY_SECONDS - 1))
        assert (await me(anonymous, token)).status_code == 200
        clock.tick(timedelta(seconds=2))
        expired = await me(anonymous, token)
        refused = await anonymous.post("/auth/refresh_token", headers=expired.request.headers)

    assert problem(expired) == problem(refused) == NOT_VALIDATED
    assert expired.headers["www-authenticate"] == "Bearer"


def altered(settings, user, key=None, algorithm="HS256", **changes) -> str:
    now = datetime.now(UTC)
    claims = {"iss": "fast_zero", "aud": "fast_zero", "sub": str(user.id), "sid": 1, "jti": "a"}
    claims |= {"iat": now, "nbf": now, "exp": now + timedelta(minutes=5), "scope": "account:read"}
    claims = {name: value for name, value in (claims | changes).items() if value is not None}
    return jwt.encode(claims, settings.signing_keys()[0] if key is None else key, algorithm)


async def test_a_token_signed_with_the_key_is_accepted(anonymous, settings, user):
    assert (await me(anonymous, altered(settings, user))).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"key": "another key that is long enough, and not ours"},
        {"key": "", "algorithm": "none"},
        {"algorithm": "HS512"},
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"sub": "ana"},
        {"sub": "1.0"},
        {"iss": None},
        {"iss": "another"},
        {"aud": None},
        {"aud": "another"},
        {"sid": None},
        {"sid": "ana"},
        {"sid": []},
        {"scope": None},
        {"jti": None},
        {"nbf": None},
        {"iat": FAR_FUTURE},
        {"nbf": FAR_FUTURE},
    ],
    ids=str,
)
async def test_a_forged_token_is_refused(anonymous, settings, user, changes):
    response = await me(anonymous, altered(settings, user, **changes))

    assert problem(response) == NOT_VALIDATED
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("token", ["a.b.c", "..", "null", "é".encode(), b"\xff\xfe", "x" * 9000])
async def test_a_malformed_token_is_refused(anonymous, token):
    assert problem(await me(anonymous, token)) == NOT_VALIDATED


async def test_a_token_with_a_changed_payload_or_signature_is_refused(anonymous, user, token_of):
    head, payload, signature = token_of(user).split(".")
    swapped = payload[::-1]

    assert problem(await me(anonymous, f"{head}.{swapped}.{signature}")) == NOT_VALIDATED
    assert problem(await me(anonymous, f"{head}.{payload}.{signature[::-1]}")) == NOT_VALIDATED


@pytest.mark.parametrize("scheme", ["Basic", "Token", "", "Bearer:"])
async def test_another_authentication_scheme_is_refused(anonymous, user, token_of, scheme):
    headers = {"Authorization": f"{scheme} {token_of(user)}".strip()}

    response = await anonymous.get("/users/me", headers=headers)

    assert problem(response) == NOT_AUTHENTICATED
    assert response.headers["www-authenticate"] == "Bearer"


async def test_the_scheme_is_accepted_in_any_case(anonymous, user, token_of):
    response = await anonymous.get(
        "/users/me", headers={"Authorization": f"bEARER {token_of(user)}"}
    )

    assert response.status_code == 200


async def test_the_token_of_a_deleted_user_is_refused(client, user):
    await client.delete(f"/users/{user.id}")

    for method, path in PRIVATE:
        assert problem(await client.request(method, path)) == NOT_VALIDATED


async def test_tokens_of_the_previous_key_are_accepted_and_new_ones_use_the_new_key(
    anonymous, settings, user
):
    before, new = settings.secret_key, SecretStr("the key of today, which is long enough")
    old = settings.model_copy(update={"secret_key": before})
    both = settings.model_copy(update={"secret_key": new, "secret_key_previous": before})

    token = security.create_access_token(old, user.id, 1, [])

    assert security.read_access_token(both, token).user_id == user.id
    token = security.create_access_token(both, user.id, 1, [])
    alone = settings.model_copy(update={"secret_key": new})
    assert security.read_access_token(alone, token).user_id == user.id
    with pytest.raises(Unauthenticated):
        security.read_access_token(old, token)
