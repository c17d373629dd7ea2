"""Idempotency-Key on the routes that create."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select, text

from fast_zero.core.security.password_queue import passwords
from fast_zero.models import IdempotencyKey, PersonalToken, Todo, User
from tests.core.expect import invalid_fields, problem, wait_until
from tests.factories import UserFactory

KEY = {"Idempotency-Key": "0197c2f2-5f0e-7c3a-9d51-3f4f0a7c9b1e"}
TODO = {"title": "Buy bread"}
ANA = {"username": "Ana Lúcia", "email": "ana@example.com", "password": "another fine sentence"}
BATCH = {"items": [{"op": "create", "title": "one"}, {"op": "create", "title": "two"}]}
TOKEN = {
    "name": "Backup",
    "scopes": ["todos:read"],
    "expires_at": (datetime.now(UTC) + timedelta(days=30)).isoformat(),
}
CREATES = [
    ("/todos", TODO, Todo),
    ("/todos/batch", BATCH, Todo),
    ("/users", ANA, User),
    ("/auth/tokens", TOKEN, PersonalToken),
]


@pytest.fixture
async def client(client, user, open_log_in):
    """Return a client of `user` with a stored session, which creating a token needs."""
    client.headers.update(await open_log_in(user))
    return client


@pytest.fixture
def count(sessions):
    async def count(model) -> int:
        async with sessions.begin() as session:
            return await session.scalar(select(func.count()).select_from(model))

    return count


def replayed_parts(response) -> tuple:
    """Return what a replay must repeat."""
    names = ("content-type", "etag", "location", "cache-control")
    return response.status_code, response.content, *map(response.headers.get, names)


@pytest.mark.parametrize(("path", "body", "model"), CREATES)
async def test_a_repeated_request_gets_the_stored_response(client, count, path, body, model):
    first = await client.post(path, json=body, headers=KEY)
    rows = await count(model)
    again = await client.post(path, json=body, headers=KEY)

    assert first.is_success
    assert replayed_parts(again) == replayed_parts(first)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert await count(model) == rows


@pytest.mark.parametrize(("path", "body", "model"), CREATES)
async def test_no_response_is_stored_without_a_key(client, count, path, body, model):
    await client.post(path, json=body)

    assert await count(IdempotencyKey) == 0


async def test_a_create_takes_one_statement_without_a_key_and_three_with_one(client, statements):
    with statements() as plain:
        await client.post("/todos", json=TODO)
    with statements() as keyed:
        await client.post("/todos", json=TODO, headers=KEY)
    with statements() as replayed:
        await client.post("/todos", json=TODO, headers=KEY)

    assert [len(plain), len(keyed), len(replayed)] == [1, 3, 2]


@pytest.mark.parametrize(("path", "body", "model"), CREATES)
async def test_another_body_with_the_same_key_is_refused(client, count, path, body, model):
    await client.post(path, json=body, headers=KEY)
    rows = await count(model)
    other = BATCH | {"atomic": False} if path == "/todos/batch" else body | {"more": 1}

    response = await client.post(path, json=other, headers=KEY)

    assert invalid_fields(response) == ["header.Idempotency-Key"]
    [entry] = problem(response)[1]
    assert entry["msg"] == "This key came with another body before. Take a new one."
    assert await count(model) == rows


async def test_a_key_belongs_to_one_user_and_one_route(client, bearer, user, stranger):
    own = await client.post("/todos", json=TODO, headers=KEY)
    theirs = await client.post("/todos", json=TODO, headers=KEY | bearer(stranger))
    batch = await client.post("/todos/batch", json=BATCH, headers=KEY)

    assert [own.status_code, theirs.status_code, batch.status_code] == [201, 201, 200]
    assert own.json()["id"] != theirs.json()["id"]
    for response in (theirs, batch):
        assert "idempotency-replayed" not in response.headers


async def test_a_replay_needs_a_token_like_the_first_request(client, anonymous):
    await client.post("/todos", json=TODO, headers=KEY)
    del anonymous.headers["authorization"]

    assert (await anonymous.post("/todos", json=TODO, headers=KEY)).status_code == 401


async def test_a_key_may_be_quoted(client):
    first = await client.post("/todos", json=TODO, headers={"Idempotency-Key": '"abc"'})
    again = await client.post("/todos", json=TODO, headers={"Idempotency-Key": "abc"})

    assert again.json() == first.json()


@pytest.mark.parametrize(
    "key", ["", " ", '""', '"', '"a', 'a"', "a b", "a" * 256, "a, b", "\xe9", "a\tb"]
)
async def test_an_invalid_key_is_refused_with_a_message(client, count, key):
    response = await client.post(
        "/todos", json=TODO, headers={"Idempotency-Key": key.encode("latin-1")}
    )

    assert problem(response) == (
        400,
        "Idempotency-Key has to be 1 to 255 visible ASCII characters, such as a UUID.",
    )
    assert await count(Todo) == 0


async def test_an_error_response_is_not_stored(client, user):
    existing = ANA | {"username": user.username}
    refused = await client.post("/users", json=existing, headers=KEY)
    invalid = await client.post("/users", json=ANA | {"email": "nowhere"}, headers=KEY)
    corrected = await client.post("/users", json=ANA, headers=KEY)

    assert [refused.status_code, invalid.status_code, corrected.status_code] == [409, 422, 201]


async def test_a_key_expires_after_a_day(client, count, connection):
    first = await client.post("/todos", json=TODO, headers=KEY)
    await connection.execute(
        text("UPDATE idempotency_keys SET created_at = now() - interval '24 hours 1 second'")
    )

    again = await client.post("/todos", json=TODO, headers=KEY)
    more = await client.post("/todos", json=TODO, headers=KEY)

    assert again.json()["id"] != first.json()["id"]
    assert more.json() == again.json()
    assert await count(IdempotencyKey) == 1


async def test_expired_responses_are_deleted_a_few_at_a_time(client, count, connection, user):
    await connection.execute(
        text(
            "INSERT INTO idempotency_keys (actor_id, route, key, fingerprint, created_at)"
            " SELECT 1, 'POST /', number, '', now() - interval '2 days'"
            " FROM generate_series(1, 15) AS number"
        )
    )

    for remaining in (6, 2):
        await client.post("/todos", json=TODO, headers={"Idempotency-Key": f"key-{remaining}"})
        assert await count(IdempotencyKey) == remaining


@pytest.mark.parametrize("path", ["/todos", "/users"])
async def test_stored_responses_are_deleted_with_the_account(
    client, count, anonymous, token_of, path
):
    body = ANA if path == "/users" else TODO
    created = await client.post(path, json=body, headers=KEY)
    user_id = created.json()["id"]
    if path == "/todos":
        user_id = (await client.get("/users/me")).json()["id"]
    else:
        client.headers["authorization"] = f"Bearer {token_of(SimpleNamespace(id=user_id))}"

    assert await count(IdempotencyKey) == 1
    assert (await client.delete(f"/users/{user_id}")).status_code == 200
    assert await count(IdempotencyKey) == 0


async def test_the_stored_fingerprint_is_a_keyed_hash_of_the_body(client, session):
    await client.post("/users", json=ANA, headers=KEY)

    stored = (await session.scalars(select(IdempotencyKey))).one()

    assert ANA["password"].encode() not in stored.body
    assert len(stored.fingerprint) == 32


async def test_no_connection_is_held_while_the_password_of_a_keyed_registration_is_hashed(live):
    async with live(database_pool_size=1, database_pool_wait=0.2) as client:
        async with passwords.hashing:
            hashing = asyncio.create_task(client.post("/users", json=ANA, headers=KEY))
            await wait_until(lambda: passwords.pending.total() == 1)
            meanwhile = await client.get("/users")
        assert (await hashing).is_success

    assert meanwhile.status_code == 200


@pytest.mark.parametrize("create", CREATES)
async def test_one_of_fifty_concurrent_requests_takes_effect(live, commit, log_in, engine, create):
    path, body, model = create
    [user] = await commit(UserFactory())
    headers = await log_in(user) | KEY
    async with live(password_queue_per_address=None) as client:
        responses = await asyncio.gather(
            *(client.post(path, json=body, headers=headers) for _ in range(50))
        )
    async with engine.connect() as other:
        rows = await other.scalar(select(func.count()).select_from(model))

    assert len({response.content for response in responses}) == 1
    assert {response.status_code for response in responses} <= {200, 201}
    assert sum("idempotency-replayed" not in response.headers for response in responses) == 1
    # The batch creates two todos, and one user existed before.
    assert rows == (2 if path in {"/todos/batch", "/users"} else 1)


async def test_a_second_request_waits_for_the_first_or_gets_409_with_retry_after(
    live, commit, log_in, engine
):
    [user] = await commit(UserFactory())
    headers = await log_in(user) | KEY
    claim = text(
        "INSERT INTO idempotency_keys (actor_id, route, key, fingerprint)"
        f" VALUES ({user.id}, 'POST /todos', '{KEY['Idempotency-Key']}', '')"
    )
    async with live(database_lock_timeout=0.2) as client, engine.connect() as first:
        await first.execute(claim)
        refused = await client.post("/todos", json=TODO, headers=headers)
        waiting = asyncio.create_task(client.post("/todos", json=TODO, headers=headers))
        await asyncio.sleep(0.05)
        await first.rollback()
        second = await waiting

    assert problem(refused) == (
        409,
        "The first request with this Idempotency-Key is still being processed.",
    )
    assert refused.headers["retry-after"] == "1"
    assert second.status_code == 201
    assert "idempotency-replayed" not in second.headers
