"""General settings, profile, email address, and the deletion of the account."""

import re

import pytest
from sqlalchemy import select, text

from fast_zero.core.settings import Settings
from fast_zero.models import LoginSession, User
from fast_zero.web import cookies
from fast_zero.web.pages.accounts import settings as pages
from tests.factories import PASSWORD
from tests.web.conftest import NASTY, errors, fault, follow, heading, toast

STATEMENTS = 3
GENERAL = {
    "language": "en",
    "time_zone": "Asia/Tokyo",
    "week_starts_on": "sunday",
    "clock": "12",
    "theme": "dark",
    "keyboard_shortcuts": "on",
    "default_reminder_time": "07:30",
}
WRONG = "This is not your current password. Try again."
WAIT = "Too many failed attempts. Wait, then try again."


@pytest.fixture
def stored(sessions, user):
    async def stored() -> User | None:
        async with sessions() as session:
            return await session.scalar(select(User).where(User.id == user.id))

    return stored


@pytest.mark.parametrize("path", ["/app/settings", "/app/settings/profile", "/app/settings/email"])
async def test_a_page_of_settings_takes_three_statements(reader, statements, path):
    with statements() as sent:
        assert (await reader.get(path)).status_code == 200

    assert len(sent) == STATEMENTS


async def test_general_settings_are_saved_and_shown(reader, stored):
    page = await follow(reader, await reader.post("/app/settings", data=GENERAL))

    assert toast(page) == "Your settings are saved."
    saved = await stored()
    assert (saved.time_zone, saved.week_starts_on, saved.clock) == ("Asia/Tokyo", "sunday", 12)
    assert (saved.theme, saved.keyboard_shortcuts) == ("dark", True)
    assert f"{saved.default_reminder_time:%H:%M}" == "07:30"
    for shown in (
        'value="Asia/Tokyo" selected',
        'value="sunday" selected',
        'value="12" checked',
        'value="dark" checked',
        'name="keyboard_shortcuts" checked',
        'value="07:30"',
    ):
        assert shown in page.text
    assert re.search(r"Now it is \d+:\d\d\s[AP]M here\.", page.text)


async def test_language_and_colours_are_those_of_the_page_at_once(reader):
    form = GENERAL | {"language": "pt-BR", "theme": "light"}
    page = await follow(reader, await reader.post("/app/settings", data=form))

    assert '<html lang="pt-BR" data-keys data-theme="light">' in page.text
    assert heading(page) == "Configurações"
    assert heading(await reader.get("/app/today")) == "Hoje"


async def test_a_box_without_its_mark_turns_keyboard_shortcuts_off(reader, stored):
    form = {name: value for name, value in GENERAL.items() if name != "keyboard_shortcuts"}
    page = await follow(reader, await reader.post("/app/settings", data=form))

    assert not (await stored()).keyboard_shortcuts
    assert "<kbd" not in page.text


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("time_zone", "Mars/Olympus", "There is no such time zone."),
        ("time_zone", "", "Fill this in."),
        ("language", "xx", "This does not fit here. Check it."),
        ("clock", "13", "This does not fit here. Check it."),
        ("clock", "", "Fill this in."),
        ("theme", "\x00", "This does not fit here. Check it."),
        ("week_starts_on", "friday", "This does not fit here. Check it."),
        ("default_reminder_time", "25:00", "Write a time such as 09:00."),
        ("default_reminder_time", "\u0660\u0669:00", "Write a time such as 09:00."),
    ],
)
async def test_what_is_wrong_stands_beside_its_setting(reader, stored, name, value, message):
    response = await reader.post("/app/settings", data=GENERAL | {name: value})

    assert response.status_code == 422
    assert errors(response) == {name: message}
    assert (await stored()).time_zone == "UTC"


async def test_a_time_zone_without_a_region_stays_selected(reader, sessions):
    async with sessions.begin() as session:
        await session.execute(text("UPDATE users SET time_zone = 'Etc/GMT+3'"))
    page = await reader.get("/app/settings")

    assert 'value="Etc/GMT+3" selected' in page.text
    assert page.text.count(" selected>") == 3


@pytest.mark.parametrize("name", ["Asia/Calcutta", "America/Buenos_Aires", "Asia/Tel_Aviv"])
async def test_another_name_of_a_time_zone_stays_selected(reader, sessions, name):
    async with sessions.begin() as session:
        await session.execute(text("UPDATE users SET time_zone = :name"), {"name": name})
    page = await reader.get("/app/settings")

    assert f'value="{name}" selected' in page.text
    assert page.text.count(" selected>") == 3


