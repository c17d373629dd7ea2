"""The audit events of an account, whichever interface causes them."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from fast_zero.accounts.jobs import SWEEPS
from fast_zero.models import SecondFactor
from fast_zero.sessions import queries as session_queries
from tests.factories import PASSWORD, WEAK_HASH, LoginSessionFactory, PersonalTokenFactory

ANA = {"username": "Ana Lúcia", "email": "ana@example.com", "password": PASSWORD}
TOKEN = {
    "name": "Backup",
    "scopes": ["todos:read"],
    "expires_at": (datetime.now(UTC) + timedelta(days=30)).isoformat(),
}


@pytest.fixture
def events(client):
    async def events() -> list[dict]:
        response = await client.get("/users/me/audit")
        assert response.status_code == 200
        return response.json()["events"]

    return events


def actions(events: list[dict]) -> list[str]:
    return [event["action"] for event in events]


async def test_log_ins_and_refused_log_ins_are_audited_with_their_client(client, user, events):
    form = {"username": user.email, "password": PASSWORD}
    headers = {"User-Agent": "Ana's phone"}
    await client.post("/auth/token", data=form | {"password": "wrong"}, headers=headers)
    await client.post("/auth/token", data=form, headers=headers)
    opened, refused, created = await events()

    assert [opened["action"], refused["action"], created["action"]] == [
        "session opened",
        "log-in refused",
        "account made",
    ]
    for event in (opened, refused):
        assert event["details"]["user_agent"] == "Ana's phone"
        assert event["details"]["address"] == "127.0.0.1"
    assert refused["details"]["wrong"] == "password"


async def test_a_refused_code_is_audited(client, user, save, events):
    await save(SecondFactor(owner_id=user.id, secret="A" * 32, confirmed_at=datetime.now(UTC)))
    form = {"username": user.email, "password": PASSWORD, "otp": "no code"}
    await client.post("/auth/token", data=form)
    [refused, *_] = await events()

    assert (refused["action"], refused["details"]["wrong"]) == ("log-in refused", "code")


async def test_the_end_of_sessions_and_tokens_is_audited(client, user, save, events, open_log_in):
    [session] = await save(LoginSessionFactory(owner_id=user.id))
    headers = await open_log_in(user)
    created = (await client.post("/auth/tokens", json=TOKEN, headers=headers)).json()
    await client.delete(f"/auth/tokens/{created['id']}")
    await client.delete(f"/auth/sessions/{session.id}")
    ended, revoked, token, *_ = await events()

    assert (ended["action"], ended["details"]) == ("session ended", {"session_id": session.id})
    assert (revoked["action"], token["action"]) == ("token revoked", "token made")
    assert token["details"] == {
        "token_id": created["id"],
        "name": "Backup",
        "scopes": ["todos:read"],
    }


async def test_changes_of_an_account_are_audited_without_secrets(client, user, connection):
    body = {"password": "another fine sentence", "current_password": PASSWORD}
    before = user.username
    # `now()` is constant within the test's transaction, so the change would not be visible.
    await connection.execute(text("UPDATE users SET updated_at = now() - interval '1 day'"))
    await client.patch("/users/me", json=body | {"username": "another name"})
    rows = await connection.execute(text("SELECT action, details FROM audit_events ORDER BY id"))
    found = [tuple(row) for row in rows]

    assert found == [
        ("account made", {}),
        ("password changed", {}),
        ("renamed", {"before": before, "after": "another name"}),
    ]


async def test_hash_upgrades_and_settings_are_not_audited(client, user, session, events):
    await session_queries.upgrade_password_hash(session, user.id, user.password_hash, WEAK_HASH)
    await session.execute(text("UPDATE users SET language = 'pt-BR'"))

    assert actions(await events()) == ["account made"]


async def test_changes_of_a_second_factor_are_audited(client, user, save, connection, events):
    await save(SecondFactor(owner_id=user.id, secret="A" * 32))
    assert actions(await events()) == ["account made"]

    await connection.execute(text("UPDATE second_factors SET confirmed_at = now()"))
    await connection.execute(text("DELETE FROM second_factors"))

    assert actions(await events())[:2] == ["second factor disabled", "second factor activated"]


async def test_events_of_the_current_user_are_paged_newest_first(
    client, user, stranger, save, statements
):
    await save(*(PersonalTokenFactory(owner_id=user.id) for _ in range(4)))
    await save(PersonalTokenFactory(owner_id=stranger.id))
    with statements() as sent:
        first = (await client.get("/users/me/audit?limit=3")).json()
    second = (await client.get(f"/users/me/audit?limit=3&after={first['next']}")).json()

    ids = [event["id"] for event in first["events"] + second["events"]]
    assert len(ids) == 5
    assert ids == sorted(ids, reverse=True)
    assert second["next"] is None
    assert len(sent) == 1


async def test_events_are_deleted_with_the_account_and_after_a_year(client, user, connection):
    await connection.execute(text("UPDATE audit_events SET at = now() - interval '2 years'"))
    await client.patch("/users/me", json={"username": "another name"})
    for statement in SWEEPS:
        await connection.execute(statement)
    left = await connection.execute(text("SELECT action FROM audit_events"))
    assert left.scalars().all() == ["renamed"]

    await client.delete(f"/users/{user.id}")
    assert await connection.scalar(text("SELECT count(*) FROM audit_events")) == 0
