"""The moments of recurring todos in time zones whose clocks change, and in one whose do not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_zero.recurrence import expansion
from fast_zero.recurrence.rules import parse
from tests.recurrence.recurring import last_weekday

SUNDAY, FRIDAY = 6, 4
SAO_PAULO = ZoneInfo("America/Sao_Paulo")
LISBON = ZoneInfo("Europe/Lisbon")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
ZONES = (SAO_PAULO, LISBON, LORD_HOWE, ZoneInfo("UTC"))

# The ten years begin with three southern summers in which Brazil still changed its clocks.
FIRST, END = date(2016, 1, 1), date(2026, 1, 1)
BRAZILIAN_SUMMERS = [
    (date(2015, 10, 18), date(2016, 2, 21)),
    (date(2016, 10, 16), date(2017, 2, 19)),
    (date(2017, 10, 15), date(2018, 2, 18)),
    (date(2018, 11, 4), date(2019, 2, 17)),
]


def first_sunday(year: int, month: int) -> date:
    return next(
        day
        for day in (date(year, month, number) for number in range(1, 8))
        if day.weekday() == SUNDAY
    )


def offset_in_sao_paulo(day: date) -> timedelta:
    is_summer = any(begin <= day < end for begin, end in BRAZILIAN_SUMMERS)
    return timedelta(hours=-2 if is_summer else -3)


def offset_in_lisbon(day: date) -> timedelta:
    begin, end = last_weekday(day.year, 3, SUNDAY), last_weekday(day.year, 10, SUNDAY)
    return timedelta(hours=1 if begin <= day < end else 0)


def offset_on_lord_howe(day: date) -> timedelta:
    is_winter = first_sunday(day.year, 4) <= day < first_sunday(day.year, 10)
    return timedelta(hours=10.5 if is_winter else 11)


OFFSETS: list[tuple[str, Callable[[date], timedelta]]] = [
    ("America/Sao_Paulo", offset_in_sao_paulo),
    ("Europe/Lisbon", offset_in_lisbon),
    ("Australia/Lord_Howe", offset_on_lord_howe),
    ("UTC", lambda _: timedelta()),
]
LAST_FRIDAYS = [
    last_weekday(year, month, FRIDAY)
    for year in range(FIRST.year, END.year)
    for month in range(1, 13)
]


def completed_in_time(now_of: Callable[[date], datetime], zone: ZoneInfo, at: time | None) -> list:
    """Complete a todo on each of its days for ten years; return the days."""
    rule = expansion.with_until_day(parse("FREQ=MONTHLY;BYDAY=-1FR"), zone, at)
    due = expansion.first_day(rule, FIRST, FIRST)
    found = []
    while due < END:
        found.append(due)
        today = expansion.first_day_to_come(now_of(due), zone, at)
        due = expansion.next_day(rule, FIRST, due, today).day
    return found


@pytest.mark.parametrize(("zone", "offset"), OFFSETS)
def test_ten_years_of_last_fridays_as_days(zone, offset):
    """Each is completed in the last minute of its day."""

    def now_of(day: date) -> datetime:
        return datetime.combine(day, time(23, 59), UTC) - offset(day)

    assert completed_in_time(now_of, ZoneInfo(zone), None) == LAST_FRIDAYS
    assert len(LAST_FRIDAYS) == 120


@pytest.mark.parametrize("clock_time", [time(0, 0), time(9, 30), time(23, 45)])
@pytest.mark.parametrize(("zone", "offset"), OFFSETS)
def test_ten_years_of_last_fridays_as_moments(zone, offset, clock_time):
    """Each is completed in its very moment, and is at the same time of the clock as all others."""

    def moment_of(day: date) -> datetime:
        return datetime.combine(day, clock_time, UTC) - offset(day)

    found = completed_in_time(moment_of, ZoneInfo(zone), clock_time)

    assert found == LAST_FRIDAYS
    moments = [expansion.at(day, clock_time, ZoneInfo(zone)) for day in found]
    assert moments == [moment_of(day) for day in LAST_FRIDAYS]
    assert {moment.tzinfo for moment in moments} == {UTC}


@pytest.mark.parametrize(
    ("zone", "skipped", "moment"),
    [
        (SAO_PAULO, "2018-11-04T00:00", "2018-11-04T01:00-02:00"),
        (SAO_PAULO, "2018-11-04T00:30", "2018-11-04T01:30-02:00"),
        (LISBON, "2026-03-29T01:30", "2026-03-29T02:30+01:00"),
        (LORD_HOWE, "2026-10-04T02:15", "2026-10-04T02:45+11:00"),
    ],
)
def test_a_moment_that_the_clock_skips_moves_forward(zone, skipped, moment):
    clock = datetime.fromisoformat(skipped)

    assert expansion.at(clock.date(), clock.time(), zone) == datetime.fromisoformat(moment)


@pytest.mark.parametrize(
    ("zone", "repeated", "moment"),
    [
        (SAO_PAULO, "2019-02-16T23:30", "2019-02-16T23:30-02:00"),
        (LISBON, "2026-10-25T01:30", "2026-10-25T01:30+01:00"),
        (LORD_HOWE, "2026-04-05T01:45", "2026-04-05T01:45+11:00"),
    ],
)
@pytest.mark.parametrize("fold", [0, 1])
def test_a_moment_that_comes_twice_is_the_first(zone, repeated, moment, fold):
    """Also if the time was taken from the second one."""
    clock = datetime.fromisoformat(repeated).replace(fold=fold)

    assert expansion.at(clock.date(), clock.time(), zone) == datetime.fromisoformat(moment)


def test_a_skipped_time_does_not_change_the_times_after_it():
    days = takewhile(
        lambda day: day <= date(2026, 3, 30),
        expansion.days(parse("FREQ=DAILY"), date(2026, 3, 28)),
    )

    moments = [expansion.at(day, time(1, 30), LISBON) for day in days]

    assert [f"{moment:%dT%H:%M}" for moment in moments] == ["28T01:30", "29T01:30", "30T00:30"]


@given(st.dates(date(1990, 1, 1), date(2037, 12, 31)), st.times(), st.sampled_from(ZONES))
def test_a_moment_shows_its_time_or_a_later_one(day, clock_time, zone):
    wanted = datetime.combine(day, clock_time)
    moment = expansion.at(day, clock_time, zone)
    shown = moment.astimezone(zone).replace(tzinfo=None, fold=0)
    earlier = (moment - timedelta(hours=1)).astimezone(zone).replace(tzinfo=None, fold=0)

    assert timedelta() <= shown - wanted <= timedelta(hours=1)
    assert earlier < wanted


@pytest.mark.parametrize(
    ("now", "clock_time", "expected"),
    [
        ("2026-01-02T01:59Z", None, date(2026, 1, 1)),
        ("2026-01-02T03:00Z", None, date(2026, 1, 2)),
        ("2026-01-02T12:00Z", time(9), date(2026, 1, 2)),
        ("2026-01-02T12:01Z", time(9), date(2026, 1, 3)),
    ],
)
def test_a_day_is_past_after_its_end_or_its_moment(now, clock_time, expected):
    moment = datetime.fromisoformat(now)

    assert expansion.first_day_to_come(moment, SAO_PAULO, clock_time) == expected


@pytest.mark.parametrize(
    ("until", "clock_time", "expected"),
    [
        ("20260103", None, date(2026, 1, 3)),
        ("20260103", time(9), date(2026, 1, 3)),
        ("20260103T025959Z", None, date(2026, 1, 2)),
        ("20260103T030000Z", None, date(2026, 1, 3)),
        ("20260103T120000Z", time(9), date(2026, 1, 3)),
        ("20260103T115959Z", time(9), date(2026, 1, 2)),
        ("99991229T235959Z", time(9), date(9999, 12, 29)),
        ("19000101T000000Z", time(9), date(1899, 12, 31)),
    ],
)
def test_until_ends_with_its_day_or_its_moment_in_the_time_zone(until, clock_time, expected):
    rule = expansion.with_until_day(parse(f"FREQ=DAILY;UNTIL={until}"), SAO_PAULO, clock_time)

    assert rule == replace(parse("FREQ=DAILY"), until=expected)
