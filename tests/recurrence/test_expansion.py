"""The days of recurrence rules, beside python-dateutil, and what completing a todo does."""

from datetime import date, timedelta
from itertools import dropwhile, islice, takewhile

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fast_zero.recurrence import expansion
from fast_zero.recurrence.rules import LAST_DAY, Frequency, parse
from tests.recurrence.recurring import dateutil_days, rules

starts = st.dates(date(1950, 1, 1), date(2050, 1, 1))
late_starts = st.dates(date(9940, 1, 1), LAST_DAY)
distances = st.timedeltas(timedelta(), timedelta(days=40 * 365))
slow = settings(deadline=None, max_examples=200)


def days(text: str, start: str, count: int = 10, first: str | None = None) -> list[str]:
    """Return the first days of a rule, as text."""
    from_day = date.fromisoformat(first) if first else None
    found = expansion.days(parse(text), date.fromisoformat(start), from_day)
    return [str(day) for day in islice(found, count)]


def comparable(rule, start: date) -> date:
    """Return a start at which python-dateutil gives the same.

    Of the first week, it lets BYSETPOS count the days from the start alone; of a month or a year,
    all of them, as here.
    """
    if rule.frequency is Frequency.WEEKLY and rule.by_set_position:
        return start - timedelta((start.weekday() - rule.week_start) % 7)
    return start


@slow
@given(rules(), late_starts)
def test_a_rule_gives_the_days_of_dateutil_up_to_the_last_year(rule, start):
    """Near the end of the calendar python-dateutil can finish every rule."""
    start = comparable(rule, start)
    expected = takewhile(lambda day: day <= LAST_DAY, dateutil_days(rule, start))

    assert list(islice(expansion.days(rule, start), 200)) == list(islice(expected, 200))


@slow
@given(rules(), starts)
def test_a_rule_gives_the_first_days_of_dateutil(rule, start):
    start = comparable(rule, start)
    found = list(islice(expansion.days(rule, start), 30))

    assert found == list(islice(dateutil_days(rule, start), len(found)))


@slow
@given(rules(), starts, distances)
def test_skipped_days_make_no_difference(rule, start, distance):
    first = start + distance
    stepped = dropwhile(lambda day: day < first, expansion.days(rule, start))

    assert list(islice(expansion.days(rule, start, first), 10)) == list(islice(stepped, 10))


@given(starts, st.sampled_from(["MONTHLY", "YEARLY", "YEARLY;BYMONTH=3,11"]))
def test_weekdays_with_and_without_numbers_are_added(start, frequency):
    """python-dateutil takes only what both have."""
    end = start + timedelta(days=5 * 365)
    both, each, numbered = (
        set(takewhile(lambda day: day < end, expansion.days(parse(text), start)))
        for text in (
            f"FREQ={frequency};BYDAY=MO,-1FR,2TU",
            f"FREQ={frequency};BYDAY=MO",
            f"FREQ={frequency};BYDAY=-1FR,2TU",
        )
    )

    assert each
    assert numbered
    assert both == each | numbered


