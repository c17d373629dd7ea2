"""The grammar in `grammar.lark`, and what its phrases mean."""

from dataclasses import replace
from datetime import date, time
from functools import cache
from typing import Any

from lark import Lark

from fast_zero.quick_add.clocks import MAX_MINUTES, ClockMeanings
from fast_zero.quick_add.cycles import (
    LAST_PLACE,
    CycleMeanings,
    number_in,
    numbers_of,
    of_type,
    refuse,
    unit_of,
)
from fast_zero.quick_add.meanings import (
    Ahead,
    BusinessDay,
    DatePhrase,
    Day,
    EndOf,
    Evidence,
    Exactly,
    Lead,
    MomentPhrase,
    NextPeriod,
    NthWeekday,
    Numeric,
    OnDay,
    OnWeekday,
    Unit,
    Weekend,
)

KINDS = ("recurrence", "limit", "reminder", "date", "time", "duration")
"""The start symbols. The first one is preferred where two phrases are equally long."""

LAST_DAY_OF_MONTHS, BUSINESS_DAYS = 31, 20
LEADS = {
    "ON": Lead.ON,
    "EM": Lead.EM,
    "IN": Lead.IN,
    "DAQUI": Lead.IN,
    "DENTRO": Lead.IN,
    "UNTIL": Lead.UNTIL,
    "FROM": Lead.START,
    "STARTING": Lead.START,
    "A": Lead.START,
    "DE": Lead.OF,
    "DA": Lead.OF,
}
Parts = list[Any]


