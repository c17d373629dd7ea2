"""The periods of a recurrence rule: every INTERVAL-th day, week, month or year from its start.

A period is known by its index, which is 0 for the one that the start is in, and by its first day.
It has candidates, which are few more than the rule accepts; those that it accepts are occurrences.
A rule is complete if `with_defaults` returned it.
"""

from calendar import isleap, monthrange
from collections.abc import Sequence
from dataclasses import replace
from datetime import MAXYEAR, date, timedelta

from fast_zero.recurrence.rules import LAST_DAY, UNNUMBERED, ByDay, Frequency, Rule

MONTHS = range(1, 13)
SHORTEST_MONTH = 28


def with_defaults(rule: Rule, start: date) -> Rule:
    """Complete a rule that names no day with the weekday or day, and the month, of its start."""
    if rule.by_day or rule.by_month_day or rule.frequency is Frequency.DAILY:
        return rule
    if rule.frequency is Frequency.WEEKLY:
        return replace(rule, by_day=frozenset({ByDay(0, start.weekday())}))
    if rule.frequency is Frequency.MONTHLY or rule.by_month:
        return replace(rule, by_month_day=(start.day,))
    return replace(rule, by_month_day=(start.day,), by_month=(start.month,))


def in_every_month(rule: Rule, start: date) -> Rule:
    """Complete a rule as `with_defaults` does, but with the last day of months that are too short.

    RFC 5545 can say so with BYSETPOS. A rule that has it, or several months of a year, remains.
    """
    complete = with_defaults(rule, start)
    names_days = complete.by_month_day == rule.by_month_day
    has_one_month = rule.frequency is Frequency.MONTHLY or len(complete.by_month) == 1
    if names_days or start.day <= SHORTEST_MONTH or rule.by_set_position or not has_one_month:
        return rule
    last_days = tuple(range(SHORTEST_MONTH, start.day + 1))
    return replace(complete, by_month_day=last_days, by_set_position=(-1,))


def first_day_of(rule: Rule, start: date, index: int) -> date | None:
    """Return the first day of a period. None stands for days that are later than all others."""
    steps = index * rule.interval
    if rule.frequency is Frequency.YEARLY:
        return date(start.year + steps, 1, 1) if start.year + steps <= MAXYEAR else None
    if rule.frequency is Frequency.MONTHLY:
        years, month = divmod(start.month - 1 + steps, 12)
        return date(start.year + years, month + 1, 1) if start.year + years <= MAXYEAR else None
    is_weekly = rule.frequency is Frequency.WEEKLY
    begin = week_of(start, rule) if is_weekly else start
    ordinal = begin.toordinal() + steps * (7 if is_weekly else 1)
    return date.fromordinal(ordinal) if ordinal <= LAST_DAY.toordinal() else None


