"""Recurrence rules of RFC 5545, section 3.3.10: from text, and back to text."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

LONGEST = 500
"""The characters of a rule."""

MAX_INTERVAL = 999
MAX_COUNT = 9999
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(9999, 12, 29)
"""The days of rules. Moments of these days can be stored, whatever the time zone."""

PREFIX = "RRULE:"
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
"""In the order of `date.weekday()`."""


class Frequency(StrEnum):
    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


UNNUMBERED = (Frequency.DAILY, Frequency.WEEKLY)
"""Where BYDAY has no ordinals."""


class ByDay(NamedTuple):
    """A weekday of BYDAY. With the ordinal 0 it is each such day, with -1 the last one."""

    ordinal: int
    weekday: int

    def __str__(self) -> str:
        return f"{self.ordinal or ''}{WEEKDAYS[self.weekday]}"


@dataclass(frozen=True)
class Rule:
    """A rule as `parse` returns it: checked, and its lists sorted and without repetitions.

    `str` returns its canonical text, which leaves defaults out.
    """

    frequency: Frequency
    until: date | None = None
    """A day, or a moment in UTC: then it is a `datetime`."""
    count: int | None = None
    interval: int = 1
    by_day: frozenset[ByDay] = frozenset()  # a rule may have a hundred of them
    by_month_day: tuple[int, ...] = ()
    by_month: tuple[int, ...] = ()
    by_set_position: tuple[int, ...] = ()
    week_start: int = 0

    def __str__(self) -> str:
        values = {
            "FREQ": self.frequency.value,
            "UNTIL": until_text(self.until) if self.until else "",
            "COUNT": str(self.count or ""),
            "INTERVAL": str(self.interval) if self.interval > 1 else "",
            "BYDAY": ",".join(map(str, sorted(self.by_day))),
            "BYMONTHDAY": ",".join(map(str, self.by_month_day)),
            "BYMONTH": ",".join(map(str, self.by_month)),
            "BYSETPOS": ",".join(map(str, self.by_set_position)),
            "WKST": WEEKDAYS[self.week_start] if self.week_start else "",
        }
        return ";".join(f"{name}={value}" for name, value in values.items() if value)


def until_text(until: date) -> str:
    if isinstance(until, datetime):
        return f"{until.date().isoformat().replace('-', '')}T{until:%H%M%S}Z"
    return until.isoformat().replace("-", "")


def parse(text: str) -> Rule:
    """Return the rule that a text says. Raise ValueError with a sentence that names the part.

    Lower case and the prefix `RRULE:` are accepted.
    """
    values: dict[str, Any] = {}
    for name, value in split(text).items():
        field, parse_value = FIELDS[name]
        values[field] = parse_value(name, value)
    if "frequency" not in values:
        raise ValueError("FREQ is missing.")
    rule = Rule(**values)
    check_together(rule)
    return rule


def split(text: str) -> dict[str, str]:
    """Return the parts of a rule in upper case. None of them is unknown, repeated or empty."""
    if len(text) > LONGEST:
        raise ValueError(f"A recurrence rule has at most {LONGEST} characters.")
    if not re.fullmatch("[!-~]*", text):
        raise ValueError("A recurrence rule has neither spaces nor characters outside of ASCII.")
    parts: dict[str, str] = {}
    for part in text.upper().removeprefix(PREFIX).split(";"):
        name, is_given, value = part.partition("=")
        if not is_given:
            raise ValueError(
                "A recurrence rule is written NAME=VALUE;NAME=VALUE, such as "
                "FREQ=WEEKLY;BYDAY=MO,TH."
            )
        if name not in FIELDS:
            raise ValueError(f"{name} is not supported; {', '.join(FIELDS)} are.")
        if name in parts:
            raise ValueError(f"{name} is given more than once.")
        if not value:
            raise ValueError(f"{name} has no value.")
        parts[name] = value
    return parts


def check_together(rule: Rule) -> None:
    """Refuse parts that RFC 5545 does not allow together."""
    if rule.count and rule.until:
        raise ValueError("COUNT and UNTIL cannot be used together.")
    if rule.frequency in UNNUMBERED and any(day.ordinal for day in rule.by_day):
        raise ValueError(
            "BYDAY has numbers, such as 2MO, only with FREQ=MONTHLY and with FREQ=YEARLY."
        )
    if rule.by_month_day and rule.frequency is Frequency.WEEKLY:
        raise ValueError("BYMONTHDAY cannot be used with FREQ=WEEKLY.")
    if rule.by_set_position and not (rule.by_day or rule.by_month_day or rule.by_month):
        raise ValueError("BYSETPOS requires BYDAY, BYMONTHDAY or BYMONTH.")


def parse_frequency(name: str, text: str) -> Frequency:
    if text not in set(Frequency):
        raise ValueError(f"{name} is one of {', '.join(Frequency)}.")
    return Frequency(text)


def parse_week_start(name: str, text: str) -> int:
    if text not in WEEKDAYS:
        raise ValueError(f"{name} is one of {', '.join(WEEKDAYS)}.")
    return WEEKDAYS.index(text)


def parse_until(name: str, text: str) -> date:
    until: date | None = None
    try:
        if re.fullmatch("[0-9]{8}T[0-9]{6}Z", text):
            until = datetime.strptime(text, "%Y%m%dT%H%M%S%z").astimezone(UTC)
        elif re.fullmatch("[0-9]{8}", text):
            until = date.fromisoformat(text)
    except ValueError:  # a day or a time that does not exist
        until = None
    if until is None:
        raise ValueError(
            f"{name} is a day, such as 20261231, or a moment in UTC, such as 20261231T235959Z."
        )
    day = until.date() if isinstance(until, datetime) else until
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(f"{name} is between {FIRST_DAY} and {LAST_DAY}.")
    return until


def parse_interval(name: str, text: str) -> int:
    return parse_positive(name, text, MAX_INTERVAL)


def parse_count(name: str, text: str) -> int:
    return parse_positive(name, text, MAX_COUNT)


def parse_days(name: str, text: str) -> frozenset[ByDay]:
    return frozenset(parse_day(name, day) for day in text.split(","))


def parse_day(name: str, text: str) -> ByDay:
    ordinal, weekday = text[:-2], text[-2:]
    if weekday not in WEEKDAYS:
        raise ValueError(f"{name} has {', '.join(WEEKDAYS)}, with commas between.")
    number = parse_signed(f"The number in {name}", ordinal, 53) if ordinal else 0
    return ByDay(number, WEEKDAYS.index(weekday))


def parse_month_days(name: str, text: str) -> tuple[int, ...]:
    return unique(parse_signed(name, day, 31) for day in text.split(","))


def parse_months(name: str, text: str) -> tuple[int, ...]:
    return unique(parse_positive(name, month, 12) for month in text.split(","))


def parse_set_positions(name: str, text: str) -> tuple[int, ...]:
    return unique(parse_signed(name, position, 366) for position in text.split(","))


def unique(values: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(set(values)))


def parse_positive(name: str, text: str, highest: int) -> int:
    if not re.fullmatch("[0-9]+", text) or not 1 <= int(text) <= highest:
        raise ValueError(f"{name} has to be from 1 to {highest}.")
    return int(text)


def parse_signed(name: str, text: str, highest: int) -> int:
    if not re.fullmatch("[+-]?[0-9]+", text) or not 1 <= abs(int(text)) <= highest:
        raise ValueError(f"{name} has to be from 1 to {highest} or from -{highest} to -1.")
    return int(text)


FIELDS: dict[str, tuple[str, Callable[[str, str], Any]]] = {
    "FREQ": ("frequency", parse_frequency),
    "UNTIL": ("until", parse_until),
    "COUNT": ("count", parse_count),
    "INTERVAL": ("interval", parse_interval),
    "BYDAY": ("by_day", parse_days),
    "BYMONTHDAY": ("by_month_day", parse_month_days),
    "BYMONTH": ("by_month", parse_months),
    "BYSETPOS": ("by_set_position", parse_set_positions),
    "WKST": ("week_start", parse_week_start),
}
"""The parts of a rule: the field of each, and what parses its value."""
