import asyncio

import pytest
from sqlalchemy import select

from fast_zero.core import security
from fast_zero.core.security.password_queue import OPERATOR
from fast_zero.models import User
from tests.core.expect import invalid_fields, problem
from tests.factories import PASSWORD, UserFactory

NEEDS_PASSWORD = (403, "A new address or password needs your current password")
NEW_PASSWORD = "another fine sentence"


async def test_an_update_changes_only_the_fields_that_were_sent(client, user, statements):
    with statements() as sent:
        response = await client.patch("/users/me/", json={"username": "Ana"})

    assert response.status_code == 200
    body = response.json()
    assert (body["username"], body["email"]) == ("Ana", user.email)
    assert len(sent) == 2


@pytest.mark.parametrize("body", [{}, {"current_password": "whatever"}, {"nothing": 1}])
async def test_an_update_without_fields_changes_nothing(client, user, body):
    before = (await client.get("/users/me")).json()

    response = await client.patch("/users/me", json=body)

    assert (response.status_code, response.json()) == (200, before)


async def test_changing_the_language_requires_no_password(client):
    response = await client.patch("/users/me", json={"language": "pt-BR"})

    assert (response.status_code, response.json()["language"]) == (200, "pt-BR")
    assert (await client.get("/users/me")).json()["language"] == "pt-BR"
    assert invalid_fields(await client.patch("/users/me", json={"language": "pt"})) == [
        "body.language"
    ]


async def test_a_changed_profile_is_visible_to_everyone(client, anonymous, user):
    profile = {"display_name": " Ana Lúcia ", "bio": "Bakes.\nOn Sundays. 🥖"}
    mine = await client.patch("/users/me", json=profile | {"time_zone": "America/Sao_Paulo"})
    shown = await anonymous.get(f"/users/{user.id}")

    assert mine.json()["time_zone"] == "America/Sao_Paulo"
    assert shown.json() == {
        "id": user.id,
        "username": user.username,
        "display_name": "Ana Lúcia",
        "bio": "Bakes.\nOn Sundays. 🥖",
        "created_at": mine.json()["created_at"],
        "counts": {"posts": 0, "followers": 0, "following": 0},
        "following": False,
        "followed_by": False,
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("display_name", "a" * 101),
        ("display_name", None),
        ("bio", "a" * 501),
        ("bio", "\0"),
        ("time_zone", ""),
        ("time_zone", "America"),
        ("time_zone", "Brasilia"),
        ("time_zone", "../etc/passwd"),
        ("time_zone", "/etc/localtime"),
        ("time_zone", "localtime"),
        ("time_zone", "right/UTC"),
        ("time_zone", "a" * 65),
    ],
)
async def test_an_invalid_profile_is_refused(client, field, value):
    assert invalid_fields(await client.patch("/users/me", json={field: value})) == [f"body.{field}"]


PREFERENCES = {"week_starts_on": "monday", "clock": 24, "default_reminder_time": "09:00"}
PREFERENCES |= {"theme": "auto", "keyboard_shortcuts": True}


@pytest.mark.parametrize(
    "change",
    [
        {"week_starts_on": "saturday"},
        {"week_starts_on": "sunday"},
        {"clock": 12},
        {"theme": "dark"},
        {"keyboard_shortcuts": False},
        {"default_reminder_time": "00:00"},
        {"default_reminder_time": "23:59"},
        {"week_starts_on": "sunday", "clock": 12, "default_reminder_time": "07:30"},
    ],
)
async def test_preferences_are_shown_to_their_owner_as_they_were_sent(
    client, anonymous, user, change
):
    before = await client.get("/users/me")
    assert before.json().items() >= PREFERENCES.items()

    changed = await client.patch(
        "/users/me", json=change, headers={"If-Match": before.headers["etag"]}
    )

    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    assert changed.json().items() >= (PREFERENCES | change).items()
    again = await client.get("/users/me", headers={"If-None-Match": before.headers["etag"]})
    assert (again.status_code, again.json()) == (200, changed.json())
    assert (await client.get("/users/me/export")).json()["account"] == changed.json()
    assert not PREFERENCES.keys() & (await client.get(f"/users/{user.id}")).json().keys()
    replaced = await client.put(
        f"/users/{user.id}",
        json={"username": "Ana", "email": user.email, "password": PASSWORD},
    )
    assert replaced.json().items() >= (PREFERENCES | change).items()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("week_starts_on", value) for value in ("Monday", "tuesday", "", 0, None)),
        *(("theme", value) for value in ("", "Dark", None, 1)),
        *(("keyboard_shortcuts", value) for value in ("yes", 1, None)),
        *(("clock", value) for value in (0, 11, "12", "24", True, None, 24.5, [24])),
        *(("default_reminder_time", value) for value in ("24:00", "9:00", "09:60", "09:00:00")),
        *(("default_reminder_time", value) for value in ("", "09:00Z", " 09:00", "09:00\n")),
        *(
            ("default_reminder_time", value)
            for value in ("\u0660\u0669:\u0660\u0660", 32400, 9.5, None, "0\x009:00")
        ),
    ],
)
async def test_an_invalid_preference_is_refused(client, field, value):
    response = await client.patch("/users/me", json={field: value})

    assert invalid_fields(response) == [f"body.{field}"]
    assert (await client.get("/users/me")).json().items() >= PREFERENCES.items()


