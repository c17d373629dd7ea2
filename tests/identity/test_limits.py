"""Limits on password attempts, during log-in and in a session."""

import asyncio
from collections import Counter
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import text, update

from fast_zero.core.security.password_queue import passwords
from fast_zero.identity import limits
from fast_zero.models import Throttle
from tests.chaos import own_database
from tests.core.expect import problem, same_headers, wait_until
from tests.factories import PASSWORD, UserFactory
from tests.processes import serving

ANA = {"username": "ana", "email": "ana@example.com", "password": PASSWORD}
TOO_MANY = (429, "Too many failed attempts. Wait, then try again.")
TOO_MANY_EMAILS = (429, "Too many emails were asked for. Try again later.")
TOO_MANY_ACCOUNTS = (429, "Too many accounts were made from your address. Try again later.")
BUSY = (503, "Too many passwords are being checked. Try again in a moment.")
REFUSED = (401, "Incorrect email or password")
FREE = 5


async def log_in(client, username: str, password: str = PASSWORD, **headers: str):
    form = {"username": username, "password": password}
    return await client.post("/auth/token", data=form, headers=headers)


async def fail(client, username: str, times: int = FREE) -> None:
    for _ in range(times):
        assert problem(await log_in(client, username, "a wrong one")) == REFUSED


async def pass_time(connection, seconds: int) -> None:
    past = {"free_at": Throttle.free_at - timedelta(seconds=seconds)}
    await connection.execute(update(Throttle).values(past))


async def test_after_five_failures_an_account_is_throttled(anonymous, user, connection):
    await fail(anonymous, user.email)

    refused = await log_in(anonymous, user.email)

    assert problem(refused) == TOO_MANY
    assert refused.headers["retry-after"] == "1"
    await pass_time(connection, 1)
    await fail(anonymous, user.email, times=1)
    assert (await log_in(anonymous, user.email)).headers["retry-after"] == "2"
    await pass_time(connection, 2)
    assert (await log_in(anonymous, user.email)).status_code == 200


async def test_a_success_resets_the_failures(anonymous, user):
    for _ in range(2):
        await fail(anonymous, user.email, times=FREE - 1)
        assert (await log_in(anonymous, user.email)).status_code == 200


async def test_an_unknown_account_is_counted_like_a_known_one(anonymous, user, statements):
    results = {}
    for name in (user.email, "nobody@example.com"):
        with statements() as sent:
            responses = [await log_in(anonymous, name, "a wrong one") for _ in range(FREE + 1)]
        results[name] = [
            [
                (response.status_code, same_headers(response), response.content)
                for response in responses
            ],
            sent,
        ]

    known, unknown = results.values()
    assert known == unknown
    assert [status for status, *_ in known[0]] == [401] * FREE + [429]
    assert len(known[1]) == 3 * FREE + 3


@pytest.mark.parametrize("name", ["Ana Lúcia", "nobody"])
async def test_unicode_forms_of_a_username_are_counted_together(anonymous, save, name):
    await save(UserFactory(username="Ana Lúcia"))
    forms = [name, name.upper(), name.lower(), name.swapcase()]
    wide = "".join(chr(ord(letter) + 0xFEE0) if letter.isascii() and letter.isalpha() else letter
                   for letter in name)  # fmt: skip

    for form in [*forms, wide]:
        await fail(anonymous, form, times=1)

    assert problem(await log_in(anonymous, name)) == TOO_MANY


async def test_username_and_address_are_counted_separately(anonymous, user):
    await fail(anonymous, user.username)

    assert problem(await log_in(anonymous, user.username)) == TOO_MANY
    await fail(anonymous, user.email, times=1)


async def test_throttled_log_ins_compute_no_hash(anonymous, user):
    await fail(anonymous, user.email)

    async with passwords.hashing:  # a request that computes a hash would not return
        responses = [await log_in(anonymous, user.email) for _ in range(3)]

    assert {problem(response) for response in responses} == {TOO_MANY}


async def test_an_open_session_is_not_throttled(anonymous, user):
    tokens = (await log_in(anonymous, user.email)).json()
    await fail(anonymous, user.email)
    await fail(anonymous, user.username)
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    change = {"password": "another fine sentence", "current_password": PASSWORD}

    assert (await anonymous.get("/todos", headers=headers)).status_code == 200
    assert (await anonymous.post("/auth/refresh_token", headers=headers)).status_code == 200
    assert (await anonymous.post("/auth/token", data=refresh)).status_code == 200
    assert (await anonymous.patch("/users/me", json=change, headers=headers)).status_code == 200


