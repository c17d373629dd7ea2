"""Recurrence rules for tests, and what python-dateutil makes of them."""

import calendar
from collections.abc import Iterator
from datetime import date, datetime, time

from dateutil.rrule import rrulestr
from hypothesis import strategies as st

from fast_zero.recurrence.rules import WEEKDAYS, Rule, parse


def signed(highest: int) -> st.SearchStrategy[int]:
    return st.integers(1, highest) | st.integers(-highest, -1)


def joined(values: st.SearchStrategy, size: int) -> st.SearchStrategy[str]:
    return st.lists(values.map(str), min_size=1, max_size=size).map(",".join)


def weekdays(frequency: str, *, in_month: bool) -> st.SearchStrategy[str]:
    """Generate BYDAY. python-dateutil cannot mix days with and without numbers."""
    names = st.sampled_from(WEEKDAYS)
    if frequency in {"DAILY", "WEEKLY"}:
        return joined(names, 7)
    ordinals = signed(5) if in_month or frequency == "MONTHLY" else signed(5) | signed(53)
    numbered = st.builds("{}{}".format, ordinals, names)
    return joined(names, 7) | joined(numbered, 4)


@st.composite
def rules(draw, *, ends: bool = True) -> Rule:
    """Generate a rule of any kind, with COUNT or UNTIL if it may end."""
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = {"FREQ": frequency}
    if draw(st.booleans()):
        parts["BYMONTH"] = draw(joined(st.integers(1, 12), 4))
    if frequency != "WEEKLY" and draw(st.booleans()):
        parts["BYMONTHDAY"] = draw(joined(signed(31), 6))
    if draw(st.booleans()):
        parts["BYDAY"] = draw(weekdays(frequency, in_month="BYMONTH" in parts))
    if len(parts) > 1 and draw(st.booleans()):
        parts["BYSETPOS"] = draw(joined(signed(4) | signed(366), 3))
    parts["INTERVAL"] = str(draw(st.integers(1, 4) | st.integers(1, 999)))
    parts["WKST"] = draw(st.sampled_from(WEEKDAYS))
    if ends and draw(st.booleans()):
        parts["COUNT"] = str(draw(st.integers(1, 60)))
    elif ends and draw(st.booleans()):
        until = draw(st.dates(date(1990, 1, 1), date(2060, 1, 1)))
        parts["UNTIL"] = f"{until:%Y%m%d}"
    return parse(";".join(f"{name}={value}" for name, value in parts.items()))


def dateutil_days(rule: Rule, start: date) -> Iterator[date]:
    """Yield what python-dateutil makes of a rule, which may take it seconds."""
    try:
        for moment in rrulestr(str(rule), dtstart=datetime.combine(start, time())):
            yield moment.date()
    except (ValueError, OverflowError):  # a week that ends after the year 9999
        return


def last_weekday(year: int, month: int, weekday: int) -> date:
    return max(
        day
        for day in calendar.Calendar().itermonthdates(year, month)
        if day.month == month and day.weekday() == weekday
    )