@pytest.mark.parametrize(
    ("text", "start", "expected"),
    [
        (
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
            "1997-08-05",
            ["1997-08-05", "1997-08-10", "1997-08-19", "1997-08-24"],
        ),
        (
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
            "1997-08-05",
            ["1997-08-05", "1997-08-17", "1997-08-19", "1997-08-31"],
        ),
        (
            "FREQ=MONTHLY;INTERVAL=2;COUNT=6;BYDAY=1SU,-1SU",
            "1997-09-07",
            ["1997-09-07", "1997-09-28", "1997-11-02", "1997-11-30", "1998-01-04", "1998-01-25"],
        ),
        (
            "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;UNTIL=20001231",
            "1997-09-02",
            ["1998-02-13", "1998-03-13", "1998-11-13", "1999-08-13", "2000-10-13"],
        ),
        ("FREQ=YEARLY;BYDAY=20MO;COUNT=2", "1997-05-19", ["1997-05-19", "1998-05-18"]),
        (
            "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8;COUNT=3",
            "1996-11-05",
            ["1996-11-05", "2000-11-07", "2004-11-02"],
        ),
        (
            "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3",
            "1997-09-04",
            ["1997-09-04", "1997-10-07", "1997-11-06"],
        ),
        (
            "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5",
            "2007-01-15",
            ["2007-01-15", "2007-01-30", "2007-02-15", "2007-03-15", "2007-03-30"],
        ),
    ],
)
def test_the_examples_of_rfc_5545_give_its_days(text, start, expected):
    assert days(text, start) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FREQ=DAILY", ["2026-01-31", "2026-02-01"]),
        ("FREQ=WEEKLY", ["2026-01-31", "2026-02-07"]),
        ("FREQ=MONTHLY", ["2026-01-31", "2026-03-31"]),
        ("FREQ=YEARLY", ["2026-01-31", "2027-01-31"]),
        ("FREQ=YEARLY;BYMONTH=3,4,5", ["2026-03-31", "2026-05-31"]),
    ],
)
def test_what_a_rule_does_not_say_is_taken_from_the_start(text, expected):
    assert days(text, "2026-01-31", 2) == expected


def test_a_start_that_the_rule_does_not_give_is_no_day_of_the_series():
    assert days("FREQ=WEEKLY;BYDAY=MO;COUNT=2", "2026-01-01") == ["2026-01-05", "2026-01-12"]


def test_a_set_position_counts_in_the_whole_first_week():
    """The first of Monday and Thursday is Monday, also when the series starts on a Thursday."""
    text = "FREQ=WEEKLY;BYDAY=MO,TH;BYSETPOS=1"

    assert days(text, "2026-01-01", 2) == ["2026-01-05", "2026-01-12"]


@pytest.mark.parametrize(
    "text",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;INTERVAL=7;BYDAY=MO",
        "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=2",
        "FREQ=MONTHLY;BYDAY=6MO",
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=3",
        "FREQ=DAILY;UNTIL=20260625",
    ],
)
def test_a_rule_that_gives_no_day_is_refused_with_a_sentence(text):
    start = date(2026, 6, 26)

    with pytest.raises(ValueError) as refused:
        expansion.first_day(parse(text), start, start)

    assert str(refused.value) == "This recurrence never occurs on or after 2026-06-26."


@pytest.mark.parametrize(
    ("text", "start", "examined"),
    [
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2096-03-01", 9),  # up to 2104
        ("FREQ=DAILY;BYMONTHDAY=29", "2097-01-30", 59),  # up to March
        ("FREQ=DAILY;BYMONTH=3", "2097-01-30", 2),  # February is left out
    ],
)
def test_a_series_ends_where_too_many_days_are_examined_in_vain(monkeypatch, text, start, examined):
    monkeypatch.setattr(expansion, "CANDIDATES", examined)
    assert len(days(text, start, 1)) == 1

    monkeypatch.setattr(expansion, "CANDIDATES", examined - 1)
    assert days(text, start, 1) == []


def test_a_series_ends_where_too_many_days_would_be_counted(monkeypatch):
    """The days from January to 11 April are too many for one call, but not for a series."""
    text, examined = "FREQ=DAILY;BYMONTHDAY=1,11,21;COUNT=99", 31 + 28 + 31 + 11
    monkeypatch.setattr(expansion, "COUNTED", examined)
    assert days(text, "2026-01-01", 1, first="2026-04-02") == ["2026-04-11"]

    monkeypatch.setattr(expansion, "COUNTED", examined - 1)
    assert days(text, "2026-01-01", 1, first="2026-04-02") == []
    assert len(days(text, "2026-01-01", 100)) == 99


