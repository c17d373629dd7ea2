import asyncio
import re
import secrets
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import func, make_url, select, text, update

from fast_zero.core import security
from fast_zero.core.errors import Conflict
from fast_zero.identity import personal_tokens
from fast_zero.identity import service as personal_token_service
from fast_zero.identity.schemas import StoredPersonalToken
from fast_zero.models import PersonalToken
from tests.core.expect import invalid_fields, problem
from tests.factories import PersonalTokenFactory, UserFactory, new_token

NOT_VALIDATED = (401, "Could not validate credentials")
CLOSED = make_url("postgresql+psycopg://ana:s3cr3t@127.0.0.1:1/todos")


def new_token_body(**changes) -> dict[str, object]:
    expires_at = datetime.now(UTC) + timedelta(days=90)
    token = {"name": "Backup", "scopes": ["todos:read"], "expires_at": expires_at.isoformat()}
    return token | changes


def with_token(token: str) -> dict[str, dict[str, bytes]]:
    return {"headers": {"Authorization": f"Bearer {token}".encode()}}


@pytest.fixture
async def client(client, user, open_log_in):
    """Return a client with an access token of `user`, whose session is in the database."""
    client.headers.update(await open_log_in(user))
    return client


@pytest.fixture
async def stored_token(save, user, token) -> PersonalToken:
    [row] = await save(PersonalTokenFactory(token=token, owner_id=user.id, scopes=["todos:read"]))
    return row


@pytest.fixture
def token() -> str:
    return new_token()


async def test_a_token_is_shown_once_and_stored_as_a_digest(client, connection, statements):
    with statements() as sent:
        response = await client.post("/auth/tokens", json=new_token_body(name=" Backup "))

    assert response.status_code == 201
    assert response.headers["cache-control"] == "no-store"
    body = response.json()
    token = body.pop("token")
    assert re.fullmatch("fzp_[A-Za-z0-9]{38}", token)
    assert (body["name"], body["scopes"], body["last_used_at"]) == ("Backup", ["todos:read"], None)
    assert len(sent) == 2  # the owner is locked first
    assert (await client.get("/auth/tokens")).json() == {"tokens": [body], "next": None}
    rows = await connection.execute(text("SELECT row_to_json(p)::text FROM personal_tokens p"))
    [stored] = rows.scalars()
    assert token not in stored
    assert security.digest(token).hex() in stored


async def test_the_location_of_a_new_token_returns_it(client, statements):
    created = await client.post("/auth/tokens", json=new_token_body())
    with statements() as sent:
        found = await client.get(created.headers["location"])

    assert created.json() == {**found.json(), "token": created.json()["token"]}
    assert created.headers["etag"] == found.headers["etag"] == '"1"'
    assert len(sent) == 1
    seen = {"If-None-Match": found.headers["etag"]}
    assert (await client.get(created.headers["location"], headers=seen)).status_code == 304


async def test_a_stale_if_match_does_not_revoke_a_token(client, stored_token, token):
    path, condition = f"/auth/tokens/{stored_token.id}", {"If-Match": '"1"'}
    await client.get("/todos", **with_token(token))

    stale = await client.delete(path, headers=condition)
    assert stale.status_code == 412
    assert stale.headers["etag"] == '"2"'
    assert (await client.delete(path, headers={"If-Match": '"2"'})).status_code == 204
    assert problem(await client.delete(path, headers={"If-Match": '"2"'})) == (
        404,
        "Token not found",
    )


async def test_the_stored_response_does_not_contain_the_token(client, connection):
    key = {"Idempotency-Key": "0197c2f2-5f0e-7c3a-9d51-3f4f0a7c9b1e"}
    first = await client.post("/auth/tokens", json=new_token_body(), headers=key)
    stored = await connection.scalar(
        text("SELECT convert_from(body, 'UTF8') FROM idempotency_keys")
    )

    token = first.json()["token"]
    assert token not in stored
    assert token[4:36] not in stored
    assert security.digest(token).hex() in stored