async def test_concurrent_log_ins_get_no_more_attempts_than_sequential_ones(live, commit, engine):
    """The wait is the longest possible, so that a slow machine gets no second attempt."""
    [user] = await commit(UserFactory())
    async with live() as client:
        await fail(client, user.email, times=1)
        async with engine.begin() as connection:
            await connection.execute(update(Throttle).values(count=20))
        responses = await asyncio.gather(
            *(log_in(client, user.email, "a wrong one") for _ in range(50))
        )

    assert Counter(map(problem, responses)) == {REFUSED: 1, TOO_MANY: 49}


async def test_failures_from_an_ip_address_are_counted_across_accounts(live, commit, connection):
    users = await commit(*UserFactory.build_batch(4))
    async with live(login_failures_per_address=3) as client:
        for user in users[:3]:
            assert (await log_in(client, user.email)).status_code == 200
            await fail(client, user.email, times=1)
        refused = await log_in(client, users[3].email)

    assert problem(refused) == TOO_MANY


async def test_a_disabled_limit_counts_nothing(live, commit, engine):
    [user] = await commit(UserFactory())
    async with live(login_failures=None, login_failures_per_address=None) as client:
        await fail(client, user.email, times=FREE + 3)

    async with engine.connect() as connection:
        assert (await connection.scalars(text("SELECT digest FROM throttles"))).all() == []


async def test_password_attempts_of_a_session_are_limited(client, bearer, user):
    async def change(password: str):
        body = {"email": "eva@example.com", "current_password": password}
        return await client.patch("/users/me", json=body)

    for _ in range(FREE):
        assert (await change("a wrong one")).status_code == 403

    refused = await change(PASSWORD)
    assert problem(refused) == TOO_MANY
    assert refused.headers["retry-after"] == "1"
    assert (await client.patch("/users/me", json={"username": "eva"})).status_code == 200
    assert (await log_in(client, user.email)).status_code == 200  # a new session has its own count
    tokens = (await log_in(client, user.email)).json()
    client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
    assert (await change(PASSWORD)).status_code == 200


async def test_a_correct_password_does_not_count_as_a_failure_if_the_request_fails(
    anonymous, client, user
):
    form = {"username": user.email, "password": PASSWORD, "scope": "admin"}
    change = {"email": "new@example.com", "current_password": PASSWORD}
    own = {"current_password": PASSWORD}
    statuses = []
    for _ in range(FREE + 1):
        refused = await anonymous.post("/auth/token", data=form)
        assert refused.status_code == 403
        refused = await client.post("/auth/otp/disable", json=own)
        assert refused.status_code == 404
        refused = await client.patch("/users/me", json=change, headers={"If-Match": '"99"'})
        statuses.append(refused.status_code)

    assert statuses == [412] * 5 + [429]  # five emails an hour
    assert problem(refused) == TOO_MANY_EMAILS
    assert (await log_in(anonymous, user.email)).status_code == 200


async def test_each_session_and_each_user_is_counted_separately(settings):
    keys = {
        limits.own_password_limit(settings, *user_and_session).key
        for user_and_session in [(1, 1), (1, 2), (2, 1), (1, None), (11, 1), (1, 11)]
    }

    assert len(keys) == 6


async def test_registrations_are_counted_by_ip_address(live, commit):
    def account(number: int) -> dict[str, str]:
        return {"username": f"ana {number}", "email": f"ana{number}@x.org", "password": PASSWORD}

    async with live(registrations_per_hour=2) as client:
        common = await client.post("/users", json=account(9) | {"password": "password"})
        created = [await client.post("/users", json=account(number)) for number in range(2)]
        async with passwords.hashing:
            refused = await client.post("/users", json=account(3))

    assert common.status_code == 422  # not counted
    assert [response.status_code for response in created] == [201, 201]
    assert problem(refused) == TOO_MANY_ACCOUNTS
    assert 3590 <= int(refused.headers["retry-after"]) <= 3600


async def test_emails_are_counted_by_recipient_and_requester(live, commit, log_in):
    [user] = await commit(UserFactory())
    headers = await log_in(user)

    async def request_reset(email: str) -> tuple[int, object]:
        response = await client.post("/auth/password/forgotten", json={"email": email})
        return response.status_code if response.is_success else problem(response)

    async with live(letters_per_hour=2, letters_per_hour_per_address=6) as client:
        requested = [
            await request_reset(email) for email in ("ana@x.org", "ANA@x.org", "Ana@x.org")
        ]
        change = {"email": "ana@x.org", "current_password": PASSWORD}
        changed = await client.patch("/users/me", json=change, headers=headers)
        for _ in range(2):
            again = await client.post("/users/me/email/verification", headers=headers)
            assert again.status_code == 202
        others = [await request_reset(f"eva{number}@x.org") for number in range(2)]

    assert requested == [202, 202, TOO_MANY_EMAILS]
    assert problem(changed) == TOO_MANY_EMAILS
    assert others == [202, TOO_MANY_EMAILS]