async def test_a_profile_is_found_by_username_in_any_case(client, anonymous, user, statements):
    await client.patch("/users/me", json={"username": "Ana Lúcia"})
    with statements() as sent:
        found = await anonymous.get("/users/by-name/ANA LÚCIA/")
    by_id = await anonymous.get(f"/users/{user.id}")
    seen = {"If-None-Match": by_id.headers["etag"]}

    assert (found.json(), found.headers["etag"]) == (by_id.json(), by_id.headers["etag"])
    assert len(sent) == 1
    assert (await anonymous.get("/users/by-name/ana lúcia", headers=seen)).status_code == 304
    for nobody in ("an", "nobody", "%2e%2e", "a" * 64):
        missing = await anonymous.get(f"/users/by-name/{nobody}")
        assert problem(missing) == (404, "User not found")
    assert (await anonymous.get(f"/users/by-name/{'a' * 65}")).status_code == 422


async def test_one_of_two_concurrent_password_changes_succeeds(live, commit, log_in):
    [user] = await commit(UserFactory())
    changes = [{"password": f"{NEW_PASSWORD} {n}", "current_password": PASSWORD} for n in range(2)]
    async with live() as client:
        headers = await log_in(user)
        responses = await asyncio.gather(
            *(client.patch("/users/me", json=change, headers=headers) for change in changes)
        )
        [succeeded] = [number for number, response in enumerate(responses) if response.is_success]
        form = {"username": user.email, "password": changes[succeeded]["password"]}
        assert (await client.post("/auth/token", data=form)).status_code == 200

    assert problem(responses[1 - succeeded]) == NEEDS_PASSWORD


async def test_all_fields_can_change_at_once(client, anonymous, user, session):
    new = {"username": "Ana", "email": "Ana@EXAMPLE.com", "password": NEW_PASSWORD}

    response = await client.patch("/users/me", json=new | {"current_password": PASSWORD})

    assert response.status_code == 200
    body = response.json()
    assert (body["username"], body["pending_email"]) == ("Ana", "Ana@example.com")
    assert body["email"] == user.email
    stored = await session.scalar(select(User.password_hash).where(User.id == user.id))
    assert await security.verify_password(session, NEW_PASSWORD, stored, OPERATOR) == (True, None)


@pytest.mark.parametrize("change", [{"email": "new@example.com"}, {"password": NEW_PASSWORD}])
@pytest.mark.parametrize("proof", [{}, {"current_password": ""}, {"current_password": "wrong"}])
async def test_changing_address_or_password_requires_the_current_password(
    client, user, change, proof
):
    response = await client.patch("/users/me", json=change | proof)

    assert problem(response) == NEEDS_PASSWORD
    assert (await client.get("/users/me")).json()["email"] == user.email


async def test_sending_the_current_address_requires_no_password(client, user):
    response = await client.patch("/users/me", json={"email": user.email})

    assert response.status_code == 200


@pytest.mark.parametrize("field", ["username", "email", "password", "current_password"])
async def test_null_is_refused_for_every_field(client, field):
    invalid = invalid_fields(await client.patch("/users/me", json={field: None}))

    assert {field_path.split(".")[1] for field_path in invalid} == {field}


async def test_a_common_password_is_refused(client):
    change = {"password": "password1", "current_password": PASSWORD}

    assert invalid_fields(await client.patch("/users/me", json=change)) == ["body.password"]


@pytest.mark.parametrize(
    ("field", "sentence"),
    [("username", "Username already exists"), ("email", "Email already exists")],
)
async def test_changing_to_a_taken_username_or_address_is_a_conflict(
    client, user, stranger, field, sentence
):
    change = {field: getattr(stranger, field).upper(), "current_password": PASSWORD}

    assert problem(await client.patch("/users/me", json=change)) == (409, sentence)
    assert (await client.get("/users/me")).json()["username"] == user.username
