"""Accounts and invitations, for administrators."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from fast_zero.email_links import outbox
from fast_zero.models import AuditEvent, Invitation, LoginSession, User
from tests.factories import LoginSessionFactory, PersonalTokenFactory, UserFactory, new_token
from tests.web.conftest import NASTY, errors, fault, follow, heading, toast
from tests.web.test_guard import call, routes

PATH = "/app/administration"
INVITATIONS = f"{PATH}/invitations"


@pytest.fixture
async def admin(reader, user, sessions):
    """Return a browser of an administrator."""
    async with sessions.begin() as session:
        await session.execute(update(User).where(User.id == user.id).values(role="admin"))
    return reader


@pytest.fixture
def account(sessions):
    async def account(user):
        async with sessions() as session:
            return await session.scalar(select(User).where(User.id == user.id))

    return account


def names(page) -> list[str]:
    return re.findall(r'/accounts/\d+">@(.*?)</a>', page.text)


def own_routes(app):
    return [(method, path) for method, path in routes(app) if path.startswith(PATH)]


async def test_for_others_there_is_no_such_page(reader, app, stranger, save, sessions):
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    [invitation] = await save(
        Invitation(email="ana@example.com", language="en", digest=b"x", expires_at=tomorrow)
    )
    assert len(own_routes(app)) == 6
    forms = [
        {"act": f"disable/{stranger.id}"},
        {"email": "new@example.com", "language": "en"},
        {"revoke": invitation.id},
    ]
    for method, path in own_routes(app):
        for form in forms if method == "POST" else [None]:
            response = await call(reader, method, path, data=form)
            assert (response.status_code, heading(response)) == (404, "There is nothing here")
    async with sessions() as session:
        assert await session.scalar(select(func.count()).select_from(Invitation)) == 1
        disabled = select(func.count()).where(User.disabled_at.is_not(None))
        assert await session.scalar(disabled) == 0
    assert "/app/administration" not in (await reader.get("/app/today")).text


async def test_a_role_that_was_taken_away_ends_at_once(admin, sessions):
    assert (await admin.get(PATH)).status_code == 200
    async with sessions.begin() as session:
        await session.execute(update(User).values(role="member"))
    assert (await admin.get(PATH)).status_code == 404


@pytest.mark.parametrize("body", [b"%ff=%fe", b"a" * 5000, b"&" * 5000, b"act=%00", b"email=%00"])
@pytest.mark.parametrize(
    "kind",
    ["application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=x"],
)
async def test_whatever_an_administrator_sends_the_answer_is_a_page(admin, app, body, kind):
    for method, path in own_routes(app):
        response = await call(admin, method, path, content=body, headers={"Content-Type": kind})
        assert response.status_code < 500, path


async def test_accounts_are_found_by_names_and_address(admin, save, user, statements):
    await save(
        UserFactory(username="Márcia", email="m@example.org", display_name="Dona Márcia"),
        UserFactory(username="joão", email="JOAO@example.org", display_name="100%_"),
    )
    with statements() as sent:
        page = await admin.get(PATH)
    assert len(sent) == 3, sent  # session, sidebar, accounts
    assert names(page) == ["joão", "Márcia", user.username]
    for q, found in [
        ("MÁRCIA", ["Márcia"]),
        ("dona", ["Márcia"]),
        ("joao@EXAMPLE", ["joão"]),
        ("0%_", ["joão"]),
        ("example.org", ["joão", "Márcia"]),
        ("nobody", []),
    ]:
        page = await admin.get(PATH, params={"q": q})
        assert names(page) == found, q
    assert "No account is found" in page.text
    for bad in ("\x00", "a" * 255):
        assert (await admin.get(PATH, params={"q": bad})).status_code == 422


async def test_accounts_come_in_pages(admin, save):
    await save(*(UserFactory(username=f"page {number}") for number in range(120)))
    page = await admin.get(PATH, params={"q": "page "})
    first = names(page)
    [address] = re.findall(r'class="more"><a class="btn" href="([^"]*)"', page.text)
    second = names(await admin.get(address.replace("&amp;", "&")))

    assert len(first) == 100
    assert len({*first, *second}) == 120


async def test_what_accounts_are_called_is_text(admin, save):
    for number, nasty in enumerate(NASTY):
        await save(UserFactory(username=f"nasty {number}", display_name=nasty))
    page = await admin.get(PATH)
    assert "<script>" not in page.text
    assert "<img" not in page.text
    assert names(await admin.get(PATH, params={"q": "<script>"})) == ["nasty 0"]
    assert "%(title)s" in page.text


async def test_an_account_is_disabled_and_enabled(
    admin, anonymous, save, stranger, sessions, account
):
    token = new_token()
    await save(
        LoginSessionFactory(owner_id=stranger.id, refresh_digest=b"theirs"),
        PersonalTokenFactory(token=token, owner_id=stranger.id),
    )
    form = {"act": f"disable/{stranger.id}", "next": f"{PATH}?q=user"}
    response = await admin.post(f"{PATH}/accounts", data=form)
    page = await follow(admin, response)

    assert str(page.url).endswith("?q=user")
    assert toast(page) == f"Disabled: “{stranger.username}”"
    assert f'data-focus="a{stranger.id}"' in page.text
    assert f'value="enable/{stranger.id}"' in page.text
    assert (await account(stranger)).disabled_at is not None
    headers = {"Authorization": f"Bearer {token}"}
    assert (await anonymous.get("/users/me", headers=headers)).status_code == 401
    async with sessions() as session:
        theirs = select(func.count()).where(LoginSession.owner_id == stranger.id)
        assert await session.scalar(theirs) == 0

    form["act"] = f"enable/{stranger.id}"
    page = await follow(admin, await admin.post(f"{PATH}/accounts", data=form))
    assert toast(page) == f"Enabled: “{stranger.username}”"
    assert (await account(stranger)).disabled_at is None
    async with sessions() as session:
        events = select(AuditEvent.action).where(AuditEvent.owner_id == stranger.id)
        [*_, before, last] = await session.scalars(events.order_by(AuditEvent.id))
    assert (before, last) == ("session ended", "enabled")
    page = await admin.get(f"{PATH}/accounts/{stranger.id}")
    assert heading(page) == f"@{stranger.username}"
    assert page.text.index("<b>Account enabled</b>") < page.text.index("<b>Account disabled</b>")


async def test_a_role_in_the_security_events_is_in_the_language_of_the_reader(admin, user, save):
    user.language = "pt-BR"
    event = AuditEvent(owner_id=user.id, action="role changed", details={"role": "admin"})
    await save(user, event)
    page = await admin.get(f"{PATH}/accounts/{user.id}")
    assert "Papel alterado" in page.text
    assert " · administração</span>" in page.text


async def test_nobody_disables_themselves_or_what_is_not_there(admin, user, account):
    page = await admin.get(PATH)
    assert f'value="disable/{user.id}"' not in page.text
    for value, said in [
        (f"disable/{user.id}", "You cannot disable yourself."),
        (f"disable/{10**9}", "This account does not exist any more."),
        (f"disable/{2**63}", "This account does not exist any more."),
        ("disable/", "This account does not exist any more."),
        ("enable/x", "This account does not exist any more."),
        ("delete/1", None),
        ("", None),
    ]:
        response = await admin.post(f"{PATH}/accounts", data={"act": value, "next": PATH})
        assert fault(await follow(admin, response)) == said, value
    assert (await account(user)).disabled_at is None
    assert (await admin.get(f"{PATH}/accounts/{10**9}")).status_code == 404


async def test_somebody_is_invited_and_the_invitation_revoked(admin, deferred, sessions):
    form = {"email": "ana@example.com", "language": "pt-BR"}
    page = await follow(admin, await admin.post(INVITATIONS, data=form))

    assert toast(page) == "Invitation on its way to ana@example.com"
    assert "<b>ana@example.com</b>" in page.text
    assert [name for name, _ in await deferred()] == [outbox.SEND_INVITATION]
    async with sessions() as session:
        invitation = await session.scalar(select(Invitation))
    assert invitation.language == "pt-BR"
    form = {"revoke": invitation.id}
    page = await follow(admin, await admin.post(f"{INVITATIONS}/revoke", data=form))
    assert toast(page) == "Revoked: the link of this invitation no longer works."
    assert "ana@example.com" not in page.text
    for value in (invitation.id, "", "x", 2**63):
        response = await admin.post(f"{INVITATIONS}/revoke", data={"revoke": value})
        said = "This invitation is used, revoked or expired already."
        assert fault(await follow(admin, response)) == said


async def test_what_is_wrong_with_an_invitation_is_said(admin, stranger, deferred):
    address = "This is no email address. Write it like name@example.com."
    for form, status, said in [
        ({}, 422, {"email": "Fill this in."}),
        ({"email": "<script>", "language": "en"}, 422, {"email": address}),
        ({"email": "a@b.example", "language": "xx"}, 422, None),
        (
            {"email": stranger.email, "language": "en"},
            409,
            {"email": "There is an account with this email address already."},
        ),
    ]:
        response = await admin.post(INVITATIONS, data=form)
        assert response.status_code == status
        if said:
            assert errors(response) == said
        assert "<script>" not in response.text
    assert await deferred() == []


async def test_too_many_invitations_to_one_address_are_refused(admin, deferred):
    form = {"email": "ana@example.com", "language": "en"}
    for _ in range(5):
        assert (await admin.post(INVITATIONS, data=form)).status_code == 303
    response = await admin.post(INVITATIONS, data=form)

    assert response.status_code == 429
    assert errors(response) == {"": "Too many emails were asked for. Try again later."}
    assert len(await deferred()) == 5


async def test_with_registration_closed_nobody_is_invited(admin, settings):
    admin.state["settings"] = settings.model_copy(update={"registration": "closed"})

    assert "Registration is closed on this server" in (await admin.get(INVITATIONS)).text
    form = {"email": "ana@example.com", "language": "en"}
    assert (await admin.post(INVITATIONS, data=form)).status_code == 403
