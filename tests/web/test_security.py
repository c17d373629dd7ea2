"""Password, second factor and sessions, as their owner and as a thief would use them."""

import logging
import re
from datetime import UTC, datetime

import pyotp
import pytest
from sqlalchemy import select, text

from fast_zero.core import security
from fast_zero.models import LoginSession, User
from fast_zero.sessions import queries
from fast_zero.two_factor.models import RecoveryCode, SecondFactor
from fast_zero.web import cookies
from fast_zero.web.pages.accounts.security import device_of
from tests.factories import PASSWORD, LoginSessionFactory
from tests.web.conftest import HOST, errors, fault, follow, heading, toast

NEW = "another long sentence"
OTP = "/app/settings/security/otp"
CURRENT = {"current_password": PASSWORD}


@pytest.fixture
def open_sessions(sessions, user):
    async def open_sessions() -> list[int]:
        async with sessions() as session:
            found = select(LoginSession.id).where(LoginSession.owner_id == user.id)
            return list(await session.scalars(found.order_by(LoginSession.id)))

    return open_sessions


@pytest.fixture
def factor(sessions, user):
    async def factor() -> SecondFactor | None:
        async with sessions() as session:
            return await session.scalar(
                select(SecondFactor).where(SecondFactor.owner_id == user.id)
            )

    return factor


@pytest.fixture
async def totp(user, save) -> pyotp.TOTP:
    secret = pyotp.random_base32()
    await save(SecondFactor(owner_id=user.id, secret=secret, confirmed_at=datetime.now(UTC)))
    return pyotp.TOTP(secret)


def secret_of(page) -> str:
    [found] = re.findall(r'<code id="secret">([A-Z2-7 ]+)</code>', page.text)
    return found.replace(" ", "")


def codes_of(page) -> list[str]:
    return re.findall(r"<li><code>([a-z2-7-]+)</code></li>", page.text)


# The password


async def test_a_new_password_ends_all_sessions_and_this_browser_stays(
    reader, user, save, open_sessions, sessions, deferred
):
    await save(LoginSessionFactory(owner_id=user.id))
    before, old = await open_sessions(), reader.cookies[cookies.SESSION]
    response = await reader.post(
        "/app/settings/security/password", data=CURRENT | {"password": NEW}
    )
    page = await follow(reader, response)

    assert toast(page) == "Your password is changed. All other sessions are ended."
    assert heading(page) == "Security"
    assert len(await open_sessions()) == 1
    assert not set(await open_sessions()) & set(before)
    async with sessions() as session:
        stored = await session.scalar(select(User.password_hash).where(User.id == user.id))
    assert security.hasher.verify(NEW, stored)
    assert "accounts.send_notice" in [name for name, _ in await deferred()]

    reader.cookies.set(cookies.SESSION, old, domain=HOST, path="/")
    assert (await reader.get("/app/today")).headers["location"].startswith("/app/login")


async def test_a_new_password_refuses_the_tokens_of_the_old_session(reader, user, revocations):
    async def session_id():
        page = await reader.get("/app/settings/security")
        assert "This device" in page.text

    await session_id()
    await reader.post("/app/settings/security/password", data=CURRENT | {"password": NEW})

    assert len(revocations.ended) == 1


@pytest.mark.parametrize(
    ("form", "wrong"),
    [
        ({}, {"current_password": "Fill this in.", "password": "Fill this in."}),
        ({"current_password": "wrong", "password": NEW}, {"current_password"}),
        (CURRENT | {"password": "short"}, {"password"}),
        (CURRENT | {"password": "password123"}, {"password"}),
        (CURRENT | {"password": "a\x00bcdefghij"}, {"password"}),
        (CURRENT | {"password": "a" * 257}, {"password"}),
    ],
)
async def test_what_is_wrong_with_a_password_stands_beside_its_field(
    reader, user, sessions, form, wrong
):
    response = await reader.post("/app/settings/security/password", data=form)

    assert 400 <= response.status_code < 500
    found = errors(response)
    assert (found if isinstance(wrong, dict) else found.keys()) == wrong
    for secret in (PASSWORD, NEW, "password123"):
        assert secret not in response.text
    async with sessions() as session:
        stored = await session.scalar(select(User.password_hash).where(User.id == user.id))
    assert stored == user.password_hash


