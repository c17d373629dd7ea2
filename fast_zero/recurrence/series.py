"""The series of a recurring todo: its rule, from where it is counted, and on whose clock."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

from fast_zero.recurrence import expansion, periods
from fast_zero.recurrence.expansion import NextDay
from fast_zero.recurrence.rules import FIRST_DAY, LAST_DAY, Rule


@dataclass(frozen=True)
class Series:
    """`clock_time` is None if the todo is due on a day. `number` is that of its occurrence now."""

    rule: Rule
    from_completion: bool
    zone: ZoneInfo
    start: date
    clock_time: time | None = None
    number: int = 1

    def limited(self) -> Rule:
        return expansion.with_until_day(self.rule, self.zone, self.clock_time)


@dataclass(frozen=True)
class Due:
    """A day or a moment. A moment has the zone in which it was entered."""

    on: date | None = None
    at: datetime | None = None


def begin(rule: Rule, zone: ZoneInfo, due: Due, now: datetime, *, from_completion: bool) -> Series:
    """Return the series that begins with a due or, without one, with its first day to come.

    Raises ValueError if the rule gives no day from then on.
    """
    if due.at is None:
        today = now.astimezone(zone).date()
        start = due.on or expansion.first_day(expansion.with_until_day(rule, zone), today, today)
        series = Series(rule, from_completion, zone, start)
    else:
        local = due.at.astimezone(zone)
        series = Series(rule, from_completion, zone, local.date(), local.time())
    expansion.first_day(series.limited(), series.start, series.start)
    return series


def first_day(series: Series, now: datetime, known: Collection[date]) -> date:
    """Return its start or, if there was an occurrence on that day, the first new one to come.

    Raises ValueError if there is none.
    """
    if series.start not in known:
        return series.start
    today = expansion.first_day_to_come(now, series.zone, series.clock_time)
    for day in expansion.days(series.limited(), series.start, today):
        if day not in known:
            return day
    raise ValueError("This recurrence has no further occurrence.")


def due_of(series: Series, day: date) -> dict[str, Any]:
    """Return the due of an occurrence, as columns of its todo."""
    if series.clock_time is None:
        return {"due_on": day}
    return {"due_at": expansion.at(day, series.clock_time, series.zone)}


def shift(day: date, by: timedelta) -> date:
    """Move a day, but not out of the days that can be stored."""
    if by < FIRST_DAY - day:
        return FIRST_DAY
    return LAST_DAY if by > LAST_DAY - day else day + by


def following(
    series: Series, occurrence: date, now: datetime, known: Collection[date], *, skips: bool
) -> NextDay:
    """Return what follows an occurrence that is done or skipped now.

    None of the days on which there was one already. From the completion, what is skipped early
    counts as done when it was due.
    """
    known = {occurrence, *known}
    if series.from_completion:
        today = now.astimezone(series.zone).date()
        done_on = max(today, occurrence) if skips else today
        rule, number = series.limited(), series.number
        return NextDay(expansion.next_day_after_completion(rule, done_on, known, number), [])
    today = expansion.first_day_to_come(now, series.zone, series.clock_time)
    found = expansion.next_day(series.limited(), series.start, occurrence, today)
    missed = [day for day in found.missed if day not in known]
    while found.day in known:
        found = expansion.next_day(series.limited(), series.start, found.day, today)
    return NextDay(found.day, missed)


def upcoming(series: Series, occurrence: date, after: date | None, now: datetime) -> Iterator[date]:
    """Yield the current occurrence, and the days to come after it; without those up to `after`.

    From the completion, only the current one is known.
    """
    current = [occurrence] if after is None or after < occurrence else []
    last = max(occurrence, after or occurrence)
    if series.from_completion or last >= LAST_DAY:
        return iter(current)
    today = expansion.first_day_to_come(now, series.zone, series.clock_time)
    first = max(last + expansion.DAY, today)
    return chain(current, expansion.days(series.limited(), series.start, first))


@dataclass(frozen=True)
class Rest:
    """The rule of what is left of a series, and its first day. COUNT counts from that day on."""

    rule: Rule
    day: date


def rest(series: Series, occurrence: date) -> Rest | None:
    """Return what is left of a series from its current occurrence on.

    An occurrence that was moved may be on none of its days. Then the rule names these days, and the
    first one is after it. None: there is none after it.
    """
    rule = series.rule
    if series.from_completion:
        count = rule.count and max(rule.count - series.number + 1, 1)
        return Rest(replace(rule, count=count), occurrence)
    found = next(expansion.numbered_days(series.limited(), series.start, occurrence), None)
    if found is None:
        return None
    number, day = found
    if day != occurrence:
        rule = periods.with_defaults(rule, series.start)
    return Rest(replace(rule, count=rule.count and rule.count - number + 1), day)
