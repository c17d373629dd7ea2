"""The routes of occurrences: skipping, listing, taking back."""

import pytest

from tests.core.expect import invalid_fields
from tests.factories import TodoFactory


async def test_a_skipped_occurrence_moves_the_todo_on(client, create, past):
    todo = await create(due_on="2031-01-06")
    answer = await client.post(f"/todos/{todo['id']}/skip")

    assert answer.status_code == 200
    skipped = answer.json()
    assert (skipped["due_on"], skipped["completed_occurrence"]) == ("2031-01-09", "2031-01-06")
    assert await past(todo["id"]) == [("2031-01-06", "skipped")]


async def test_skipping_a_named_occurrence_again_changes_nothing(client, create, past):
    todo = await create(due_on="2031-01-06")
    path, body = f"/todos/{todo['id']}/skip", {"occurrence": "2031-01-06"}
    first, again = await client.post(path, json=body), await client.post(path, json=body)
    assert first.json() == again.json()
    assert await past(todo["id"]) == [("2031-01-06", "skipped")]

    done = await client.post(f"/todos/{todo['id']}/complete", json=body)
    assert (done.status_code, done.json()["code"]) == (409, "occurrence_not_current")


async def test_skipped_early_from_completion_it_is_not_due_before_it_was(client, create):
    todo = await create("FREQ=DAILY;INTERVAL=3", "completion", due_on="2031-01-20")
    skipped = (await client.post(f"/todos/{todo['id']}/skip")).json()
    assert skipped["due_on"] == "2031-01-23"


async def test_after_the_last_one_a_skipped_todo_is_done_and_counts_for_nothing(client, create):
    todo = await create("FREQ=DAILY;COUNT=1", due_on="2031-01-06", share="public")
    path = f"/todos/{todo['id']}/skip"
    assert (await client.post(path)).json()["state"] == "done"
    assert (await client.post(path)).json()["state"] == "done"
    assert (await client.get("/posts")).json()["posts"] == []
    assert (await client.get("/users/me/export")).json()["completions"] == []


async def test_a_todo_that_does_not_recur_is_not_skipped(client, save, user):
    [todo] = await save(TodoFactory(owner_id=user.id, state="todo"))
    answer = await client.post(f"/todos/{todo.id}/skip")
    assert (answer.status_code, answer.json()["code"]) == (409, "todo_not_recurring")


async def test_a_stale_condition_is_refused(client, create):
    todo = await create(due_on="2031-01-06")
    stale = {"If-Match": '"99"'}
    assert (await client.post(f"/todos/{todo['id']}/skip", headers=stale)).status_code == 412
    await client.post(f"/todos/{todo['id']}/skip")
    path = f"/todos/{todo['id']}/occurrences/2031-01-06"
    assert (await client.delete(path, headers=stale)).status_code == 412


async def test_what_is_upcoming_begins_with_the_current_occurrence(client, create):
    todo = await create(due_on="2031-01-07")
    listed = (await client.get(f"/todos/{todo['id']}/occurrences", params={"limit": 3})).json()

    assert listed["past"] == []
    days = [each["day"] for each in listed["upcoming"]]
    assert days == ["2031-01-07", "2031-01-09", "2031-01-13"]
    assert listed["next_upcoming"] == "2031-01-13"
    params = {"limit": 3, "after": listed["next_upcoming"]}
    listed = (await client.get(f"/todos/{todo['id']}/occurrences", params=params)).json()
    assert [each["due_on"] for each in listed["upcoming"]] == [
        "2031-01-16",
        "2031-01-20",
        "2031-01-23",
    ]


async def test_days_that_passed_are_not_upcoming(client, clock, create):
    todo = await create(due_on="2031-01-06")
    clock.move_to("2031-01-17T08:00:00Z")
    params = {"limit": 2}
    listed = (await client.get(f"/todos/{todo['id']}/occurrences", params=params)).json()
    assert [each["day"] for each in listed["upcoming"]] == ["2031-01-06", "2031-01-20"]
    assert (await client.post(f"/todos/{todo['id']}/complete")).json()["due_on"] == "2031-01-20"


