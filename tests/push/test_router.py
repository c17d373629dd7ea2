"""Registering the subscriptions of browsers."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import func, select

from fast_zero.core.errors import StartError
from fast_zero.core.settings import load_settings
from fast_zero.identity.scopes import Scope
from fast_zero.models import PushSubscription
from fast_zero.push.service import NOT_PUBLIC, SUBSCRIPTIONS_PER_USER
from fast_zero.push.vapid import ORDER, is_point
from tests.core.expect import invalid_fields, problem
from tests.push.push_service import Browser, decode

KEY = "/users/me/push-key"
PATH = "/users/me/push-subscriptions"
OFF_THE_CURVE = base64.urlsafe_b64encode(b"\x04" + b"\1" * 64).decode()
COMPRESSED = base64.urlsafe_b64encode(b"\x02" + b"\1" * 32).decode()


@pytest.fixture
def stored(sessions):
    """Select all subscriptions."""

    async def stored():
        async with sessions() as session:
            return (await session.scalars(select(PushSubscription))).all()

    return stored


async def test_a_subscription_is_stored_and_listed_without_its_secrets(
    client, stored, user, statements
):
    browser = Browser()

    with statements() as sent:
        response = await client.post(PATH, json=browser.subscription())
    [row] = await stored()
    listed = (await client.get(PATH)).json()

    assert response.status_code == 201
    assert response.json() == {
        "id": row.id,
        "push_service": "push.example.com",
        "created_at": response.json()["created_at"],
        "last_success_at": None,
        "last_failure_at": None,
    }
    assert listed == {"push_subscriptions": [response.json()], "next": None}
    assert len(sent) == 2
    keys = browser.subscription()["keys"]
    assert (row.owner_id, row.endpoint) == (user.id, browser.endpoint)
    assert {"p256dh": row.p256dh, "auth": row.auth} == keys
    for secret in (browser.endpoint, *keys.values()):
        assert secret not in repr(row)


async def test_the_same_endpoint_again_replaces_its_keys(client, register, stored):
    browser, renewed = Browser(), Browser()
    renewed.endpoint = browser.endpoint
    first = await register(browser)

    again = await register(renewed)

    [row] = await stored()
    assert again["id"] == first["id"]
    assert row.auth == renewed.subscription()["keys"]["auth"]


async def test_an_endpoint_moves_to_the_account_that_registers_it_last(
    client, register, bearer, user, stranger, stored
):
    browser = Browser()
    created = await register(browser)
    await register(browser, headers=bearer(stranger))

    [row] = await stored()
    assert row.owner_id == stranger.id
    assert (await client.get(PATH)).json()["push_subscriptions"] == []
    response = await client.delete(f"{PATH}/{created['id']}")
    assert problem(response) == (404, "Push subscription not found")


async def test_a_subscription_can_be_deleted_by_its_owner_alone(
    client, register, bearer, stranger, stored
):
    created = await register()
    path = f"{PATH}/{created['id']}"

    response = await client.delete(path, headers=bearer(stranger))
    assert problem(response) == (404, "Push subscription not found")
    assert (await client.get(PATH, headers=bearer(stranger))).json()["push_subscriptions"] == []
    assert len(await stored()) == 1
    assert (await client.delete(path)).status_code == 204
    assert await stored() == []
    assert problem(await client.delete(path)) == (404, "Push subscription not found")


async def test_the_subscription_that_registered_longest_ago_makes_room(
    client, register, save, user, stranger, sessions
):
    def row(owner, number):
        keys = Browser().subscription()["keys"]
        return PushSubscription(
            owner_id=owner.id, endpoint=f"https://push.example.com/{owner.id}/{number}", **keys
        )

    rows = await save(*(row(user, number) for number in range(SUBSCRIPTIONS_PER_USER)))
    await save(row(stranger, 0))
    new = await register()

    async with sessions() as session:
        count = select(func.count()).where(PushSubscription.owner_id == stranger.id)
        assert await session.scalar(count) == 1
    listed = [one["id"] for one in (await client.get(PATH)).json()["push_subscriptions"]]
    assert listed == [*(row.id for row in rows[1:]), new["id"]]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("p256dh", OFF_THE_CURVE),
        ("p256dh", COMPRESSED),
        ("p256dh", "BA"),
        ("p256dh", "no base64!"),
        ("auth", base64.urlsafe_b64encode(b"a" * 15).decode()),
        ("auth", base64.urlsafe_b64encode(b"a" * 17).decode()),
        ("auth", "="),
    ],
)
async def test_a_key_that_is_none_is_refused(client, stored, name, key):
    subscription = Browser().subscription()
    subscription["keys"][name] = key

    response = await client.post(PATH, json=subscription)

    assert invalid_fields(response) == [f"body.keys.{name}"]
    assert await stored() == []


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "push.example.com/v1/a",
        "ftp://push.example.com/a",
        "https:///a",
        "https://ana:secret@push.example.com/a",
        "https://push..example.com/a",
        "https://.example.com/a",
        f"https://{'a' * 64}.example.com/a",
        "https://push.example.com:99999/a",
        "https://push.example.com/a#b",
        "https://push.example.com/a b",
        "https://push.example.com\\@127.0.0.1/a",
        "https://[::1/a",
        "https://push.example.com/" + "a" * 2000,
    ],
)
async def test_an_endpoint_that_is_no_url_is_refused(client, stored, endpoint):
    response = await client.post(PATH, json=Browser().subscription() | {"endpoint": endpoint})

    assert invalid_fields(response) == ["body.endpoint"]
    assert await stored() == []


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example.com/a",
        "https://localhost/a",
        "https://127.0.0.1:8000/a",
        "https://[::1]/a",
        "https://[::ffff:10.0.0.1]/a",
        "https://169.254.169.254/latest",
        "https://push.internal/a",
        "https://database:5432/a",
    ],
)
async def test_a_push_service_in_a_private_network_is_refused_unless_allowed(
    client, settings, stored, endpoint
):
    subscription = Browser().subscription() | {"endpoint": endpoint}

    response = await client.post(PATH, json=subscription)
    assert invalid_fields(response) == ["body.endpoint"]
    assert response.json()["detail"][0]["msg"] == NOT_PUBLIC
    assert await stored() == []

    allowing = settings.model_copy(update={"push_private_networks": True})
    client.state["settings"] = allowing
    assert (await client.post(PATH, json=subscription)).status_code == 201


async def test_the_scopes_of_the_feed_are_needed(client, user, open_log_in, register):
    created = await register()
    reader = await open_log_in(user, [Scope.FEED_READ])
    other = await open_log_in(user, [Scope.ACCOUNT_READ, Scope.ACCOUNT_WRITE])

    assert (await client.get(KEY, headers=reader)).status_code == 200
    assert (await client.get(PATH, headers=reader)).status_code == 200
    subscription = Browser().subscription()
    for headers in (reader, other):
        response = await client.post(PATH, json=subscription, headers=headers)
        assert response.status_code == 403
        response = await client.delete(f"{PATH}/{created['id']}", headers=headers)
        assert response.status_code == 403
    for path in (KEY, PATH):
        assert (await client.get(path, headers=other)).status_code == 403


async def test_the_key_is_a_point_and_stays_the_same_as_long_as_the_secret_key(
    client, bearer, stranger, settings
):
    key = (await client.get(KEY)).json()["public_key"]
    theirs = (await client.get(KEY, headers=bearer(stranger))).json()["public_key"]
    client.state["settings"] = settings.model_copy(
        update={"secret_key_previous": settings.secret_key}
    )

    assert is_point(decode(key))
    assert theirs == key == (await client.get(KEY)).json()["public_key"]


async def test_a_key_of_the_settings_is_used_as_other_programs_do(client, settings, monkeypatch):
    """The pair is that of RFC 8291, appendix A."""
    monkeypatch.setenv("VAPID_PRIVATE_KEY", "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")
    configured = load_settings().vapid_private_key
    client.state["settings"] = settings.model_copy(update={"vapid_private_key": configured})

    assert (await client.get(KEY)).json()["public_key"] == (
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
    )


@pytest.mark.parametrize("key", ["short", "a" * 44, "!" * 43])
def test_a_key_of_the_settings_that_is_none_stops_the_start(monkeypatch, key):
    monkeypatch.setenv("VAPID_PRIVATE_KEY", key)

    with pytest.raises(StartError, match="VAPID_PRIVATE_KEY: write 32 bytes in base64url") as error:
        load_settings()
    assert key not in str(error.value)


def test_the_order_is_that_of_the_curve():
    """The order less one is the largest private key: its public key is the generator, mirrored."""
    last = ec.derive_private_key(ORDER - 1, ec.SECP256R1()).public_key().public_numbers()
    first = ec.derive_private_key(1, ec.SECP256R1()).public_key().public_numbers()
    assert last.x == first.x
    assert last.y != first.y


async def test_the_subscriptions_of_a_deleted_account_are_deleted(client, register, user, stored):
    await register()
    await client.delete(f"/users/{user.id}")

    assert await stored() == []


async def test_an_export_lists_subscriptions_without_their_secrets(client, register):
    browser = Browser()
    created = await register(browser)

    response = await client.get("/users/me/export")

    assert response.json()["push_subscriptions"] == [created]
    for secret in (browser.secret, *browser.subscription()["keys"].values()):
        assert secret not in response.text
