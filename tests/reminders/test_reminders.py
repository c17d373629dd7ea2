"""Reminders of todos: what they are, and when they go out."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from fast_zero.models import ScheduledReminder
from fast_zero.reminders import queries
from tests.core.expect import invalid_fields
from tests.factories import TodoFactory, UserFactory

DUE = datetime(2031, 1, 6, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HALF_AN_HOUR = {"minutes_before": 30}


async def test_a_todo_shows_its_reminders(client, create, statements):
    given = [HALF_AN_HOUR, {"at": "2031-01-05T09:00:00+01:00"}, {"minutes_before": 30}]
    with statements() as sent:
        todo = await create(reminders=given)
    assert len(sent) == 1

    shown = [{**HALF_AN_HOUR, "at": None}, {"minutes_before": None, "at": "2031-01-05T08:00:00Z"}]
    assert (todo["reminders"], todo["snoozed_until"]) == (shown, None)
    with statements() as sent:
        read = (await client.get(f"/todos/{todo['id']}")).json()
        listed = (await client.get("/todos")).json()["todos"]
    assert len(sent) == 2
    assert read["reminders"] == listed[0]["reminders"] == shown
    again = await client.patch(f"/todos/{todo['id']}", json={"reminders": shown})
    assert again.json()["reminders"] == shown
    emptied = await client.patch(f"/todos/{todo['id']}", json={"reminders": []})
    assert emptied.json()["reminders"] == []


@pytest.mark.parametrize(
    ("reminders", "fields"),
    [
        ([{}], ["body.reminders.0"]),
        ([{**HALF_AN_HOUR, "at": "2031-01-05T08:00:00Z"}], ["body.reminders.0"]),
        ([{"at": "2031-01-05T08:00:00"}], ["body.reminders.0.at"]),
        ([{"at": "0001-01-01T00:00:00Z"}], ["body.reminders.0.at"]),
        ([{"minutes_before": -1}], ["body.reminders.0.minutes_before"]),
        ([{"minutes_before": 527_041}], ["body.reminders.0.minutes_before"]),
        ([{"minutes_before": "30"}], ["body.reminders.0.minutes_before"]),
        ([{**HALF_AN_HOUR, "color": "red"}], ["body.reminders.0.color"]),
        ([{"minutes_before": number} for number in range(11)], ["body.reminders"]),
        (None, ["body.reminders"]),
    ],
    ids=str,
)
async def test_what_is_wrong_with_reminders_is_said(client, create, reminders, fields):
    todo = await create()
    for method, path, title in (("POST", "", {"title": "Bread"}), ("PATCH", f"/{todo['id']}", {})):
        body = {**title, "reminders": reminders}
        response = await client.request(method, f"/todos{path}", json=body)
        assert invalid_fields(response) == fields


async def test_the_last_moment_of_a_reminder_counts_in_utc(client, create):
    todo = await create()
    path = f"/todos/{todo['id']}"
    last = {"reminders": [{"at": "9999-12-29T23:59:59Z"}]}
    assert (await client.patch(path, json=last)).json()["reminders"][0]["at"] is not None

    for at in ("9999-12-29T23:59:59-00:01", "1900-01-02T00:00:00+00:01", "0001-01-01T00:00+14:00"):
        response = await client.patch(path, json={"reminders": [{"at": at}]})
        assert invalid_fields(response) == ["body.reminders.0.at"]


async def test_a_stranger_gets_and_changes_no_reminders(
    client, create, stranger, bearer, run_at, reminders
):
    todo = await create(due_at=DUE.isoformat(), reminders=[HALF_AN_HOUR])
    path, headers = f"/todos/{todo['id']}", bearer(stranger)
    changed = await client.patch(path, json={"reminders": []}, headers=headers)
    snoozed = await client.post(f"{path}/snooze", json={"minutes": 5}, headers=headers)
    assert (changed.status_code, snoozed.status_code) == (404, 404)

    await run_at(DUE)

    assert await reminders(stranger) == []
    assert await reminders() == [("Bread", 30)]


async def test_a_reminder_goes_out_once_at_its_minute(create, run_at, reminders):
    await create(due_at=DUE.isoformat(), reminders=[HALF_AN_HOUR])

    await run_at(DUE - 31 * MINUTE)
    assert await reminders() == []
    await run_at(DUE - 30 * MINUTE)
    assert await reminders() == [("Bread", 0)]
    await run_at(DUE)
    assert await reminders() == [("Bread", 0)]


async def test_a_later_reminder_makes_the_notification_unread(client, create, run_at, reminders):
    given = [{"minutes_before": 0}, HALF_AN_HOUR, {"at": (DUE + MINUTE).isoformat()}]
    await create(due_at=DUE.isoformat(), reminders=given)
    for moment in (DUE - 30 * MINUTE, DUE, DUE + MINUTE):
        await run_at(moment)
        page = (await client.get("/notifications?unread=true")).json()
        [one] = page["notifications"]
        assert (one["at"], one["people"], one["post"]) == (f"{moment:%Y-%m-%dT%H:%M:%SZ}", [], None)
        read = await client.put(f"/notifications/{one['id']}/read")
        assert read.status_code == 204
        await run_at(moment)
        assert (await client.get("/notifications")).json()["unread"] == 0


@pytest.mark.parametrize(
    ("zone", "day", "moment"),
    [
        ("UTC", "2031-03-10", "2031-03-10T08:30Z"),
        ("America/Sao_Paulo", "2031-03-10", "2031-03-10T11:30Z"),
        ("Europe/Lisbon", "2031-03-29", "2031-03-29T08:30Z"),
        ("Europe/Lisbon", "2031-03-31", "2031-03-31T07:30Z"),  # the clock changed on the 30th
        ("Australia/Lord_Howe", "2031-04-05", "2031-04-04T21:30Z"),
        ("Australia/Lord_Howe", "2031-04-07", "2031-04-06T22:00Z"),  # by half an hour on the 6th
    ],
)
async def test_a_day_is_due_at_the_reminder_time_of_its_owner(
    save, create, run_at, reminders, zone, day, moment
):
    [owner] = await save(UserFactory(time_zone=zone))
    await create(owner, due_on=day, reminders=[HALF_AN_HOUR])
    due = datetime.fromisoformat(moment)
    await run_at(due - MINUTE)
    assert await reminders(owner) == []
    await run_at(due)
    assert await reminders(owner) == [("Bread", 0)]


@pytest.mark.parametrize(
    ("day", "moment"),
    [
        ("2031-03-30", "2031-03-30T01:30Z"),  # there is no 1:30: it is 2:30, which is 1:30 UTC
        ("2031-10-26", "2031-10-26T00:30Z"),  # 1:30 comes twice
    ],
)
async def test_a_time_that_is_skipped_moves_forward_and_of_one_that_comes_twice_it_is_the_first(
    client, create, sessions, day, moment
):
    await client.patch(
        "/users/me", json={"time_zone": "Europe/Lisbon", "default_reminder_time": "01:30"}
    )
    todo = await create(due_on=day, reminders=[{"minutes_before": 0}])
    async with sessions.begin() as session:
        of_todo = select(ScheduledReminder.fires_at).where(ScheduledReminder.todo_id == todo["id"])
        fires_at = await session.scalar(of_todo)
    assert fires_at == datetime.fromisoformat(moment)


async def test_reminders_follow_the_due_and_the_account(client, create, run_at, reminders):
    todo = await create(due_on="2031-01-06", reminders=[{"minutes_before": 60}])
    await run_at(datetime(2031, 1, 6, 8, tzinfo=UTC))
    assert await reminders() == [("Bread", 0)]
    await client.put("/notifications/read", json={"up_to": 2**62})

    await client.patch(f"/todos/{todo['id']}", json={"due_on": "2031-01-07"})
    await client.patch("/users/me", json={"default_reminder_time": "10:00"})
    await run_at(datetime(2031, 1, 7, 8, 59, tzinfo=UTC))
    assert (await client.get("/notifications")).json()["unread"] == 0
    await client.patch(
        "/users/me", json={"time_zone": "Asia/Kolkata"}
    )  # there it is 9:00 at 3:30 UTC
    await run_at(datetime(2031, 1, 7, 9, tzinfo=UTC))
    assert await reminders() == [("Bread", 330)]


async def close(client, todo, way, save, user):
    path = f"/todos/{todo['id']}"
    if way == "done":
        return await client.post(f"{path}/complete")
    if way == "trashed":
        return await client.delete(path)
    if way == "emptied":
        return await client.patch(path, json={"reminders": []})
    if way == "not due":
        return await client.patch(path, json={"due_at": None})
    [blocker] = await save(TodoFactory(owner_id=user.id, state="todo"))
    return await client.put(f"/todos/{blocker.id}/relations/blocks/{todo['id']}")


@pytest.mark.parametrize("way", ["done", "trashed", "blocked", "emptied", "not due"])
async def test_there_is_nothing_to_remind_of(client, create, run_at, reminders, save, user, way):
    todo = await create(due_at=DUE.isoformat(), reminders=[HALF_AN_HOUR])
    response = await close(client, todo, way, save, user)
    assert response.status_code < 300
    await run_at(DUE)
    assert await reminders() == []


async def test_a_todo_that_is_open_again_reminds_again(client, create, run_at, reminders):
    done, trashed = [
        await create(title=title, due_at=DUE.isoformat(), reminders=[HALF_AN_HOUR])
        for title in ("Done", "Trashed")
    ]
    await client.post(f"/todos/{done['id']}/complete")
    await client.delete(f"/todos/{trashed['id']}")
    await client.patch(f"/todos/{done['id']}", json={"state": "todo"})
    await client.post(f"/todos/{trashed['id']}/restore")
    await run_at(DUE)
    assert sorted(await reminders()) == [("Done", 30), ("Trashed", 30)]
    await client.delete(f"/todos/{trashed['id']}")
    assert await reminders() == [("Done", 30)]


async def test_the_next_occurrence_reminds_again(client, create, run_at, reminders):
    weekly = {"rule": "FREQ=WEEKLY", "from": "due"}
    todo = await create(due_at=DUE.isoformat(), recurrence=weekly, reminders=[HALF_AN_HOUR])
    await run_at(DUE - 30 * MINUTE)
    await client.put("/notifications/read", json={"up_to": 2**62})
    completed = await client.post(f"/todos/{todo['id']}/complete")
    following = DUE + timedelta(weeks=1)
    assert datetime.fromisoformat(completed.json()["due_at"]) == following
    await run_at(following - 31 * MINUTE)
    assert (await client.get("/notifications")).json()["unread"] == 0
    await run_at(following - 30 * MINUTE)
    assert (await client.get("/notifications")).json()["unread"] == 1
    assert await reminders() == [("Bread", 0)]


async def test_what_is_past_already_does_not_go_out(create, run_at, reminders):
    await create(due_on="2020-01-01", reminders=[HALF_AN_HOUR, {"at": "2020-01-02T00:00:00Z"}])
    await run_at(datetime.now(UTC) + MINUTE)
    assert await reminders() == []


async def test_reminders_say_how_late_they_are_and_are_dropped_after_a_day(
    create, run_at, reminders, caplog
):
    for title, hours in (("Old", 25), ("Late", 2)):
        due = DUE - timedelta(hours=hours)
        await create(title=title, due_at=due.isoformat(), reminders=[{"minutes_before": 0}])
    with caplog.at_level(logging.WARNING, "fast_zero.reminders.jobs"):
        await run_at(DUE)

    assert await reminders() == [("Late", 120)]
    assert caplog.messages == ["1 reminders were dropped: they were late by more than a day"]
    caplog.clear()
    await run_at(DUE)
    assert caplog.messages == []


async def test_a_change_while_the_worker_is_away_keeps_what_waits_for_it(
    client, create, run_at, reminders, session
):
    todo = await create(due_at=DUE.isoformat(), reminders=[HALF_AN_HOUR])
    waiting = "UPDATE scheduled_reminders SET fires_at = now() - interval '1 minute'"
    await session.execute(text(waiting))
    await session.execute(text("UPDATE todos SET due_at = now() + interval '29 minutes'"))
    await session.commit()
    await client.patch(
        f"/todos/{todo['id']}", json={"reminders": [HALF_AN_HOUR, {"at": "2040-01-01T00:00:00Z"}]}
    )

    await run_at(datetime.now(UTC) + MINUTE)

    assert [title for title, _ in await reminders()] == ["Bread"]


async def test_a_change_of_a_transaction_that_began_before_does_not_remind_again(
    client, create, run_at, reminders
):
    """It also began before, for the database, if the clock of the worker is ahead.

    Here the database is in the year of the test, and the worker in that of the todo.
    """
    todo = await create(due_on=f"{DUE.date()}", reminders=[HALF_AN_HOUR, {"minutes_before": 0}])
    moment = datetime(2031, 1, 6, 8, 30, tzinfo=UTC)
    await run_at(moment)
    assert await reminders() == [("Bread", 0)]
    await client.put("/notifications/read", json={"up_to": 2**62})

    await client.patch(f"/todos/{todo['id']}", json={"reminders": [HALF_AN_HOUR]})
    await client.patch("/users/me", json={"time_zone": "Etc/UTC"})

    await run_at(moment + MINUTE)
    assert (await client.get("/notifications")).json()["unread"] == 0


async def test_all_go_out_in_more_than_one_batch(save, run_at, user, session, sent, monkeypatch):
    reminders = [{"minutes_before": 0}]
    number = queries.BATCH + 1
    await save(
        *(
            TodoFactory(
                owner_id=user.id, state="todo", due_at=DUE, time_zone="UTC", reminders=reminders
            )
            for _ in range(number)
        )
    )
    await run_at(DUE)

    gone = "SELECT count(*) FROM notifications WHERE kind = 'reminder'"
    assert await session.scalar(text(gone)) == number
    assert sum("UPDATE scheduled_reminders" in query for query, _ in sent) == 2


async def test_snoozing_moves_reminders_and_not_the_due(
    client, create, run_at, reminders, statements
):
    todo = await create(due_at=DUE.isoformat(), reminders=[HALF_AN_HOUR, {"minutes_before": 0}])
    until = DUE - 10 * MINUTE
    with statements() as sent:
        response = await client.post(
            f"/todos/{todo['id']}/snooze", json={"until": until.isoformat()}
        )
    assert len(sent) == 1
    snoozed = response.json()
    assert (response.status_code, snoozed["due_at"]) == (200, todo["due_at"])
    assert datetime.fromisoformat(snoozed["snoozed_until"]) == until
    assert response.headers["etag"] != ""

    await run_at(DUE - 11 * MINUTE)
    assert await reminders() == []
    await run_at(until)
    assert await reminders() == [("Bread", 0)]
    await run_at(DUE + MINUTE)
    assert await reminders() == [("Bread", 1)]


async def test_snoozing_by_minutes_reminds_of_a_todo_without_reminders(
    client, create, run_at, reminders
):
    todo = await create()
    assert (await client.post(f"/todos/{todo['id']}/snooze", json={"minutes": 5})).is_success
    await run_at(datetime.now(UTC) + 4 * MINUTE)
    assert await reminders() == []
    await run_at(datetime.now(UTC) + 5 * MINUTE)
    assert await reminders() == [("Bread", 0)]


async def test_a_snooze_ends_when_the_due_changes(client, create, run_at, reminders):
    todo = await create(due_at=DUE.isoformat(), reminders=[HALF_AN_HOUR])
    path = f"/todos/{todo['id']}"
    await client.post(f"{path}/snooze", json={"until": DUE.isoformat()})
    renamed = await client.patch(path, json={"title": "Rye bread"})
    assert renamed.json()["snoozed_until"] is not None

    moved = await client.patch(path, json={"due_at": (DUE - timedelta(days=1)).isoformat()})

    assert moved.json()["snoozed_until"] is None
    await run_at(DUE - timedelta(days=1, minutes=30))
    assert await reminders() == [("Rye bread", 0)]


@pytest.mark.parametrize(
    ("snooze", "fields"),
    [
        ({}, ["body"]),
        ({"minutes": 5, "until": "2031-01-05T08:00:00Z"}, ["body"]),
        ({"minutes": 0}, ["body.minutes"]),
        ({"minutes": 527_041}, ["body.minutes"]),
        ({"until": "2020-01-01T00:00:00Z"}, ["body.until"]),
        ({"until": "2031-01-05"}, ["body.until"]),
    ],
    ids=str,
)
async def test_what_is_wrong_with_a_snooze_is_said(client, create, snooze, fields):
    todo = await create()
    response = await client.post(f"/todos/{todo['id']}/snooze", json=snooze)
    assert invalid_fields(response) == fields


async def test_a_todo_that_is_done_cannot_be_snoozed(client, create):
    todo = await create(state="done")
    response = await client.post(f"/todos/{todo['id']}/snooze", json={"minutes": 5})
    assert (response.status_code, response.json()["code"]) == (409, "todo_not_open")


async def test_the_next_scheduled_reminder_is_not_logged(create, run_at, session):
    await create(due_at=DUE.isoformat(), reminders=[HALF_AN_HOUR])
    before = await session.scalar(text("SELECT count(*) FROM changes"))
    await run_at(DUE)
    assert await session.scalar(text("SELECT count(*) FROM changes")) == before


async def test_an_undone_change_of_the_due_moves_the_reminders_and_the_snooze_back(
    client, create, run_at, reminders
):
    todo = await create(due_at=DUE.isoformat(), reminders=[HALF_AN_HOUR])
    path = f"/todos/{todo['id']}"
    await client.post(f"{path}/snooze", json={"until": (DUE - 5 * MINUTE).isoformat()})
    moved = await client.patch(path, json={"due_on": "2031-02-01"})
    undone = await client.post(f"/change-sets/{moved.headers['x-change-set']}/undo")
    assert undone.json()["conflicts"] == []
    await run_at(DUE - 6 * MINUTE)
    assert await reminders() == []
    await run_at(DUE - 5 * MINUTE)
    assert await reminders() == [("Bread", 0)]


async def test_a_batch_and_a_copy_have_reminders(client, create, run_at, reminders):
    items = [
        {"op": "create", "title": "One", "due_at": DUE.isoformat(), "reminders": [HALF_AN_HOUR]},
        {"op": "create", "title": "Two", "due_at": DUE.isoformat()},
    ]
    made = (await client.post("/todos/batch", json={"items": items})).json()["results"]
    ids = [one["todo"]["id"] for one in made]
    items = [{"op": "update", "id": ids[1], "reminders": [HALF_AN_HOUR]}]
    assert (await client.post("/todos/batch", json={"items": items})).is_success
    copy = await client.post(f"/todos/{ids[0]}/duplicate")
    assert copy.json()["reminders"] == [{**HALF_AN_HOUR, "at": None}]
    await run_at(DUE)
    assert sorted(title for title, _ in await reminders()) == ["One", "One", "Two"]
