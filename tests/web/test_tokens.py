"""Personal tokens: access by programs."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from fast_zero.core import security
from fast_zero.identity.scopes import Scope
from fast_zero.models import PersonalToken
from fast_zero.web.pages.accounts import tokens
from tests.factories import PersonalTokenFactory
from tests.web.conftest import NASTY, errors, fault, follow, heading, toast

ADDRESS = "/app/settings/tokens"
FORM = {"name": "Backup", "todos:read": "on", "days": "30"}


@pytest.fixture
def stored(sessions):
    async def stored() -> list[PersonalToken]:
        async with sessions() as session:
            return list(await session.scalars(select(PersonalToken).order_by(PersonalToken.id)))

    return stored


def token_in(page) -> str:
    [found] = re.findall(r'<code id="token">(fzp_\w+)</code>', page.text)
    return found


def test_every_scope_has_a_sentence():
    assert set(tokens.SCOPES) == set(Scope)


async def test_a_token_is_shown_once_and_works(reader, stored):
    page = await reader.post(ADDRESS, data=FORM)
    token = token_in(page)

    assert page.headers["cache-control"] == "no-store"
    assert token not in " ".join(page.headers.values())
    [row] = await stored()
    assert (row.name, row.scopes, row.digest) == ("Backup", ["todos:read"], security.digest(token))
    days = row.expires_at - datetime.now(UTC)
    assert timedelta(days=29) < days <= timedelta(days=30)
    headers = {"Authorization": f"Bearer {token}"}
    assert (await reader.get("/todos", headers=headers)).status_code == 200
    refused = await reader.post("/todos", json={"title": "Bread"}, headers=headers)
    assert refused.status_code == 403
    listed = await reader.get(ADDRESS)
    assert "Backup" in listed.text
    assert token not in listed.text


async def test_the_list_takes_three_statements(reader, user, save, statements):
    await save(*(PersonalTokenFactory(owner_id=user.id) for _ in range(3)))
    with statements() as sent:
        await reader.get(ADDRESS)

    assert len(sent) == 3


@pytest.mark.parametrize(
    ("form", "wrong"),
    [
        ({"name": ""}, {"name": "Fill this in."}),
        ({"name": "  "}, {"name"}),
        ({"name": "a" * 101}, {"name"}),
        ({"name": "a\x00"}, {"name"}),
        ({"todos:read": None}, {"scopes": "Choose at least one."}),
        ({"days": "0"}, {"days"}),
        ({"days": "-1"}, {"days"}),
        ({"days": "100000"}, {"days"}),
        ({"days": ""}, {"days"}),
    ],
)
async def test_what_is_wrong_stands_beside_its_field(reader, stored, form, wrong):
    sent = {name: value for name, value in (FORM | form).items() if value is not None}
    response = await reader.post(ADDRESS, data=sent)

    assert response.status_code == 422
    found = errors(response)
    assert (found if isinstance(wrong, dict) else found.keys()) == wrong
    assert await stored() == []


async def test_what_was_chosen_stays(reader):
    response = await reader.post(ADDRESS, data=FORM | {"name": ""})

    assert 'name="todos:read" checked' in response.text
    assert 'name="todos:write">' in response.text
    assert 'value="30" checked' in response.text


async def test_only_administrators_may_give_the_scope_admin(reader, stored, sessions):
    assert 'name="admin"' not in (await reader.get(ADDRESS)).text
    response = await reader.post(ADDRESS, data=FORM | {"admin": "on"})
    assert response.status_code == 403
    assert errors(response) == {"": "You may not give this access. Choose less."}
    assert await stored() == []

    async with sessions.begin() as session:
        await session.execute(text("UPDATE users SET role = 'admin'"))
    assert 'name="admin"' in (await reader.get(ADDRESS)).text
    token_in(await reader.post(ADDRESS, data=FORM | {"admin": "on"}))
    assert (await stored())[0].scopes == ["admin", "todos:read"]


async def test_an_account_may_have_so_many_tokens(reader, user, save, settings, stored):
    many = settings.personal_tokens_per_user
    await save(*(PersonalTokenFactory(owner_id=user.id) for _ in range(many)))
    response = await reader.post(ADDRESS, data=FORM)

    assert response.status_code == 409
    assert errors(response)[""].startswith("You have as many tokens as you may have.")
    assert len(await stored()) == many


async def test_a_token_is_deleted_and_refused_at_once(reader, stored):
    token = token_in(await reader.post(ADDRESS, data=FORM))
    [row] = await stored()
    response = await reader.post(f"{ADDRESS}/delete", data={"token": row.id})

    assert toast(await follow(reader, response)) == "Token deleted: “Backup”"
    headers = {"Authorization": f"Bearer {token}"}
    assert (await reader.get("/todos", headers=headers)).status_code == 401


async def test_a_token_of_somebody_else_is_neither_shown_nor_deleted(
    reader, stranger, save, stored
):
    [theirs] = await save(PersonalTokenFactory(owner_id=stranger.id, name="Theirs"))
    assert "Theirs" not in (await reader.get(ADDRESS)).text
    for value in (theirs.id, "", "x", "0", 2**70, "\x00"):
        response = await reader.post(f"{ADDRESS}/delete", data={"token": value})
        assert fault(await follow(reader, response)) == "This token is deleted already."
    assert len(await stored()) == 1


async def test_an_expired_token_says_so(reader, user, save):
    past = datetime.now(UTC) - timedelta(days=40)
    await save(PersonalTokenFactory(owner_id=user.id, expires_at=past))

    assert "Expired: " in (await reader.get(ADDRESS)).text


@pytest.mark.parametrize("name", NASTY)
async def test_a_name_is_text(reader, name):
    page = await reader.post(ADDRESS, data=FORM | {"name": name})
    assert heading(page) == "Your new token"
    for shown in (page, await reader.get(ADDRESS)):
        assert "<script>" not in shown.text
        assert "<img" not in shown.text