async def test_the_preview_ends_with_the_series(client, create):
    todo = await create("FREQ=DAILY;COUNT=2", due_on="2031-01-06")
    path = f"/todos/{todo['id']}/occurrences"
    listed = (await client.get(path)).json()
    assert [each["day"] for each in listed["upcoming"]] == ["2031-01-06", "2031-01-07"]
    assert listed["next_upcoming"] is None
    for _ in range(2):
        await client.post(f"/todos/{todo['id']}/complete")
    assert (await client.get(path)).json()["upcoming"] == []


async def test_a_page_of_rare_days_is_short(client, create):
    """Their search could otherwise examine half a million days."""
    todo = await create("FREQ=YEARLY;INTERVAL=20", due_on="2031-01-06")
    days, pages, params = [], [], {"limit": 50}
    while len(pages) < 4:
        path = f"/todos/{todo['id']}/occurrences"
        listed = (await client.get(path, params=params)).json()
        pages.append(len(listed["upcoming"]))
        days += [each["day"] for each in listed["upcoming"]]
        params["after"] = listed["next_upcoming"]

    assert pages == [2, 2, 2, 2]
    assert days == [f"{year}-01-06" for year in range(2031, 2191, 20)]


async def test_from_completion_only_the_current_occurrence_is_known(client, create):
    todo = await create("FREQ=DAILY", "completion", due_on="2031-01-06")
    listed = (await client.get(f"/todos/{todo['id']}/occurrences")).json()
    assert [each["day"] for each in listed["upcoming"]] == ["2031-01-06"]


async def test_what_is_past_is_listed_in_pages(client, create):
    todo = await create("FREQ=DAILY", due_on="2031-01-06")
    for _ in range(5):
        await client.post(f"/todos/{todo['id']}/complete")

    days, params = [], {"limit": 2}
    while True:
        listed = (await client.get(f"/todos/{todo['id']}/occurrences", params=params)).json()
        days += [each["day"] for each in listed["past"]]
        if listed["next_past"] is None:
            break
        params["before"] = listed["next_past"]
    assert days == [f"2031-01-{day:02}" for day in (10, 9, 8, 7, 6)]


async def test_an_occurrence_says_when_it_was_due_and_who_finished_it(client, create, user):
    todo = await create("FREQ=DAILY", due_at="2031-01-06T09:00:00Z", time_zone="Europe/Lisbon")
    await client.post(f"/todos/{todo['id']}/complete")
    [done] = (await client.get(f"/todos/{todo['id']}/occurrences")).json()["past"]
    assert done == {
        "day": "2031-01-06",
        "due_on": None,
        "due_at": "2031-01-06T09:00:00Z",
        "status": "done",
        "finished_at": "2031-01-06T08:00:00Z",
        "actor_id": user.id,
    }


async def test_those_of_all_todos_are_listed_in_pages(client, create, statements):
    one = await create("FREQ=DAILY", due_on="2031-01-06", title="One")
    two = await create("FREQ=DAILY", due_on="2031-01-06", title="Two")
    for todo in (one, two):
        await client.post(f"/todos/{todo['id']}/complete")
        await client.post(f"/todos/{todo['id']}/skip")

    found, params = [], {"status": "done", "limit": 1}
    while True:
        with statements() as sent:
            page = (await client.get("/occurrences", params=params)).json()
        assert len(sent) == 1
        found += [(each["day"], each["todo_id"], each["title"]) for each in page["occurrences"]]
        if page["next"] is None:
            break
        params["after"] = page["next"]
    assert found == [("2031-01-06", two["id"], "Two"), ("2031-01-06", one["id"], "One")]
    every = (await client.get("/occurrences")).json()["occurrences"]
    assert [each["status"] for each in every] == ["skipped", "skipped", "done", "done"]

    await client.delete(f"/todos/{one['id']}")
    every = (await client.get("/occurrences")).json()["occurrences"]
    assert {each["todo_id"] for each in every} == {two["id"]}


async def test_a_cursor_of_another_list_is_refused(client):
    answer = await client.get("/occurrences", params={"after": "AAAAAAAAAAc"})
    assert invalid_fields(answer) == ["query.after"]


