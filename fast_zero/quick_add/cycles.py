"""The recurrences that phrases mean."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from lark import Token, Transformer

from fast_zero.quick_add.meanings import (
    Ahead,
    Evidence,
    LimitPhrase,
    RecurrencePhrase,
    Unit,
)
from fast_zero.recurrence import rules
from fast_zero.recurrence.rules import MAX_COUNT, MAX_INTERVAL, ByDay, Frequency, Rule

Parts = list[Any]

FREQUENCIES = {
    Unit.DAY: Frequency.DAILY,
    Unit.WEEK: Frequency.WEEKLY,
    Unit.MONTH: Frequency.MONTHLY,
    Unit.YEAR: Frequency.YEARLY,
}
WORKDAYS = frozenset(ByDay(0, weekday) for weekday in range(5))
WEEKEND = frozenset(ByDay(0, weekday) for weekday in (5, 6))
LAST_PLACE, LONGEST_MONTH, MONTHS = 5, 31, 12


class NoPhraseError(Exception):
    """The words are those of a phrase, but what they say is impossible."""


def refuse() -> NoReturn:
    raise NoPhraseError


def of_type(parts: Iterable[Any], *types: str) -> list[Token]:
    return [part for part in parts if isinstance(part, Token) and part.type in types]


def numbers_of(parts: Iterable[Any], *types: str) -> list[int]:
    return [int(token) for token in of_type(parts, *types)]


def number_in(value: int, highest: int) -> int:
    if not 1 <= value <= highest:
        refuse()
    return value


@dataclass(frozen=True)
class MonthDays:
    """Days of a month, as a recurrence names them: by number, by weekday or by business day."""

    days: tuple[int, ...] = ()
    weekdays: frozenset[ByDay] = frozenset()
    business: tuple[int, ...] = ()
    interval: int = 0
    """What the days are if no month follows: every 3rd day."""

    def applied_to(self, rule: Rule) -> Rule:
        given = [bool(self.days), bool(self.weekdays), bool(self.business)]
        if given.count(True) != 1 or rule.by_day or rule.by_month_day:
            refuse()
        if self.business:
            return replace(rule, by_day=WORKDAYS, by_set_position=self.business)
        return replace(rule, by_day=self.weekdays, by_month_day=self.days)


@dataclass(frozen=True)
class YearDays:
    months: tuple[int, ...]
    days: tuple[int, ...]


def merge(groups: Sequence[tuple[int, tuple[int, ...]]]) -> YearDays:
    """Join days of several months, which have to be the same days."""
    if len({days for _, days in groups}) != 1:
        refuse()
    months = rules.unique(month for month, _ in groups)
    return YearDays(months, groups[0][1])


def checked(rule: Rule) -> Rule:
    try:
        return rules.parse(str(rule))
    except ValueError:
        raise NoPhraseError from None


class CycleMeanings(Transformer[Token, Any]):
    """Computes the meaning of each rule of the grammar that is about recurrences."""

    def number(self, parts: Parts) -> int:
        [token] = parts
        return 1 if token.type == "ONE" else int(token)

    def couple(self, _parts: Parts) -> int:
        return 2

    # The units of a cycle

    def every_unit(self, parts: Parts) -> Rule:
        return Rule(FREQUENCIES[unit_of(parts[-1])])

    def every_n_units(self, parts: Parts) -> Rule:
        _, number, unit = parts
        return Rule(FREQUENCIES[unit_of(unit)], interval=number_in(number, MAX_INTERVAL))

    def every_other_unit(self, parts: Parts) -> Rule:
        return Rule(FREQUENCIES[unit_of(parts[-1])], interval=2)

    def every_nth_unit(self, parts: Parts) -> Rule:
        _, number, unit = parts
        return Rule(FREQUENCIES[unit_of(unit)], interval=number_in(int(number), MAX_INTERVAL))

    # What is added to them

    def weekday(self, parts: Parts) -> int:
        return int(parts[0])

    def weekday_of_ordinal(self, parts: Parts) -> int:
        return number_in(int(parts[0]) - 1, LAST_PLACE)

    def weekdays(self, parts: Parts) -> frozenset[ByDay]:
        return frozenset(ByDay(0, int(day)) for day in parts if not is_filler(day))

    def business(self, _parts: Parts) -> frozenset[ByDay]:
        return WORKDAYS

    def weekend(self, _parts: Parts) -> frozenset[ByDay]:
        return WEEKEND

    def weekends(self, _parts: Parts) -> frozenset[ByDay]:
        return WEEKEND

    def ordinal(self, parts: Parts) -> int:
        [token] = parts
        return -1 if token.type == "LAST" else int(token)

    def item_day(self, parts: Parts) -> MonthDays:
        return MonthDays(days=(number_in(int(parts[-1]), LONGEST_MONTH),))

    def item_weekday(self, parts: Parts) -> MonthDays:
        place, weekday = parts
        if place > LAST_PLACE:
            refuse()
        return MonthDays(weekdays=frozenset({ByDay(place, int(weekday))}))

    def item_nth_day(self, parts: Parts) -> MonthDays:
        return MonthDays(days=(parts[0],), interval=max(parts[0], 0))

    def item_business(self, parts: Parts) -> MonthDays:
        return MonthDays(business=(parts[0],))

    def items(self, parts: Parts) -> MonthDays:
        found = [part for part in parts if isinstance(part, MonthDays)]
        numbers = [number_in(int(token), LONGEST_MONTH) for token in of_type(parts, "INT")]
        if numbers and not any(item.days for item in found):
            refuse()
        return MonthDays(
            rules.unique([*numbers, *(day for item in found for day in item.days)]),
            frozenset(day for item in found for day in item.weekdays),
            rules.unique(day for item in found for day in item.business),
            found[0].interval if len(found) == 1 and not numbers else 0,
        )

    def of_month(self, parts: Parts) -> str:
        return "every" if of_type(parts, "EVERY") else "month"

    def of_name(self, parts: Parts) -> tuple[int, ...]:
        return rules.unique(numbers_of(parts, "MONTH_NAME"))

    def month_day_list(self, parts: Parts) -> YearDays:
        groups: list[tuple[int, list[int]]] = []
        for token in of_type(parts, "MONTH_NAME", "INT", "NTH"):
            if token.type == "MONTH_NAME":
                groups.append((int(token), []))
            else:
                groups[-1][1].append(number_in(int(token), LONGEST_MONTH))
        return merge([(month, rules.unique(days)) for month, days in groups])

    def day_month_list(self, parts: Parts) -> YearDays:
        groups: list[tuple[int, tuple[int, ...]]] = []
        days: list[int] = []
        for token in of_type(parts, "MONTH_NAME", "INT"):
            if token.type == "MONTH_NAME":
                groups.append((int(token), rules.unique(days)))
                days = []
            else:
                days.append(number_in(int(token), LONGEST_MONTH))
        return merge(groups)

    # Whole cycles

    def tail_weekdays(self, parts: Parts) -> object:
        return parts[-1]

    def tail_items(self, parts: Parts) -> object:
        return parts[0]

    def tail_items_of_name(self, parts: Parts) -> object:
        return tuple(parts)

    def tail_day_months(self, parts: Parts) -> object:
        return parts[-1]

    def tail(self, parts: Parts) -> object:
        return parts[-1]

    def recurrence(self, parts: Parts) -> RecurrencePhrase:
        rule, *tails = parts
        return phrase(with_tail(rule, tails[0]) if tails else rule)

    def adverb(self, parts: Parts) -> RecurrencePhrase:
        frequency, _, interval = parts[0].partition(":")
        rule = Rule(Frequency(frequency), interval=int(interval))
        if len(parts) > 1:
            return phrase(with_tail(rule, parts[1]))
        return phrase(rule, Evidence.END)

    def every_weekdays(self, parts: Parts) -> RecurrencePhrase:
        return phrase(Rule(Frequency.WEEKLY, by_day=parts[-1]))

    def every_other_weekday(self, parts: Parts) -> RecurrencePhrase:
        return phrase(Rule(Frequency.WEEKLY, interval=2, by_day=parts[-1]))

    def every_business(self, parts: Parts) -> RecurrencePhrase:
        is_bare = len(parts) == 1 and isinstance(parts[0], Token)
        rule = Rule(Frequency.WEEKLY, by_day=WORKDAYS)
        return phrase(rule, Evidence.END if is_bare else Evidence.NONE)

    def on_business(self, parts: Parts) -> RecurrencePhrase:
        return phrase(Rule(Frequency.WEEKLY, by_day=parts[-1]))

    def every_weekend(self, _parts: Parts) -> RecurrencePhrase:
        return phrase(Rule(Frequency.WEEKLY, by_day=WEEKEND))

    def every_other_weekend(self, _parts: Parts) -> RecurrencePhrase:
        return phrase(Rule(Frequency.WEEKLY, interval=2, by_day=WEEKEND))

    def alternate_weekdays(self, parts: Parts) -> RecurrencePhrase:
        one, other = [part for part in parts if type(part) is int]
        if one != other:
            refuse()
        by_day = frozenset({ByDay(0, one)})
        return phrase(Rule(Frequency.WEEKLY, interval=2, by_day=by_day))

    def more_plurals(self, parts: Parts) -> int:
        return numbers_of(parts, "WEEKDAY_PLURAL")[0]

    def on_weekdays(self, parts: Parts) -> RecurrencePhrase:
        numbers = numbers_of(parts, "WEEKDAY_PLURAL")
        numbers += [part for part in parts if isinstance(part, int)]
        return phrase(Rule(Frequency.WEEKLY, by_day=frozenset(ByDay(0, day) for day in numbers)))

    def every_items(self, parts: Parts) -> RecurrencePhrase:
        items: MonthDays = parts[1]
        if items.interval and len(parts) == 2:  # noqa: PLR2004  # every 3rd day
            return phrase(Rule(Frequency.DAILY, interval=items.interval))
        return phrase(items.applied_to(Rule(Frequency.MONTHLY)))

    def every_items_of_name(self, parts: Parts) -> RecurrencePhrase:
        return phrase(with_tail(Rule(Frequency.YEARLY), (parts[1], parts[2])))

    def every_day_months(self, parts: Parts) -> RecurrencePhrase:
        return phrase(with_tail(Rule(Frequency.YEARLY), parts[-1]))

    def every_month_name(self, parts: Parts) -> RecurrencePhrase:
        return phrase(Rule(Frequency.YEARLY, by_month=(int(parts[-1]),), by_month_day=(1,)))

    def every_month_day(self, parts: Parts) -> RecurrencePhrase:
        return self.every_day_months([self.month_day_list(parts)])

    def items_of_every_month(self, parts: Parts) -> RecurrencePhrase:
        [items] = [part for part in parts if isinstance(part, MonthDays)]
        return phrase(items.applied_to(Rule(Frequency.MONTHLY)))

    def first_of_every_month(self, parts: Parts) -> RecurrencePhrase:
        [day] = numbers_of(parts, "ORDINAL")
        return phrase(Rule(Frequency.MONTHLY, by_month_day=(day,)))

    def alternate_days(self, _parts: Parts) -> RecurrencePhrase:
        return phrase(Rule(Frequency.DAILY, interval=2))

    def alternate_weeks(self, _parts: Parts) -> RecurrencePhrase:
        return phrase(Rule(Frequency.WEEKLY, interval=2))

    def weekday_range(self, parts: Parts) -> RecurrencePhrase:
        first, last = [part for part in parts if isinstance(part, int)]
        if first >= last:
            refuse()
        days = frozenset(ByDay(0, day) for day in range(first, last + 1))
        return phrase(Rule(Frequency.WEEKLY, by_day=days))

    def weekday_series(self, parts: Parts) -> RecurrencePhrase:
        days = frozenset(ByDay(0, part) for part in parts if type(part) is int)
        return phrase(Rule(Frequency.WEEKLY, by_day=days), Evidence.CONTEXT)

    def weekday_plurals(self, parts: Parts) -> RecurrencePhrase:
        is_one = len(parts) == 1 or not any(type(part) is int for part in parts)
        evidence = Evidence.NEIGHBOR if is_one else Evidence.END
        return replace(self.on_weekdays(parts), evidence=evidence)

    def every_part(self, parts: Parts) -> RecurrencePhrase:
        return replace(phrase(Rule(Frequency.DAILY)), part=str(parts[-1]))

    def every_cycle(self, parts: Parts) -> RecurrencePhrase:
        named = parts[-1] if parts[-1].type == "CYCLE" else "MONTHLY:3"
        frequency, _, interval = named.partition(":")
        return phrase(Rule(Frequency(frequency), interval=int(interval)))

    def units_from_completion(self, parts: Parts) -> RecurrencePhrase:
        number, unit, _ = parts
        rule = Rule(FREQUENCIES[unit_of(unit)], interval=number_in(number, MAX_INTERVAL))
        return RecurrencePhrase(checked(rule), from_completion=True)

    # Limits

    def completion(self, _parts: Parts) -> LimitPhrase:
        return LimitPhrase(from_completion=True)

    def limit(self, parts: Parts) -> LimitPhrase:
        [completion] = parts
        return LimitPhrase(from_completion=completion.from_completion)

    def times(self, parts: Parts) -> LimitPhrase:
        given = [part for part in parts if type(part) is int] or numbers_of(parts, "TIMES_NUMBER")
        return LimitPhrase(count=number_in(given[0], MAX_COUNT))

    def for_units(self, parts: Parts) -> LimitPhrase:
        _, number, unit = parts
        return LimitPhrase(period=Ahead(number_in(number, MAX_INTERVAL), unit_of(unit)))


def is_filler(part: object) -> bool:
    """Tell whether a part separates those of a list."""
    return not isinstance(part, int)


def unit_of(token: Token) -> Unit:
    return Unit(token.type.lower())


def with_tail(rule: Rule, tail: object) -> Rule:
    """Add the days of a week, month or year to a cycle of weeks, months or years."""
    match rule.frequency, tail:
        case Frequency.WEEKLY, frozenset():
            return replace(rule, by_day=tail)
        case Frequency.MONTHLY, MonthDays():
            return tail.applied_to(rule)
        case Frequency.YEARLY, YearDays():
            return replace(rule, by_month=tail.months, by_month_day=tail.days)
        case Frequency.YEARLY, (MonthDays() as items, tuple() as months):
            return items.applied_to(replace(rule, by_month=months))
        case _:
            refuse()


def phrase(rule: Rule, evidence: Evidence = Evidence.NONE) -> RecurrencePhrase:
    return RecurrencePhrase(checked(rule), evidence=evidence)
