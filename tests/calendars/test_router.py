"""The calendar feed, as calendar apps read it."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from icalendar import Calendar
from sqlalchemy import text

from fast_zero.calendars import documents, queries
from fast_zero.models import User
from tests.core.expect import problem
from tests.factories import TodoFactory

SAO_PAULO = ZoneInfo("America/Sao_Paulo")


@pytest.fixture
async def feed(client, open_log_in, user) -> str:
    headers = await open_log_in(user)
    response = await client.put("/users/me/calendar-feed", headers=headers)
    return response.json()["url"].removeprefix("http://127.0.0.1:8000")


async def create_todo(client, **fields) -> dict:
    response = await client.post("/todos", json={"title": "Buy bread"} | fields)
    assert response.status_code == 201, response.text
    return response.json()


async def read_events(anonymous, feed) -> list:
    response = await anonymous.get(feed, headers={"Authorization": ""})
    assert response.status_code == 200
    calendar = Calendar.from_ical(response.content)
    assert calendar.get_missing_tzids() == set()
    for event in calendar.events:
        assert event.errors == []
    return calendar.events


def starts(event, count: int) -> list:
    """Return when an event takes place, as python-dateutil has it."""
    start = event["DTSTART"].dt
    rule = event["RRULE"].to_ical().decode()
    if isinstance(start, datetime):
        return list(islice(rrulestr(rule, dtstart=start), count))
    begin = datetime.combine(start, datetime.min.time())
    return [found.date() for found in islice(rrulestr(rule, dtstart=begin), count)]


async def test_a_due_day_is_an_event_of_a_whole_day(client, feed):
    todo = await create_todo(client, description="The dark one.\r\nFresh.", due_on="2026-12-04")

    [event] = await read_events(client, feed)

    assert str(event["SUMMARY"]) == "Buy bread"
    assert str(event["DESCRIPTION"]) == "The dark one.\nFresh."
    assert event["DTSTART"].dt == date(2026, 12, 4)
    assert event["DTEND"].dt == date(2026, 12, 5)
    assert str(event["UID"]).startswith(f"fast-zero-{todo['id']}-")
    assert "RRULE" not in event


@pytest.mark.parametrize(("given", "minutes"), [(None, 30), (90, 90)])
async def test_a_due_moment_is_an_event_in_its_time_zone(client, feed, given, minutes):
    await create_todo(
        client,
        due_at="2026-12-04T12:00:00Z",
        time_zone="America/Sao_Paulo",
        duration_minutes=given,
    )

    [event] = await read_events(client, feed)

    assert event["DTSTART"].params["TZID"] == "America/Sao_Paulo"
    assert event["DTSTART"].dt == datetime(2026, 12, 4, 9, tzinfo=SAO_PAULO)
    assert event["DURATION"].dt == timedelta(minutes=minutes)


async def test_a_series_has_the_days_of_its_rule(client, feed):
    todo = await create_todo(
        client,
        due_at="2026-12-07T12:00:00Z",
        time_zone="America/Sao_Paulo",
        recurrence={"rule": "FREQ=WEEKLY;COUNT=4;BYDAY=MO,TH"},
    )
    await client.post(f"/todos/{todo['id']}/complete")

    [event] = await read_events(client, feed)

    assert starts(event, 9) == [
        datetime(2026, 12, day, 9, tzinfo=SAO_PAULO) for day in (10, 14, 17)
    ]


async def test_a_series_of_days_ends_with_until(client, feed):
    await create_todo(
        client, due_on="2026-12-04", recurrence={"rule": "FREQ=DAILY;UNTIL=20261206T120000Z"}
    )

    [event] = await read_events(client, feed)

    assert starts(event, 9) == [date(2026, 12, day) for day in (4, 5, 6)]


async def test_until_is_a_day_in_the_time_zone_of_its_series(client, feed):
    await client.patch("/users/me", json={"time_zone": "America/Sao_Paulo"})
    await create_todo(
        client, due_on="2026-12-04", recurrence={"rule": "FREQ=DAILY;UNTIL=20261207T020000Z"}
    )

    [event] = await read_events(client, feed)

    assert starts(event, 9) == [date(2026, 12, day) for day in (4, 5, 6)]


async def test_a_moved_occurrence_is_an_event_beside_its_series(client, feed):
    todo = await create_todo(client, due_on="2026-12-07", recurrence={"rule": "FREQ=WEEKLY"})
    await client.patch(f"/todos/{todo['id']}", json={"due_on": "2026-12-09"})

    moved, series = await read_events(client, feed)

    assert (moved["DTSTART"].dt, "RRULE" in moved) == (date(2026, 12, 9), False)
    assert starts(series, 2) == [date(2026, 12, 14), date(2026, 12, 21)]
    assert str(series["UID"]) == f"{moved['UID']}-series"


async def test_from_the_completion_only_the_current_occurrence_is_known(client, feed):
    await create_todo(
        client, due_on="2026-12-07", recurrence={"rule": "FREQ=DAILY", "from": "completion"}
    )

    [event] = await read_events(client, feed)

    assert "RRULE" not in event


async def test_of_counts_that_take_too_long_only_the_current_occurrence_is_known(
    client, feed, monkeypatch
):
    monkeypatch.setattr(documents, "MOST_COUNTED", 100)
    for day in ("2020-01-01", "2026-12-07"):
        for rule in ("FREQ=DAILY;COUNT=9999", "FREQ=DAILY"):
            todo = await create_todo(client, due_on=day, recurrence={"rule": rule})
            await client.post(f"/todos/{todo['id']}/complete")

    events = await read_events(client, feed)

    assert ["RRULE" in event for event in events] == [False, True, True, True]


async def test_only_open_todos_with_a_due_are_in_it(client, feed, save, stranger):
    await create_todo(client, title="Without a due")
    await create_todo(client, title="Done", due_on="2026-12-04", state="done")
    await create_todo(client, title="Given up", due_on="2026-12-04", state="trash")
    deleted = await create_todo(client, title="Deleted", due_on="2026-12-04")
    await client.delete(f"/todos/{deleted['id']}")
    await save(TodoFactory(owner_id=stranger.id, state="todo", due_on=date(2026, 12, 4)))
    await create_todo(client, title="Mine", due_on="2026-12-04", state="doing")

    assert [str(event["SUMMARY"]) for event in await read_events(client, feed)] == ["Mine"]


async def test_of_too_many_todos_those_are_in_it_that_are_due_closest_to_now(
    client, feed, monkeypatch
):
    monkeypatch.setattr(queries, "NEAREST", queries.nearest(2))
    today = datetime.now(UTC).date()
    for days in (400, 1, -2, -300):
        day = (today + timedelta(days=days)).isoformat()
        await create_todo(client, title=str(days), due_on=day)

    assert [str(event["SUMMARY"]) for event in await read_events(client, feed)] == ["1", "-2"]


async def test_an_unchanged_calendar_is_not_sent_again(client, anonymous, feed):
    await create_todo(client, due_on="2026-12-04")
    first = await anonymous.get(feed)
    seen = {"If-None-Match": first.headers["etag"]}

    same = await anonymous.get(feed, headers=seen)
    await create_todo(client, due_on="2026-12-05")
    changed = await anonymous.get(feed, headers=seen)

    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["etag"] == first.headers["etag"]
    assert changed.status_code == 200
    assert first.headers["content-type"] == "text/calendar; charset=utf-8"
    assert first.headers["cache-control"] == "private, no-cache"
    assert first.headers["referrer-policy"] == "no-referrer"


async def test_apps_may_ask_for_the_head_and_append_parameters(anonymous, feed):
    head = await anonymous.head(feed)

    assert (head.status_code, head.content) == (200, b"")
    assert (await anonymous.get(f"{feed}?cache=1")).status_code == 200


async def test_a_calendar_takes_two_statements(client, feed, statements):
    for _ in range(3):
        await create_todo(client, due_on="2026-12-04", labels=["errands"])
    with statements() as sent:
        await client.get(feed)

    assert len(sent) == 2


async def test_a_new_address_ends_the_old_one(client, anonymous, feed, open_log_in, user):
    renewed = await client.put("/users/me/calendar-feed", headers=await open_log_in(user))

    assert problem(await anonymous.get(feed)) == (404, "Calendar feed not found")
    path = renewed.json()["url"].removeprefix("http://127.0.0.1:8000")
    assert (await anonymous.get(path)).status_code == 200


@pytest.mark.parametrize("secret", ["x", "x" * 43, "%00", "%ED%A0%80", "é", "a" * 5000])
async def test_an_unknown_address_is_not_found(anonymous, feed, secret):
    response = await anonymous.get(f"/calendars/{secret}.ics")

    assert problem(response) == (404, "Calendar feed not found")


async def test_the_calendar_of_a_deleted_or_disabled_account_is_not_found(
    client, anonymous, feed, session, user
):
    account = await session.get(User, user.id)
    account.disabled_at = datetime.now(UTC)
    await session.commit()
    disabled = await anonymous.get(feed)
    await client.delete(f"/users/{user.id}")
    deleted = await anonymous.get(feed)

    assert disabled.status_code == deleted.status_code == 404
    assert await session.scalar(text("SELECT count(*) FROM calendar_feeds")) == 0


async def test_reading_is_noted_once_an_hour(client, anonymous, feed, session):
    async def last_read_at() -> str:
        return (await client.get("/users/me/calendar-feed")).json()["last_read_at"]

    assert await last_read_at() is None
    await anonymous.get(feed)
    first = await last_read_at()
    await session.execute(
        text("UPDATE calendar_feeds SET last_read_at = now() - interval '59 min'")
    )
    await session.commit()
    within = await last_read_at()
    await anonymous.get(feed)
    assert first is not None
    assert await last_read_at() == within
    await session.execute(
        text("UPDATE calendar_feeds SET last_read_at = now() - interval '61 min'")
    )
    await session.commit()
    await anonymous.get(feed)
    assert await last_read_at() > within


async def test_readers_are_limited_by_their_address(live):
    async with live(requests_per_minute=2) as client:
        statuses = [(await client.get("/calendars/unknown.ics")).status_code for _ in range(3)]

    assert statuses == [404, 404, 429]