async def test_a_replay_shows_the_token_after_one_key_rotation(commit, log_in, live, settings):
    [user] = await commit(UserFactory())
    headers = await log_in(user) | {"Idempotency-Key": "0197c2f2-5f0e-7c3a"}
    body = new_token_body()
    new = SecretStr(secrets.token_urlsafe(48))
    async with live(secret_key=settings.secret_key) as client:
        first = await client.post("/auth/tokens", json=body, headers=headers)
    async with live(secret_key=new, secret_key_previous=settings.secret_key) as client:
        again = await client.post("/auth/tokens", json=body, headers=headers)

    assert again.json() == first.json()
    assert again.headers["cache-control"] == "no-store"


def test_a_token_of_a_removed_key_cannot_be_recovered(settings):
    stored_token = StoredPersonalToken(
        id=1,
        name="Backup",
        scopes=["todos:read"],
        created_at=datetime.now(UTC),
        expires_at=datetime.now(UTC),
        last_used_at=None,
        seed="seed",
        digest="of another token",
    )

    with pytest.raises(Conflict, match="cannot be shown again"):
        personal_token_service.show(settings, stored_token)


async def test_a_personal_token_is_accepted_as_a_bearer_token(
    anonymous, stored_token, token, statements
):
    with statements() as sent:
        response = await anonymous.get("/todos", **with_token(token))

    assert response.status_code == 200
    assert (len(sent), sent.transactions) == (2, 0)


async def test_the_last_use_of_a_token_is_stored_to_the_minute(
    anonymous, stored_token, token, connection
):
    used = select(PersonalToken.last_used_at).where(PersonalToken.id == stored_token.id)
    now = await connection.scalar(select(func.now()))
    for before, after in (
        (None, now),
        (now - timedelta(seconds=59), now - timedelta(seconds=59)),
        (now - timedelta(seconds=61), now),
    ):
        await connection.execute(update(PersonalToken).values(last_used_at=before))
        assert (await anonymous.get("/todos", **with_token(token))).status_code == 200
        assert await connection.scalar(used) == after


async def test_a_mistyped_token_is_refused_without_a_statement(anonymous, token, statements):
    other = "a" if token[-1] != "a" else "b"
    mistyped = [
        token[:-1] + other,
        token[:4] + token[4:][::-1],
        token[:-1],
        token + "a",
        "fzp_",
        "fzp_" + "0" * 38,
        "fzp_" + token[4:].swapcase(),
        "fzp_" + "é" * 38,
    ]
    with statements() as sent:
        responses = [await anonymous.get("/todos", **with_token(wrong)) for wrong in mistyped]

    assert {problem(response) for response in responses} == {NOT_VALIDATED}
    assert sent == []


async def test_an_unknown_token_that_is_well_formed_is_refused(anonymous):
    response = await anonymous.get("/todos", **with_token(new_token()))

    assert problem(response) == NOT_VALIDATED
    assert response.headers["www-authenticate"] == "Bearer"


def test_tokens_are_unique_and_well_formed():
    tokens = {new_token() for _ in range(100)}

    assert len(tokens) == 100
    assert all(map(personal_tokens.is_well_formed, tokens))


async def test_an_expired_token_is_refused(anonymous, stored_token, token, connection):
    past = func.now() - timedelta(seconds=1)
    await connection.execute(update(PersonalToken).values(expires_at=past))

    assert problem(await anonymous.get("/todos", **with_token(token))) == NOT_VALIDATED


async def test_a_revoked_token_is_refused_at_once(client, stored_token, token):
    response = await client.delete(f"/auth/tokens/{stored_token.id}")

    assert (response.status_code, response.content) == (204, b"")
    assert problem(await client.get("/todos", **with_token(token))) == NOT_VALIDATED
    again = await client.delete(f"/auth/tokens/{stored_token.id}")
    assert problem(again) == (404, "Token not found")


async def test_the_token_of_a_deleted_user_is_refused(client, user, stored_token, token):
    await client.delete(f"/users/{user.id}")

    assert problem(await client.get("/todos", **with_token(token))) == NOT_VALIDATED


