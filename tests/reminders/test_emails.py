"""Emails of reminders and digests: what they say, and to whom."""

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from freezegun import freeze_time
from sqlalchemy import select, update

from fast_zero.core.jobs import Context
from fast_zero.core.languages import KNOWN
from fast_zero.models import Digest, User
from fast_zero.notifications.jobs import PERIODIC_JOBS
from fast_zero.reminders import emails
from tests.core.expect import invalid_fields
from tests.factories import TodoFactory

DUE = datetime(2031, 1, 6, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
IN_TIME = [{"minutes_before": 0}]


def test_every_text_exists_in_every_language():
    assert emails.TEXTS.keys() == set(KNOWN)
    english = emails.TEXTS["en"]
    for texts in emails.TEXTS.values():
        assert texts.keys() == english.keys()
        for key, words in texts.items():
            assert type(words) is type(english[key])
            if isinstance(words, str):
                fields = [sorted(re.findall(r"\$\w+", one)) for one in (words, english[key])]
                assert fields[0] == fields[1]


@pytest.mark.parametrize(
    ("account", "subject", "line"),
    [
        ({}, "Reminder: Bread & butter", "- Bread & butter, due on 2031-01-06 at 12:00\n"),
        (
            {"time_zone": "America/Sao_Paulo", "language": "pt-BR"},
            "Lembrete: Bread & butter",
            "- Bread & butter, para 2031-01-06 às 09:00\n",
        ),
        (
            {"time_zone": "Pacific/Kiritimati", "clock": 12},
            "Reminder: Bread & butter",
            "- Bread & butter, due on 2031-01-07 at 2:00 AM\n",
        ),
    ],
)
async def test_a_reminder_is_an_email_to_who_wants_it(
    subscriber, create, run_at, sent_emails, body, account, subject, line
):
    ana = await subscriber(**account)
    await create(ana, title="Bread & butter", due_at=DUE.isoformat(), reminders=IN_TIME)
    await run_at(DUE)

    [message] = await sent_emails(DUE)

    assert (message["To"], message["Subject"]) == (ana.email, subject)
    assert line in body(message)
    assert message["Content-Language"] == ana.language
    await run_at(DUE)
    assert await sent_emails(DUE) == []


@pytest.mark.parametrize(
    "account", [{"letters": ["like"]}, {"email_verified_at": None}, {"disabled_at": DUE}], ids=str
)
async def test_others_get_no_email(subscriber, save, run_at, deferred, account):
    ana = await subscriber(**account)
    due = {"due_at": DUE, "time_zone": "UTC", "reminders": IN_TIME}
    await save(TodoFactory(owner_id=ana.id, state="todo", **due))
    await run_at(DUE)
    assert await deferred() == []


async def test_what_is_due_together_is_one_email(subscriber, create, run_at, sent_emails, body):
    ana = await subscriber()
    for title in ("Bread", "Salt"):
        await create(ana, title=title, due_on="2031-01-06", reminders=IN_TIME)
    await run_at(DUE - timedelta(hours=3))
    [message] = await sent_emails(DUE)
    assert message["Subject"].startswith("2 reminders from ")
    assert "- Bread, due on 2031-01-06\n- Salt, due on 2031-01-06\n" in body(message)


@pytest.mark.parametrize(
    ("late", "text"),
    [
        (MINUTE, "at 12:00\n"),
        (7 * MINUTE, "(7 minutes late)"),
        (90 * MINUTE, "(one hour late)"),
        (timedelta(hours=2), "(2 hours late)"),
        (timedelta(hours=23, minutes=59), "(23 hours late)"),
    ],
    ids=str,
)
async def test_a_late_reminder_says_how_late_it_is(
    subscriber, create, run_at, sent_emails, body, late, text
):
    await create(await subscriber(), due_at=DUE.isoformat(), reminders=IN_TIME)
    await run_at(DUE + late)
    [message] = await sent_emails(DUE + late)
    assert text in body(message)


async def test_nothing_is_sent_of_what_is_done_since(
    client, bearer, subscriber, create, run_at, sent_emails
):
    ana = await subscriber()
    todo = await create(ana, due_at=DUE.isoformat(), reminders=IN_TIME)
    await run_at(DUE)
    await client.post(f"/todos/{todo['id']}/complete", headers=bearer(ana))
    assert await sent_emails(DUE) == []


@pytest.mark.parametrize("way", ["complete", "skip", "moved"])
async def test_nothing_is_sent_of_an_occurrence_or_a_due_that_is_over_since(
    client, bearer, subscriber, create, run_at, sent_emails, body, way
):
    ana = await subscriber()
    weekly = {"rule": "FREQ=WEEKLY", "from": "due"}
    todo = await create(ana, due_at=DUE.isoformat(), reminders=IN_TIME, recurrence=weekly)
    path, next_due = f"/todos/{todo['id']}", DUE + timedelta(days=7)
    await run_at(DUE)
    if way == "moved":
        due = {"due_at": next_due.isoformat()}
        response = await client.patch(path, json=due, headers=bearer(ana))
    else:
        response = await client.post(f"{path}/{way}", headers=bearer(ana))
    assert datetime.fromisoformat(response.json()["due_at"]) == next_due
    assert await sent_emails(DUE) == []

    await run_at(next_due)

    [message] = await sent_emails(next_due)
    assert "- Bread, due on 2031-01-13 at 12:00\n" in body(message)


async def test_one_click_stops_reminders_alone(
    anonymous, client, subscriber, create, run_at, sent_emails, session
):
    ana = await subscriber(letters=["like", "reminder"], digest_time=time(8))
    await create(ana, due_at=DUE.isoformat(), reminders=IN_TIME)
    await run_at(DUE)
    [message] = [one for one in await sent_emails(DUE) if "Reminder" in one["Subject"]]

    assert (await unsubscribe(anonymous, message)).status_code == 204

    settings = select(User.letters, User.digest_time).where(User.id == ana.id)
    letters, digest_time = (await session.execute(settings)).one()
    assert (letters, digest_time is None) == (["like"], False)


async def unsubscribe(anonymous, message):
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    [link] = re.findall("<(.*)>", message["List-Unsubscribe"])
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": ""}
    path = link.removeprefix("http://127.0.0.1:8000")
    return await anonymous.post(path, content="List-Unsubscribe=One-Click", headers=headers)


async def test_the_news_do_not_repeat_reminders(
    subscriber, create, run_at, sent_emails, settings, sessions
):
    await create(await subscriber(), due_at=DUE.isoformat(), reminders=IN_TIME)
    await run_at(DUE)
    assert len(await sent_emails(DUE)) == 1
    with freeze_time(DUE + MINUTE, real_asyncio=True):
        await PERIODIC_JOBS["news.ask_for_news"](Context(settings, sessions))
    assert await sent_emails(DUE + MINUTE) == []


@pytest.fixture
def digest_reader(client, bearer, subscriber):
    """Store a user who asked for a digest at 7:30."""

    async def digest_reader(**account):
        ana = await subscriber(letters=[], **account)
        response = await client.patch(
            "/users/me", json={"digest_time": "07:30"}, headers=bearer(ana)
        )
        assert response.json()["digest_time"] == "07:30"
        return ana

    return digest_reader


async def due_of(session, user) -> datetime:
    return await session.scalar(select(Digest.fires_at).where(Digest.user_id == user.id))


@pytest.mark.parametrize("zone", ["UTC", "America/Sao_Paulo", "Asia/Kolkata"])
async def test_a_digest_is_sent_at_its_hour_in_its_zone(
    digest_reader, create, run_at, sent_emails, session, body, zone
):
    ana = await digest_reader(time_zone=zone)
    due = await due_of(session, ana)
    assert due.astimezone(ZoneInfo(zone)).time() == time(7, 30)
    today = due.astimezone(ZoneInfo(zone)).date()
    for title, fields in (
        ("Yesterday", {"due_on": f"{today - timedelta(1)}"}),
        ("Today", {"due_on": f"{today}"}),
        ("Tomorrow", {"due_on": f"{today + timedelta(1)}"}),
        ("At nine", {"due_at": f"{(due + timedelta(minutes=90)).isoformat()}"}),
        ("At seven", {"due_at": f"{(due - timedelta(minutes=30)).isoformat()}"}),
        ("Done", {"due_on": f"{today}", "state": "done"}),
        ("Whenever", {}),
    ):
        await create(ana, title=title, **fields)
    await run_at(due - MINUTE)
    assert await sent_emails(due) == []
    await run_at(due)
    await run_at(due)

    [message] = await sent_emails(due)

    assert message["To"] == ana.email
    assert "2 todos are overdue:\n\n- Yesterday\n- At seven\n" in body(message)
    assert "2 todos are due today:\n\n- 09:00: At nine\n- Today\n" in body(message)
    assert "Tomorrow" not in body(message)
    await run_at(due + timedelta(days=1))
    assert len(await sent_emails(due + timedelta(days=1))) == 1


async def test_a_long_digest_says_how_many_there_are(
    digest_reader, save, run_at, sent_emails, session, body
):
    ana = await digest_reader(language="pt-BR")
    due = await due_of(session, ana)
    await save(
        *(
            TodoFactory(owner_id=ana.id, title=f"Old {number}", state="todo", due_on=due.date())
            for number in range(12)
        )
    )
    await run_at(due)
    [message] = await sent_emails(due)
    assert "12 tarefas são para hoje:\n\n- Old 0\n" in body(message)
    assert "- Old 9\n- e mais 2\n" in body(message)


async def test_no_digest_is_sent_if_there_is_nothing(
    digest_reader, create, run_at, sent_emails, session, stranger
):
    ana = await digest_reader()
    due = await due_of(session, ana)
    await create(stranger, due_on=f"{due.date()}")
    await run_at(due)
    assert await sent_emails(due) == []


async def test_a_digest_of_another_day_is_not_sent(
    digest_reader, create, run_at, sent_emails, session
):
    ana = await digest_reader()
    await create(ana, due_on="2026-01-01")
    due = await due_of(session, ana)
    await run_at(due + timedelta(hours=17))
    assert await sent_emails(due) == []
    await run_at(due + timedelta(hours=25))
    assert len(await sent_emails(due + timedelta(hours=25))) == 1


async def test_a_digest_that_waited_until_its_day_was_over_is_not_sent(
    digest_reader, create, run_at, sent_emails, session
):
    ana = await digest_reader(time_zone="America/Sao_Paulo")
    await create(ana, due_on="2026-01-01")
    due = await due_of(session, ana)
    await run_at(due)
    assert await sent_emails(due + timedelta(hours=17)) == []


async def test_a_traveller_gets_no_second_digest_on_the_same_day(
    client, bearer, digest_reader, create, run_at, sent_emails, deferred, session
):
    ana = await digest_reader()
    await create(ana, due_on="2026-01-01")
    due = await due_of(session, ana)
    await run_at(due)
    assert len(await sent_emails(due)) == 1
    zone = {"time_zone": "America/Sao_Paulo"}
    await client.patch("/users/me", json=zone, headers=bearer(ana))

    await run_at(due + timedelta(hours=3))

    assert await deferred() == []


async def test_one_click_stops_digests(
    anonymous, digest_reader, create, run_at, sent_emails, session
):
    ana = await digest_reader()
    due = await due_of(session, ana)
    await create(ana, due_on=f"{due.date()}")
    await run_at(due)
    [message] = await sent_emails(due)
    assert (await unsubscribe(anonymous, message)).status_code == 204
    assert await session.scalar(select(User.digest_time).where(User.id == ana.id)) is None
    assert await due_of(session, ana) is None


async def test_a_digest_is_not_sent_to_who_has_stopped_it_or_has_no_address(
    digest_reader, create, run_at, sent_emails, session
):
    ana, bea = await digest_reader(), await digest_reader()
    due = await due_of(session, ana)
    for owner in (ana, bea):
        await create(owner, due_on=f"{due.date()}")
    await run_at(due)
    await session.execute(update(User).where(User.id == ana.id).values(digest_time=None))
    await session.execute(update(User).where(User.id == bea.id).values(email_verified_at=None))
    await session.commit()
    assert await sent_emails(due) == []


@pytest.mark.parametrize("value", ["24:00", "7:30", "07:30:00", "", 7])
async def test_the_hour_of_a_digest_is_a_time_of_day(client, value):
    assert invalid_fields(await client.patch("/users/me", json={"digest_time": value})) == [
        "body.digest_time"
    ]
