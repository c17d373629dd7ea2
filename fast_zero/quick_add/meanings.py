"""What phrases mean, and the days and moments that they give when they are said."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import IntEnum, StrEnum
from itertools import islice
from zoneinfo import ZoneInfo

from fast_zero.core.languages import Language
from fast_zero.recurrence import expansion
from fast_zero.recurrence.rules import LAST_DAY, ByDay, Frequency, Rule

DAY = timedelta(days=1)
LATEST = LAST_DAY - DAY
"""Moments of this day can be stored, whatever the time zone."""

FRIDAY, SATURDAY, SUNDAY = 4, 5, 6


class Unit(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class Evidence(IntEnum):
    """What it takes to believe that a phrase is one. Less, the higher."""

    NEIGHBOR = 0
    """Another phrase directly beside it."""
    END = 1
    """Or that it is at the end or, followed by a verb, at the beginning."""
    CONTEXT = 2
    """Or that a word such as "with" follows."""
    NONE = 3
    """It is clear by itself."""


class Lead(StrEnum):
    """What the word before a date says of it."""

    NONE = ""
    ON = "on"
    IN = "in"
    EM = "em"
    BY = "by"
    UNTIL = "until"
    OF = "of"
    START = "start"


@dataclass(frozen=True)
class Said:
    """When, where and by whom a sentence was said."""

    at: datetime
    zone: ZoneInfo
    language: Language
    week_start: int = 0
    """As `date.weekday()` has it."""

    def today(self) -> date:
        return self.at.astimezone(self.zone).date()


@dataclass(frozen=True)
class Ahead:
    number: int
    unit: Unit = Unit.DAY


@dataclass(frozen=True)
class OnWeekday:
    weekday: int
    week: Unit | None = None
    """DAY: today counts, too. WEEK: in the next week."""


@dataclass(frozen=True)
class OnDay:
    day: int
    month: int | None = None
    year: int | None = None
    months_ahead: int | None = None


@dataclass(frozen=True)
class BusinessDay:
    """The n-th day of a month from Monday to Friday."""

    number: int
    months_ahead: int | None = None


@dataclass(frozen=True)
class NthWeekday:
    """The n-th weekday of a month; with -1, the last one."""

    place: int
    weekday: int
    months_ahead: int | None = None
    month: int | None = None


@dataclass(frozen=True)
class Numeric:
    """Two numbers whose order depends on the language."""

    first: int
    second: int
    year: int | None = None


@dataclass(frozen=True)
class Exactly:
    day: date


@dataclass(frozen=True)
class NextPeriod:
    unit: Unit


@dataclass(frozen=True)
class EndOf:
    unit: Unit
    ahead: int = 0
    is_business: bool = False


@dataclass(frozen=True)
class Weekend:
    ahead: int = 0
    is_this: bool = False
    """On a Sunday, it is today."""


OneDay = Ahead | Exactly | NextPeriod | EndOf | Weekend
Day = OnWeekday | OnDay | BusinessDay | NthWeekday | Numeric | OneDay


@dataclass(frozen=True)
class DatePhrase:
    day: Day
    lead: Lead = Lead.NONE
    evidence: Evidence = Evidence.NONE
    at: time | None = None
    """The time of a moment that is written as one."""


@dataclass(frozen=True)
class MomentPhrase:
    """So many minutes after it was said."""

    minutes: int
    evidence: Evidence = Evidence.NONE


@dataclass(frozen=True)
class TimePhrase:
    at: time
    evidence: Evidence
    minutes: int | None = None
    """How long it takes, if it ends at a time, too."""
    today: bool = False
    """Said of today: tonight."""
    part: str | None = None
    """The part of a day, if it is nothing else."""
    is_bare: bool = False
    """An hour of which nothing is said: at 5."""


@dataclass(frozen=True)
class DurationPhrase:
    minutes: int
    evidence: Evidence


@dataclass(frozen=True)
class ReminderPhrase:
    minutes_before: int | None = None
    at: time | None = None
    evidence: Evidence = Evidence.NONE


@dataclass(frozen=True)
class RecurrencePhrase:
    rule: Rule
    from_completion: bool = False
    evidence: Evidence = Evidence.NONE
    part: str | None = None
    """Every morning."""


@dataclass(frozen=True)
class LimitPhrase:
    """What is added to a recurrence."""

    count: int | None = None
    period: Ahead | None = None
    from_completion: bool = False
    evidence: Evidence = Evidence.NONE


Meaning = (
    DatePhrase
    | MomentPhrase
    | TimePhrase
    | DurationPhrase
    | ReminderPhrase
    | RecurrencePhrase
    | LimitPhrase
)


def days_of(day: Day, said: Said) -> Iterator[date]:
    """Yield the days that are meant: the first one, and those that follow if it is past.

    Nothing is yielded for a day that does not exist.
    """
    try:
        for found in candidates(day, said):
            if found > LATEST:
                return
            yield found
    except (ValueError, OverflowError):  # 30 February, or after the year 9999
        return


def candidates(day: Day, said: Said) -> Iterator[date]:
    today, week_start = said.today(), said.week_start
    match day:
        case OnWeekday():
            return weekdays(day, today, week_start)
        case OnDay():
            return month_days(day, today)
        case BusinessDay():
            return business_days(day, today)
        case NthWeekday():
            return nth_weekdays(day, today)
        case Numeric():
            return month_days(in_order(day, said.language), today)
        case _:
            return iter([single_day(day, today, week_start)])


def single_day(day: OneDay, today: date, week_start: int) -> date:
    match day:
        case Exactly():
            return day.day
        case Ahead():
            return add(today, day.number, day.unit)
        case NextPeriod():
            return next_period(day.unit, today, week_start)
        case EndOf():
            return end_of(day, today, week_start)
        case Weekend():
            if today.weekday() == SUNDAY and day.is_this:
                return today
            return today + DAY * ((SATURDAY - today.weekday()) % 7 + 7 * day.ahead)


def add(day: date, number: int, unit: Unit) -> date:
    """Add units to a day. In a month that is too short, the last day is meant."""
    if unit in {Unit.DAY, Unit.WEEK}:
        return day + DAY * number * (7 if unit is Unit.WEEK else 1)
    months = day.month - 1 + number * (12 if unit is Unit.YEAR else 1)
    year, month = day.year + months // 12, months % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def week_of(day: date, week_start: int) -> date:
    return day - DAY * ((day.weekday() - week_start) % 7)


def weekdays(wanted: OnWeekday, today: date, week_start: int) -> Iterator[date]:
    if wanted.week is Unit.WEEK:
        begin = week_of(today, week_start) + DAY * 7
        yield begin + DAY * ((wanted.weekday - week_start) % 7)
        return
    distance = (wanted.weekday - today.weekday()) % 7
    if not distance and wanted.week is not Unit.DAY:
        distance = 7
    yield today + DAY * distance
    yield today + DAY * (distance + 7)


def month_days(wanted: OnDay, today: date) -> Iterator[date]:
    """Yield the days of a number, in the months or years to come that have them."""
    if wanted.year is not None and wanted.month is not None:
        yield date(wanted.year, wanted.month, wanted.day)
        return
    if wanted.months_ahead is not None:
        first = add(today.replace(day=1), wanted.months_ahead, Unit.MONTH)
        yield first.replace(day=wanted.day)
        return
    first, step = today.replace(day=1), Unit.MONTH
    if wanted.month is not None:
        first, step = date(today.year, wanted.month, 1), Unit.YEAR
    for number in range(10):
        begin = add(first, number, step)
        if wanted.day <= monthrange(begin.year, begin.month)[1]:
            found = begin.replace(day=wanted.day)
            if found >= today:
                yield found


def business_days(wanted: BusinessDay, today: date) -> Iterator[date]:
    ahead = wanted.months_ahead or 0
    for months in range(ahead, ahead + 2):
        day = add(today.replace(day=1), months, Unit.MONTH) - DAY
        for _ in range(wanted.number):
            day += DAY
            while day.weekday() >= SATURDAY:
                day += DAY
        if day >= today:
            yield day


def nth_weekdays(wanted: NthWeekday, today: date) -> Iterator[date]:
    ahead = wanted.months_ahead or 0
    rule = Rule(Frequency.MONTHLY, by_day=frozenset({ByDay(wanted.place, wanted.weekday)}))
    if wanted.month is not None:
        rule = replace(rule, frequency=Frequency.YEARLY, by_month=(wanted.month,))
    begin = add(today.replace(day=1), ahead, Unit.MONTH)
    return islice(expansion.days(rule, begin, today), 2)


def in_order(numbers: Numeric, language: Language) -> OnDay:
    """Return day and month: in English the month is first, unless that is impossible."""
    day, month = numbers.first, numbers.second
    if (language == "en" and day <= 12) or month > 12:  # noqa: PLR2004  # months
        day, month = month, day
    return OnDay(day, month, numbers.year)


def next_period(unit: Unit, today: date, week_start: int) -> date:
    """Return its first day; of a week, its Monday."""
    if unit is Unit.WEEK:
        begin = week_of(today, week_start) + DAY * 7
        return begin + DAY * (-begin.weekday() % 7)
    first = today.replace(day=1) if unit is Unit.MONTH else today.replace(month=1, day=1)
    return add(first, 1, unit)


def end_of(wanted: EndOf, today: date, week_start: int) -> date:
    """Return its last day; of a week, its Friday."""
    if wanted.unit is Unit.DAY:
        return today + DAY * wanted.ahead
    if wanted.unit is Unit.WEEK:
        begin = week_of(today, week_start) + DAY * 7 * wanted.ahead
        friday = begin + DAY * ((FRIDAY - week_start) % 7)
        return max(friday, today)
    if wanted.unit is Unit.MONTH:
        last = add(today.replace(day=1), 1 + wanted.ahead, Unit.MONTH) - DAY
    else:
        last = date(today.year + wanted.ahead, 12, 31)
    while wanted.is_business and last.weekday() >= SATURDAY:
        last -= DAY
    return last
