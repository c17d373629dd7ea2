"""The recurrence of a todo: how it is set, changed, copied and shown."""

import pytest
from sqlalchemy import text

from tests.core.expect import invalid_fields

RULE = {"rule": "FREQ=WEEKLY;BYDAY=MO,TH", "from": "due"}
TITLE = "Water the plants"


async def test_a_rule_is_stored_in_its_canonical_form(create):
    todo = await create("rrule:interval=1;freq=weekly;byday=TH,MO")
    assert todo["recurrence"] == RULE


async def test_without_a_due_it_gets_its_first(client, clock, create, user, save):
    assert (await create("FREQ=MONTHLY;BYDAY=-1FR"))["due_on"] == "2031-01-31"
    user.time_zone = "Pacific/Kiritimati"
    await save(user)
    clock.move_to("2031-01-06T12:00:00Z")
    assert (await create("FREQ=DAILY"))["due_on"] == "2031-01-07"


@pytest.mark.parametrize(
    ("rule", "part"),
    [
        ("FREQ=HOURLY", "FREQ"),
        ("FREQ=DAILY;BYHOUR=8", "BYHOUR"),
        ("INTERVAL=2", "FREQ"),
        ("FREQ=DAILY;INTERVAL=1000", "INTERVAL"),
        ("FREQ=WEEKLY;BYDAY=XX", "BYDAY"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20310101", "COUNT and UNTIL"),
        ("FREQ=DAILY;COUNT=10000", "COUNT"),
    ],
)
async def test_a_rule_is_refused_by_the_name_of_its_part(client, rule, part):
    body = {"title": "a", "recurrence": {"rule": rule}}
    answer = await client.post("/todos", json=body)
    assert invalid_fields(answer) == ["body.recurrence.rule"]
    assert part in answer.json()["detail"][0]["msg"]


@pytest.mark.parametrize(
    ("rule", "due_on"),
    [
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", None),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "2031-01-06"),
        ("FREQ=DAILY;UNTIL=20300101", "2031-01-06"),
        ("FREQ=DAILY;UNTIL=20300101", None),
    ],
)
async def test_a_rule_that_never_occurs_is_refused_with_a_sentence(client, create, rule, due_on):
    body = {"title": "a", "recurrence": {"rule": rule}, "due_on": due_on}
    todo = await create()
    item = {"op": "update", "id": todo["id"], "recurrence": {"rule": rule}, "due_on": due_on}
    for answer in (
        await client.post("/todos", json=body),
        await client.patch(
            f"/todos/{todo['id']}", json={"recurrence": body["recurrence"], "due_on": due_on}
        ),
    ):
        assert invalid_fields(answer) == ["body.recurrence"]
        assert answer.json()["detail"][0]["msg"].startswith("This recurrence never occurs")
    batch = {"items": [{"op": "create", **body}, item], "atomic": False}
    results = (await client.post("/todos/batch", json=batch)).json()["results"]
    assert [result["status"] for result in results] == [422, 422]


async def test_a_todo_that_recurs_is_created_open(client):
    body = {"title": "a", "recurrence": RULE, "state": "done"}
    assert invalid_fields(await client.post("/todos", json=body)) == ["body"]


async def test_a_batch_creates_and_changes_todos_that_recur(client, create):
    todo = await create("FREQ=DAILY", due_on="2031-01-06")
    items = [
        {"op": "create", "title": "a", "recurrence": RULE, "due_on": "2031-01-06"},
        {"op": "create", "title": "b"},
        {"op": "update", "id": todo["id"], "recurrence": RULE, "state": "done"},
    ]
    results = (await client.post("/todos/batch", json={"items": items})).json()["results"]
    found = [result["todo"] for result in results]
    assert [each["recurrence"] for each in found] == [RULE, None, RULE]
    assert [each["due_on"] for each in found] == ["2031-01-06", None, "2031-01-09"]


async def test_a_batch_refuses_dues_of_todos_that_recur_one_by_one(client, create):
    one, two, three = [await create(due_on="2031-01-06") for _ in range(3)]
    plain = (await client.post("/todos", json={"title": "a", "due_on": "2031-01-06"})).json()
    await client.post(f"/todos/{two['id']}/complete")
    again = {"recurrence": RULE, "state": "done"}
    items = [
        {"op": "update", "id": one["id"], "due_on": None, "labels": ["new"]},
        {"op": "update", "id": two["id"], "due_on": "2031-01-06"},
        {"op": "update", "id": three["id"], "due_on": "2031-01-07", "state": "done"},
        {"op": "update", "id": plain["id"], **again},
    ]
    answer = await client.post("/todos/batch", json={"items": items, "atomic": False})
    results = answer.json()["results"]
    codes = [result["problem"] and result["problem"]["code"] for result in results]
    assert codes == ["recurrence_without_due", "occurrence_recorded", None, None]
    assert [result["todo"]["due_on"] for result in results[2:]] == ["2031-01-09"] * 2
    assert (await client.get(f"/todos/{one['id']}")).json()["labels"] == []
    refused = await client.post("/todos/batch", json={"items": items[:1]})
    assert refused.status_code == 409


async def test_a_new_due_moves_the_current_occurrence_alone(client, create, past):
    todo = await create(due_at="2031-01-06T09:00:00Z", time_zone="Europe/Lisbon")
    path = f"/todos/{todo['id']}"
    due = {"due_at": "2031-01-07T15:30:00Z", "time_zone": "Europe/Lisbon"}
    moved = (await client.patch(path, json=due)).json()
    assert moved["occurrence_on"] == "2031-01-07"

    done = (await client.post(f"{path}/complete")).json()
    assert (done["due_at"], done["occurrence_on"]) == ("2031-01-09T15:30:00Z", "2031-01-09")
    assert await past(todo["id"]) == [("2031-01-07", "done")]


async def test_a_due_is_not_moved_to_an_occurrence_that_there_was(client, create):
    todo = await create(due_on="2031-01-06")
    path = f"/todos/{todo['id']}"
    await client.post(f"{path}/complete")
    answer = await client.patch(path, json={"due_on": "2031-01-06"})
    assert (answer.status_code, answer.json()["code"]) == (409, "occurrence_recorded")


async def test_a_due_is_not_removed_without_the_recurrence(client, create):
    todo = await create(due_on="2031-01-06")
    path = f"/todos/{todo['id']}"
    answer = await client.patch(path, json={"due_on": None})
    assert (answer.status_code, answer.json()["code"]) == (409, "recurrence_without_due")
    plain = (await client.patch(path, json={"due_on": None, "recurrence": None})).json()
    assert (plain["due_on"], plain["recurrence"], plain["occurrence_on"]) == (None, None, None)


async def test_a_new_rule_leaves_the_past_as_it_is(client, create, past):
    todo = await create("FREQ=DAILY", due_on="2031-01-06")
    path = f"/todos/{todo['id']}"
    for _ in range(2):
        await client.post(f"{path}/complete")
    changed = (await client.patch(path, json={"recurrence": RULE})).json()
    assert (changed["due_on"], changed["recurrence"]) == ("2031-01-08", RULE)
    assert (await client.post(f"{path}/complete")).json()["due_on"] == "2031-01-09"
    assert [day for day, _ in await past(todo["id"])] == ["2031-01-06", "2031-01-07", "2031-01-08"]


@pytest.mark.parametrize("counted_from", ["due", "completion"])
async def test_a_recurrence_that_is_sent_again_goes_on(client, clock, create, counted_from):
    rule = "FREQ=MONTHLY;COUNT=3"
    todo = await create(rule, counted_from, due_on="2031-01-31")
    path = f"/todos/{todo['id']}"
    clock.move_to("2031-01-31T08:00:00Z")
    for way in ("patch", "batch"):
        todo = (await client.post(f"{path}/complete")).json()
        if way == "patch":
            sent = (await client.patch(path, json=todo)).json()
        else:
            item = {"op": "update", "id": todo["id"], "recurrence": todo["recurrence"]}
            [result] = (await client.post("/todos/batch", json={"items": [item]})).json()["results"]
            sent = result["todo"]
        assert (sent["due_on"], sent["occurrence_on"]) == (todo["due_on"], todo["due_on"])

    assert (await client.post(f"{path}/complete")).json()["state"] == "done"
    restarted = {"recurrence": todo["recurrence"], "state": "todo"}
    assert (await client.patch(path, json=restarted)).json()["due_on"] > todo["due_on"]


async def test_a_series_that_has_ended_goes_on_with_a_new_rule(client, create):
    todo = await create("FREQ=DAILY;COUNT=1", due_on="2031-01-06")
    path = f"/todos/{todo['id']}"
    await client.post(f"{path}/complete")
    body = {"recurrence": {"rule": "FREQ=DAILY"}, "state": "todo"}
    changed = (await client.patch(path, json=body)).json()
    assert (changed["state"], changed["due_on"]) == ("todo", "2031-01-07")


async def test_a_last_occurrence_that_is_opened_again_is_completed_once(client, create, past):
    todo = await create("FREQ=DAILY;COUNT=1", due_on="2031-01-06", share="public")
    path = f"/todos/{todo['id']}"
    await client.post(f"{path}/complete")
    await client.patch(path, json={"state": "todo"})
    done = (await client.post(f"{path}/complete", json={"occurrence": "2031-01-06"})).json()
    assert done["state"] == "done"
    assert await past(todo["id"]) == [("2031-01-06", "done")]
    assert len((await client.get("/posts")).json()["posts"]) == 1


async def test_a_plain_todo_begins_to_recur(client):
    todo = (await client.post("/todos", json={"title": "a", "due_on": "2031-01-07"})).json()
    changed = (await client.patch(f"/todos/{todo['id']}", json={"recurrence": RULE})).json()
    assert (changed["recurrence"], changed["due_on"]) == (RULE, "2031-01-07")
    assert changed["occurrence_on"] == "2031-01-07"
    listed = (await client.get("/todos")).json()["todos"]
    assert [each["recurrence"] for each in listed] == [RULE]


async def test_a_copy_recurs_too_without_the_past(client, create, past):
    todo = await create(due_on="2031-01-06")
    await client.post(f"/todos/{todo['id']}/complete")
    copy = (await client.post(f"/todos/{todo['id']}/duplicate")).json()
    assert (copy["recurrence"], copy["due_on"]) == (RULE, "2031-01-09")
    assert await past(copy["id"]) == []
    done = (await client.post(f"/todos/{copy['id']}/complete")).json()
    assert done["due_on"] == "2031-01-13"


async def test_an_export_has_recurrences_and_occurrences(client, create):
    todo = await create(due_on="2031-01-06")
    await client.post(f"/todos/{todo['id']}/complete")
    export = (await client.get("/users/me/export")).json()
    assert [each["recurrence"] for each in export["todos"]] == [RULE]
    [of_todo] = export["occurrences"]
    assert of_todo["todo_id"] == todo["id"]
    assert [(each["day"], each["status"]) for each in of_todo["occurrences"]] == [
        ("2031-01-06", "done")
    ]


async def test_activity_names_the_occurrence_and_the_rule(client, create, connection):
    todo = await create(due_on="2031-01-06")
    path = f"/todos/{todo['id']}"
    await connection.execute(text("DELETE FROM changes"))  # all is one transaction here
    await client.post(f"{path}/skip")
    await client.patch(path, json={"recurrence": {"rule": "FREQ=DAILY"}})

    [entry] = (await client.get(f"{path}/activity")).json()["activity"]
    found = {change["code"]: change for change in entry["changes"]}
    assert found.keys() == {"occurrence_skipped", "todo_updated"}
    skipped = found["occurrence_skipped"]
    assert (skipped["entity"], skipped["id"], skipped["title"]) == ("todo", todo["id"], TITLE)
    assert skipped["values"] == {"occurrence": {"before": None, "after": "2031-01-06"}}
    rules = {"before": RULE["rule"], "after": "FREQ=DAILY"}
    assert found["todo_updated"]["values"]["recurrence"] == rules
