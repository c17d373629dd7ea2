"""Lives of todos that recur, at random, on a clock that moves: nothing is lost or done twice."""

import random

import pytest

RULES = (
    "FREQ=DAILY;INTERVAL=3",
    "FREQ=WEEKLY;BYDAY=MO,TH",
    "FREQ=MONTHLY;BYDAY=-1FR",
    "FREQ=MONTHLY;BYMONTHDAY=31",
    "FREQ=DAILY;COUNT=6",
    "FREQ=WEEKLY;UNTIL=20310401",
)
STEPS = 25
DUES = (
    {"due_on": "2031-01-06"},
    {"due_at": "2031-01-06T23:30:00-03:00", "time_zone": "America/Sao_Paulo"},
    {"due_at": "2031-01-06T01:45:00+11:00", "time_zone": "Australia/Lord_Howe"},
)


@pytest.mark.parametrize("seed", range(12))
async def test_taking_all_back_leads_to_where_it_began(client, clock, create, seed):
    chance = random.Random(seed)
    counted_from = chance.choice(["due", "completion"])
    first = await create(chance.choice(RULES), counted_from, **chance.choice(DUES))
    path = f"/todos/{first['id']}"
    body = {"title": "item", "parent_id": first["id"]}
    item = (await client.post("/todos", json=body)).json()["id"]
    finished: list[str] = []
    for _ in range(STEPS):
        clock.tick(chance.choice([0, 3600, 86_400, 9 * 86_400, 70 * 86_400]))
        todo = (await client.get(path)).json()
        operation = chance.choice(["complete", "complete", "skip", "item", "back"])
        if operation == "item" and todo["state"] == "todo":
            await client.post(f"/todos/{item}/complete")
        elif operation == "back" and finished:
            day = finished.pop()
            back = await client.delete(f"{path}/occurrences/{day}")
            assert back.json()["occurrence_on"] == day
        elif operation in {"complete", "skip"} and todo["state"] == "todo":
            answer = (await client.post(f"{path}/{operation}")).json()
            finished.append(answer["completed_occurrence"])
            assert finished[-1] == todo["occurrence_on"]
            if answer["state"] == "todo":
                assert answer["open_subtasks"] == 1
                assert answer["occurrence_on"] not in finished
    over, params = set(), {"limit": 50}
    while params.get("before", True):
        listed = (await client.get(f"{path}/occurrences", params=params)).json()
        over |= {each["day"] for each in listed["past"] if each["status"] != "missed"}
        params["before"] = listed["next_past"]
    assert over == set(finished)

    for day in reversed(finished):
        assert (await client.delete(f"{path}/occurrences/{day}")).status_code == 200
    last = (await client.get(path)).json()
    same = ("due_on", "due_at", "time_zone", "occurrence_on", "state")
    assert [last[name] for name in same] == [first[name] for name in same]
    assert (await client.get(f"{path}/occurrences")).json()["past"] == []