def test_the_bounds_are_wide():
    assert days("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO", "2072-03-01", 1) == ["2112-02-29"]
    assert len(days("FREQ=DAILY;COUNT=9999", "2026-01-01", 10_000)) == 9999
    weekdays = "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;COUNT=9999"
    assert days(weekdays, "1990-01-01", 1, first="2028-01-01") == ["2028-01-03"]


def test_no_day_is_after_the_last_one():
    assert days("FREQ=DAILY", "9999-12-28") == ["9999-12-28", "9999-12-29"]
    assert days("FREQ=WEEKLY;BYDAY=WE,TH,FR", "9999-12-28") == ["9999-12-29"]
    assert days("FREQ=YEARLY;INTERVAL=999", "9000-12-31") == ["9000-12-31"]
    assert days("FREQ=MONTHLY;INTERVAL=999", "9990-01-01") == ["9990-01-01"]
    assert days("FREQ=WEEKLY;BYMONTH=1", "9999-12-01") == []


def following(text: str, start: str, due: str, today: str) -> tuple[str | None, list[str]]:
    """Return the next day of a series and the missed ones, as text."""
    found = expansion.next_day(parse(text), *map(date.fromisoformat, (start, due, today)))
    return found.day and str(found.day), [str(day) for day in found.missed]


@pytest.mark.parametrize(
    ("text", "due", "today", "expected", "missed"),
    [
        ("FREQ=DAILY", "2026-01-01", "2026-01-01", "2026-01-02", []),
        ("FREQ=DAILY", "2026-01-01", "2026-01-02", "2026-01-02", []),
        ("FREQ=DAILY", "2026-01-01", "2026-01-04", "2026-01-04", ["2026-01-02", "2026-01-03"]),
        ("FREQ=WEEKLY", "2026-01-08", "2026-01-05", "2026-01-15", []),
        ("FREQ=WEEKLY;INTERVAL=2", "2026-01-01", "2026-01-16", "2026-01-29", ["2026-01-15"]),
        ("FREQ=WEEKLY;BYDAY=MO", "2026-01-01", "2026-01-01", "2026-01-05", []),
        ("FREQ=DAILY;COUNT=3", "2026-01-02", "2026-01-02", "2026-01-03", []),
        ("FREQ=DAILY;COUNT=3", "2026-01-03", "2026-01-03", None, []),
        ("FREQ=DAILY;COUNT=3", "2026-01-01", "2026-01-09", None, ["2026-01-02", "2026-01-03"]),
        ("FREQ=DAILY;UNTIL=20260103", "2026-01-02", "2026-01-02", "2026-01-03", []),
        ("FREQ=DAILY;UNTIL=20260103", "2026-01-03", "2026-01-03", None, []),
        ("FREQ=DAILY;UNTIL=20260103T000000Z", "2026-01-03", "2026-01-03", None, []),
    ],
)
def test_completing_gives_the_first_day_after_the_due_that_is_not_past(
    text, due, today, expected, missed
):
    assert following(text, "2026-01-01", due, today) == (expected, missed)


@slow
@given(rules(), starts, distances, st.timedeltas(timedelta(days=-9), timedelta(days=400)))
def test_each_day_after_the_due_is_missed_or_the_next_or_later(rule, start, distance, late):
    end = start + timedelta(days=45 * 365)
    all_days = list(takewhile(lambda day: day < end, expansion.days(rule, start)))
    assume(all_days)
    due = min(all_days, key=lambda day: abs(day - start - distance))
    today = due + late
    after = [day for day in all_days if day > due]
    to_come = [day for day in after if day >= today]

    found = expansion.next_day(rule, start, due, today)

    assert to_come[:1] == [day for day in [found.day] if day and day < end]
    assert found.missed == [day for day in after if today - timedelta(days=366) <= day < today]
    assert expansion.is_finished(rule, start, due) is (not after and found.day is None)


