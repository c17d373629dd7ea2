import asyncio
import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from pyotp import TOTP
from sqlalchemy import func, select, text

from fast_zero.core import security
from fast_zero.models import RecoveryCode, SecondFactor
from fast_zero.sessions import queries as session_queries
from fast_zero.two_factor import one_time_codes
from fast_zero.two_factor import service as two_factor
from tests.core.expect import invalid_fields, problem
from tests.factories import PASSWORD, WEAK_HASH, PersonalTokenFactory, UserFactory, new_token

OWN_PASSWORD = {"current_password": PASSWORD}
ACTIVE = (409, "A second factor is active already. Disable it first.")
NONE = (404, "There is no second factor")
INCORRECT = (401, "Incorrect one-time code")
REQUIRED = (401, "One-time code required")
NEEDS_PASSWORD = (403, "This needs your current password")
TOO_MANY = (429, "Too many failed attempts. Wait, then try again.")
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
STEP = timedelta(seconds=30)


class Clock:
    """A clock that stands still until it is advanced."""

    def __init__(self) -> None:
        self.moment = datetime.now(UTC)

    def now(self, _zone) -> datetime:
        return self.moment

    def tick(self, step: timedelta) -> None:
        self.moment += step


@pytest.fixture
def clock(monkeypatch) -> Clock:
    """Give the server and the authenticator the same clock."""
    clock = Clock()
    monkeypatch.setattr(two_factor, "datetime", clock)
    monkeypatch.setitem(globals(), "datetime", clock)
    return clock


async def log_in(client, user, otp: str | None = None, password: str = PASSWORD):
    form = {"username": user.email, "password": password}
    return await client.post("/auth/token", data=form if otp is None else form | {"otp": otp})


def current_code(secret: str = SECRET, steps: int = 0) -> str:
    """Return the code that an authenticator shows, now or some steps later."""
    return TOTP(secret).at(datetime.now(UTC), counter_offset=steps)


@pytest.fixture
async def user_with_otp(user, save):
    """Return a user with an active second factor, whose secret is `SECRET`."""
    await save(SecondFactor(owner_id=user.id, secret=SECRET, confirmed_at=datetime.now(UTC)))
    return user


async def test_a_user_enrolls_confirms_and_logs_in_with_a_code(client, anonymous, user, clock):
    assert (await client.get("/auth/otp")).json() == {"active": False, "recovery_codes_left": 0}

    enrolled = await client.post("/auth/otp", json=OWN_PASSWORD)

    assert enrolled.status_code == 200
    assert enrolled.headers["cache-control"] == "no-store"
    secret = enrolled.json()["secret"]
    assert re.fullmatch("[A-Z2-7]{32}", secret)
    assert f"secret={secret}" in enrolled.json()["uri"]
    assert enrolled.json()["uri"].startswith("otpauth://totp/fast_zero:user")
    assert (await log_in(anonymous, user)).status_code == 200  # not required yet

    confirmed = await client.post("/auth/otp/confirm/", json={"code": current_code(secret)})

    assert confirmed.status_code == 200
    assert confirmed.headers["cache-control"] == "no-store"
    codes = confirmed.json()["recovery_codes"]
    assert len(set(codes)) == 10
    assert all(re.fullmatch("([a-z2-7]{4}-){3}[a-z2-7]{4}", code) for code in codes)
    assert (await client.get("/auth/otp")).json() == {"active": True, "recovery_codes_left": 10}
    assert problem(await log_in(anonymous, user)) == REQUIRED
    reused = await log_in(anonymous, user, current_code(secret))
    assert problem(reused) == INCORRECT  # the code was used to confirm
    clock.tick(STEP)
    assert (await log_in(anonymous, user, current_code(secret))).status_code == 200


async def test_a_code_is_requested_only_after_the_correct_password(anonymous, user_with_otp):
    wrong = await log_in(anonymous, user_with_otp, current_code(), password="a wrong one")
    right = await log_in(anonymous, user_with_otp)

    assert problem(wrong) == (401, "Incorrect email or password")
    assert "otp-required" not in wrong.headers
    assert problem(right) == REQUIRED
    assert right.headers["otp-required"] == "totp"
    assert right.headers["www-authenticate"] == "Bearer"


async def test_a_log_in_without_a_second_factor_needs_no_more_statements(
    anonymous, user, stranger, save, statements
):
    await save(SecondFactor(owner_id=stranger.id, secret=SECRET, confirmed_at=datetime.now(UTC)))
    with statements() as without:
        assert (await log_in(anonymous, user)).status_code == 200
    with statements() as with_one:
        assert (await log_in(anonymous, stranger, current_code())).status_code == 200

    assert (len(without), len(with_one)) == (4, 5)


