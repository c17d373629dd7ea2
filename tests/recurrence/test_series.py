"""What is left of a series."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from hypothesis import assume, given
from hypothesis import strategies as st

from fast_zero.recurrence import expansion
from fast_zero.recurrence.rules import parse
from fast_zero.recurrence.series import Series, rest
from tests.recurrence.recurring import rules
from tests.recurrence.test_expansion import slow, starts

ZONE = ZoneInfo("America/Sao_Paulo")


def series(text: str, start: str, number: int = 1, *, from_completion: bool = False) -> Series:
    return Series(
        parse(text), from_completion, ZONE, date.fromisoformat(start), time(9), number=number
    )


@slow
@given(rules(), starts, st.timedeltas(timedelta(), timedelta(days=400)))
def test_the_rest_gives_the_days_that_are_left(rule, start, distance):
    whole = Series(rule, False, ZONE, start)  # noqa: FBT003  # as in the class
    occurrence = start + distance
    left = rest(whole, occurrence)
    expected = list(islice(expansion.days(whole.limited(), start, occurrence), 20))
    assume(left is not None)

    limited = Series(left.rule, False, ZONE, left.day).limited()  # noqa: FBT003  # likewise
    assert list(islice(expansion.days(limited, left.day), 20)) == expected


def test_count_is_without_the_days_before():
    left = rest(series("FREQ=DAILY;COUNT=5", "2026-12-01"), date(2026, 12, 3))

    assert str(left.rule) == "FREQ=DAILY;COUNT=3"


def test_a_moved_occurrence_is_followed_by_the_days_of_its_series():
    """Its series is on Mondays of every second week."""
    left = rest(series("FREQ=WEEKLY;INTERVAL=2", "2026-11-30"), date(2026, 12, 9))

    assert (str(left.rule), left.day) == ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", date(2026, 12, 14))


def test_nothing_is_left_after_the_last_day():
    ends = series("FREQ=WEEKLY;UNTIL=20261207", "2026-11-30")

    assert rest(ends, date(2026, 12, 7)).day == date(2026, 12, 7)
    assert rest(ends, date(2026, 12, 9)) is None


def test_from_completion_count_is_without_what_was_done():
    left = rest(
        series("FREQ=DAILY;COUNT=5", "2026-12-01", 4, from_completion=True), date(2026, 12, 20)
    )

    assert (str(left.rule), left.day) == ("FREQ=DAILY;COUNT=2", date(2026, 12, 20))


def test_until_may_be_a_moment():
    ends = series("FREQ=DAILY;UNTIL=20261203T120000Z", "2026-12-01")

    assert rest(ends, date(2026, 12, 3)).day == date(2026, 12, 3)
    assert rest(ends, date(2026, 12, 4)) is None
    at = datetime(2026, 12, 3, 12, tzinfo=UTC)
    assert expansion.at(date(2026, 12, 3), time(9), ZONE) == at
