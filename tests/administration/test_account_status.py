"""Disabled accounts, roles and passwords, as changed by the commands."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from fast_zero.accounts import account_status
from fast_zero.core import security
from fast_zero.core.errors import NotFound
from fast_zero.core.types import MAX_BIGINT
from fast_zero.identity.models import Role
from fast_zero.models import LoginSession, PersonalToken, User
from tests.factories import (
    PASSWORD,
    LoginSessionFactory,
    PersonalTokenFactory,
    UserFactory,
    new_token,
)


async def test_demoting_a_user_deletes_admin_tokens_and_sessions(session, save):
    [admin] = await save(UserFactory(role="admin"))
    todos_token, _ = await save(
        PersonalTokenFactory(owner_id=admin.id),
        PersonalTokenFactory(owner_id=admin.id, scopes=["admin", "todos:read"]),
    )
    [opened] = await save(LoginSessionFactory(owner_id=admin.id))
    assert await account_status.give_role(session, admin.id, Role.ADMIN) == ()
    assert await account_status.give_role(session, admin.id, Role.MEMBER) == [opened.id]
    assert await account_status.give_role(session, admin.id, Role.MEMBER) == []
    remaining = await session.scalars(
        select(PersonalToken.id).where(PersonalToken.owner_id == admin.id)
    )
    assert remaining.all() == [todos_token.id]


async def test_repeating_a_demotion_deletes_remaining_admin_tokens_and_sessions(session, save):
    [member] = await save(UserFactory())
    await save(PersonalTokenFactory(owner_id=member.id, scopes=["admin"]))
    without_admin, with_admin = await save(
        LoginSessionFactory(owner_id=member.id),
        LoginSessionFactory(owner_id=member.id, scopes=["admin", "todos:read"]),
    )

    assert await account_status.give_role(session, member.id, Role.MEMBER) == [with_admin.id]

    owned = LoginSession.owner_id == member.id
    assert (await session.scalars(select(LoginSession.id).where(owned))).all() == [without_admin.id]
    assert (await session.scalars(select(PersonalToken.id))).all() == []


async def test_an_admin_token_of_a_demoted_user_is_refused(anonymous, save, session):
    [admin] = await save(UserFactory(role="admin"))
    token = new_token()
    scopes = ["admin", "todos:read"]
    await save(PersonalTokenFactory(owner_id=admin.id, scopes=scopes, token=token))
    headers = {"Authorization": f"Bearer {token}"}
    path = f"/admin/users/{admin.id}"
    assert (await anonymous.get(path, headers=headers)).status_code == 200

    await session.execute(update(User).values(role="member"))
    await session.commit()

    assert (await anonymous.get(path, headers=headers)).status_code == 401


async def test_no_admin_token_survives_a_concurrent_demotion(live, commit, committing, settings):
    """Create tokens while their owner is demoted, repeatedly; no token remains."""
    expires_at = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    body = {"name": "Backup", "scopes": ["admin"], "expires_at": expires_at}
    async with live() as client:
        for number in range(5):
            [admin] = await commit(UserFactory(role="admin"))
            [opened] = await commit(LoginSessionFactory(owner_id=admin.id, scopes=["admin"]))
            token = security.create_access_token(
                settings, admin.id, opened.id, {"admin", "account:write"}
            )
            headers = {"Authorization": f"Bearer {token}"}
            requests = [
                asyncio.create_task(client.post("/auth/tokens", json=body, headers=headers))
                for _ in range(10)
            ]
            await asyncio.sleep(0.005 * number)
            async with committing.begin() as session:
                await account_status.give_role(session, admin.id, Role.MEMBER)
            responses = await asyncio.gather(*requests)

            assert {response.status_code for response in responses} <= {201, 401, 403}
            async with committing() as session:
                remaining = select(func.count()).where(PersonalToken.owner_id == admin.id)
                assert await session.scalar(remaining) == 0


async def test_a_new_password_ends_all_sessions_and_sends_a_notice(
    anonymous, session, settings, user, save, deferred
):
    [opened] = await save(LoginSessionFactory(owner_id=user.id))
    ended = await account_status.set_password(session, settings, user.id, "another fine sentence")
    await session.commit()
    assert ended == [opened.id]
    form = {"username": user.email, "password": PASSWORD}
    assert (await anonymous.post("/auth/token", data=form)).status_code == 401
    form["password"] = "another fine sentence"
    assert (await anonymous.post("/auth/token", data=form)).status_code == 200
    [(name, arguments)] = await deferred()
    assert (name, arguments["about"]) == ("accounts.send_notice", "password_changed")


@pytest.mark.parametrize("change", [account_status.disable, account_status.enable])
async def test_a_missing_user_is_not_found(session, change):
    with pytest.raises(NotFound):
        await change(session, MAX_BIGINT)


async def test_no_session_survives_a_concurrent_disabling(live, commit, committing, real_hasher):
    """Disable an account during log-ins, repeatedly; no session remains."""
    [user] = await commit(UserFactory(password_hash=real_hasher.hash(PASSWORD)))
    form = {"username": user.email, "password": PASSWORD}
    async with live(login_failures=None) as client:
        for _ in range(3):
            logging_in = [
                asyncio.create_task(client.post("/auth/token", data=form)) for _ in range(3)
            ]
            await asyncio.sleep(0.03)
            async with committing.begin() as session:
                await account_status.disable(session, user.id)
            responses = await asyncio.gather(*logging_in)
            assert {response.status_code for response in responses} <= {200, 403}
            async with committing.begin() as session:
                remaining = await session.scalar(select(func.count()).select_from(LoginSession))
                assert remaining == 0
                await account_status.enable(session, user.id)