async def test_only_tokens_of_the_current_user_are_listed_in_pages(client, user, stranger, save):
    rows = await save(*PersonalTokenFactory.build_batch(3, owner_id=user.id))
    await save(PersonalTokenFactory(owner_id=stranger.id))

    first = (await client.get("/auth/tokens?limit=2")).json()
    second = (await client.get(f"/auth/tokens?limit=2&after={first['next']}")).json()

    listed = [token["id"] for token in first["tokens"] + second["tokens"]]
    assert listed == [row.id for row in rows]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("name", "n" * 101),
        ("scopes", []),
        ("scopes.0", ["todos:eat"]),
        ("expires_at", None),
        ("expires_at", timedelta(seconds=-1)),
        ("expires_at", timedelta(days=367)),
        ("expires_at", "2026-12-24T20:15:00"),  # without a time zone
    ],
    ids=str,
)
async def test_an_invalid_field_of_a_new_token_is_refused(client, field, value):
    if isinstance(value, timedelta):
        value = (datetime.now(UTC) + value).isoformat()

    response = await client.post(
        "/auth/tokens", json=new_token_body(**{field.split(".")[0]: value})
    )

    assert invalid_fields(response) == [f"body.{field}"]


@pytest.mark.parametrize("field", ["name", "scopes", "expires_at"])
async def test_every_field_of_a_new_token_is_required(client, field):
    body = new_token_body()
    del body[field]

    assert invalid_fields(await client.post("/auth/tokens", json=body)) == [f"body.{field}"]


async def test_a_token_can_be_valid_for_a_year(client):
    in_a_year = datetime.now(UTC) + timedelta(days=365)

    response = await client.post(
        "/auth/tokens", json=new_token_body(expires_at=in_a_year.isoformat())
    )

    assert response.status_code == 201


NO_MORE_SCOPES = (403, "A token cannot be made to do more than the one that makes it")


async def test_a_token_cannot_create_one_with_more_scopes(client, open_log_in, user):
    headers = await open_log_in(user, {"account:write", "todos:read"})

    more = new_token_body(scopes=["todos:read", "todos:write"])
    refused = await client.post("/auth/tokens", json=more, headers=headers)
    body = new_token_body(scopes=["todos:read"] * 2)
    created = await client.post("/auth/tokens", json=body, headers=headers)

    assert problem(refused) == NO_MORE_SCOPES
    assert (created.status_code, created.json()["scopes"]) == (201, ["todos:read"])


async def test_a_replay_by_a_token_with_fewer_scopes_is_refused(client, open_log_in, user):
    key, body = {"Idempotency-Key": "0197c2f2-5f0e-7c3a"}, new_token_body(scopes=["todos:write"])
    assert (await client.post("/auth/tokens", json=body, headers=key)).status_code == 201

    lesser = await open_log_in(user, {"account:write", "todos:read"})
    replay = await client.post("/auth/tokens", json=body, headers=lesser | key)

    assert problem(replay) == NO_MORE_SCOPES


async def test_an_ended_session_cannot_create_a_token(client, user, bearer):
    """The process was not notified yet, so it still accepts the access token."""
    response = await client.post("/auth/tokens", json=new_token_body(), headers=bearer(user))

    assert problem(response) == NOT_VALIDATED


async def test_the_number_of_tokens_is_limited(live, commit, log_in):
    """Concurrent requests do not exceed the limit either."""
    [user] = await commit(UserFactory())
    headers = await log_in(user)
    async with live(personal_tokens_per_user=3) as client:
        responses = await asyncio.gather(
            *(client.post("/auth/tokens", json=new_token_body(), headers=headers) for _ in range(8))
        )
        refused = next(response for response in responses if response.status_code != 201)
        [first, *_] = (await client.get("/auth/tokens", headers=headers)).json()["tokens"]
        await client.delete(f"/auth/tokens/{first['id']}", headers=headers)
        again = await client.post("/auth/tokens", json=new_token_body(), headers=headers)

    assert Counter(response.status_code for response in responses) == {201: 3, 409: 5}
    assert refused.json()["detail"] == (
        "You have 3 personal tokens, the most that you may have. Delete one first."
    )
    assert again.status_code == 201


async def test_a_personal_token_cannot_create_another(client, user, save, token):
    await save(PersonalTokenFactory(token=token, owner_id=user.id))

    refused = await client.post("/auth/tokens", json=new_token_body(), **with_token(token))

    sentence = "This needs a token from a log-in, not a personal one"
    assert problem(refused) == (403, sentence)


async def test_a_token_gets_503_while_the_database_is_unavailable(live, token):
    async with live(database_url=CLOSED) as client:
        response = await client.get("/todos", **with_token(token))

    assert problem(response) == (503, "The database is not available. Try again in a moment.")
    assert response.headers["retry-after"] == "2"