class Meanings(ClockMeanings, CycleMeanings):
    """Computes the meaning of each rule of the grammar, from those of its parts."""

    # Dates

    def lead(self, parts: Parts) -> Lead:
        return LEADS.get(parts[0].type, Lead.BY)

    def date(self, parts: Parts) -> DatePhrase | MomentPhrase:
        lead = next((part for part in parts if isinstance(part, Lead)), Lead.NONE)
        meaning: DatePhrase | MomentPhrase = parts[-1]
        if isinstance(meaning, MomentPhrase) or isinstance(meaning.day, Ahead):
            is_counted = meaning.evidence is Evidence.NEIGHBOR
            if is_counted != (lead in {Lead.IN, Lead.EM}) or lead is Lead.ON:
                refuse()  # "log in tomorrow", "turn it on today"
            return replace(meaning, evidence=Evidence.NONE)
        evidence = meaning.evidence
        if lead is Lead.IN:
            refuse()
        if lead is Lead.OF:  # "às 21h de quinta"
            return replace(meaning, evidence=Evidence.NEIGHBOR)
        is_number = evidence is Evidence.END and not isinstance(meaning.day, Numeric | Weekend)
        is_number |= isinstance(meaning.day, OnDay) and meaning.day.month is None
        if lead is not Lead.NONE and not is_number:
            evidence = Evidence.NONE
        if isinstance(meaning.day, OnWeekday) and evidence is not meaning.evidence:
            evidence = Evidence.CONTEXT if "the" in of_type(parts, "ART") else evidence
        elif isinstance(meaning.day, OnWeekday) and of_type(parts, "ART"):
            refuse()
        return replace(meaning, lead=lead, evidence=evidence)

    def today(self, _parts: Parts) -> DatePhrase:
        return sure(Ahead(0))

    def tomorrow(self, _parts: Parts) -> DatePhrase:
        return sure(Ahead(1))

    def after_tomorrow(self, _parts: Parts) -> DatePhrase:
        return sure(Ahead(2))

    def day_weekday(self, parts: Parts) -> DatePhrase:
        return DatePhrase(OnWeekday(parts[-1]), evidence=Evidence.CONTEXT)

    def day_weekday_sure(self, parts: Parts) -> DatePhrase:
        return sure(OnWeekday(weekday_in(parts)))

    def day_this_weekday(self, parts: Parts) -> DatePhrase:
        return sure(OnWeekday(weekday_in(parts), Unit.DAY))

    def day_next_weekday(self, parts: Parts) -> DatePhrase:
        is_english = parts[0] == "next"
        return sure(OnWeekday(weekday_in(parts), Unit.WEEK if is_english else None))

    def day_weekday_next_week(self, parts: Parts) -> DatePhrase:
        return sure(OnWeekday(weekday_in(parts), Unit.WEEK))

    def next_week(self, _parts: Parts) -> Unit:
        return Unit.WEEK

    def next_period(self, parts: Parts) -> DatePhrase:
        named = of_type(parts, "MONTH", "YEAR")
        unit = unit_of(named[0]) if named else Unit.WEEK
        return DatePhrase(NextPeriod(unit), evidence=Evidence.CONTEXT)

    def this_weekend(self, parts: Parts) -> DatePhrase:
        is_this = len(parts) > 1
        evidence = Evidence.CONTEXT if is_this else Evidence.END
        return DatePhrase(Weekend(is_this=is_this), evidence=evidence)

    def next_weekend(self, _parts: Parts) -> DatePhrase:
        return DatePhrase(Weekend(1), evidence=Evidence.CONTEXT)

    def portuguese_weekend(self, parts: Parts) -> DatePhrase:
        is_next = bool(of_type(parts, "NEXT", "VEM"))
        return DatePhrase(Weekend(int(is_next)), evidence=Evidence.CONTEXT)

    def end_of(self, parts: Parts) -> DatePhrase:
        return DatePhrase(EndOf(unit_of(parts[-1])), evidence=Evidence.CONTEXT)

    def end_of_next(self, parts: Parts) -> DatePhrase:
        [unit] = of_type(parts, "DAY", "WEEK", "MONTH", "YEAR")
        return DatePhrase(EndOf(unit_of(unit), 1), evidence=Evidence.CONTEXT)

    def end_of_short(self, parts: Parts) -> DatePhrase:
        return DatePhrase(EndOf(Unit(str(parts[0]))), evidence=Evidence.CONTEXT)

    def last_day_of_month(self, parts: Parts) -> DatePhrase:
        is_business = bool(of_type(parts, "BUSINESS"))
        return DatePhrase(EndOf(Unit.MONTH, 0, is_business), evidence=Evidence.CONTEXT)

    def last_business_of_month(self, _parts: Parts) -> DatePhrase:
        return DatePhrase(EndOf(Unit.MONTH, 0, is_business=True), evidence=Evidence.CONTEXT)

    def year(self, parts: Parts) -> int:
        return int(parts[0])

    def month_day(self, parts: Parts) -> DatePhrase:
        return day_in_year(parts)

    def day_month(self, parts: Parts) -> DatePhrase:
        return day_in_year(parts)

    def of_next_month(self, parts: Parts) -> int:
        return int(bool(of_type(parts, "NEXT", "VEM")))

    def day_of_month(self, parts: Parts) -> DatePhrase:
        return sure(day_in_month(parts))

    def nth(self, parts: Parts) -> DatePhrase:
        return DatePhrase(day_in_month(parts), evidence=Evidence.END)

    def nth_business(self, parts: Parts) -> DatePhrase:
        ahead = [part for part in parts if type(part) is int]
        number = number_in(int(parts[0]), BUSINESS_DAYS)
        return sure(BusinessDay(number, ahead[0] or None if ahead else None))

    def nth_weekday(self, parts: Parts) -> DatePhrase:
        place, weekday, ahead = parts
        if place > LAST_PLACE:
            refuse()
        return sure(NthWeekday(place, weekday, ahead or None))

    def nth_weekday_of_month(self, parts: Parts) -> DatePhrase:
        place, weekday = (part for part in parts if type(part) is int)
        [month] = numbers_of(parts, "MONTH_NAME")
        if place > LAST_PLACE:
            refuse()
        return sure(NthWeekday(place, weekday, month=month))

    def nth_day_of_month(self, parts: Parts) -> DatePhrase:
        return sure(day_in_month([parts[0], parts[-1]]))

    def short_weekday(self, parts: Parts) -> DatePhrase:
        return DatePhrase(OnWeekday(int(parts[0])), evidence=Evidence.END)

    def numeric(self, parts: Parts) -> DatePhrase:
        first, second, *years = map(int, parts[-1].split("/"))
        if not (min(first, second) >= 1 and max(first, second) <= LAST_DAY_OF_MONTHS):
            refuse()
        is_clear = bool(years) or len(parts) > 1
        day = Numeric(first, second, years[0] if years else None)
        return DatePhrase(day, evidence=Evidence.NONE if is_clear else Evidence.CONTEXT)

    def iso(self, parts: Parts) -> DatePhrase:
        at = time.fromisoformat(parts[0][11:]) if len(parts[0]) > 10 else None  # noqa: PLR2004  # a day
        return replace(sure(Exactly(date.fromisoformat(parts[0][:10]))), at=at)

    def ahead(self, parts: Parts) -> DatePhrase:
        evidence = Evidence.NONE if of_type(parts, "FROM") else Evidence.NEIGHBOR
        return DatePhrase(Ahead(number_in(parts[0], 9999), unit_of(parts[1])), evidence=evidence)

    def moment_ahead(self, parts: Parts) -> MomentPhrase:
        evidence = Evidence.NONE if of_type(parts, "FROM") else Evidence.NEIGHBOR
        return MomentPhrase(number_in(parts[0].minutes, MAX_MINUTES), evidence)


def sure(day: Day) -> DatePhrase:
    return DatePhrase(day)


def weekday_in(parts: Parts) -> int:
    [weekday] = [part for part in parts if type(part) is int]
    return weekday


def day_in_year(parts: Parts) -> DatePhrase:
    [month] = numbers_of(parts, "MONTH_NAME")
    [day] = numbers_of(parts, "INT", "NTH", "ORDINAL")
    years = [part for part in parts if type(part) is int]
    number_in(day, LAST_DAY_OF_MONTHS)
    return sure(OnDay(day, month, years[0] if years else None))


def day_in_month(parts: Parts) -> OnDay:
    [day] = numbers_of(parts, "INT", "NTH", "ORDINAL")
    ahead = [part for part in parts if type(part) is int]
    number_in(day, LAST_DAY_OF_MONTHS)
    return OnDay(day, months_ahead=(ahead[0] or None) if ahead else None)


@cache
def parser() -> Lark:
    """Return the parser. It takes a tenth of a second to build, once in a process."""
    return Lark.open(
        "grammar.lark",
        rel_to=__file__,
        parser="lalr",
        lexer="basic",
        start=list(KINDS),
        transformer=Meanings(),
    )
