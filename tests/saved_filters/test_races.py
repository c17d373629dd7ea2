"""Concurrent changes of saved filters, each on its own connection."""

import asyncio
from collections import Counter

import pytest

from fast_zero.saved_filters.models import MAX_FILTERS
from tests.core.expect import problem
from tests.factories import SavedFilterFactory, UserFactory

TOO_MANY = (409, "You can have 100 saved filters. Delete one first.")


@pytest.fixture
async def user(commit):
    [user] = await commit(UserFactory())
    return user


@pytest.fixture
async def client(live, user, log_in):
    async with live(database_pool_size=20) as client:
        client.headers.update(await log_in(user))
        yield client


async def test_no_race_exceeds_the_limit(client, commit, user):
    await commit(*SavedFilterFactory.build_batch(MAX_FILTERS - 5, owner_id=user.id))

    answers = await asyncio.gather(
        *(
            client.post("/filters", json={"name": f"new {number}", "filter": "overdue"})
            for number in range(20)
        )
    )

    assert Counter(answer.status_code for answer in answers) == {201: 5, 409: 15}
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert problem(refused) == TOO_MANY
    assert refused.json()["code"] == "too_many_filters"
    assert len((await client.get("/filters")).json()["filters"]) == MAX_FILTERS


async def test_the_same_name_at_once_is_saved_once(client):
    answers = await asyncio.gather(
        *(client.post("/filters", json={"name": name, "filter": "a"}) for name in ["a", "A"] * 10)
    )

    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 19}


async def test_moves_at_once_end_in_one_order(client, commit, user):
    rows = await commit(*SavedFilterFactory.build_batch(10, owner_id=user.id))

    answers = await asyncio.gather(
        *(client.post(f"/filters/{row.id}/move", json={"before": rows[0].id}) for row in rows[1:]),
        *(client.post("/filters", json={"name": f"{n}", "filter": "a"}) for n in range(5)),
    )

    assert {answer.status_code for answer in answers} == {200, 201}
    shown = (await client.get("/filters")).json()["filters"]
    assert len({row["position"] for row in shown}) == 15
    ordered = [row["id"] for row in sorted(shown, key=lambda row: row["position"])]
    assert set(ordered[:9]) == {row.id for row in rows[1:]}
    assert ordered[9] == rows[0].id