# The second factor


async def test_a_second_factor_is_turned_on_with_a_code(reader, factor, sessions, visitor):
    page = await reader.post(OTP, data=CURRENT)
    secret = secret_of(page)
    assert (await factor()).secret == secret
    assert (await factor()).confirmed_at is None
    [drawn] = re.findall(r'<div class="qr" [^>]*>(<svg .*?</svg>)', page.text)
    assert "style=" not in drawn
    assert "data:" not in drawn

    page = await reader.post(f"{OTP}/confirm", data={"code": pyotp.TOTP(secret).now()})
    codes = codes_of(page)
    assert len(set(codes)) == 10
    assert (await factor()).confirmed_at is not None
    async with sessions() as session:
        digests = set(await session.scalars(select(RecoveryCode.digest)))
    assert digests == {security.digest(code.replace("-", "")) for code in codes}
    assert "10 left" in (await reader.get("/app/settings/security")).text


async def test_a_secret_is_shown_once_and_only_for_the_password(reader):
    secret = secret_of(await reader.post(OTP, data=CURRENT))
    later = [
        await reader.get(OTP),
        await reader.get(f"{OTP}/confirm"),
        await reader.post(f"{OTP}/confirm", data={"code": "000000"}),
        await reader.post(OTP, data={"current_password": "wrong"}),
        await reader.get("/app/settings/security"),
    ]

    for page in later:
        assert secret not in page.text.replace(" ", "")
        assert 'class="qr"' not in page.text
    assert errors(later[2]) == {
        "code": "This code is wrong, or was used already. Enter the next one."
    }


async def test_recovery_codes_are_shown_once(reader, totp, sessions):
    codes = codes_of(await reader.post("/app/settings/security/recovery", data=CURRENT))
    assert len(codes) == 10
    for path in ("/app/settings/security", "/app/settings/security/recovery", f"{OTP}/confirm"):
        page = await reader.get(path)
        assert not any(code in page.text for code in codes)

    response = await reader.post("/app/settings/security/recovery", data=CURRENT)
    assert "Your earlier codes do not work any more." in response.text
    again = codes_of(response)
    assert not set(again) & set(codes)
    async with sessions() as session:
        assert len((await session.scalars(select(RecoveryCode.digest))).all()) == 10


async def test_no_secret_is_in_an_address_a_cookie_or_a_log(reader, caplog):
    caplog.set_level(logging.DEBUG)
    made = [await reader.post(OTP, data=CURRENT)]
    secret = secret_of(made[0])
    made.append(await reader.post(f"{OTP}/confirm", data={"code": pyotp.TOTP(secret).now()}))
    secrets = [PASSWORD, secret, *codes_of(made[1])]
    made.append(await reader.post("/app/settings/security/recovery", data=CURRENT))
    secrets += codes_of(made[2])

    assert len(secrets) == 22
    for response in made:
        assert response.status_code == 200
        assert response.headers["cache-control"] == "no-store"
        sent = " ".join(response.headers.values())
        assert not any(each in sent for each in secrets)
    assert not any(each in caplog.text for each in secrets)


async def test_turning_it_on_gives_the_session_another_secret(reader, open_sessions):
    before, old = await open_sessions(), reader.cookies[cookies.SESSION]
    secret = secret_of(await reader.post(OTP, data=CURRENT))
    assert reader.cookies[cookies.SESSION] == old
    await reader.post(f"{OTP}/confirm", data={"code": pyotp.TOTP(secret).now()})

    assert await open_sessions() == before
    assert reader.cookies[cookies.SESSION] != old
    assert (await reader.get("/app/today")).status_code == 200
    reader.cookies.set(cookies.SESSION, old, domain=HOST, path="/")
    assert (await reader.get("/app/today")).status_code == 303


async def test_only_a_session_of_the_page_gets_another_cookie(user, stranger, save, sessions):
    [theirs] = await save(
        LoginSessionFactory(
            owner_id=stranger.id, refresh_digest=None, cookie_digest=security.digest("x")
        )
    )
    [of_api] = await save(LoginSessionFactory(owner_id=user.id))
    async with sessions.begin() as session:
        for id_ in (theirs.id, of_api.id):
            assert not await queries.replace_cookie(session, user.id, id_, security.digest("y"))