@pytest.mark.parametrize(
    ("steps", "accepted"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
async def test_the_clock_of_a_user_may_differ_by_one_step(
    anonymous, user_with_otp, clock, steps, accepted
):
    response = await log_in(anonymous, user_with_otp, current_code(steps=steps))

    assert response.status_code == (200 if accepted else 401)


async def test_a_concurrent_hash_upgrade_does_not_use_up_the_code(
    anonymous, user_with_otp, monkeypatch
):
    insert_session, upgrades = session_queries.insert_session, [WEAK_HASH]

    async def insert_later(session, new, password_hash, role):
        if upgrades:
            await session_queries.upgrade_password_hash(
                session, new.owner_id, password_hash, upgrades.pop()
            )
        return await insert_session(session, new, password_hash, role)

    monkeypatch.setattr(session_queries, "insert_session", insert_later)

    assert (await log_in(anonymous, user_with_otp, current_code())).status_code == 200
    assert upgrades == []


async def test_a_code_works_once_and_invalidates_older_ones(anonymous, user_with_otp, clock):
    code, before = current_code(), current_code(steps=-1)

    assert (await log_in(anonymous, user_with_otp, f"{code[:3]} {code[3:]}")).status_code == 200
    assert problem(await log_in(anonymous, user_with_otp, code)) == INCORRECT
    assert problem(await log_in(anonymous, user_with_otp, before)) == INCORRECT
    assert (await log_in(anonymous, user_with_otp, current_code(steps=1))).status_code == 200


@pytest.mark.parametrize("code", ["000000", "12345", "٣٣٣٣٣٣", "é", "a" * 1024, "-", " "])
async def test_an_invalid_code_is_refused(anonymous, user_with_otp, code):
    if code == current_code():
        code = "000001"

    assert problem(await log_in(anonymous, user_with_otp, code)) == INCORRECT


async def test_wrong_codes_count_as_failures_despite_a_correct_password(anonymous, user_with_otp):
    for _ in range(5):
        assert problem(await log_in(anonymous, user_with_otp)) == REQUIRED
        assert problem(await log_in(anonymous, user_with_otp, "not-one")) == INCORRECT

    assert problem(await log_in(anonymous, user_with_otp, current_code())) == TOO_MANY


async def test_a_log_in_without_the_required_code_does_not_count_as_a_failure(
    anonymous, user_with_otp
):
    for _ in range(10):
        assert problem(await log_in(anonymous, user_with_otp)) == REQUIRED
    assert (await log_in(anonymous, user_with_otp, current_code())).status_code == 200


async def enroll(client) -> list[str]:
    secret = (await client.post("/auth/otp", json=OWN_PASSWORD)).json()["secret"]
    confirmed = await client.post("/auth/otp/confirm", json={"code": current_code(secret)})
    return confirmed.json()["recovery_codes"]


async def test_a_recovery_code_works_once_in_any_notation(client, user):
    first, second, *_ = await enroll(client)

    assert (await log_in(client, user, first.upper().replace("-", " "))).status_code == 200
    assert problem(await log_in(client, user, first)) == INCORRECT
    assert (await log_in(client, user, second.replace("-", ""))).status_code == 200
    assert (await client.get("/auth/otp")).json()["recovery_codes_left"] == 8


async def test_recovery_codes_are_replaced_with_the_password(client, user):
    [old, *_] = await enroll(client)

    response = await client.post("/auth/otp/recovery_codes", json=OWN_PASSWORD)

    new = response.json()["recovery_codes"]
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")
    assert len(set(new)) == 10
    assert problem(await log_in(client, user, old)) == INCORRECT
    assert (await log_in(client, user, new[0])).status_code == 200


async def test_only_digests_of_recovery_codes_are_stored(client, connection):
    codes = await enroll(client)

    stored = (
        await connection.scalars(text("SELECT recovery_codes::text FROM recovery_codes"))
    ).all()

    for code in codes:
        plain = code.replace("-", "")
        assert not [row for row in stored if plain in row or plain.encode().hex() in row]
        assert [row for row in stored if security.digest(plain).hex() in row]


async def test_disabling_requires_the_password_and_deletes_everything(client, user, connection):
    await enroll(client)
    wrong = await client.post("/auth/otp/disable", json={"current_password": "a wrong one"})
    assert problem(wrong) == NEEDS_PASSWORD

    response = await client.post("/auth/otp/disable", json=OWN_PASSWORD)

    assert (response.status_code, response.content) == (204, b"")
    assert (await log_in(client, user)).status_code == 200
    for model in (SecondFactor, RecoveryCode):
        assert await connection.scalar(select(func.count()).select_from(model)) == 0
    assert problem(await client.post("/auth/otp/disable", json=OWN_PASSWORD)) == NONE
    assert problem(await client.post("/auth/otp/recovery_codes", json=OWN_PASSWORD)) == NONE


async def test_deleting_the_account_deletes_its_second_factor(client, user, connection):
    await enroll(client)

    assert (await client.delete(f"/users/{user.id}")).status_code == 200

    assert await connection.scalar(select(func.count()).select_from(RecoveryCode)) == 0


async def test_an_active_second_factor_is_not_overwritten(client, user_with_otp):
    assert problem(await client.post("/auth/otp", json=OWN_PASSWORD)) == ACTIVE
    assert problem(await client.post("/auth/otp/confirm", json={"code": current_code()})) == ACTIVE


async def test_enrolling_again_before_confirming_replaces_the_secret(client):
    first, second = [
        (await client.post("/auth/otp", json=OWN_PASSWORD)).json()["secret"] for _ in range(2)
    ]

    old = await client.post("/auth/otp/confirm", json={"code": current_code(first)})
    new = await client.post("/auth/otp/confirm", json={"code": current_code(second)})

    assert problem(old) == (403, "Incorrect one-time code")
    assert new.status_code == 200


async def test_confirming_without_enrolling_is_not_found(client):
    assert problem(await client.post("/auth/otp/confirm", json={"code": "123456"})) == NONE


async def test_one_of_two_concurrent_replacements_is_effective(live, commit, log_in, engine):
    [user] = await commit(UserFactory())
    await commit(SecondFactor(owner_id=user.id, secret=SECRET, confirmed_at=datetime.now(UTC)))
    headers = await log_in(user)
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    async with live(database_lock_timeout=30, database_statement_timeout=60) as client:
        # The observer polls outside of a transaction: within one, all reads see the same state.
        alone = engine.execution_options(isolation_level="AUTOCOMMIT")
        async with asyncio.timeout(30), engine.connect() as holder, alone.connect() as observer:
            await holder.execute(text("SELECT FROM second_factors FOR UPDATE"))
            requests = [
                asyncio.create_task(
                    client.post("/auth/otp/recovery_codes", json=OWN_PASSWORD, headers=headers)
                )
                for _ in range(2)
            ]
            while await observer.scalar(waiting) < 2:  # noqa: ASYNC110  # the database sets no event
                await asyncio.sleep(0.01)
            await holder.rollback()
        responses = await asyncio.gather(*requests)
    async with engine.connect() as connection:
        stored = await connection.scalars(text("SELECT digest FROM recovery_codes"))
    digests = set(stored.all())

    assert {response.status_code for response in responses} == {200}
    shown_codes = [
        set(two_factor.digests(response.json()["recovery_codes"])) for response in responses
    ]
    assert digests in shown_codes


@pytest.mark.parametrize("path", ["", "/recovery_codes", "/disable"])
async def test_password_attempts_are_limited(client, path):
    for _ in range(5):
        wrong = await client.post(f"/auth/otp{path}", json={"current_password": "a wrong one"})
        assert problem(wrong) == NEEDS_PASSWORD

    assert problem(await client.post(f"/auth/otp{path}", json=OWN_PASSWORD)) == TOO_MANY


@pytest.mark.parametrize(
    ("path", "body", "fault"),
    [
        ("", {}, "body.current_password"),
        ("", {"current_password": ""}, "body.current_password"),
        ("/confirm", {}, "body.code"),
        ("/confirm", {"code": " "}, "body.code"),
        ("/confirm", {"code": 123456}, "body.code"),
        ("/disable", {"current_password": None}, "body.current_password"),
    ],
)
async def test_an_invalid_field_is_refused(client, path, body, fault):
    assert invalid_fields(await client.post(f"/auth/otp{path}", json=body)) == [fault]


async def test_a_personal_token_can_read_but_not_change_the_second_factor(anonymous, user, save):
    token = new_token()
    await save(PersonalTokenFactory(token=token, owner_id=user.id))
    headers = {"Authorization": f"Bearer {token}"}

    assert (await anonymous.get("/auth/otp", headers=headers)).status_code == 200
    for path in ("", "/confirm", "/recovery_codes", "/disable"):
        body = OWN_PASSWORD | {"code": "123456"}
        refused = await anonymous.post(f"/auth/otp{path}", json=body, headers=headers)
        assert problem(refused) == (403, "This needs a token from a log-in, not a personal one")


@pytest.mark.parametrize("kind", ["clock", "recovery"])
async def test_one_of_fifty_concurrent_log_ins_with_one_code_succeeds(live, commit, kind):
    [user] = await commit(UserFactory())
    await commit(SecondFactor(owner_id=user.id, secret=SECRET, confirmed_at=datetime.now(UTC)))
    recovery = one_time_codes.new_recovery_code()
    digest = security.digest(one_time_codes.normalized(recovery))
    await commit(RecoveryCode(owner_id=user.id, digest=digest))
    code = current_code() if kind == "clock" else recovery

    limits = (
        "login_failures",
        "login_failures_per_address",
        "password_queue",
        "password_queue_per_address",
    )
    async with live(**dict.fromkeys(limits)) as client:
        responses = await asyncio.gather(*(log_in(client, user, code) for _ in range(50)))

    assert Counter(response.status_code for response in responses) == {200: 1, 401: 49}


def test_codes_match_the_test_vectors_of_rfc_6238():
    """The vectors are those of RFC 6238, appendix B, truncated to six digits."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    moment = datetime.fromtimestamp(1111111109, UTC)

    assert one_time_codes.matched_step(secret, "081804", moment) == 1111111109 // 30
    assert one_time_codes.matched_step(secret, "081805", moment) is None
    assert one_time_codes.matched_step(secret, "287082", datetime.fromtimestamp(59, UTC)) == 1
