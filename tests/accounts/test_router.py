import asyncio

import pytest
from sqlalchemy import func, select, text

from fast_zero.accounts import service
from fast_zero.accounts.schemas import UserUpdate
from fast_zero.core.errors import Unauthenticated
from fast_zero.core.pagination import encode_cursor
from fast_zero.core.security.password_queue import passwords
from fast_zero.models import Todo, User
from tests.core.expect import invalid_fields, problem, wait_until
from tests.factories import PASSWORD, TodoFactory, UserFactory

ANA = {"username": "Ana Lúcia", "email": "ana@example.com", "password": "another fine sentence"}
PROFILE = {"id", "username", "display_name", "bio", "created_at"}
ACCOUNT = PROFILE | {"email", "time_zone", "updated_at"}
ACCOUNT |= {"email_verified", "pending_email", "language", "share_todos", "letters"}
ACCOUNT |= {"week_starts_on", "clock", "default_reminder_time", "digest_time"}
ACCOUNT |= {"theme", "keyboard_shortcuts"}


async def test_registering_returns_the_account_without_its_password(anonymous, statements):
    with statements() as sent:
        response = await anonymous.post("/users/", json=ANA)

    assert response.status_code == 201
    body = response.json()
    assert body.keys() == ACCOUNT
    assert (body["username"], body["email"]) == (ANA["username"], ANA["email"])
    assert (body["email_verified"], body["pending_email"]) == (False, None)
    assert len(sent) == 3


@pytest.mark.parametrize(
    ("field", "header", "language"),
    [
        ({}, None, "en"),
        ({}, "fr, pt;q=0.9, en;q=0.8", "pt-BR"),
        ({"language": "en"}, "pt-BR", "en"),
        ({"language": "pt-BR"}, "en", "pt-BR"),
    ],
)
async def test_a_new_account_has_the_language_of_the_request(anonymous, field, header, language):
    headers = {"Accept-Language": header} if header else {}

    response = await anonymous.post("/users", json=ANA | field, headers=headers)

    assert (response.status_code, response.json()["language"]) == (201, language)


async def test_a_new_account_has_the_time_zone_of_the_device(anonymous):
    usual = (await anonymous.post("/users", json=ANA)).json()
    other = {"username": "Bea", "email": "bea@example.com", "time_zone": "America/Sao_Paulo"}
    chosen = await anonymous.post("/users", json=ANA | other)

    assert usual["time_zone"] == "UTC"
    assert (chosen.status_code, chosen.json()["time_zone"]) == (201, "America/Sao_Paulo")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("time_zone", value) for value in ("", "Etc/Unknown", "../etc/passwd", "a" * 65, 0)),
        *(("time_zone", value) for value in (None, "America/Sao_Paulo\0", ["UTC"])),
        *(("language", value) for value in ("", "pt", "pt-br", None)),
    ],
)
async def test_an_invalid_time_zone_or_language_is_refused(anonymous, field, value):
    response = await anonymous.post("/users", json=ANA | {field: value})

    assert invalid_fields(response) == [f"body.{field}"]


async def test_a_password_is_stored_as_an_argon2_hash_only(anonymous, session, real_hasher):
    user_id = (await anonymous.post("/users", json=ANA)).json()["id"]

    stored = await session.get_one(User, user_id)

    assert stored.password_hash.startswith("$argon2id$")
    assert ANA["password"] not in repr(vars(stored))


@pytest.mark.parametrize(
    ("field", "sentence"),
    [("username", "Username already exists"), ("email", "Email already exists")],
)
async def test_registering_a_taken_username_or_address_is_a_conflict(
    anonymous, user, field, sentence
):
    response = await anonymous.post("/users", json=ANA | {field: getattr(user, field).upper()})

    assert problem(response) == (409, sentence)


@pytest.mark.parametrize("field", ANA)
async def test_registering_without_a_required_field_is_refused(anonymous, field):
    response = await anonymous.post("/users", json={key: ANA[key] for key in ANA if key != field})

    assert invalid_fields(response) == [f"body.{field}"]


async def test_a_refused_password_is_not_in_the_response(anonymous):
    response = await anonymous.post("/users", json=ANA | {"password": "s3cr3t!"})

    assert invalid_fields(response) == ["body.password"]
    assert "s3cr3t!" not in response.text


async def test_users_are_listed_by_id_without_addresses(anonymous, save, statements):
    users = await save(*UserFactory.build_batch(3))
    start = encode_cursor(users[0].id - 1)

    with statements() as sent:
        page = (await anonymous.get("/users/", params={"after": start, "limit": 2})).json()
    rest = (await anonymous.get("/users", params={"after": page["next"]})).json()

    listed = page["users"] + rest["users"]
    assert [(row["id"], row["username"]) for row in listed] == [(u.id, u.username) for u in users]
    assert all(row.keys() == PROFILE for row in listed)
    assert (len(page["users"]), rest["next"]) == (2, None)
    assert len(sent) == 1


async def test_users_are_listed_by_offset_and_limit(anonymous, save):
    users = await save(*UserFactory.build_batch(4))
    params = {"after": encode_cursor(users[0].id - 1), "offset": 1, "limit": 2}

    body = (await anonymous.get("/users", params=params)).json()

    assert [row["id"] for row in body["users"]] == [users[1].id, users[2].id]


async def test_a_profile_is_public_and_shows_no_address(anonymous, user, statements):
    with statements() as sent:
        response = await anonymous.get(f"/users/{user.id}")

    assert response.status_code == 200
    assert response.json().keys() == PROFILE | {"counts", "following", "followed_by"}
    assert response.json()["id"] == user.id
    assert len(sent) == 1


