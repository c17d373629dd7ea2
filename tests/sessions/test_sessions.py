import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update

from fast_zero.core import security
from fast_zero.core.errors import Unauthenticated
from fast_zero.core.security.password_queue import passwords
from fast_zero.identity.revocations import Revocations
from fast_zero.models import LoginSession, SpentRefreshToken, User
from fast_zero.sessions import service as sessions
from tests.core.expect import problem, wait_until
from tests.factories import PASSWORD, LoginSessionFactory, UserFactory
from tests.processes import PATIENCE

NOT_VALIDATED = (401, "Could not validate credentials")
NEW_PASSWORD = "another fine sentence"


@pytest.fixture(autouse=True)
def incomplete_revocations(revocations):
    """Make each request query whether its session is open, as in a process without a listener."""
    revocations.complete = False


async def log_in(client, user, password=PASSWORD, **fields) -> dict:
    form = {"username": user.email, "password": password, **fields}
    response = await client.post("/auth/token", data=form, headers={"User-Agent": "Firefox"})
    assert response.status_code == 200, response.text
    return response.json()


def with_token(tokens: dict) -> dict[str, dict[str, str]]:
    return {"headers": {"Authorization": f"Bearer {tokens['access_token']}"}}


async def exchange(client, refresh_token: str):
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return await client.post("/auth/token", data=form)


async def works(client, tokens: dict) -> bool:
    response = await client.get("/users/me", **with_token(tokens))
    return response.status_code == 200 or problem(response) != NOT_VALIDATED


async def test_a_log_in_opens_a_session(anonymous, user, stranger):
    first, second = await log_in(anonymous, user), await log_in(anonymous, user)
    await log_in(anonymous, stranger)

    response = await anonymous.get("/auth/sessions", **with_token(second))

    assert response.status_code == 200
    body = response.json()
    shown = body["sessions"]
    fields = {"id", "user_agent", "address", "created_at", "last_used_at", "expires_at"}
    assert [session.keys() for session in shown] == [fields, fields]
    assert shown[0]["id"] < shown[1]["id"] == body["current"]
    assert {session["user_agent"] for session in shown} == {"Firefox"}
    assert {session["address"] for session in shown} == {"127.0.0.1"}
    assert first["refresh_token"] not in response.text
    page = (await anonymous.get("/auth/sessions?limit=1", **with_token(second))).json()
    rest = (
        await anonymous.get(f"/auth/sessions?after={page['next']}", **with_token(second))
    ).json()
    assert page["sessions"] + rest["sessions"] == shown


async def test_a_long_user_agent_is_truncated(anonymous, user):
    form = {"username": user.email, "password": PASSWORD}
    headers = {"User-Agent": "é".encode("latin-1") * 5000}
    tokens = (await anonymous.post("/auth/token", data=form, headers=headers)).json()

    [shown] = (await anonymous.get("/auth/sessions", **with_token(tokens))).json()["sessions"]

    assert shown["user_agent"] == "é" * 300


async def test_only_digests_of_refresh_tokens_are_stored(anonymous, user, connection):
    tokens = await log_in(anonymous, user)
    later = (await exchange(anonymous, tokens["refresh_token"])).json()

    rows = await connection.execute(
        text(
            "SELECT row_to_json(l)::text || row_to_json(s)::text FROM login_sessions l, "
            "spent_refresh_tokens s"
        )
    )
    [stored] = rows.scalars()
    for token in (tokens, later):
        assert token["refresh_token"] not in stored
        assert security.digest(token["refresh_token"]).hex() in stored


async def test_a_refresh_token_is_exchanged_once(anonymous, user, statements):
    tokens = await log_in(anonymous, user)

    with statements() as sent:
        response = await exchange(anonymous, tokens["refresh_token"])

    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    successor = response.json()
    assert successor.keys() == tokens.keys()
    assert successor["refresh_token"] != tokens["refresh_token"]
    assert len(sent) == 1
    assert await works(anonymous, successor)
    assert await works(anonymous, tokens)  # its access token stays valid


async def test_a_reused_refresh_token_ends_its_session(anonymous, user):
    tokens, other = await log_in(anonymous, user), await log_in(anonymous, user)
    successor = (await exchange(anonymous, tokens["refresh_token"])).json()
    latest = (await exchange(anonymous, successor["refresh_token"])).json()

    assert problem(await exchange(anonymous, tokens["refresh_token"])) == NOT_VALIDATED

    assert problem(await exchange(anonymous, latest["refresh_token"])) == NOT_VALIDATED
    assert not await works(anonymous, latest)
    assert await works(anonymous, other)