def test_time_zones_are_named_and_sorted_as_the_language_does():
    english, portuguese = (pages.zones_with("UTC", language) for language in ("en", "pt-BR"))

    assert dict(english["America"])["America/Sao_Paulo"] == "São Paulo"
    assert dict(portuguese["America"])["America/New_York"] == "Nova York"
    assert dict(portuguese["America"])["America/Indiana/Knox"] == "Knox, Indiana"
    assert dict(portuguese["Asia"])["Asia/Kolkata"] == "Calcutá"
    assert list(portuguese)[:4] == ["", "Africa", "America", "Antarctica"]
    assert list(portuguese)[-2:] == ["Indian", "Pacific"]
    cities = [city for _, city in portuguese["America"]]
    assert cities.index("Bahia") < cities.index("Belém") < cities.index("Belize")
    for zones in (*english.values(), *portuguese.values()):
        assert len({city for _, city in zones}) == len(zones)


def test_time_zones_are_those_that_an_account_may_have():
    values = [value for zones in pages.zones_with("UTC", "en").values() for value, _ in zones]

    assert len(values) == len(set(values)) > 400
    assert {"UTC", "America/Sao_Paulo", "Australia/Lord_Howe"} <= set(values)
    for value in values:
        assert pages.MeUpdate(time_zone=value).time_zone == value


async def test_general_settings_change_no_password_and_no_address(reader, stored, user):
    form = GENERAL | {"password": "another sentence", "email": "x@example.com", "username": "root"}
    form |= {"current_password": PASSWORD, "role": "admin"}
    await reader.post("/app/settings", data=form)

    saved = await stored()
    assert saved.password_hash == user.password_hash
    assert (saved.username, saved.email, saved.role) == (user.username, user.email, "member")
    assert saved.pending_email is None


async def test_the_profile_is_saved_and_the_sidebar_shows_the_name(reader, stored):
    form = {
        "username": "ana",
        "display_name": " Ana Lúcia ",
        "bio": "Bakes.\nSundays.",
        "share_todos": "followers",
    }
    page = await follow(reader, await reader.post("/app/settings/profile", data=form))

    assert toast(page) == "Your settings are saved."
    assert '<p class="who">Ana Lúcia</p>' in page.text
    assert "<p>Ana Lúcia · @ana</p>" in page.text
    saved = await stored()
    assert (saved.bio, saved.share_todos) == ("Bakes.\nSundays.", "followers")

    form |= {"display_name": "", "bio": ""}
    page = await follow(reader, await reader.post("/app/settings/profile", data=form))
    assert '<p class="who">ana</p>' in page.text
    assert (await stored()).bio == ""


@pytest.mark.parametrize("name", NASTY)
async def test_a_name_is_text(reader, name):
    form = {"username": "ana", "display_name": name, "bio": name}
    page = await follow(reader, await reader.post("/app/settings/profile", data=form))

    assert "<script>" not in page.text
    assert "<img" not in page.text


@pytest.mark.parametrize(
    ("form", "wrong"),
    [
        ({"username": ""}, {"username": "Fill this in."}),
        ({"username": "a"}, {"username"}),
        ({"username": "a\u200bbc"}, {"username"}),
        (
            {"display_name": "a" * 101},
            {"display_name": "This is too long. Use up to 100 characters."},
        ),
        ({"bio": "a" * 501}, {"bio": "This is too long. Use up to 500 characters."}),
        ({"bio": "a\x00b"}, {"bio"}),
        ({"share_todos": "all"}, {"share_todos"}),
    ],
)
async def test_what_is_wrong_stands_beside_its_field(reader, form, wrong):
    response = await reader.post("/app/settings/profile", data={"username": "ana"} | form)

    assert response.status_code == 422
    found = errors(response)
    assert (found if isinstance(wrong, dict) else found.keys()) == wrong


async def test_a_username_of_somebody_else_is_refused(reader, stranger, user, stored):
    form = {"username": stranger.username.upper(), "bio": "Still here"}
    response = await reader.post("/app/settings/profile", data=form)

    assert response.status_code == 409
    assert errors(response) == {"username": "Somebody has this username already. Choose another."}
    assert "Still here" in response.text
    assert (await stored()).username == user.username


async def test_an_address_changes_after_its_link(reader, stored, user, deferred):
    form = {"email": "new@example.com", "current_password": PASSWORD}
    page = await follow(reader, await reader.post("/app/settings/email", data=form))

    assert toast(page).startswith("A link is on its way to the new address.")
    saved = await stored()
    assert (saved.email, saved.pending_email) == (user.email, "new@example.com")
    assert "new@example.com" in page.text
    assert ("accounts.send_link", "new@example.com") in [
        (name, arguments.get("email")) for name, arguments in await deferred()
    ]

    page = await follow(reader, await reader.post("/app/settings/email/cancel"))
    assert toast(page) == "Your email address stays as it is."
    assert (await stored()).pending_email is None


