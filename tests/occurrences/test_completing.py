"""Completing todos that recur."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.core.expect import problem

WAYS = ("complete", "patch", "batch", "batch update")


async def complete(client, way, todo_id):
    """Complete a todo in one of the ways that there are; return it."""
    if way == "complete":
        response = await client.post(f"/todos/{todo_id}/complete")
    elif way == "patch":
        response = await client.patch(f"/todos/{todo_id}", json={"state": "done"})
    else:
        item = {"op": "complete", "id": todo_id}
        if way == "batch update":
            item = {"op": "update", "id": todo_id, "state": "done"}
        response = await client.post("/todos/batch", json={"items": [item]})
        assert response.status_code == 200, response.text
        return response.json()["results"][0]["todo"]
    assert response.status_code == 200, response.text
    return response.json()


@pytest.mark.parametrize("way", WAYS)
async def test_a_completed_todo_moves_to_its_next_day(client, create, past, way):
    todo = await create(due_on="2031-01-06")
    assert todo["occurrence_on"] == "2031-01-06"

    done = await complete(client, way, todo["id"])

    assert (done["state"], done["due_on"]) == ("todo", "2031-01-09")
    assert (done["completed_at"], done["occurrence_on"]) == (None, "2031-01-09")
    assert await past(todo["id"]) == [("2031-01-06", "done")]
    assert done["recurrence"] == {"rule": "FREQ=WEEKLY;BYDAY=MO,TH", "from": "due"}


async def test_the_answer_names_the_completed_occurrence(client, create):
    todo = await create(due_on="2031-01-06")

    answer = (await client.post(f"/todos/{todo['id']}/complete")).json()
    assert answer["completed_occurrence"] == "2031-01-06"

    plain = (await client.post("/todos", json={"title": "Bread"})).json()
    answer = (await client.post(f"/todos/{plain['id']}/complete")).json()
    assert (answer["state"], answer["completed_occurrence"]) == ("done", None)


async def test_days_that_passed_are_missed(client, clock, create, past):
    todo = await create(due_on="2031-01-06")
    clock.move_to("2031-01-17T08:00:00Z")

    done = await complete(client, "complete", todo["id"])

    assert done["due_on"] == "2031-01-20"
    assert await past(todo["id"]) == [
        ("2031-01-06", "done"),
        ("2031-01-09", "missed"),
        ("2031-01-13", "missed"),
        ("2031-01-16", "missed"),
    ]


async def test_three_days_after_completion_is_counted_from_the_day_it_was_done(
    client, clock, create, past
):
    todo = await create("FREQ=DAILY;INTERVAL=3", "completion", due_on="2031-01-06")
    clock.move_to("2031-01-08T08:00:00Z")
    assert (await complete(client, "complete", todo["id"]))["due_on"] == "2031-01-11"

    clock.move_to("2031-01-20T08:00:00Z")
    assert (await complete(client, "complete", todo["id"]))["due_on"] == "2031-01-23"
    assert await past(todo["id"]) == [("2031-01-06", "done"), ("2031-01-11", "done")]


async def test_completed_early_no_day_comes_twice(client, create, past):
    todo = await create("FREQ=DAILY", "completion", due_on="2031-01-08")

    dues = [(await complete(client, "complete", todo["id"]))["due_on"] for _ in range(3)]

    assert dues == ["2031-01-07", "2031-01-09", "2031-01-10"]
    assert len(await past(todo["id"])) == 3


@pytest.mark.parametrize("way", WAYS)
async def test_after_the_last_occurrence_a_todo_stays_done(client, create, past, way):
    todo = await create("FREQ=DAILY;COUNT=2", due_on="2031-01-06")
    assert (await complete(client, way, todo["id"]))["state"] == "todo"

    done = await complete(client, way, todo["id"])
    assert (done["state"], done["due_on"]) == ("done", "2031-01-07")
    again = await complete(client, way, todo["id"])
    assert (again["state"], again["due_on"]) == ("done", "2031-01-07")
    assert await past(todo["id"]) == [("2031-01-06", "done"), ("2031-01-07", "done")]


async def test_a_count_is_also_kept_from_completion(client, clock, create):
    todo = await create("FREQ=WEEKLY;COUNT=2", "completion")
    assert (await complete(client, "complete", todo["id"]))["state"] == "todo"
    assert (await complete(client, "complete", todo["id"]))["state"] == "done"


async def test_a_weekly_moment_keeps_its_time_over_a_clock_change(client, clock, create):
    zone = "America/New_York"  # clocks go forward on 9 March 2031
    todo = await create("FREQ=WEEKLY", due_at="2031-03-03T02:30:00-05:00", time_zone=zone)
    clock.move_to("2031-03-03T08:00:00Z")
    first = await complete(client, "complete", todo["id"])
    assert (first["due_at"], first["time_zone"]) == ("2031-03-10T06:30:00Z", zone)


@pytest.mark.parametrize(
    ("zone", "offsets"),
    [
        ("America/Sao_Paulo", {-180}),
        ("Europe/Lisbon", {0, 60}),
        ("Australia/Lord_Howe", {630, 660}),
    ],
)
async def test_a_weekly_moment_is_lived_through_for_a_year(client, clock, create, zone, offsets):
    first = datetime(2031, 1, 6, 20, 15, tzinfo=ZoneInfo(zone))
    rule = {"rule": "FREQ=WEEKLY", "due_at": first.isoformat(), "time_zone": zone}
    todo = await create(**rule)
    local = [first]
    for _ in range(52):
        clock.move_to(datetime.fromisoformat(todo["due_at"]) + timedelta(hours=1))
        todo = await complete(client, "complete", todo["id"])
        local.append(datetime.fromisoformat(todo["due_at"]).astimezone(ZoneInfo(zone)))

    weeks = [first.replace(tzinfo=None) + timedelta(weeks=week) for week in range(53)]
    assert [moment.replace(tzinfo=None) for moment in local] == weeks
    assert {moment.utcoffset() // timedelta(minutes=1) for moment in local} == offsets


async def test_a_moment_that_the_clock_skips_moves_that_occurrence_alone(client, clock, create):
    zone = "America/New_York"
    todo = await create("FREQ=DAILY", due_at="2031-03-08T02:30:00-05:00", time_zone=zone)
    dues, days = [], []
    for now in ("2031-03-08T09:00:00Z", "2031-03-09T09:00:00Z"):
        clock.move_to(now)
        done = await complete(client, "complete", todo["id"])
        dues.append(done["due_at"])
        days.append(done["occurrence_on"])

    assert dues == ["2031-03-09T07:30:00Z", "2031-03-10T06:30:00Z"]
    assert days == ["2031-03-09", "2031-03-10"]


async def test_a_last_friday_is_lived_through_for_a_year(client, clock, create):
    todo = await create("FREQ=MONTHLY;BYDAY=-1FR", due_on="2031-01-31")
    due, dues = todo["due_on"], []
    for _ in range(12):
        clock.move_to(f"{due}T20:00:00Z")
        due = (await complete(client, "complete", todo["id"]))["due_on"]
        dues.append(due[5:])

    assert dues == [
        "02-28", "03-28", "04-25", "05-30", "06-27", "07-25",
        "08-29", "09-26", "10-31", "11-28", "12-26", "01-30",
    ]  # fmt: skip


async def test_its_checklist_is_open_again(client, create):
    todo = await create(due_on="2031-01-06")
    items = [
        (await client.post("/todos", json={"title": title, "parent_id": todo["id"]})).json()
        for title in ("Kitchen", "Balcony")
    ]
    await client.post(f"/todos/{items[0]['id']}/complete")

    done = await complete(client, "complete", todo["id"])

    assert (done["subtasks"], done["open_subtasks"]) == (2, 2)


async def test_start_and_deadline_move_with_the_due(client, create):
    todo = await create(due_on="2031-01-06", starts_on="2031-01-05", deadline_on="2031-01-08")
    done = await complete(client, "complete", todo["id"])
    assert (done["starts_on"], done["deadline_on"]) == ("2031-01-08", "2031-01-11")
    back = (await client.delete(f"/todos/{todo['id']}/occurrences/2031-01-06")).json()
    assert (back["starts_on"], back["deadline_on"]) == ("2031-01-05", "2031-01-08")


async def test_a_deadline_stays_within_what_can_be_stored(client, create):
    todo = await create("FREQ=YEARLY;INTERVAL=999", due_on="2031-01-06", deadline_on="9999-12-01")
    done = await complete(client, "complete", todo["id"])
    assert (done["due_on"], done["deadline_on"]) == ("3030-01-06", "9999-12-29")


async def test_naming_an_occurrence_that_is_done_changes_nothing(client, create, past):
    todo = await create(due_on="2031-01-06")
    path, body = f"/todos/{todo['id']}/complete", {"occurrence": "2031-01-06"}
    first = await client.post(path, json=body, headers={"If-Match": f'"{todo["version"]}"'})
    again = await client.post(path, json=body, headers={"If-Match": f'"{todo["version"]}"'})

    assert first.status_code == again.status_code == 200
    assert again.json() == first.json()
    assert again.headers["etag"] == first.headers["etag"]
    assert await past(todo["id"]) == [("2031-01-06", "done")]


async def test_an_occurrence_that_is_neither_current_nor_done_is_a_conflict(client, create):
    todo = await create(due_on="2031-01-06")
    plain = (await client.post("/todos", json={"title": "Bread", "due_on": "2031-01-06"})).json()

    for todo_id, day in ((todo["id"], "2031-01-09"), (plain["id"], "2031-01-06")):
        answer = await client.post(f"/todos/{todo_id}/complete", json={"occurrence": day})
        assert answer.status_code == 409
        assert answer.json()["code"] == "occurrence_not_current"
        item = {"op": "complete", "id": todo_id, "occurrence": day}
        answer = await client.post("/todos/batch", json={"items": [item]})
        assert answer.json()["results"][0]["problem"]["code"] == "occurrence_not_current"
    assert (await client.get(f"/todos/{plain['id']}")).json()["state"] == "todo"


async def test_a_patch_completes_the_occurrence_that_its_condition_saw(client, create, past):
    todo = await create(due_on="2031-01-06")
    seen = {"If-Match": f'"{todo["version"]}"'}
    path = f"/todos/{todo['id']}"
    first = await client.patch(path, json={"state": "done"}, headers=seen)
    again = await client.patch(path, json={"state": "done"}, headers=seen)

    assert (first.status_code, again.status_code) == (200, 412)
    assert await past(todo["id"]) == [("2031-01-06", "done")]


async def test_the_same_key_completes_one_occurrence(client, create, past):
    todo = await create(due_on="2031-01-06")
    key = {"Idempotency-Key": "once"}
    answers = [await client.post(f"/todos/{todo['id']}/complete", headers=key) for _ in range(2)]

    assert answers[0].json() == answers[1].json()
    assert await past(todo["id"]) == [("2031-01-06", "done")]


async def test_a_change_with_the_completion_is_kept(client, create):
    todo = await create(due_on="2031-01-06")
    body = {"state": "done", "title": "Water all plants", "priority": "high"}
    done = (await client.patch(f"/todos/{todo['id']}", json=body)).json()
    assert (done["title"], done["priority"]) == ("Water all plants", "high")
    assert (done["state"], done["due_on"]) == ("todo", "2031-01-09")


async def test_a_recurrence_that_ends_with_the_completion(client, create, past):
    todo = await create(due_on="2031-01-06")
    body = {"state": "done", "recurrence": None}
    done = (await client.patch(f"/todos/{todo['id']}", json=body)).json()
    assert (done["state"], done["recurrence"], done["occurrence_on"]) == ("done", None, None)
    assert await past(todo["id"]) == []


async def test_a_blocked_todo_is_not_completed_unless_it_is_forced(client, create):
    todo = await create(due_on="2031-01-06")
    other = (await client.post("/todos", json={"title": "Buy a can"})).json()
    await client.put(f"/todos/{other['id']}/relations/blocks/{todo['id']}")

    assert (await client.post(f"/todos/{todo['id']}/complete")).json()["code"] == "todo_blocked"
    forced = await client.post(f"/todos/{todo['id']}/complete", params={"force": True})
    assert forced.json()["due_on"] == "2031-01-09"


async def test_a_todo_that_recurs_below_a_completed_one_ends(client, create, past):
    parent = (await client.post("/todos", json={"title": "Garden"})).json()
    todo = await create(due_on="2031-01-06", parent_id=parent["id"])

    await client.post(f"/todos/{parent['id']}/complete")

    assert (await client.get(f"/todos/{todo['id']}")).json()["state"] == "done"
    assert await past(todo["id"]) == [("2031-01-06", "done")]


async def test_a_series_that_ended_with_a_todo_above_it_is_taken_back(client, create, past):
    parent = (await client.post("/todos", json={"title": "Garden"})).json()
    todo = await create(due_on="2031-01-06", parent_id=parent["id"])
    await client.post(f"/todos/{parent['id']}/complete")

    taken = (await client.delete(f"/todos/{todo['id']}/occurrences/2031-01-06")).json()

    assert (taken["state"], taken["due_on"]) == ("todo", "2031-01-06")
    assert await past(todo["id"]) == []


async def test_a_strangers_todo_is_not_completed(client, create, stranger, bearer, anonymous):
    todo = await create(due_on="2031-01-06")
    client.event_hooks["request"].clear()
    client.headers.update(bearer(stranger))
    body = {"occurrence": "2031-01-06"}
    for answer in (
        await client.post(f"/todos/{todo['id']}/complete", json=body),
        await client.post(f"/todos/{todo['id']}/skip", json=body),
        await client.get(f"/todos/{todo['id']}/occurrences"),
        await client.delete(f"/todos/{todo['id']}/occurrences/2031-01-06"),
    ):
        assert problem(answer) == (404, "Task not found.")


async def test_an_occurrence_is_completed_in_a_number_of_statements(
    client, clock, create, statements
):
    todo = await create(due_on="2031-01-06")
    with statements() as sent:
        await client.post(f"/todos/{todo['id']}/complete")
    few = len(sent)
    clock.move_to("2031-06-06T08:00:00Z")
    with statements() as sent:
        await client.post(f"/todos/{todo['id']}/complete")

    assert (few, len(sent)) == (10, 11)