async def test_a_pending_log_in_confirms_nothing(visitor, user, factor, totp, save):
    response = await visitor.post(
        "/app/login", data={"username": user.username, "password": PASSWORD}
    )
    assert response.headers["location"] == "/app/login/code"
    for path in ("", "/confirm", "/disable"):
        form = CURRENT | {"code": totp.now()}
        response = await visitor.post(OTP + path, data=form)
        assert response.headers["location"].startswith("/app/login")
    assert await factor() is not None


async def test_a_code_of_another_secret_confirms_nothing(reader, factor, save, stranger):
    other = pyotp.random_base32()
    await save(SecondFactor(owner_id=stranger.id, secret=other))
    await reader.post(OTP, data=CURRENT)
    response = await reader.post(f"{OTP}/confirm", data={"code": pyotp.TOTP(other).now()})

    assert errors(response).keys() == {"code"}
    assert (await factor()).confirmed_at is None


async def test_there_has_to_be_a_secret_to_confirm(reader):
    response = await reader.post(f"{OTP}/confirm", data={"code": "000000"})

    assert response.status_code == 404
    assert errors(response) == {"": "There is no second factor. Turn it on again."}


async def test_codes_that_confirm_are_throttled(reader):
    secret = secret_of(await reader.post(OTP, data=CURRENT))
    for _ in range(5):
        await reader.post(f"{OTP}/confirm", data={"code": "000000"})
    response = await reader.post(f"{OTP}/confirm", data={"code": pyotp.TOTP(secret).now()})

    assert response.status_code == 429


async def test_an_active_factor_is_not_replaced(reader, factor, totp):
    response = await reader.post(OTP, data=CURRENT)

    assert response.status_code == 409
    assert errors(response)[""].startswith("The second factor is on already.")
    assert (await factor()).secret == totp.secret


async def test_it_is_turned_off_with_password_and_code(reader, factor, totp):
    form = CURRENT | {"code": totp.now()}
    page = await follow(reader, await reader.post(f"{OTP}/disable", data=form))

    assert toast(page) == "The second factor is off."
    assert await factor() is None


async def test_it_is_turned_off_with_a_recovery_code(reader, factor, totp):
    [code, *_] = codes_of(await reader.post("/app/settings/security/recovery", data=CURRENT))
    wrong = await reader.post(f"{OTP}/disable", data={"current_password": "no", "code": code})
    assert errors(wrong).keys() == {"current_password"}
    response = await reader.post(f"{OTP}/disable", data=CURRENT | {"code": code.upper()})

    assert response.status_code == 303
    assert await factor() is None


@pytest.mark.parametrize(
    ("form", "wrong"),
    [
        ({}, {"current_password", "code"}),
        (CURRENT, {"code"}),
        (CURRENT | {"code": "000000"}, {"code"}),
        (CURRENT | {"code": "x" * 101}, {"code"}),
        (CURRENT | {"code": "\x00"}, {"code"}),
        ({"current_password": "wrong", "code": "000000"}, {"current_password"}),
    ],
)
async def test_it_stays_on_without_both(reader, factor, totp, form, wrong):
    response = await reader.post(f"{OTP}/disable", data=form)

    assert 400 <= response.status_code < 500
    assert errors(response).keys() == wrong
    assert await factor() is not None


async def test_whoever_knows_the_password_cannot_try_all_codes(reader, factor, totp):
    for _ in range(5):
        response = await reader.post(f"{OTP}/disable", data=CURRENT | {"code": "000000"})
        assert errors(response).keys() == {"code"}
    response = await reader.post(f"{OTP}/disable", data=CURRENT | {"code": totp.now()})

    assert response.status_code == 429
    assert await factor() is not None


async def test_there_has_to_be_a_factor_to_turn_off(reader):
    response = await reader.post(f"{OTP}/disable", data=CURRENT | {"code": "000000"})

    assert response.status_code == 404
    assert errors(response).keys() == {""}


# Sessions