async def test_the_public_profile_of_the_current_user_shows_no_address(client, user):
    response = await client.get(f"/users/{user.id}")

    assert user.email not in response.text


async def test_a_missing_user_is_not_found(anonymous):
    assert problem(await anonymous.get(f"/users/{2**63 - 1}")) == (404, "User not found")


async def test_users_me_returns_the_account_with_its_address(client, user, statements):
    with statements() as sent:
        response = await client.get("/users/me")

    assert response.status_code == 200
    body = response.json()
    assert body.keys() == ACCOUNT
    assert (body["id"], body["email"]) == (user.id, user.email)
    assert len(sent) == 1


async def test_replacing_an_account_changes_every_field(client, anonymous, user, statements):
    with statements() as sent:
        response = await client.put(f"/users/{user.id}/", json=ANA)

    assert response.status_code == 200
    body = response.json()
    assert body.keys() == ACCOUNT
    assert (body["id"], body["username"], body["email"]) == (user.id, "Ana Lúcia", ANA["email"])
    assert len(sent) == 8
    form = {"username": ANA["email"], "password": ANA["password"]}
    assert (await anonymous.post("/auth/token", data=form)).status_code == 200
    form["password"] = PASSWORD
    assert (await anonymous.post("/auth/token", data=form)).status_code == 401


async def test_replacing_an_account_with_its_own_values_is_no_conflict(client, user):
    same = {"username": user.username.upper(), "email": user.email, "password": PASSWORD}

    response = await client.put(f"/users/{user.id}", json=same)

    assert (response.status_code, response.json()["username"]) == (200, user.username.upper())


@pytest.mark.parametrize("field", ["username", "email"])
async def test_replacing_with_a_taken_username_or_address_is_a_conflict(
    client, user, stranger, field
):
    response = await client.put(f"/users/{user.id}", json=ANA | {field: getattr(stranger, field)})

    assert problem(response) == (409, "Username or Email already exists")
    assert (await client.get("/users/me")).json()["username"] == user.username


async def test_replacing_with_an_invalid_field_is_refused(client, user):
    response = await client.put(f"/users/{user.id}", json=ANA | {"email": "nowhere"})

    assert invalid_fields(response) == ["body.email"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/users"),
        ("PUT", "/users/{}"),
        ("PATCH", "/users/me"),
        ("POST", "/auth/password/forgotten"),
    ],
)
async def test_an_address_with_an_encoded_word_is_refused(client, user, method, path):
    body = ANA | {"email": "=?utf-8?q?mallory?=@example.com", "current_password": PASSWORD}

    response = await client.request(method, path.format(user.id), json=body)

    assert invalid_fields(response) == ["body.email"]
    assert "encoded word" in response.text


async def test_replacing_a_deleted_account_is_refused(session, settings):
    with pytest.raises(Unauthenticated, match="Could not validate credentials"):
        await service.replace_account(session, 2**63 - 1, UserUpdate(**ANA), settings)


@pytest.mark.parametrize(("method", "body"), [("PUT", ANA), ("DELETE", None)])
async def test_users_cannot_change_or_delete_other_accounts(
    client, stranger, session, method, body
):
    for user_id in (stranger.id, 2**63 - 1):
        response = await client.request(method, f"/users/{user_id}", json=body)
        assert problem(response) == (403, "Not enough permissions")

    username = await session.scalar(select(User.username).where(User.id == stranger.id))
    assert username == stranger.username


async def test_pending_emails_of_a_deleted_account_are_deleted(client, user, deferred, connection):
    await client.patch("/users/me", json={"email": "new@example.com", "current_password": PASSWORD})
    await connection.execute(text("UPDATE procrastinate_jobs SET status = 'failed'"))
    await client.post("/users", json=ANA)
    addresses = [arguments["email"] for _, arguments in await deferred()]
    assert sorted(addresses) == sorted(["new@example.com", user.email, ANA["email"]])

    await client.delete(f"/users/{user.id}")

    assert [arguments["email"] for _, arguments in await deferred()] == [ANA["email"]]


async def test_deleting_an_account_deletes_all_that_it_owns(client, user, stranger, save, session):
    await save(*(TodoFactory(owner_id=owner.id) for owner in (user, user, stranger)))

    response = await client.delete(f"/users/{user.id}/")

    assert (response.status_code, response.json()) == (200, {"message": "User deleted"})
    count = select(func.count()).select_from(Todo).where(Todo.owner_id.in_([user.id, stranger.id]))
    assert await session.scalar(count) == 1
    assert problem(await client.get(f"/users/{user.id}")) == (404, "User not found")


LOGIN = {"username": "user@example.com", "password": PASSWORD}
WAYS_TO_HASH = {
    "log in": ("POST", "/auth/token", {"data": LOGIN}),
    "register": ("POST", "/users", {"json": ANA}),
    "replace": ("PUT", "/users/{}", {"json": ANA}),
}


@pytest.mark.parametrize("way", WAYS_TO_HASH)
async def test_no_connection_is_held_while_a_password_is_hashed(live, commit, log_in, way):
    method, path, content = WAYS_TO_HASH[way]
    [user] = await commit(UserFactory(email=LOGIN["username"]))
    async with live(database_pool_size=1, database_pool_wait=0.2) as client:
        request = client.build_request(
            method, path.format(user.id), headers=await log_in(user), **content
        )
        async with passwords.hashing:
            hashing = asyncio.create_task(client.send(request))
            await wait_until(lambda: passwords.pending.total() == 1)
            meanwhile = await client.get(f"/users/{user.id}")
        assert (await hashing).is_success

    assert meanwhile.status_code == 200