@pytest.mark.parametrize(
    ("form", "wrong"),
    [
        ({}, {"email": "Fill this in.", "current_password": "Fill this in."}),
        ({"email": "x", "current_password": PASSWORD}, {"email"}),
        ({"email": "new@example.com", "current_password": "wrong"}, {"current_password": WRONG}),
        ({"email": "new@example.com", "current_password": "\x00"}, {"current_password"}),
        ({"email": "new@example.com", "current_password": "x" * 2000}, {"current_password"}),
    ],
)
async def test_an_address_needs_the_password(reader, stored, form, wrong):
    response = await reader.post("/app/settings/email", data=form)

    assert 400 <= response.status_code < 500
    found = errors(response)
    assert (found if isinstance(wrong, dict) else found.keys()) == wrong
    assert PASSWORD not in response.text
    assert (await stored()).pending_email is None


async def test_an_address_of_somebody_else_is_refused(reader, stranger):
    form = {"email": stranger.email, "current_password": PASSWORD}
    response = await reader.post("/app/settings/email", data=form)

    assert response.status_code == 409
    assert errors(response).keys() == {"email"}


async def test_the_link_that_confirms_an_address_can_be_sent_again(reader, sessions, deferred):
    assert "Not confirmed yet" in (await reader.get("/app/settings/profile")).text
    page = await follow(reader, await reader.post("/app/settings/email/verification"))
    assert toast(page).startswith("A link is on its way to your address.")
    assert "accounts.send_link" in [name for name, _ in await deferred()]

    async with sessions.begin() as session:
        await session.execute(text("UPDATE users SET email_verified_at = now()"))
    page = await follow(reader, await reader.post("/app/settings/email/verification"))
    assert fault(page) == "Your email address is confirmed already."


async def test_emails_are_limited(reader, settings: Settings):
    for _ in range(settings.letters_per_hour or 0):
        await reader.post("/app/settings/email/verification")
    page = await follow(reader, await reader.post("/app/settings/email/verification"))

    assert fault(page) == "Too many emails were asked for. Try again later."


async def test_an_account_is_deleted_with_its_password(reader, user, stored, sessions):
    page = await reader.get("/app/settings/delete")
    assert heading(page) == "Delete the account"
    assert 'href="/app/settings/data"' in page.text
    response = await reader.post("/app/settings/delete", data={"current_password": PASSWORD})

    assert response.headers["location"] == "/app/login"
    assert cookies.SESSION not in reader.cookies
    assert "Your account is deleted" in (await reader.get("/app/login")).text
    assert await stored() is None
    async with sessions() as session:
        assert await session.scalar(select(LoginSession)) is None


@pytest.mark.parametrize("password", ["", "wrong", PASSWORD.upper(), "\x00", "x" * 5000])
async def test_an_account_is_not_deleted_without_its_password(reader, stored, password):
    response = await reader.post("/app/settings/delete", data={"current_password": password})

    assert response.status_code in {403, 422}
    assert errors(response).keys() == {"current_password"}
    assert await stored() is not None
    assert cookies.SESSION in reader.cookies


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/app/settings/delete", {}),
        ("/app/settings/email", {"email": "new@example.com"}),
        ("/app/settings/security/password", {"password": "another sentence"}),
        ("/app/settings/security/otp", {}),
        ("/app/settings/security/recovery", {}),
        ("/app/settings/security/otp/disable", {"code": "000000"}),
    ],
)
async def test_wrong_passwords_are_throttled_and_then_the_right_one_as_well(
    reader, stored, user, path, form
):
    for _ in range(5):
        response = await reader.post(path, data=form | {"current_password": "wrong"})
        assert errors(response) == {"current_password": WRONG}
    response = await reader.post(path, data=form | {"current_password": PASSWORD})

    assert response.status_code == 429
    assert int(response.headers["retry-after"]) >= 1
    assert errors(response) == {"": WAIT}
    saved = await stored()
    assert (saved.password_hash, saved.pending_email) == (user.password_hash, None)


async def test_attempts_of_all_forms_are_counted_together(reader):
    for path in ("delete", "email", "security/password", "security/otp", "security/recovery"):
        form = {"current_password": "wrong", "email": "a@example.com", "password": "long enough"}
        assert (await reader.post(f"/app/settings/{path}", data=form)).status_code == 403
    response = await reader.post("/app/settings/delete", data={"current_password": PASSWORD})

    assert response.status_code == 429