@pytest.mark.parametrize("limit", [0, 51])
async def test_a_page_has_at_most_fifty(client, create, limit):
    todo = await create()
    for path in ("/occurrences", f"/todos/{todo['id']}/occurrences"):
        answer = await client.get(path, params={"limit": limit})
        assert invalid_fields(answer) == ["query.limit"]


async def test_a_stranger_sees_none(client, create, stranger, bearer):
    todo = await create(due_on="2031-01-06")
    await client.post(f"/todos/{todo['id']}/complete")
    client.event_hooks["request"].clear()
    client.headers.update(bearer(stranger))
    assert (await client.get("/occurrences")).json() == {"occurrences": [], "next": None}


async def test_the_newest_is_taken_back_with_its_due_and_checklist(client, clock, create, past):
    todo = await create(due_at="2031-01-06T09:00:00Z", time_zone="Europe/Lisbon")
    path = f"/todos/{todo['id']}"
    await client.patch(path, json={"state": "doing"})
    items = [
        (await client.post("/todos", json={"title": title, "parent_id": todo["id"]})).json()
        for title in ("Kitchen", "Balcony")
    ]
    await client.post(f"/todos/{items[0]['id']}/complete")
    clock.move_to("2031-01-14T08:00:00Z")
    await client.post(f"{path}/complete")
    assert len(await past(todo["id"])) == 3

    answer = await client.delete(f"{path}/occurrences/2031-01-06")

    assert answer.status_code == 200
    taken = answer.json()
    assert (taken["due_at"], taken["occurrence_on"]) == ("2031-01-06T09:00:00Z", "2031-01-06")
    assert (taken["state"], taken["open_subtasks"]) == ("doing", 1)
    assert await past(todo["id"]) == []
    item = (await client.get(f"/todos/{items[0]['id']}")).json()
    assert item["state"] == "done"
    again = (await client.post(f"{path}/complete")).json()
    assert again["due_at"] == "2031-01-16T09:00:00Z"


async def test_the_last_one_is_taken_back(client, create, past):
    todo = await create("FREQ=WEEKLY;COUNT=2", "completion")
    path = f"/todos/{todo['id']}"
    days = [
        (await client.post(f"{path}/complete")).json()["completed_occurrence"] for _ in range(2)
    ]
    taken = (await client.delete(f"{path}/occurrences/{days[1]}")).json()
    assert (taken["state"], taken["due_on"]) == ("todo", days[1])
    assert (await client.post(f"{path}/complete")).json()["state"] == "done"


async def test_the_time_of_day_is_taken_back_with_the_due(client, create):
    todo = await create("FREQ=DAILY", due_at="2031-01-06T09:00:00Z", time_zone="Europe/Lisbon")
    path = f"/todos/{todo['id']}"
    await client.post(f"{path}/complete")
    due = {"due_at": "2031-01-07T20:00:00-05:00", "time_zone": "America/New_York"}
    await client.patch(path, json=due)
    taken = (await client.delete(f"{path}/occurrences/2031-01-06")).json()
    assert (taken["due_at"], taken["time_zone"]) == ("2031-01-06T09:00:00Z", "Europe/Lisbon")
    assert (await client.post(f"{path}/complete")).json()["due_at"] == "2031-01-07T09:00:00Z"


async def test_only_the_newest_is_taken_back(client, create):
    todo = await create("FREQ=DAILY", due_on="2031-01-06")
    for _ in range(2):
        await client.post(f"/todos/{todo['id']}/complete")
    answers = [
        await client.delete(f"/todos/{todo['id']}/occurrences/{day}")
        for day in ("2031-01-06", "2031-01-09")
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (409, "occurrence_not_newest"),
        (404, "occurrence_not_found"),
    ]
    for day in ("2031-01-07", "2031-01-06"):
        assert (await client.delete(f"/todos/{todo['id']}/occurrences/{day}")).status_code == 200


async def test_what_does_not_recur_any_more_is_taken_back(client, create):
    todo = await create(due_on="2031-01-06")
    path = f"/todos/{todo['id']}"
    await client.post(f"{path}/complete")
    await client.patch(path, json={"recurrence": None})
    taken = (await client.delete(f"{path}/occurrences/2031-01-06")).json()
    assert (taken["due_on"], taken["recurrence"]) == ("2031-01-06", None)
