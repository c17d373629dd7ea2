"""Log-in, log-out and sessions of the page."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from sqlalchemy import select, text

from fast_zero.core import security
from fast_zero.models import LoginSession
from fast_zero.sessions import cookies as cookie_sessions
from fast_zero.two_factor.models import SecondFactor
from fast_zero.web import cookies
from tests.factories import PASSWORD
from tests.web.conftest import HOST, errors, heading


@pytest.fixture
def log_in(visitor, user):
    async def log_in(password=PASSWORD, **more):
        form = {"username": user.username, "password": password, **more}
        return await visitor.post("/app/login", data=form)

    return log_in


async def stored(sessions, user):
    async with sessions() as session:
        found = select(LoginSession).where(LoginSession.owner_id == user.id)
        return (await session.scalars(found.order_by(LoginSession.id))).all()


async def test_a_log_in_opens_a_session_with_a_cookie(visitor, user, log_in, sessions):
    response = await log_in()

    assert response.status_code == 303
    assert response.headers["location"] == "/app/today"
    secret = visitor.cookies[cookies.SESSION]
    [opened] = await stored(sessions, user)
    assert opened.cookie_digest == security.digest(secret)
    assert opened.refresh_digest is None
    [header] = [
        line for line in response.headers.get_list("set-cookie") if line.startswith(cookies.SESSION)
    ]
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(header.split("; "))
    assert "Secure" not in header
    assert (await visitor.get("/app/today")).status_code == 200


async def test_over_https_the_cookie_belongs_to_this_host_alone(visitor, user, log_in):
    visitor.base_url = "https://test"

    response = await log_in()

    [header] = [
        line
        for line in response.headers.get_list("set-cookie")
        if line.startswith(f"__Host-{cookies.SESSION}=")
    ]
    assert {"Secure", "HttpOnly", "Path=/"} <= set(header.split("; "))
    assert "Domain" not in header
    assert (await visitor.get("/app/today")).status_code == 200


async def test_over_https_a_plain_cookie_is_not_read(visitor, user, log_in_page):
    await log_in_page(user, scheme="http")
    visitor.base_url = "https://test"

    assert (await visitor.get("/app/today")).status_code == 303


async def test_a_log_in_is_audited_and_listed_as_any_other(visitor, user, log_in, bearer):
    await log_in()
    listed = (await visitor.get("/auth/sessions", headers=bearer(user))).json()["sessions"]

    assert [found["address"] for found in listed] == ["127.0.0.1"]
    audit = (await visitor.get("/users/me/audit", headers=bearer(user))).json()["events"]
    assert audit[0]["action"] == "session opened"


async def test_a_browser_cannot_choose_the_secret_of_its_session(visitor, user, log_in):
    visitor.cookies.set(cookies.SESSION, "chosen", domain=HOST, path="/")

    await log_in()

    assert visitor.cookies[cookies.SESSION] != "chosen"
    assert len(visitor.cookies[cookies.SESSION]) > 40


async def test_a_log_in_ends_the_session_that_the_browser_had(visitor, user, log_in, sessions):
    await log_in()
    first = visitor.cookies[cookies.SESSION]
    await log_in()

    [opened] = await stored(sessions, user)
    assert opened.cookie_digest != security.digest(first)


async def test_the_secret_does_not_rotate(reader):
    before = reader.cookies[cookies.SESSION]
    await reader.get("/app/today")
    await reader.get("/app/inbox")

    assert reader.cookies[cookies.SESSION] == before


@pytest.mark.parametrize(
    ("username", "password", "expected"),
    [
        ("", "", {"username": "Fill this in.", "password": "Fill this in."}),
        ("nobody", "wrong", {"password": "Email or password is wrong. Check both and try again."}),
        ("a\x00b", "wrong", {"username"}),
        ("nobody", "x" * 2000, {"password"}),
    ],
)
async def test_what_is_wrong_stands_beside_its_field(visitor, username, password, expected):
    form = {"username": username, "password": password}
    response = await visitor.post("/app/login", data=form)

    assert response.status_code == 422
    found = errors(response)
    assert (found if isinstance(expected, dict) else found.keys()) == expected
    assert response.text.count("autofocus") == 1
    assert cookies.SESSION not in visitor.cookies


async def test_what_was_written_stays_except_the_password(visitor):
    form = {"username": '"><script>', "password": "my own secret"}
    response = await visitor.post("/app/login", data=form)

    assert 'value="&#34;&gt;&lt;script&gt;"' in response.text
    assert "my own secret" not in response.text


async def test_log_ins_are_throttled(visitor, user, log_in):
    for _ in range(5):
        assert (await log_in("wrong")).status_code == 422
    response = await log_in()

    assert response.status_code == 429
    assert int(response.headers["retry-after"]) >= 1
    assert errors(response) == {"": "Too many failed attempts. Wait, then try again."}


async def test_a_disabled_account_is_told_so(visitor, user, log_in, sessions):
    async with sessions.begin() as session:
        await session.execute(
            text("UPDATE users SET disabled_at = now() WHERE id = :id"), {"id": user.id}
        )
    response = await log_in()

    assert errors(response)[""].startswith("This account is disabled.")


@pytest.fixture
async def totp(user, save) -> pyotp.TOTP:
    secret = pyotp.random_base32()
    await save(SecondFactor(owner_id=user.id, secret=secret, confirmed_at=datetime.now(UTC)))
    return pyotp.TOTP(secret)


async def test_a_second_factor_asks_for_a_code(visitor, user, log_in, totp, sessions):
    response = await log_in(next="/app/inbox")

    assert response.headers["location"] == "/app/login/code?next=/app/inbox"
    assert cookies.SESSION not in visitor.cookies
    page = await visitor.get(response.headers["location"])
    assert heading(page) == "Enter your code"
    form = {"code": "000000", "next": "/app/inbox"}
    wrong = await visitor.post("/app/login/code", data=form)
    assert errors(wrong).keys() == {"code"}
    right = await visitor.post("/app/login/code", data=form | {"code": totp.now()})
    assert right.headers["location"] == "/app/inbox"
    assert len(await stored(sessions, user)) == 1
    assert cookies.PENDING not in visitor.cookies


async def test_a_code_without_a_password_opens_nothing(visitor, totp):
    response = await visitor.post("/app/login/code", data={"code": totp.now()})

    assert errors(response) == {"": "Too much time has passed. Log in again."}
    assert (await visitor.get("/app/login/code")).headers["location"] == "/app/login"


async def test_a_code_is_too_late_after_a_while(visitor, log_in, totp, monkeypatch):
    monkeypatch.setattr(cookie_sessions, "PENDING_SECONDS", 0)
    response = await log_in()
    [kept] = [line for line in response.headers.get_list("set-cookie") if "pending" in line]
    visitor.cookies.set(cookies.PENDING, kept.split(";")[0].split("=")[1], domain=HOST, path="/")
    response = await visitor.post("/app/login/code", data={"code": totp.now()})

    assert errors(response) == {"": "Too much time has passed. Log in again."}


async def test_a_code_is_too_late_after_the_password_was_changed(
    visitor, user, log_in, totp, sessions
):
    await log_in()
    async with sessions.begin() as session:
        await session.execute(
            text("UPDATE users SET password_hash = 'other' WHERE id = :id"), {"id": user.id}
        )
    response = await visitor.post("/app/login/code", data={"code": totp.now()})

    assert errors(response) == {"": "Too much time has passed. Log in again."}


async def test_codes_are_throttled(visitor, log_in, totp):
    await log_in()
    for _ in range(5):
        await visitor.post("/app/login/code", data={"code": "000000"})
    response = await visitor.post("/app/login/code", data={"code": totp.now()})

    assert response.status_code == 429


async def test_a_pending_log_in_is_no_access_token(visitor, log_in, totp):
    await log_in()
    token = visitor.cookies[cookies.PENDING]
    response = await visitor.get("/todos", headers={"Authorization": f"Bearer {token}"})

    assert response.status_code == 401


async def test_log_out_ends_the_session(reader, user, sessions):
    response = await reader.post("/app/logout")

    assert response.headers["location"] == "/app/login"
    assert cookies.SESSION not in reader.cookies
    assert await stored(sessions, user) == []
    assert "You are logged out." in (await reader.get("/app/login")).text


async def test_a_session_that_was_ended_elsewhere_ends_at_once(reader, user, bearer):
    assert (await reader.get("/app/today")).status_code == 200
    ended = await reader.delete("/auth/sessions", headers=bearer(user))

    assert ended.status_code == 204
    response = await reader.get("/app/today")
    assert (response.status_code, response.headers["location"]) == (303, "/app/login")
    assert cookies.SESSION not in reader.cookies


async def test_a_session_of_a_disabled_account_or_after_its_end_is_none(
    reader, user, sessions, log_in_page
):
    for change in (
        "UPDATE login_sessions SET expires_at = now()",
        "UPDATE users SET disabled_at = now()",
    ):
        await log_in_page(user)
        assert (await reader.get("/app/today")).status_code == 200
        async with sessions.begin() as session:
            await session.execute(text(change))
        assert (await reader.get("/app/today")).status_code == 303


async def test_use_prolongs_a_session_at_most_once_a_minute(reader, user, sessions, settings):
    async with sessions.begin() as session:
        await session.execute(
            text(
                "UPDATE login_sessions SET expires_at = now() + interval '1 hour',"
                " last_used_at = now() - interval '2 minutes'"
            )
        )
    await reader.get("/app/today")

    [opened] = await stored(sessions, user)
    days = settings.refresh_token_days
    assert opened.expires_at - opened.last_used_at == timedelta(days=days)


async def test_the_api_takes_no_cookie_and_the_page_no_token(reader, user, bearer):
    assert (await reader.get("/todos")).status_code == 401
    secret = reader.cookies[cookies.SESSION]
    for headers in ({"Authorization": f"Bearer {secret}"}, {"Cookie": f"access_token={secret}"}):
        assert (await reader.get("/todos", headers=headers)).status_code == 401
    form = {"grant_type": "refresh_token", "refresh_token": secret}
    assert (await reader.post("/auth/token", data=form)).status_code == 401
    reader.cookies.clear()
    assert (await reader.get("/app/today", headers=bearer(user))).status_code == 303


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/app/",
        "//evil.example/app/today",
        "/\\evil.example/app/",
        "/app/\\..\\..",
        "/app/../todos",
        "/app/%2e%2E/docs",
        "/app/today\n",
        "/app/ today",
        "javascript:alert(1)//app/",
        "/todos",
        "/app",
        "app/today",
        "/app/é",
        "/app/" + "a" * 3000,
        "http://[::1",
    ],
)
async def test_a_log_in_leads_only_to_a_page_of_ours(visitor, log_in, address):
    response = await log_in(next=address)

    assert response.headers["location"] == "/app/today"
    shown = await visitor.get("/app/login", params={"next": address})
    assert shown.headers["location"] == "/app/today"


async def test_somebody_who_is_not_logged_in_comes_back_to_the_page(visitor, log_in):
    response = await visitor.get("/app/inbox?after=AAAAAAAAAAc")
    assert response.headers["location"] == "/app/login?next=/app/inbox%3Fafter%3DAAAAAAAAAAc"

    page = await visitor.get(response.headers["location"])
    assert 'name="next" value="/app/inbox?after=AAAAAAAAAAc"' in page.text


async def test_a_form_without_a_session_leads_back_to_its_page(visitor):
    headers = {"Referer": "http://test/app/inbox"}
    response = await visitor.post("/app/todos", data={"text": "Bread"}, headers=headers)
    assert response.headers["location"] == "/app/login?next=/app/inbox"

    headers = {"Referer": "http://evil.example/app/inbox"}
    response = await visitor.post("/app/todos", data={"text": "Bread"}, headers=headers)
    assert response.headers["location"] == "/app/login"


async def test_a_page_takes_one_statement_for_its_session(reader, statements):
    with statements() as sent:
        await reader.get("/app/nowhere")
    assert len(sent) == 0
    with statements() as sent:
        await reader.get("/app/login")
    assert len(sent) == 1


@pytest.mark.parametrize(("header", "heading_"), [("pt", "Entrar"), ("de", "Log in")])
async def test_the_language_is_that_of_the_browser(visitor, header, heading_):
    page = await visitor.get("/app/login", headers={"Accept-Language": header})

    assert heading(page) == heading_


async def test_a_language_can_be_chosen(visitor):
    response = await visitor.post(
        "/app/language", data={"language": "pt-BR", "next": "/app/register"}
    )
    assert response.headers["location"] == "/app/register"
    assert heading(await visitor.get("/app/login")) == "Entrar"
    await visitor.post("/app/language", data={"language": "xx"})
    assert heading(await visitor.get("/app/login")) == "Entrar"


async def test_the_language_of_an_account_comes_before_that_of_the_browser(
    visitor, save, log_in_page, user, sessions
):
    async with sessions.begin() as session:
        await session.execute(text("UPDATE users SET language = 'pt-BR', theme = 'dark'"))
    await log_in_page(user)
    page = await visitor.get("/app/today", headers={"Accept-Language": "en"})

    assert heading(page) == "Hoje"
    assert '<html lang="pt-BR" data-keys data-theme="dark">' in page.text
