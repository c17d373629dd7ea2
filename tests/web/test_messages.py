"""Settings: emails, reminders, and the browsers that get notifications."""

import re
from datetime import UTC, datetime, time

import pytest
from sqlalchemy import func, select

from fast_zero.email_links import outbox
from fast_zero.models import PushSubscription, User
from tests.web.conftest import errors, fault, follow, heading, toast

PATH = "/app/settings/messages"
TIMES = {"digest_time": "07:30", "default_reminder_time": "08:15"}


@pytest.fixture
def browser_of(save):
    async def browser_of(user, endpoint="https://push.example.com/secret-of-the-browser"):
        [row] = await save(
            PushSubscription(owner_id=user.id, endpoint=endpoint, p256dh="key", auth="auth")
        )
        return row

    return browser_of


@pytest.fixture
def account(sessions, user):
    async def account():
        async with sessions() as session:
            return await session.scalar(select(User).where(User.id == user.id))

    return account


async def send_again(reader):
    form = {"next": PATH}
    return await follow(reader, await reader.post("/app/settings/email/verification", data=form))


def checked(page) -> list[str]:
    return re.findall(r'name="email_(\w+)" value="yes" checked', page.text)


async def test_emails_and_times_are_saved(reader, account):
    page = await reader.get(PATH)
    assert heading(page) == "Emails and reminders"
    assert checked(page) == []
    assert 'name="default_reminder_time" value="09:00"' in page.text

    form = {**TIMES, "email_reply": "yes", "email_weekly_report": "yes"}
    page = await follow(reader, await reader.post(PATH, data=form))

    assert toast(page) == "Saved: emails and reminders"
    assert checked(page) == ["weekly_report", "reply"]
    saved = await account()
    assert saved.letters == ["reply", "weekly_report"]
    assert (saved.digest_time, saved.default_reminder_time) == (time(7, 30), time(8, 15))
    await reader.post(PATH, data={"digest_time": "", "default_reminder_time": "08:15"})
    saved = await account()
    assert (saved.letters, saved.digest_time) == ([], None)


@pytest.mark.parametrize("wrong", ["25:00", "nine", "09:00:00", "\x00", "<b>"])
async def test_a_wrong_time_is_said_beside_it_and_the_form_stays(reader, account, wrong):
    form = {"digest_time": wrong, "default_reminder_time": "", "email_like": "yes"}
    page = await reader.post(PATH, data=form)

    assert page.status_code == 422
    assert errors(page)["default_reminder_time"] == "Fill this in."
    form = {"digest_time": wrong, "default_reminder_time": "10:00", "email_like": "yes"}
    page = await reader.post(PATH, data=form)
    assert errors(page) == {"digest_time": "Write a time such as 09:00."}
    assert checked(page) == ["like"]
    assert 'name="default_reminder_time" value="10:00"' in page.text
    assert "<b>" not in re.sub(r"<b>[^<>]+</b>", "", page.text)
    assert (await account()).letters == []


async def test_the_form_changes_nothing_else_of_the_account(reader, account, user):
    form = {**TIMES, "email": "new@example.com", "password": "another fine sentence"}
    form |= {"username": "somebody else", "letters": "like", "current_password": "x"}
    await follow(reader, await reader.post(PATH, data=form))

    saved = await account()
    assert (saved.username, saved.email, saved.pending_email) == (user.username, user.email, None)
    assert (saved.password_hash, saved.letters) == (user.password_hash, [])
    before = saved.version
    await reader.post(PATH, data={"nonsense": "x"})
    assert (await account()).version == before


async def test_the_address_can_be_confirmed_again(reader, deferred, sessions, account):
    page = await reader.get(PATH)
    assert "Not confirmed yet" in page.text

    page = await send_again(reader)
    assert toast(page).startswith("A link is on its way to your address.")
    assert [name for name, _ in await deferred()] == [outbox.SEND_LINK]
    async with sessions.begin() as session:
        found = await session.get(User, (await account()).id)
        found.email_verified_at = datetime.now(UTC)
    page = await send_again(reader)
    assert fault(page) == "Your email address is confirmed already."
    assert "Send the email again" not in page.text
    assert "Confirmed" in page.text


async def test_too_many_confirmations_are_refused(reader, deferred):
    answers = [await send_again(reader) for _ in range(7)]

    assert fault(answers[-1]) == "Too many emails were asked for. Try again later."
    assert len(await deferred()) == 5


async def test_browsers_are_listed_without_their_secrets_and_removed(reader, browser_of, user):
    mine = await browser_of(user)
    page = await reader.get(PATH)
    assert "push.example.com" in page.text
    assert "secret-of-the-browser" not in page.text

    response = await reader.post(f"{PATH}/browsers", data={"remove": mine.id})
    page = await follow(reader, response)
    assert toast(page) == "Removed: this browser gets no more notifications."
    assert "push.example.com" not in page.text
    response = await reader.post(f"{PATH}/browsers", data={"remove": mine.id})
    assert fault(await follow(reader, response)) == "This browser is removed already."


async def test_somebody_elses_browser_stays(reader, browser_of, stranger, sessions):
    theirs = await browser_of(stranger)
    assert "push.example.com" not in (await reader.get(PATH)).text
    for value in (theirs.id, "", "x", "-1", 2**63):
        response = await reader.post(f"{PATH}/browsers", data={"remove": value})
        assert fault(await follow(reader, response)) == "This browser is removed already."
    async with sessions() as session:
        assert await session.scalar(select(func.count()).select_from(PushSubscription)) == 1


async def test_the_page_takes_four_statements(reader, statements):
    with statements() as sent:
        await reader.get(PATH)
    assert len(sent) == 4, sent  # session, sidebar, account, browsers


async def test_there_is_room_for_the_control_of_this_browser(reader):
    assert '<div id="push" data-part hidden></div>' in (await reader.get(PATH)).text
