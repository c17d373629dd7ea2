"""Registration, forgotten passwords and the pages of links in emails."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from fast_zero.core import security
from fast_zero.email_links.models import MailedLink, Purpose
from fast_zero.models import User
from fast_zero.web import cookies
from tests.factories import PASSWORD, UserFactory
from tests.web.conftest import errors, heading

NEW = {"username": "ana", "email": "ana@example.com", "password": PASSWORD}


@pytest.fixture
def link_of(sessions, save):
    """Return the token of a link to a user, of which the database has the digest."""

    async def link_of(user, purpose):
        token, now = security.new_secret(), datetime.now(UTC)
        link = MailedLink(
            owner_id=user.id,
            purpose=purpose,
            digest=security.digest(token),
            email=user.email,
            requested_at=now,
            expires_at=now + timedelta(hours=1),
        )
        await save(link)
        return token

    return link_of


async def test_registration_logs_in_with_language_and_zone_of_the_browser(visitor, sessions):
    form = NEW | {"time_zone": "America/Sao_Paulo"}
    response = await visitor.post("/app/register", data=form, headers={"Accept-Language": "pt-BR"})

    assert response.headers["location"] == "/app/today"
    assert heading(await visitor.get("/app/today")) == "Hoje"
    async with sessions() as session:
        user = await session.scalar(select(User))
        assert (user.language, user.time_zone) == ("pt-BR", "America/Sao_Paulo")
    assert (await visitor.get("/app/register")).headers["location"] == "/app/today"


async def test_without_a_script_the_zone_is_utc(visitor, sessions):
    await visitor.post("/app/register", data=NEW | {"time_zone": ""})

    async with sessions() as session:
        assert await session.scalar(select(User.time_zone)) == "UTC"


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"username": "", "email": "", "password": ""}, {"username", "email", "password"}),
        ({"username": "a"}, {"username"}),
        ({"username": "a\u200bna"}, {"username"}),
        ({"email": "ana"}, {"email"}),
        ({"email": "ana@example.com\x00"}, {"email"}),
        ({"password": "short"}, {"password"}),
        ({"password": "password1"}, {"password"}),
    ],
)
async def test_each_error_stands_beside_its_field(visitor, change, fields):
    response = await visitor.post("/app/register", data=NEW | change)

    assert response.status_code == 422
    assert errors(response).keys() == fields
    assert PASSWORD not in response.text
    if "email" not in fields:
        assert 'value="ana@example.com"' in response.text
    assert cookies.SESSION not in visitor.cookies


async def test_a_taken_name_or_address_is_said_beside_it(visitor, save):
    await save(UserFactory(username="Ana", email="bea@example.com"))

    response = await visitor.post("/app/register", data=NEW)
    assert (response.status_code, errors(response).keys()) == (409, {"username"})
    response = await visitor.post(
        "/app/register", data=NEW | {"username": "bea", "email": "BEA@example.com"}
    )
    assert (response.status_code, errors(response).keys()) == (409, {"email"})


async def test_registration_may_be_closed_or_need_an_invitation(live):
    headers = {"Sec-Fetch-Site": "same-origin"}
    async with live(registration="closed") as client:
        page = await client.get("/app/register")
        assert "<form class" not in page.text
        assert "Nobody can register here" in page.text
        response = await client.post("/app/register", data=NEW, headers=headers)
        assert response.status_code == 403
    async with live(registration="invite") as client:
        page = await client.get("/app/register")
        assert 'data-fragment="invitation"' in page.text
        response = await client.post("/app/register", data=NEW, headers=headers)
        assert errors(response) == {"": "You need an invitation to register here."}
        form = NEW | {"invitation": "wrong"}
        response = await client.post("/app/register", data=form, headers=headers)
        assert errors(response)[""].startswith("This invitation was used")
        assert 'value="wrong"' in response.text


async def test_a_forgotten_password_is_answered_alike_for_everybody(visitor, user, deferred):
    texts = []
    for email in (user.email, "nobody@example.com"):
        response = await visitor.post("/app/forgotten", data={"email": email})
        assert response.status_code == 200
        texts.append(response.text)

    assert texts[0] == texts[1]
    assert "an email is on its way" in texts[0]
    assert len(await deferred()) == 2
    assert errors(await visitor.post("/app/forgotten", data={"email": "x"})).keys() == {"email"}


async def test_a_link_sets_a_new_password_and_ends_all_sessions(reader, user, link_of, revocations):
    token = await link_of(user, Purpose.PASSWORD)
    weak = await reader.post("/app/password", data={"token": token, "password": "short"})
    assert errors(weak).keys() == {"password"}
    assert f'value="{token}"' in weak.text

    response = await reader.post(
        "/app/password", data={"token": token, "password": "another fine sentence"}
    )
    assert response.headers["location"] == "/app/login"
    assert (await reader.get("/app/today")).status_code == 303
    page = await reader.get("/app/login")
    assert heading(page) == "Log in"
    form = {"username": user.username, "password": "another fine sentence"}
    assert (await reader.post("/app/login", data=form)).status_code == 303
    again = await reader.post("/app/password", data={"token": token, "password": PASSWORD})
    assert again.status_code == 404
    assert errors(again)[""].startswith("This link was used")


async def test_a_link_confirms_an_address(reader, user, link_of, sessions):
    token = await link_of(user, Purpose.VERIFICATION)
    response = await reader.post("/app/confirm", data={"token": token})

    assert response.headers["location"] == "/app/today"
    assert "Your email address is confirmed." in (await reader.get("/app/today")).text
    async with sessions() as session:
        verified = text("SELECT email_verified_at FROM users WHERE id = :id")
        assert await session.scalar(verified, {"id": user.id})
    assert (await reader.post("/app/confirm", data={"token": token})).status_code == 404
    assert errors(await reader.post("/app/confirm", data={})).keys() == {"token"}


@pytest.mark.parametrize("name", ["confirm", "password", "register"])
async def test_links_of_emails_lead_to_the_page_in_their_language(visitor, name):
    response = await visitor.get(f"/account/{name}?lang=pt-BR")

    assert (response.status_code, response.headers["location"]) == (303, f"/app/{name}")
    page = await visitor.get(f"/app/{name}", headers={"Accept-Language": "en"})
    assert '<html lang="pt-BR">' in page.text
