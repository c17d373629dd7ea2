"""Recurrences in words, in English and Portuguese.

Quick add parses what is written here to the same rule. Rules that cannot be said so have no words.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from fast_zero.core.languages import Language
from fast_zero.recurrence.rules import ByDay, Frequency, Rule, parse

TEXTS = 4096
"""How many texts are kept, by rules."""

WORKDAYS = frozenset(ByDay(0, weekday) for weekday in range(5))
PLACES = {1, 2, 3, 4, 5, -1}
YEARS = range(1900, 2200)
"""The years that are taken for years in a sentence."""


@dataclass(frozen=True)
class Words:
    """The words of a language."""

    every: dict[Frequency, str]
    every_n: str
    units: dict[Frequency, str]
    weekdays: Sequence[str]
    months: Sequence[str]
    conjunction: str
    workday: str
    once: str
    times: str
    until: str
    completion: str


ENGLISH = Words(
    every={
        Frequency.DAILY: "every day",
        Frequency.WEEKLY: "every week",
        Frequency.MONTHLY: "every month",
        Frequency.YEARLY: "every year",
    },
    every_n="every {} {}",
    units={
        Frequency.DAILY: "days",
        Frequency.WEEKLY: "weeks",
        Frequency.MONTHLY: "months",
        Frequency.YEARLY: "years",
    },
    weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    months=(
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    conjunction=" and ",
    workday="weekday",
    once=", 1 time",
    times=", {} times",
    until=" until {}",
    completion=" after completion",
)
PORTUGUESE = Words(
    every={
        Frequency.DAILY: "todo dia",
        Frequency.WEEKLY: "toda semana",
        Frequency.MONTHLY: "todo mês",
        Frequency.YEARLY: "todo ano",
    },
    every_n="a cada {} {}",
    units={
        Frequency.DAILY: "dias",
        Frequency.WEEKLY: "semanas",
        Frequency.MONTHLY: "meses",
        Frequency.YEARLY: "anos",
    },
    weekdays=("segunda", "terça", "quarta", "quinta", "sexta", "sábado", "domingo"),
    months=(
        *("janeiro", "fevereiro", "março", "abril", "maio", "junho"),
        *("julho", "agosto", "setembro", "outubro", "novembro", "dezembro"),
    ),
    conjunction=" e ",
    workday="dia útil",
    once=", 1 vez",
    times=", {} vezes",
    until=" até {}",
    completion=" após concluir",
)
ENGLISH_ORDINALS = ("first", "second", "third", "fourth", "fifth")
PORTUGUESE_ORDINALS = ("primeir", "segund", "terceir", "quart", "quint")
MASCULINE = (5, 6)
"""Saturday and Sunday; the other weekdays are feminine in Portuguese."""


def text(rule: Rule, language: Language, *, from_completion: bool) -> str | None:
    """Return the words of a recurrence; None if it has none."""
    say = english if language == "en" else portuguese
    words = ENGLISH if language == "en" else PORTUGUESE
    is_plain = not rule.week_start and not isinstance(rule.until, datetime)
    phrase = say(rule, words) if is_plain else None
    if phrase is None:
        return None
    if from_completion:
        phrase += words.completion
    if rule.count:
        phrase += words.once if rule.count == 1 else words.times.format(rule.count)
    if rule.until:
        if rule.until.year not in YEARS:
            return None
        phrase += words.until.format(date_text(rule.until, language, words))
    return phrase


def texts(rule_text: str, *, from_completion: bool) -> dict[Language, str] | None:
    """Return the words of a rule in each language; None if it has none."""
    rule = parse(rule_text)
    english_text = text(rule, "en", from_completion=from_completion)
    portuguese_text = text(rule, "pt-BR", from_completion=from_completion)
    if english_text is None or portuguese_text is None:
        return None
    return {"en": english_text, "pt-BR": portuguese_text}


def date_text(day: date, language: Language, words: Words) -> str:
    month = words.months[day.month - 1]
    if language == "en":
        return f"{month} {day.day}, {day.year}"
    return f"{day.day} de {month} de {day.year}"


def listed(parts: Iterable[str], words: Words) -> str:
    """Join parts with commas, and the last two with a conjunction."""
    *most, last = parts
    return f"{', '.join(most)}{words.conjunction}{last}" if most else last


def cycle(rule: Rule, words: Words) -> str:
    if rule.interval == 1:
        return words.every[rule.frequency]
    return words.every_n.format(rule.interval, words.units[rule.frequency])


def english(rule: Rule, words: Words) -> str | None:
    begin = cycle(rule, words)
    if is_bare(rule):
        return begin
    if is_weekly(rule):
        return english_week(rule, words, begin)
    if is_dated(rule):
        first, *others = rule.by_month_day
        months = (
            listed([f"{words.months[month - 1]} {first}", *map(str, others)], words)
            for month in rule.by_month
        )
        return f"{begin} on {listed(months, words)}"
    items = month_items(rule, words, english_item)
    return items and f"{begin} on {items}{of_months(rule, words, ' of ')}"


def english_week(rule: Rule, words: Words, begin: str) -> str:
    if rule.by_day == WORKDAYS and rule.interval == 1:
        return "every weekday"
    days = listed((words.weekdays[day.weekday] for day in sorted_days(rule)), words)
    return f"every {days}" if rule.interval == 1 else f"{begin} on {days}"


def portuguese(rule: Rule, words: Words) -> str | None:
    begin = cycle(rule, words)
    if is_bare(rule):
        return begin
    if is_weekly(rule):
        return portuguese_week(rule, words, begin)
    if is_dated(rule):
        days = listed(map(str, rule.by_month_day), words)
        months = (f"{days} de {words.months[month - 1]}" for month in rule.by_month)
        return f"{begin}, {listed(months, words)}"
    items = month_items(rule, words, portuguese_item)
    if items and rule.frequency is Frequency.MONTHLY and rule.interval == 1:
        return portuguese_month(rule, items)
    return items and f"{begin}, {items}{of_months(rule, words, ' de ')}"


def portuguese_month(rule: Rule, items: str) -> str:
    if rule.by_month_day and rule.by_month_day[0] > 0:
        return f"todo {items}"
    is_masculine = items.startswith("dia") or items.split(maxsplit=1)[0].endswith("o")
    return f"{'todo' if is_masculine else 'toda'} {items} do mês"


def of_months(rule: Rule, words: Words, preposition: str) -> str:
    if not rule.by_month:
        return ""
    return preposition + listed((words.months[month - 1] for month in rule.by_month), words)


def portuguese_week(rule: Rule, words: Words, begin: str) -> str:
    if rule.by_day == WORKDAYS and rule.interval == 1:
        return "todo dia útil"
    weekdays = [day.weekday for day in sorted_days(rule)]
    days = listed((words.weekdays[weekday] for weekday in weekdays), words)
    if rule.interval > 1:
        return f"{begin}, {days}"
    return f"{'todo' if weekdays[0] in MASCULINE else 'toda'} {days}"


# The kinds of rules that have words


def is_bare(rule: Rule) -> bool:
    return not (rule.by_day or rule.by_month_day or rule.by_month or rule.by_set_position)


def is_weekly(rule: Rule) -> bool:
    is_alone = not (rule.by_month or rule.by_set_position)
    return rule.frequency is Frequency.WEEKLY and is_alone and bool(rule.by_day)


def is_dated(rule: Rule) -> bool:
    """Tell whether a rule names days of one month, or one day of several."""
    is_alone = not (rule.by_day or rule.by_set_position)
    is_yearly = rule.frequency is Frequency.YEARLY and is_alone
    is_simple = len(rule.by_month) == 1 or len(rule.by_month_day) == 1
    has_days = bool(rule.by_month and rule.by_month_day) and rule.by_month_day[0] > 0
    return is_yearly and has_days and is_simple


def sorted_days(rule: Rule) -> list[ByDay]:
    return sorted(rule.by_day, key=lambda day: (day.weekday, day.ordinal))


def month_items(
    rule: Rule, words: Words, say: Callable[[int, int | None, Words], str]
) -> str | None:
    """Return the days of a month, or of months of a year, that a rule names.

    `say` returns the words of a place, and of a weekday, or of any day that is no weekend.
    """
    is_monthly = rule.frequency is Frequency.MONTHLY and not rule.by_month
    is_yearly = rule.frequency is Frequency.YEARLY and bool(rule.by_month)
    if not (is_monthly or is_yearly):
        return None
    if rule.by_month_day:
        is_said = not (rule.by_day or rule.by_set_position) and rule.by_month_day[0] >= -1
        return day_items(last_at_end(rule.by_month_day), words) if is_said else None
    if rule.by_set_position:
        is_said = rule.by_day == WORKDAYS and set(rule.by_set_position) <= PLACES
        places = last_at_end(rule.by_set_position)
        return listed((say(place, None, words) for place in places), words) if is_said else None
    if not rule.by_day or not {day.ordinal for day in rule.by_day} <= PLACES:
        return None
    days = sorted(rule.by_day, key=lambda day: (day.ordinal < 0, day))
    return listed((say(day.ordinal, day.weekday, words) for day in days), words)


def last_at_end(places: Iterable[int]) -> list[int]:
    return sorted(places, key=lambda place: (place < 0, place))


def day_items(numbers: Sequence[int], words: Words) -> str:
    if words is ENGLISH:
        return listed(("the " + nth(day) if day > 0 else "the last day" for day in numbers), words)
    plain = [str(day) for day in numbers if day > 0]
    if plain:
        plain[0] = f"dia {plain[0]}"
    last = ["último dia"] if numbers[-1] < 0 else []
    return listed([*plain, *last], words)


def nth(number: int) -> str:
    is_teen = number // 10 == 1
    ending = "th" if is_teen else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def english_item(place: int, weekday: int | None, words: Words) -> str:
    ordinal = "last" if place < 0 else ENGLISH_ORDINALS[place - 1]
    return f"the {ordinal} {words.workday if weekday is None else words.weekdays[weekday]}"


def portuguese_item(place: int, weekday: int | None, words: Words) -> str:
    ending = "o" if weekday is None or weekday in MASCULINE else "a"
    ordinal = "últim" if place < 0 else PORTUGUESE_ORDINALS[place - 1]
    return f"{ordinal}{ending} {words.workday if weekday is None else words.weekdays[weekday]}"