def index_of(rule: Rule, start: date, day: date) -> int:
    """Return the index of the first period that ends on or after a day."""
    if rule.frequency is Frequency.YEARLY:
        distance = day.year - start.year
    elif rule.frequency is Frequency.MONTHLY:
        distance = (day.year - start.year) * 12 + day.month - start.month
    elif rule.frequency is Frequency.WEEKLY:
        distance = (week_of(day, rule) - week_of(start, rule)).days // 7
    else:
        distance = (day - start).days
    return max(-(-distance // rule.interval), 0)


def next_index(rule: Rule, start: date, index: int, begin: date) -> int:
    """Return the index of the next period, leaving out those in months that BYMONTH leaves out."""
    if rule.frequency is Frequency.YEARLY or not rule.by_month or begin.month in rule.by_month:
        return index + 1
    later = [month for month in rule.by_month if month > begin.month]
    year, month = (begin.year, later[0]) if later else (begin.year + 1, rule.by_month[0])
    day = date(year, month, 1) if year <= MAXYEAR else date.max
    return max(index_of(rule, start, day), index + 1)


def skip(rule: Rule, start: date, first: date) -> tuple[int, int]:
    """Return the index of the first period that is of interest, and the occurrences before it.

    With COUNT, it is the first of all unless every period has the same number of occurrences.
    """
    index = index_of(rule, start, first)
    if rule.count is None or index == 0:
        return index, 0
    is_weekly = rule.frequency is Frequency.WEEKLY
    is_every_day = rule.frequency is Frequency.DAILY and not (rule.by_day or rule.by_month_day)
    if rule.by_month or not (is_weekly or is_every_day):
        return 0, 0
    days = occurrences(rule, candidates(rule, week_of(start, rule) if is_weekly else start))
    return index, sum(day >= start for day in days) + (index - 1) * len(days)


def candidates(rule: Rule, begin: date) -> Sequence[date]:
    """Return days of a period in their order, among which are all that a complete rule accepts."""
    if rule.frequency is Frequency.DAILY:
        return [begin]
    if rule.frequency is Frequency.WEEKLY:
        offsets = sorted((entry.weekday - rule.week_start) % 7 for entry in rule.by_day)
        days_left = (LAST_DAY - begin).days
        return [begin + timedelta(offset) for offset in offsets if offset <= days_left]
    if rule.frequency is Frequency.MONTHLY:
        return candidates_in_month(rule, begin.year, begin.month)
    months = rule.by_month or MONTHS
    return [day for month in months for day in candidates_in_month(rule, begin.year, month)]


def candidates_in_month(rule: Rule, year: int, month: int) -> Sequence[date]:
    """Return the days that BYMONTHDAY gives or, without it, all days that are weekdays of BYDAY."""
    first_weekday, length = monthrange(year, month)
    if rule.by_month_day:
        numbers = {day if day > 0 else length + 1 + day for day in rule.by_month_day}
        return [date(year, month, number) for number in sorted(numbers) if 1 <= number <= length]
    weekdays = {entry.weekday for entry in rule.by_day}
    numbers = {
        number for number in range(1, length + 1) if (first_weekday + number - 1) % 7 in weekdays
    }
    return [date(year, month, number) for number in sorted(numbers)]


def occurrences(rule: Rule, candidates: Sequence[date]) -> Sequence[date]:
    """Return the candidates of a period that a rule accepts, and of these those of BYSETPOS."""
    days = [day for day in candidates if accepts(rule, day)]
    if not rule.by_set_position:
        return days
    places = {place - 1 if place > 0 else len(days) + place for place in rule.by_set_position}
    return [days[place] for place in sorted(places) if 0 <= place < len(days)]


def accepts(rule: Rule, day: date) -> bool:
    """Tell whether BYMONTH, BYMONTHDAY and BYDAY all have a day."""
    if rule.by_month and day.month not in rule.by_month:
        return False
    if rule.by_month_day and day.day not in rule.by_month_day:
        length = monthrange(day.year, day.month)[1]
        if day.day - length - 1 not in rule.by_month_day:
            return False
    return not rule.by_day or is_on_weekday(rule, day)


def is_on_weekday(rule: Rule, day: date) -> bool:
    """Tell whether BYDAY has a day. Without BYMONTH, ordinals of YEARLY count in the year."""
    weekday = day.weekday()
    if ByDay(0, weekday) in rule.by_day:
        return True
    if rule.frequency in UNNUMBERED:
        return False
    if rule.frequency is Frequency.MONTHLY or rule.by_month:
        place, length = day.day, monthrange(day.year, day.month)[1]
    else:
        place, length = day.timetuple().tm_yday, 365 + isleap(day.year)
    ordinals = (place - 1) // 7 + 1, -((length - place) // 7 + 1)
    return any(ByDay(ordinal, weekday) in rule.by_day for ordinal in ordinals)


def week_of(day: date, rule: Rule) -> date:
    """Return the first day of the week that a day is in."""
    return day - timedelta((day.weekday() - rule.week_start) % 7)