async def test_emails_are_counted_even_if_the_request_is_refused(live, commit, log_in):
    user, other = await commit(UserFactory(), UserFactory())
    headers = await log_in(user)
    taken = {"username": user.username, "email": other.email, "password": PASSWORD}

    async with live(letters_per_hour=2) as client:
        responses = [
            await client.put(f"/users/{user.id}", json=taken, headers=headers) for _ in range(3)
        ]

    assert [response.status_code for response in responses] == [409, 409, 429]
    assert problem(responses[-1]) == TOO_MANY_EMAILS


async def test_a_limit_of_0_allows_nothing(live, commit):
    [user] = await commit(UserFactory())
    forgotten = {"email": user.email}
    limits = {"registrations_per_hour": 0, "letters_per_hour": 0, "login_failures": 0}
    async with live(**limits) as client:
        registered = await client.post("/users", json=ANA)
        by_recipient = await client.post("/auth/password/forgotten", json=forgotten)
        await fail(client, user.email, times=1)
        second = await log_in(client, user.email)
    async with live(letters_per_hour_per_address=0, login_failures_per_address=0) as client:
        by_requester = await client.post("/auth/password/forgotten", json=forgotten)
        await fail(client, "nobody", times=1)
        other = await log_in(client, "somebody else")

    assert problem(registered) == TOO_MANY_ACCOUNTS
    assert registered.headers["retry-after"] == "3600"
    assert [problem(response) for response in (by_recipient, by_requester)] == [TOO_MANY_EMAILS] * 2
    assert [problem(response) for response in (second, other)] == [TOO_MANY] * 2


async def test_a_refusal_by_the_password_queue_does_not_count_as_a_failure(live, commit, engine):
    [user] = await commit(UserFactory())
    async with live(password_queue=2, login_failures=1) as client:
        async with passwords.hashing:
            waiting = [asyncio.create_task(log_in(client, f"nobody {n}")) for n in range(2)]
            await wait_until(lambda: passwords.pending.total() == 2)
            refused = [
                await log_in(client, user.email),
                await client.post("/users", json=ANA),
            ]
        await asyncio.gather(*waiting)
        admitted = await log_in(client, user.email)

    assert [problem(response) for response in refused] == [BUSY, BUSY]
    assert all(response.headers["retry-after"] for response in refused)
    assert admitted.status_code == 200


async def test_throttles_contain_no_usernames_and_no_addresses(anonymous, user, connection):
    await fail(anonymous, user.email, times=1)

    rows = (await connection.scalars(text("SELECT throttles::text FROM throttles"))).all()

    assert len(rows) == 2
    assert not [row for row in rows if "127.0" in row or user.email in row]


def test_two_processes_share_the_failure_counts():
    key = "a key that is long enough for all of us"
    with own_database() as database:
        variables = {"DATABASE_URL": database.url, "SECRET_KEY": key, "LOGIN_FAILURES": "1"}
        folder = database.folder.parent
        with (
            serving(folder / "first", **variables) as first,
            serving(folder / "second", **variables) as second,
        ):
            httpx2.post(f"{first.url}/users", json=ANA).raise_for_status()
            form = {"username": "ana", "password": PASSWORD}
            token = httpx2.post(f"{first.url}/auth/token", data=form).json()["access_token"]
            wrong = form | {"password": "a wrong one"}
            failed = httpx2.post(f"{first.url}/auth/token", data=wrong)
            with database.connect() as connection:  # as after many failures, and a long wait
                connection.execute("UPDATE throttles SET count = 20, free_at = now()")
            again = httpx2.post(f"{first.url}/auth/token", data=wrong)
            refused = httpx2.post(f"{second.url}/auth/token", data=form)
            headers = {"Authorization": f"Bearer {token}"}
            owner = httpx2.get(f"{second.url}/users/me", headers=headers)

    assert [problem(response) for response in (failed, again)] == [REFUSED, REFUSED]
    assert problem(refused) == TOO_MANY
    assert 600 < int(refused.headers["retry-after"]) <= 900
    assert owner.status_code == 200
