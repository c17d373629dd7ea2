"""When a recurring todo occurs: the days of a rule, and the moments of these days.

The days of a rule are counted from the start of its series. The start is one of them only if the
rule gives it, as in python-dateutil; RFC 5545 leaves that undefined. A todo may be due on another
day all the same: COUNT does not count that day, and the next day is one of the rule.

Days and times are those of a clock in the time zone of the todo. Its days name its occurrences.
"""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from fast_zero.recurrence import periods
from fast_zero.recurrence.rules import LAST_DAY, Rule

CANDIDATES = 10_000
"""The days that are examined in search of one. A series that has none among them ends."""

COUNTED = 40_000
"""The days, of more than a century, that are examined to count occurrences. The series ends there.
"""

MISSED = timedelta(days=366)
"""The time before today of which missed days are listed."""

DAY = timedelta(days=1)


@dataclass(frozen=True)
class NextDay:
    """The next day of a series, None after the last one, and the days that were missed before."""

    day: date | None
    missed: Sequence[date]


def days(rule: Rule, start: date, first: date | None = None) -> Iterator[date]:
    """Yield the days of a series, without those before `first`."""
    return (day for _, day in numbered_days(rule, start, first))


def numbered_days(rule: Rule, start: date, first: date | None = None) -> Iterator[tuple[int, date]]:
    """Yield the days of a series from `first` on and, with COUNT, their numbers in the series.

    The days before `first` are skipped by computation. With COUNT, that needs a rule that gives the
    same number of days in each period; the days of others are counted one by one.
    """
    rule = periods.with_defaults(rule, start)
    first = max(first or start, start)
    last = last_day(rule)
    index, number = periods.skip(rule, start, first)
    examined = counted = 0
    while examined < CANDIDATES and counted < COUNTED:
        begin = periods.first_day_of(rule, start, index)
        if begin is None or begin > last:
            return
        candidates = periods.candidates(rule, begin)
        cost = len(candidates) or 1
        examined, counted = examined + cost, counted + cost
        for day in periods.occurrences(rule, candidates):
            if day < start:
                continue
            number += 1
            if day > last or (rule.count and number > rule.count):
                return
            examined = 0
            if day >= first:
                counted = 0
                yield number, day
        index = periods.next_index(rule, start, index, begin)


def last_day(rule: Rule) -> date:
    """Return the day after which a rule gives none. A moment in UNTIL counts as its day in UTC."""
    if rule.until is None:
        return LAST_DAY
    return rule.until.date() if isinstance(rule.until, datetime) else rule.until


def first_day(rule: Rule, start: date, first: date) -> date:
    """Return the first day of a series that is not before `first`.

    Raise ValueError if there is none, because the series has ended or the rule never gives one.
    """
    for day in days(rule, start, first):
        return day
    raise ValueError(f"This recurrence never occurs on or after {first}.")


def next_day(rule: Rule, start: date, due: date, today: date) -> NextDay:
    """Return the first day of a series that is after the due and not before `today`.

    The days between are missed; those of the last 366 days are listed. `today` may be what
    `first_day_to_come` returns.
    """
    missed: list[date] = []
    for day in days(rule, start, max(due + DAY, today - MISSED)):
        if day >= today:
            return NextDay(day, missed)
        missed.append(day)
    return NextDay(None, missed)


def is_finished(rule: Rule, start: date, due: date) -> bool:
    """Tell whether a series has no day after the due."""
    return next(days(rule, start, due + DAY), None) is None


def next_day_after_completion(
    rule: Rule, done_on: date, known: Container[date], number: int
) -> date | None:
    """Return the next day of a todo that recurs from its completion, None after the last one.

    `known` are the days of its occurrences, which are not the next one: it can have been done
    early. `number` is how many there were, with the one that is now done. In a month that is too
    short for the day of completion, the last day is: with RFC 5545 there would be none in that
    month, and after 29 February none for four years.
    """
    if rule.count and number >= rule.count:
        return None
    from_completion = periods.in_every_month(replace(rule, count=None), done_on)
    following = days(from_completion, done_on, done_on + DAY)
    return next((day for day in following if day not in known), None)


def at(day: date, clock_time: time, zone: ZoneInfo) -> datetime:
    """Return the moment, in UTC, when a clock shows a time on a day.

    A time that the clock skips is moved forward by what it skips. Of two moments with the same time
    it is the first one. RFC 5545, section 3.3.5, says so, and zoneinfo does so for `fold=0`.
    """
    return datetime.combine(day, clock_time.replace(fold=0, tzinfo=zone)).astimezone(UTC)


def first_day_to_come(now: datetime, zone: ZoneInfo, clock_time: time | None = None) -> date:
    """Return today in a time zone or, if the time of day has passed, tomorrow."""
    today = now.astimezone(zone).date()
    if clock_time is not None and at(today, clock_time, zone) < now:
        return today + DAY
    return today


def with_until_day(rule: Rule, zone: ZoneInfo, clock_time: time | None = None) -> Rule:
    """Replace a moment in UNTIL by the last day that it allows in a time zone."""
    if not isinstance(rule.until, datetime):
        return rule
    day = rule.until.astimezone(zone).date()
    if clock_time is not None and at(day, clock_time, zone) > rule.until:
        day -= DAY
    return replace(rule, until=day)