@pytest.mark.parametrize("token", ["unknown", "é", "x" * 1024])
async def test_an_unknown_refresh_token_is_refused(anonymous, token):
    response = await exchange(anonymous, token)

    assert problem(response) == NOT_VALIDATED
    assert response.headers["www-authenticate"] == "Bearer"


async def test_access_and_refresh_tokens_are_not_interchangeable(anonymous, user):
    tokens = await log_in(anonymous, user)
    swapped = {"access_token": tokens["refresh_token"]}

    assert problem(await exchange(anonymous, tokens["access_token"])) == NOT_VALIDATED
    assert not await works(anonymous, swapped)


async def test_a_session_expires(anonymous, user, connection):
    tokens = await log_in(anonymous, user)
    past = {"expires_at": func.now() - timedelta(seconds=1)}
    await connection.execute(update(LoginSession).values(past))

    assert problem(await exchange(anonymous, tokens["refresh_token"])) == NOT_VALIDATED
    renewed = await anonymous.post("/auth/refresh_token", **with_token(tokens))
    assert problem(renewed) == NOT_VALIDATED
    assert (await anonymous.get("/auth/sessions", **with_token(tokens))).json()["sessions"] == []


async def test_refreshing_extends_a_session(anonymous, user, connection, settings):
    tokens = await log_in(anonymous, user)
    soon = {"expires_at": func.now() + timedelta(minutes=1)}
    await connection.execute(update(LoginSession).values(soon))

    await exchange(anonymous, tokens["refresh_token"])

    for column in (LoginSession.expires_at, SpentRefreshToken.expires_at):
        left = await connection.scalar(select(column - func.now()))
        assert left == timedelta(days=settings.refresh_token_days)


async def test_a_renewed_token_keeps_session_and_scope(anonymous, user):
    tokens = await log_in(anonymous, user, scope="account:read")

    renewed = (await anonymous.post("/auth/refresh_token", **with_token(tokens))).json()

    assert renewed["scope"] == "account:read"
    listed = [
        (await anonymous.get("/auth/sessions", **with_token(t))).json() for t in (tokens, renewed)
    ]
    assert listed[0]["current"] == listed[1]["current"]


async def test_logging_out_ends_only_this_session(anonymous, user):
    tokens, other = await log_in(anonymous, user), await log_in(anonymous, user)

    response = await anonymous.post("/auth/logout", **with_token(tokens))

    assert (response.status_code, response.content) == (204, b"")
    assert not await works(anonymous, tokens)
    assert problem(await exchange(anonymous, tokens["refresh_token"])) == NOT_VALIDATED
    again = await anonymous.post("/auth/logout", **with_token(tokens))
    assert problem(again) == NOT_VALIDATED
    assert await works(anonymous, other)


async def test_a_user_can_end_one_of_their_sessions(anonymous, user):
    lost, tokens = await log_in(anonymous, user), await log_in(anonymous, user)
    lost_id = (await anonymous.get("/auth/sessions", **with_token(lost))).json()["current"]

    response = await anonymous.delete(f"/auth/sessions/{lost_id}", **with_token(tokens))

    assert response.status_code == 204
    assert (await works(anonymous, lost), await works(anonymous, tokens)) == (False, True)
    again = await anonymous.delete(f"/auth/sessions/{lost_id}", **with_token(tokens))
    assert problem(again) == (404, "Session not found")


async def test_users_cannot_end_sessions_of_other_users(anonymous, user, stranger):
    theirs, tokens = await log_in(anonymous, stranger), await log_in(anonymous, user)
    its_id = (await anonymous.get("/auth/sessions", **with_token(theirs))).json()["current"]

    response = await anonymous.delete(f"/auth/sessions/{its_id}", **with_token(tokens))
    assert problem(response) == (404, "Session not found")
    assert (await anonymous.delete("/auth/sessions", **with_token(tokens))).status_code == 204

    assert await works(anonymous, theirs)


async def test_all_other_sessions_can_be_ended(anonymous, user):
    others = [await log_in(anonymous, user) for _ in range(2)]
    tokens = await log_in(anonymous, user)

    assert (await anonymous.delete("/auth/sessions", **with_token(tokens))).status_code == 204

    assert [await works(anonymous, other) for other in others] == [False, False]
    assert await works(anonymous, tokens)


WAYS_TO_END_ALL = {
    "PUT with another password": ("PUT", {"password": NEW_PASSWORD}),
    "PUT with another address": ("PUT", {"email": "new@example.com"}),
    "PATCH of the password": ("PATCH", {"password": NEW_PASSWORD, "current_password": PASSWORD}),
    "DELETE": ("DELETE", None),
}