def test_missed_days_of_the_last_year_are_listed():
    found = expansion.next_day(
        parse("FREQ=DAILY"), date(1990, 1, 1), date(2016, 1, 1), date(2026, 5, 1)
    )

    assert found.day == date(2026, 5, 1)
    assert (len(found.missed), found.missed[0], found.missed[-1]) == (
        366,
        date(2025, 4, 30),
        date(2026, 4, 30),
    )


def test_a_series_is_finished_after_its_last_day():
    start = date(2026, 1, 1)

    assert not expansion.is_finished(parse("FREQ=DAILY;COUNT=2"), start, start)
    assert expansion.is_finished(parse("FREQ=DAILY;COUNT=2"), start, date(2026, 1, 2))
    assert not expansion.is_finished(parse("FREQ=DAILY"), start, date(9999, 12, 28))
    assert expansion.is_finished(parse("FREQ=DAILY"), start, date(9999, 12, 29))


def test_the_first_day_is_today_or_later():
    today = date(2026, 1, 1)

    assert expansion.first_day(parse("FREQ=DAILY"), today, today) == today
    assert expansion.first_day(parse("FREQ=WEEKLY;BYDAY=MO,TH"), today, today) == today
    assert expansion.first_day(parse("FREQ=WEEKLY;BYDAY=MO"), today, today) == date(2026, 1, 5)


@pytest.mark.parametrize(
    ("text", "done_on", "due", "expected"),
    [
        ("FREQ=DAILY;INTERVAL=3", "2026-01-06", "2026-01-02", "2026-01-09"),
        ("FREQ=DAILY;INTERVAL=10", "2026-01-06", "2026-01-20", "2026-01-16"),
        ("FREQ=WEEKLY", "2026-01-06", "2026-01-01", "2026-01-13"),
        ("FREQ=WEEKLY;BYDAY=MO,TH", "2026-01-06", "2026-01-01", "2026-01-08"),
        ("FREQ=WEEKLY;BYDAY=MO,TH", "2026-01-06", "2026-01-08", "2026-01-12"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "2026-01-06", "2026-01-05", "2026-01-19"),
        ("FREQ=MONTHLY", "2026-01-28", "2026-01-02", "2026-02-28"),
        ("FREQ=MONTHLY", "2026-01-31", "2026-01-02", "2026-02-28"),
        ("FREQ=MONTHLY;INTERVAL=3", "2026-01-31", "2026-01-02", "2026-04-30"),
        ("FREQ=MONTHLY;BYMONTHDAY=31", "2026-01-31", "2026-01-31", "2026-03-31"),
        ("FREQ=MONTHLY;BYMONTH=1,2;BYSETPOS=1", "2026-01-31", "2026-01-31", "2027-01-31"),
        ("FREQ=YEARLY", "2028-02-29", "2028-01-02", "2029-02-28"),
        ("FREQ=YEARLY;BYMONTH=6", "2026-01-31", "2026-01-02", "2026-06-30"),
        ("FREQ=YEARLY;BYMONTH=2,8", "2026-01-30", "2026-01-02", "2026-08-30"),
        ("FREQ=DAILY;UNTIL=20260107", "2026-01-06", "2026-01-06", "2026-01-07"),
        ("FREQ=DAILY;UNTIL=20260107", "2026-01-07", "2026-01-07", None),
        ("FREQ=DAILY;COUNT=4", "2026-01-06", "2026-01-06", "2026-01-07"),
        ("FREQ=DAILY;COUNT=3", "2026-01-06", "2026-01-06", None),
    ],
)
def test_a_recurrence_from_completion_is_counted_from_the_day_it_was_done(
    text, done_on, due, expected
):
    """It is the third occurrence that is done."""
    done, was_due = date.fromisoformat(done_on), date.fromisoformat(due)
    day = expansion.next_day_after_completion(parse(text), done, {was_due}, 3)

    assert day == (expected and date.fromisoformat(expected))
