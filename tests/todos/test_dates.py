"""Due days and moments, starts, deadlines and durations of todos."""

import pytest
from sqlalchemy import text

from fast_zero.models import User
from tests.core.expect import invalid_fields

MOMENT = "2026-12-04T09:00:00-03:00"
MOMENT_IN_UTC = "2026-12-04T12:00:00Z"


@pytest.fixture
async def todo(client):
    return (await client.post("/todos", json={"title": "Pay the rent"})).json()


def due(todo: dict) -> tuple:
    return todo["due_on"], todo["due_at"], todo["time_zone"]


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"due_on": "2026-12-04"}, ("2026-12-04", None, None)),
        ({"due_at": MOMENT}, (None, MOMENT_IN_UTC, "UTC")),
        ({"due_at": MOMENT, "time_zone": "Asia/Tokyo"}, (None, MOMENT_IN_UTC, "Asia/Tokyo")),
        ({"due_on": "2026-12-04", "due_at": None, "time_zone": None}, ("2026-12-04", None, None)),
    ],
)
async def test_a_due_is_a_day_or_a_moment(client, todo, statements, sent, shown):
    with statements() as counted:
        created = (await client.post("/todos", json={"title": "Pay the rent"} | sent)).json()
        changed = (await client.patch(f"/todos/{todo['id']}", json=sent)).json()

    assert due(created) == due(changed) == shown
    assert (len(counted), counted.transactions) == (2, 0)
    assert (await client.get(f"/todos/{created['id']}")).json() == created


async def test_a_moment_gets_the_time_zone_of_the_account(client, user, save):
    await client.patch("/users/me", json={"time_zone": "America/Sao_Paulo"})

    created = (await client.post("/todos", json={"title": "Call", "due_at": MOMENT})).json()
    later = {"due_at": "2026-12-05T09:00:00-03:00"}
    changed = (await client.patch(f"/todos/{created['id']}", json=later)).json()

    assert due(created) == (None, MOMENT_IN_UTC, "America/Sao_Paulo")
    assert due(changed) == (None, "2026-12-05T12:00:00Z", "America/Sao_Paulo")


async def test_a_day_and_a_moment_replace_each_other(client, todo):
    url = f"/todos/{todo['id']}"
    await client.patch(url, json={"due_at": MOMENT, "time_zone": "Asia/Tokyo"})

    day = (await client.patch(url, json={"due_on": "2026-12-24"})).json()
    moment = (await client.patch(url, json={"due_at": MOMENT})).json()
    nothing = (await client.patch(url, json={"due_at": None})).json()

    assert due(day) == ("2026-12-24", None, None)
    assert due(moment) == (None, MOMENT_IN_UTC, "UTC")
    assert due(nothing) == (None, None, None)


@pytest.mark.parametrize("emptied", [{"due_on": None}, {"due_on": None, "due_at": None}])
async def test_removing_the_day_leaves_a_moment_that_was_not_sent(client, todo, emptied):
    url = f"/todos/{todo['id']}"
    await client.patch(url, json={"due_at": MOMENT})

    changed = (await client.patch(url, json=emptied)).json()

    assert due(changed) == (
        (None, None, None) if "due_at" in emptied else (None, MOMENT_IN_UTC, "UTC")
    )


async def test_sending_a_whole_todo_back_changes_nothing(client):
    new = {"title": "Call", "due_at": MOMENT, "time_zone": "Asia/Tokyo", "labels": ["home"]}
    todo = (await client.post("/todos", json=new)).json()

    changed = (await client.patch(f"/todos/{todo['id']}", json=todo)).json()

    counted = {name: changed[name] for name in ("version", "updated_at")}
    assert changed == todo | counted


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        ({"due_on": "2026-12-04", "due_at": MOMENT}, ["body"]),
        ({"time_zone": "Asia/Tokyo"}, ["body"]),
        ({"due_on": "2026-12-04", "time_zone": "Asia/Tokyo"}, ["body"]),
        ({"due_at": MOMENT, "time_zone": "Mars/Olympus"}, ["body.time_zone"]),
        ({"due_at": "2026-12-04T09:00:00"}, ["body.due_at"]),
        ({"due_at": "0001-01-01T00:00:00+14:00"}, ["body.due_at"]),
        ({"due_at": "9999-12-31T23:59:59-14:00"}, ["body.due_at"]),
        ({"due_at": "9999-12-29T23:59:59-23:59"}, ["body.due_at"]),
        ({"due_at": "1900-01-02T00:00:00+23:59"}, ["body.due_at"]),
        ({"due_on": "2026-02-30"}, ["body.due_on"]),
        ({"due_on": "1066-10-14"}, ["body.due_on"]),
        ({"due_on": "tomorrow"}, ["body.due_on"]),
        ({"starts_on": "2026-12-04T09:00:00Z"}, ["body.starts_on"]),
        ({"deadline_on": 0.5}, ["body.deadline_on"]),
        ({"duration_minutes": 0}, ["body.duration_minutes"]),
        ({"duration_minutes": 527_041}, ["body.duration_minutes"]),
        ({"duration_minutes": "30"}, ["body.duration_minutes"]),
        ({"priority": 1}, ["body.priority"]),
        ({"priority": None}, ["body.priority"]),
    ],
)
async def test_wrong_dates_are_refused_by_name(client, todo, sent, fields):
    assert invalid_fields(await client.post("/todos", json={"title": "Call"} | sent)) == fields
    assert invalid_fields(await client.patch(f"/todos/{todo['id']}", json=sent)) == fields


async def test_the_other_dates_and_the_priority_are_stored(client, todo):
    sent = {
        "starts_on": "2026-12-01",
        "deadline_on": "2026-12-31",
        "duration_minutes": 90,
        "priority": "urgent",
    }

    changed = (await client.patch(f"/todos/{todo['id']}", json=sent)).json()
    emptied = {"starts_on": None, "deadline_on": None, "duration_minutes": None}
    after = (await client.patch(f"/todos/{todo['id']}", json=emptied)).json()

    assert {name: changed[name] for name in sent} == sent
    assert {name: after[name] for name in emptied} == emptied
    assert after["priority"] == "urgent"


async def test_a_release_that_knows_no_dates_can_write_todos(client, user: User, connection):
    insert = (
        "INSERT INTO todos (owner_id, title, description, state)"
        f" VALUES ({user.id}, 'Old', '', 'done') RETURNING id"
    )
    todo_id = (await connection.execute(text(insert))).scalar_one()

    todo = (await client.get(f"/todos/{todo_id}")).json()

    assert (todo["priority"], todo["position"]) == ("none", f"{todo_id:016x}")
    assert todo["completed_at"] == todo["created_at"]


@pytest.mark.parametrize(
    ("due_at", "zone", "day"),
    [
        ("9999-12-29T23:59:59Z", "Pacific/Kiritimati", "9999-12-30"),
        ("1900-01-02T00:00:00Z", "Pacific/Midway", "1900-01-01"),
    ],
)
async def test_the_last_moments_have_a_day_in_every_time_zone(client, todo, due_at, zone, day):
    path = f"/todos/{todo['id']}"
    rule = {"due_on": "2031-01-06", "recurrence": {"rule": "FREQ=DAILY"}}
    await client.patch(path, json=rule)
    moved = (await client.patch(path, json={"due_at": due_at, "time_zone": zone})).json()
    assert moved["occurrence_on"] == day
    assert (await client.get(f"{path}/occurrences")).json()["upcoming"][0]["day"] == day
    assert (await client.post(f"{path}/complete")).json()["completed_occurrence"] == day