@pytest.mark.parametrize("way", WAYS_TO_END_ALL)
async def test_a_change_of_credentials_ends_all_sessions(anonymous, user, revocations, way):
    method, body = WAYS_TO_END_ALL[way]
    tokens, other = await log_in(anonymous, user), await log_in(anonymous, user)
    if method == "PUT":
        body = {"username": user.username, "email": user.email, "password": PASSWORD} | body
    url = "/users/me" if method == "PATCH" else f"/users/{user.id}"

    response = await anonymous.request(method, url, json=body, **with_token(tokens))

    assert response.status_code == 200, response.text
    assert not await works(anonymous, tokens)
    assert not await works(anonymous, other)
    revocations.complete = True
    assert not await works(anonymous, tokens)  # this process refuses it at once


@pytest.mark.parametrize(
    ("method", "body"),
    [("PUT", {"password": PASSWORD}), ("PATCH", {})],
)
async def test_a_new_username_ends_no_session(anonymous, user, method, body):
    tokens, other = await log_in(anonymous, user), await log_in(anonymous, user)
    url = "/users/me" if method == "PATCH" else f"/users/{user.id}"
    body = {"username": "another name", "email": user.email} | body

    response = await anonymous.request(method, url, json=body, **with_token(tokens))

    assert (response.status_code, response.json()["username"]) == (200, "another name")
    assert await works(anonymous, tokens)
    assert await works(anonymous, other)


async def test_concurrent_refreshes_with_one_token_count_as_reuse(live, commit):
    [user] = await commit(UserFactory())
    async with live() as client:
        tokens = await log_in(client, user)
        responses = await asyncio.gather(
            *(exchange(client, tokens["refresh_token"]) for _ in range(5))
        )
        [successor] = [response.json() for response in responses if response.status_code == 200]
        later = await exchange(client, successor["refresh_token"])

    assert sorted(response.status_code for response in responses) == [200, 401, 401, 401, 401]
    assert problem(later) == NOT_VALIDATED


async def test_no_session_survives_a_concurrent_change_of_the_password(live, commit, engine):
    [user] = await commit(UserFactory())
    [opened] = await commit(LoginSessionFactory(owner_id=user.id))
    async with live() as client:
        # The log-in has read the hash, and waits in the queue to verify it.
        async with passwords.hashing:
            logging_in = asyncio.create_task(
                client.post("/auth/token", data={"username": user.email, "password": PASSWORD})
            )
            await wait_until(lambda: passwords.pending.total() == 1)
            async with engine.begin() as other:
                new = {"password_hash": await asyncio.to_thread(security.hasher.hash, "new")}
                await other.execute(update(User).values(new))
        refused = await logging_in

    assert problem(refused) == (401, "Incorrect email or password")
    async with engine.connect() as other:
        assert (await other.scalars(select(LoginSession.id))).all() == [opened.id]


async def test_a_change_of_the_address_does_not_deadlock_with_a_log_out(
    live, commit, engine, log_in
):
    [user] = await commit(UserFactory())
    headers = await log_in(user)
    new = {"username": user.username, "email": "new@example.com", "password": PASSWORD}
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    account = select(User.id).with_for_update(key_share=True, read=True, nowait=True)

    async with live() as client, engine.begin() as log_out:
        await log_out.execute(select(LoginSession.id).with_for_update())
        change = asyncio.create_task(client.put(f"/users/{user.id}", json=new, headers=headers))
        async with asyncio.timeout(PATIENCE):
            while not await log_out.scalar(waiting):  # noqa: ASYNC110  # nobody sets an event for it
                await asyncio.sleep(0.01)
        assert await log_out.scalar(account) == user.id
        await log_out.commit()
        changed = await change

    assert changed.status_code == 200, changed.text


async def test_a_process_refuses_a_session_once_its_end_is_committed(sessions):
    revocations = Revocations()
    async with sessions() as session:
        await session.execute(text("SELECT 1"))
        revocations.add_at_commit(session, 1, None, 2)
        assert revocations.ended.keys() == set()
        await session.commit()
    async with sessions() as session:
        await session.execute(text("SELECT 1"))
        revocations.add_at_commit(session, 3)
        await session.rollback()

    assert revocations.ended.keys() == {1, 2}


async def test_no_token_is_renewed_without_a_session(session, settings):
    with pytest.raises(Unauthenticated):
        await sessions.renew(session, settings, 2**63 - 1, 1, [])
