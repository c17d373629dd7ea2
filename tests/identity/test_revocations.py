"""An ended session is refused in every process, whatever ended it."""

import asyncio
import time
from datetime import timedelta

import httpx2
import psycopg
import pytest
from sqlalchemy import delete, func, select, text, update

from fast_zero.accounts.jobs import sweep
from fast_zero.core.database import listener
from fast_zero.core.jobs import Context
from fast_zero.identity import revocations as module
from fast_zero.identity.revocations import KEEP_SECONDS, Revocations, followed
from fast_zero.models import EndedSession, LoginSession, SpentRefreshToken, User
from tests.core.expect import PATIENCE, problem, wait_until
from tests.factories import PASSWORD, LoginSessionFactory, UserFactory
from tests.processes import serving

NOT_VALIDATED = (401, "Could not validate credentials")
ACCOUNT = {"username": "ana", "email": "ana@example.com", "password": PASSWORD}
KILL_LISTENERS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE application_name = 'fast_zero listener' AND datname = current_database()
"""


@pytest.fixture
async def opened(commit) -> list[LoginSession]:
    [user] = await commit(UserFactory())
    return await commit(*LoginSessionFactory.build_batch(3, owner_id=user.id))


async def test_a_valid_token_needs_no_statement_while_the_list_is_complete(
    anonymous, user, bearer, statements, revocations
):
    with statements() as sent:
        assert (await anonymous.get("/todos", headers=bearer(user))).status_code == 200
    assert (len(sent), sent.transactions) == (1, 0)

    revocations.complete = False
    with statements() as sent:
        response = await anonymous.get("/todos", headers=bearer(user))
    assert problem(response) == NOT_VALIDATED  # its session is not in the database
    assert (len(sent), sent.transactions) == (1, 0)


async def test_refusing_an_ended_session_needs_no_statement(
    anonymous, user, bearer, statements, revocations
):
    revocations.add(2**63 - 1)
    with statements() as sent:
        for revocations.complete in (True, False):
            response = await anonymous.get("/todos", headers=bearer(user))
            assert problem(response) == NOT_VALIDATED
    assert sent == []


async def test_every_deletion_of_a_session_is_notified(settings, opened, engine):
    first, second, third = (session.id for session in opened)
    async with followed(settings.database_address()) as revocations:
        await wait_until(lambda: revocations.complete)
        for end in (
            delete(LoginSession).where(LoginSession.id == first),
            delete(User).where(User.id == opened[0].owner_id),
        ):
            async with engine.begin() as connection:
                await connection.execute(end)
            await wait_until(lambda: first in revocations.ended)

        await wait_until(lambda: {first, second, third} <= revocations.ended.keys())
    assert not revocations.complete


async def test_a_rolled_back_deletion_is_not_notified(settings, opened, engine):
    still_open, ended, _ = (session.id for session in opened)
    async with followed(settings.database_address()) as revocations:
        await wait_until(lambda: revocations.complete)
        async with engine.connect() as connection:
            await connection.execute(delete(LoginSession).where(LoginSession.id == still_open))
            await connection.rollback()
            await connection.execute(delete(LoginSession).where(LoginSession.id == ended))
            await connection.commit()
        await wait_until(lambda: ended in revocations.ended)

        assert still_open not in revocations.ended


async def test_a_process_that_was_not_listening_loads_ended_sessions(settings, opened, engine):
    async with engine.begin() as connection:
        await connection.execute(delete(LoginSession).where(LoginSession.id == opened[0].id))

    async with followed(settings.database_address()) as revocations:
        await wait_until(lambda: revocations.complete)
        assert opened[0].id in revocations.ended
        assert opened[1].id not in revocations.ended


async def test_a_session_that_ends_during_the_load_is_in_the_list(
    settings, opened, engine, monkeypatch
):
    """The session ends after the statement that loads the list, and before any notification."""

    class Slow(Revocations):
        async def load(self, connection):
            await super().load(connection)
            async with engine.begin() as other:
                await other.execute(delete(LoginSession).where(LoginSession.id == opened[0].id))
            await connection.execute("SELECT 1")  # a notification that arrives with it is not lost

    monkeypatch.setattr(module, "Revocations", Slow)
    async with followed(settings.database_address()) as revocations:
        await wait_until(lambda: opened[0].id in revocations.ended)


async def test_known_revocations_survive_a_load(settings):
    revocations = Revocations()
    revocations.add(2**62)
    url = settings.database_address().set(drivername="postgresql")
    conninfo = url.render_as_string(hide_password=False)
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
        await revocations.load(connection)

    assert 2**62 in revocations.ended


def test_revocations_older_than_access_tokens_are_removed(monkeypatch):
    now = time.monotonic()
    revocations = Revocations()
    for age in (KEEP_SECONDS + 10, KEEP_SECONDS + 5, 10):
        monkeypatch.setattr(time, "monotonic", lambda age=age: now - age)
        revocations.add(age)
    monkeypatch.setattr(time, "monotonic", lambda: now)
    revocations.add(10)  # notified again
    revocations.add(None)

    assert list(revocations.ended) == [10]


async def test_expired_rows_are_deleted(opened, commit, engine, committing, settings):
    old, young, _ = (session.id for session in opened)
    ago = {"old": func.now() - timedelta(hours=3), "young": func.now() - timedelta(hours=1)}
    async with engine.begin() as connection:
        for session_id, age in ((old, "old"), (young, "young")):
            values = {"expires_at": ago[age]}
            its = LoginSession.id == session_id
            await connection.execute(update(LoginSession).where(its).values(values))
    await commit(
        *(SpentRefreshToken(digest=name, session_id=young, expires_at=expiry)
          for name, expiry in ((b"old", ago["old"]), (b"young", ago["young"])))
    )  # fmt: skip
    await commit(EndedSession(session_id=2**62), EndedSession(session_id=2**62 + 1))
    async with engine.begin() as connection:
        its = EndedSession.session_id == 2**62
        await connection.execute(update(EndedSession).where(its).values(ended_at=ago["old"]))

    await sweep(Context(settings, committing))

    async with followed(settings.database_address()) as revocations:
        await wait_until(lambda: revocations.complete)
    async with engine.connect() as connection:
        sessions = (await connection.scalars(select(LoginSession.id))).all()
        spent = (await connection.scalars(select(SpentRefreshToken.digest))).all()
        ended = (await connection.scalars(select(EndedSession.session_id))).all()
    assert sorted(sessions) == sorted(session.id for session in opened if session.id != old)
    assert spent == [b"young"]
    assert 2**62 not in ended
    assert 2**62 + 1 in ended
    assert old not in ended  # deleted without a notification: its access tokens have expired
    assert old not in revocations.ended


def test_a_log_out_in_one_process_is_effective_in_another(data_dir):
    with serving(data_dir) as first, serving(data_dir) as second:
        httpx2.post(f"{first.url}/users", json=ACCOUNT).raise_for_status()
        headers = log_in(first.url)
        assert httpx2.get(f"{second.url}/todos", headers=headers).status_code == 200

        assert httpx2.post(f"{first.url}/auth/logout", headers=headers).status_code == 204

        assert httpx2.get(f"{first.url}/todos", headers=headers).status_code == 401
        assert is_refused_eventually(second.url, headers)


def log_in(url: str) -> dict[str, str]:
    form = {"username": "ana", "password": PASSWORD}
    token = httpx2.post(f"{url}/auth/token", data=form).json()["access_token"]
    return {"Authorization": f"Bearer {token}"}


def is_refused_eventually(url: str, headers: dict[str, str]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if httpx2.get(f"{url}/todos", headers=headers).status_code == 401:
            return True
    return False


async def test_a_session_that_ends_while_the_listener_is_killed_is_refused(
    live, commit, engine, log_in, monkeypatch
):
    [user] = await commit(UserFactory())
    connect, may_connect = listener.connect, asyncio.Event()
    may_connect.set()

    async def connect_later(url):
        await may_connect.wait()
        return await connect(url)

    monkeypatch.setattr(listener, "connect", connect_later)
    async with live() as client, live() as other:
        lists = [client.state["revocations"], other.state["revocations"]]
        await wait_until(lambda: all(revocations.complete for revocations in lists))
        headers = await log_in(user)
        assert (await other.get("/todos", headers=headers)).status_code == 200

        may_connect.clear()
        async with engine.connect() as connection:
            killed = (await connection.scalars(text(KILL_LISTENERS))).all()
        assert len(killed) == 2
        await wait_until(lambda: not any(revocations.complete for revocations in lists))
        ended = await client.post("/auth/logout", headers=headers)
        refused = await other.get("/todos", headers=headers)
        may_connect.set()
        await wait_until(lambda: all(revocations.complete for revocations in lists))
        refused_later = await other.get("/todos", headers=headers)

    assert ended.status_code == 204
    assert problem(refused) == problem(refused_later) == NOT_VALIDATED
