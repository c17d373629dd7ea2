"""Days and streaks, compared with a count in plain Python."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, update

from fast_zero.models import Completion, User
from fast_zero.profiles.statistics import select_stats
from tests.core.expect import problem
from tests.factories import PostFactory, block, follow

ZONES = [
    "UTC",
    "America/Sao_Paulo",
    "Europe/Lisbon",
    "America/St_Johns",
    "Australia/Lord_Howe",  # daylight saving time is half an hour
    "Pacific/Kiritimati",
    "Pacific/Apia",  # skipped a day in 2011
]
# The nights when clocks changed in Lisbon, and some around them; a year and more before.
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SPANS = [
    ("2026-10-20", "2026-11-01T11:00"),
    ("2026-10-24T20:00", "2026-10-25T04:00"),
    ("2025-10-28", "2025-11-03"),
    ("2011-12-28", "2012-01-02"),
]
MOMENTS = st.one_of(st.datetimes(*map(datetime.fromisoformat, span)) for span in SPANS)


def expected(moments, zone: str) -> tuple[dict, int, int]:
    """Count day by day with a calendar."""
    today = NOW.astimezone(ZoneInfo(zone)).date()
    on_days = Counter(moment.astimezone(ZoneInfo(zone)).date() for moment in moments)
    best = current = 0
    for day in on_days:
        length = 1
        while day - timedelta(length) in on_days:
            length += 1
        best = max(best, length)
        if day in (today, today - timedelta(1)):
            current = max(current, length)
    year = {day: n for day, n in on_days.items() if today - timedelta(366) < day}
    return year, current, best


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(moments=st.lists(MOMENTS, max_size=12), zone=st.sampled_from(ZONES))
async def test_days_and_streaks_match_the_calendar(user, sessions, session, moments, zone):
    moments = [moment.replace(tzinfo=UTC) for moment in moments]
    async with sessions.begin() as other:
        await other.execute(delete(Completion))
        await other.execute(update(User).where(User.id == user.id).values(time_zone=zone))
        other.add_all(Completion(owner_id=user.id, finished_at=moment) for moment in moments)

    stats = await select_stats(session, user.id, user.id, NOW)

    days = {date.fromisoformat(entry["day"]): entry["finished"] for entry in stats.days or []}
    assert (days, stats.current_streak, stats.best_streak) == expected(moments, zone)
    assert stats.today == NOW.astimezone(ZoneInfo(zone)).date()


async def test_a_finished_todo_is_counted_until_it_is_reopened(client, user, statements):
    async def counted() -> int:
        stats = (await client.get(f"/users/{user.id}/stats")).json()
        assert stats["current_streak"] == stats["best_streak"] == bool(stats["days"])
        return sum(day["finished"] for day in stats["days"])

    todo = (await client.post("/todos", json={"title": "a", "state": "done"})).json()
    url = f"/todos/{todo['id']}"
    assert await counted() == 1
    for state, count in (("doing", 0), ("done", 1), ("trash", 1), ("done", 1), ("draft", 0)):
        await client.patch(url, json={"state": state})
        assert await counted() == count, state
    await client.patch(url, json={"state": "done"})
    await client.delete(url)
    assert await counted() == 1
    with statements() as sent:
        await client.get(f"/users/{user.id}/stats")
    assert len(sent) == 1


@pytest.mark.parametrize(("between", "count"), [("nothing", 1), ("a follow", 2), ("a block", None)])
async def test_others_see_shared_completions_only(client, user, stranger, save, between, count):
    await save(*(Completion(owner_id=stranger.id, finished_at=datetime.now(UTC)) for _ in range(5)))
    await save(
        *(
            PostFactory(author_id=stranger.id, visibility=visibility, todo_id=todo_id)
            for visibility, todo_id in (("public", 1), ("followers", 2), ("public", None))
        )
    )
    if between == "a follow":
        await save(follow(user, stranger))
    elif between == "a block":
        await save(block(stranger, user))

    response = await client.get(f"/users/{stranger.id}/stats")

    if count is None:
        assert problem(response) == (404, "User not found")
    else:
        assert [day["finished"] for day in response.json()["days"]] == [count]


@pytest.mark.parametrize(("days", "current"), [(0, 3), (1, 0)])
async def test_a_streak_ends_after_a_day_without_a_finished_todo(
    user, session, save, days, current
):
    await save(
        *(Completion(owner_id=user.id, finished_at=NOW - timedelta(ago)) for ago in (1, 2, 3, 5))
    )

    stats = await select_stats(session, user.id, user.id, NOW + timedelta(days))

    assert (stats.current_streak, stats.best_streak) == (current, 3)
