"""A caller who causes many hashes at once delays no other caller."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from httpx2 import ASGITransport, AsyncClient

from fast_zero.core import security
from fast_zero.core.security.password_queue import Caller, passwords
from fast_zero.email_links.models import Purpose
from fast_zero.models import MailedLink
from tests.core.expect import problem, wait_until
from tests.factories import PASSWORD, UserFactory

OWN_EXCESS = (429, "Too many passwords from you are being checked. Try again in a moment.")
ANA = {"username": "ana", "email": "ana@example.com", "password": PASSWORD}


class RecordingHasher:
    """A hasher that records each password."""

    def __init__(self, hasher) -> None:
        self.hasher = hasher
        self.seen: list[str] = []

    def hash(self, password: str) -> str:
        self.seen.append(password)
        return self.hasher.hash(password)

    def verify_and_update(self, password: str, password_hash: str):
        self.seen.append(password)
        return self.hasher.verify_and_update(password, password_hash)


@pytest.fixture
def hashed(monkeypatch) -> list[str]:
    """Return the passwords that were hashed or verified, in order."""
    recording_hasher = RecordingHasher(security.hasher)
    monkeypatch.setattr(security, "hasher", recording_hasher)
    return recording_hasher.seen


def form_of(user) -> dict[str, str]:
    return {"username": user.email, "password": PASSWORD}


async def log_in_from(app, address: str, user):
    transport = ASGITransport(app, client=(address, 1))
    async with AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.post("/auth/token", data=form_of(user))


async def test_many_password_changes_of_one_user_delay_no_log_in(live, commit, log_in, hashed):
    [mallory, *others] = await commit(*UserFactory.build_batch(6))
    headers = await log_in(mallory)
    body = {"username": "mallory", "email": mallory.email, "password": "another fine one"}

    async with live() as client:
        async with passwords.hashing:
            flood = [
                asyncio.create_task(client.put(f"/users/{mallory.id}", json=body, headers=headers))
                for _ in range(64)
            ]
            await wait_until(lambda: sum(task.done() for task in flood) == 60)
            log_ins = [
                asyncio.create_task(log_in_from(client.app, f"192.0.2.{number}", other))
                for number, other in enumerate(others)
            ]
            await wait_until(lambda: passwords.pending.total() == 4 + len(others))
        logged_in = await asyncio.gather(*log_ins)
        responses = await asyncio.gather(*flood)

    assert hashed[: 1 + len(others)].count(PASSWORD) == len(others)
    assert [response.status_code for response in logged_in] == [200] * len(others)
    refused = [response for response in responses if response.status_code == 429]
    assert Counter(map(problem, refused)) == {OWN_EXCESS: 60}
    assert all(response.headers["retry-after"] == "1" for response in refused)


async def test_many_users_can_log_in_at_once_from_one_ip_address(live, commit):
    users = await commit(*UserFactory.build_batch(20))
    async with live() as client:
        async with passwords.hashing:
            log_ins = [
                asyncio.create_task(client.post("/auth/token", data=form_of(user)))
                for user in users
            ]
            await wait_until(lambda: passwords.pending.total() == len(users))
            refused = await client.post("/users", json=ANA)
            elsewhere = asyncio.create_task(log_in_from(client.app, "192.0.2.1", users[0]))
            await wait_until(lambda: passwords.pending.total() == len(users) + 1)
        responses = await asyncio.gather(*log_ins, elsewhere)

    assert [response.status_code for response in responses] == [200] * 21
    assert problem(refused) == OWN_EXCESS


async def test_a_refusal_by_the_queue_does_not_count_as_a_failure(live, commit):
    [user] = await commit(UserFactory())
    async with live(password_queue_per_address=1, login_failures=1) as client:
        async with passwords.hashing:
            waiting = asyncio.create_task(client.post("/auth/token", data=ANA))
            await wait_until(lambda: passwords.pending.total() == 1)
            refused = [await client.post("/auth/token", data=form_of(user)) for _ in range(3)]
        await waiting
        admitted = await client.post("/auth/token", data=form_of(user))

    assert [problem(response) for response in refused] == [OWN_EXCESS] * 3
    assert admitted.status_code == 200


TOKEN = "x" * 43
GIVEN = {"current_password": PASSWORD}
WAYS_TO_HASH = {
    "log in": ("POST", "/auth/token", {"data": ANA}),
    "register": ("POST", "/users", {"json": ANA}),
    "reset": ("POST", "/auth/password/reset", {"json": {"token": TOKEN, "password": PASSWORD}}),
    "replace": ("PUT", "/users/{}", {"json": ANA}),
    "change": ("PATCH", "/users/me", {"json": GIVEN | {"password": "another fine one"}}),
    "enrol": ("POST", "/auth/otp", {"json": GIVEN}),
    "recovery codes": ("POST", "/auth/otp/recovery_codes", {"json": GIVEN}),
    "disable": ("POST", "/auth/otp/disable", {"json": GIVEN}),
}
WITHOUT_USER = {"log in", "register", "reset"}


@pytest.mark.parametrize("way", WAYS_TO_HASH)
async def test_every_route_that_hashes_queues_by_caller(live, commit, log_in, way):
    method, path, content = WAYS_TO_HASH[way]
    [user] = await commit(UserFactory())
    now = datetime.now(UTC)
    await commit(
        MailedLink(
            owner_id=user.id,
            email=user.email,
            purpose=Purpose.PASSWORD,
            digest=security.digest(TOKEN),
            requested_at=now,
            expires_at=now + timedelta(hours=1),
        )
    )
    unknown = way in WITHOUT_USER
    name = "address 127.0.0.1" if unknown else f"user {user.id}"
    headers = {} if unknown else await log_in(user)
    limit = "password_queue_per_address" if unknown else "password_queue_per_user"

    async with live(**{limit: 1}) as client:
        async with passwords.hashing:
            waiting = asyncio.create_task(passwords.run(Caller(name), list))
            await wait_until(lambda: passwords.pending[name] == 1)
            refused = await client.request(method, path.format(user.id), headers=headers, **content)
        await waiting

    assert problem(refused) == OWN_EXCESS