async def test_sessions_are_listed_this_device_first(reader, user, save, stranger):
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    await save(LoginSessionFactory(owner_id=user.id, user_agent=agent, address="198.51.100.4"))
    await save(LoginSessionFactory(owner_id=stranger.id, address="192.0.2.99"))
    page = await reader.get("/app/settings/security")

    assert "Firefox on Linux" in page.text
    assert "198.51.100.4" in page.text
    assert "192.0.2.99" not in page.text
    assert page.text.index("This device") < page.text.index("198.51.100.4")
    assert page.text.count('name="end" value=') == 2


async def test_one_session_is_ended(reader, user, save, open_sessions, revocations):
    [other] = await save(LoginSessionFactory(owner_id=user.id))
    response = await reader.post("/app/settings/security/sessions", data={"end": other.id})

    assert toast(await follow(reader, response)) == "The session is ended."
    assert other.id not in await open_sessions()
    assert other.id in revocations.ended


async def test_all_other_sessions_are_ended(reader, user, save, open_sessions, stranger):
    await save(*(LoginSessionFactory(owner_id=user.id) for _ in range(3)))
    await save(LoginSessionFactory(owner_id=stranger.id))
    response = await reader.post("/app/settings/security/sessions", data={"end": "others"})
    page = await follow(reader, response)

    assert toast(page) == "All other sessions are ended."
    assert len(await open_sessions()) == 1


async def test_a_session_of_somebody_else_is_not_ended(
    reader, stranger, save, sessions, revocations
):
    [theirs] = await save(LoginSessionFactory(owner_id=stranger.id))
    response = await reader.post("/app/settings/security/sessions", data={"end": theirs.id})

    assert fault(await follow(reader, response)) == "This session has ended already."
    async with sessions() as session:
        assert await session.get(LoginSession, theirs.id) is not None
    assert theirs.id not in revocations.ended


@pytest.mark.parametrize("value", ["", "x", "0", "-1", str(2**70), "1e3", "\x00", "others "])
async def test_what_is_no_session_ends_nothing(reader, user, save, open_sessions, value):
    await save(LoginSessionFactory(owner_id=user.id))
    response = await reader.post("/app/settings/security/sessions", data={"end": value})

    assert fault(await follow(reader, response)) == "This session has ended already."
    assert len(await open_sessions()) == 2


async def test_a_session_that_is_ended_here_is_logged_out_there_at_once(
    reader, user, save, open_sessions, log_in_page
):
    first = reader.cookies[cookies.SESSION]
    await log_in_page(user)
    await reader.post("/app/settings/security/sessions", data={"end": "others"})

    assert (await reader.get("/app/today")).status_code == 200
    reader.cookies.set(cookies.SESSION, first, domain=HOST, path="/")
    assert (await reader.get("/app/today")).headers["location"] == "/app/login"


async def test_a_client_that_lies_about_itself_is_shown_as_text(reader, user, save):
    await save(LoginSessionFactory(owner_id=user.id, user_agent="<script>alert(1)</script>"))
    await save(LoginSessionFactory(owner_id=user.id, user_agent=""))
    page = await reader.get("/app/settings/security")

    assert "<script>" not in page.text
    assert page.text.count("Unknown program") >= 2


async def test_many_sessions_have_pages(reader, user, save, sessions):
    await save(*(LoginSessionFactory(owner_id=user.id) for _ in range(120)))
    first = await reader.get("/app/settings/security")
    [more] = re.findall(r'href="(/app/settings/security\?after=[^"]+)"', first.text)
    second = await reader.get(more)

    assert first.text.count('name="end"') == 100
    assert second.text.count('name="end"') == 22
    async with sessions.begin() as session:
        await session.execute(text("DELETE FROM login_sessions WHERE user_agent = 'Firefox'"))


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        (
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
                "Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0"
            ),
            ("Edge", "Windows"),
        ),
        (
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 "
                "(KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
            ),
            ("Safari", "iPhone"),
        ),
        (
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
                "Chrome/142.0.0.0 Mobile Safari/537.36"
            ),
            ("Chrome", "Android"),
        ),
        ("curl/8.5.0", ("curl", "")),
        ("python-httpx/0.28", ("python-httpx", "")),
        ("Firefox", ("Firefox", "")),
        ("(something)", ("", "")),
        ("", ("", "")),
    ],
)
def test_a_device_is_named_by_its_program_and_system(user_agent, device):
    assert device_of(user_agent) == device
