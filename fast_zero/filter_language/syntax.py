"""What a filter consists of. `str` returns its canonical text, which is English."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from fast_zero.filter_language.vocabulary import (
    BEHIND,
    NAMED,
    NEAR_DAYS,
    NONE,
    OPERATORS,
    OVERDUE,
    WEEKDAY_NAMES,
    Field,
    folded,
)

WORD = r'[^\s()",:<>=“]+'
"""What needs no quotes."""

Operator = Literal["=", "<", "<=", ">", ">="]
REVERSED: dict[Operator, Operator] = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
NAMES_OF_DAYS = {days: name for name, days in NEAR_DAYS.items()}


@dataclass(frozen=True)
class Offset:
    """A day that is some days after today; before, if negative."""

    days: int


@dataclass(frozen=True)
class Weekday:
    """From 1, Monday. The next one, or the last one of a day that has passed; today counts."""

    number: int


Value = str | date | Offset | Weekday | None
"""None: the todo has none."""


@dataclass(frozen=True)
class Condition:
    """A field that has one of these values. Only `=` has more than one."""

    field: Field
    operator: Operator
    values: tuple[Value, ...]

    def __str__(self) -> str:
        if self == IS_OVERDUE:
            return "overdue"
        operator = self.operator
        if is_age(self.field, self.values[0]):
            operator = REVERSED[operator]
        values = ",".join(text_of(self.field, value) for value in self.values)
        return f"{self.field}{':' if operator == '=' else operator}{values}"


IS_OVERDUE = Condition(Field.IS, "=", ("overdue",))


@dataclass(frozen=True)
class Text:
    """A text that title or description contain."""

    text: str

    def __str__(self) -> str:
        is_plain = re.fullmatch(WORD, self.text) and folded(self.text) not in OPERATORS | OVERDUE
        return self.text if is_plain else quoted(self.text)


@dataclass(frozen=True)
class Not:
    part: "Filter"

    def __str__(self) -> str:
        return f"not {inside(self.part, And, Or)}"


@dataclass(frozen=True)
class And:
    parts: tuple["Filter", ...]

    def __str__(self) -> str:
        return " and ".join(inside(part, And, Or) for part in self.parts)


@dataclass(frozen=True)
class Or:
    parts: tuple["Filter", ...]

    def __str__(self) -> str:
        return " or ".join(inside(part, Or) for part in self.parts)


Filter = Condition | Text | Not | And | Or


def inside(part: Filter, *kinds: type[And | Or]) -> str:
    return f"({part})" if isinstance(part, kinds) else str(part)


def join(kind: type[And | Or], parts: Iterable[Filter]) -> Filter:
    """Return parts as one. What is of the same kind is not nested."""
    flat: list[Filter] = []
    for part in parts:
        flat += part.parts if isinstance(part, kind) else [part]
    return flat[0] if len(flat) == 1 else kind(tuple(flat))


def depth(part: Filter) -> int:
    match part:
        case Not(of):
            return 1 + depth(of)
        case And(parts) | Or(parts):
            return 1 + max(map(depth, parts))
    return 1


def count(part: Filter) -> int:
    """Count conditions. Each value of a list is one."""
    match part:
        case Not(of):
            return count(of)
        case And(parts) | Or(parts):
            return sum(map(count, parts))
        case Condition(values=values):
            return len(values)
    return 1


def quoted(text: str) -> str:
    return '"{}"'.format(text.replace('"', '""'))


def is_age(field: Field, value: Value) -> bool:
    """Whether a day is written as an age, whose comparison is the other way round."""
    return field in BEHIND and isinstance(value, Offset) and value.days not in NAMES_OF_DAYS


def text_of(field: Field, value: Value) -> str:
    match value:
        case None:
            return "none"
        case Offset(days):
            ahead = -days if field in BEHIND else days
            return NAMES_OF_DAYS.get(days, f"{ahead}d")
        case Weekday(number):
            return WEEKDAY_NAMES[number - 1]
        case date():
            return value.isoformat()
    needs_quotes = field in NAMED and (folded(value) in NONE or not re.fullmatch(WORD, value))
    return quoted(value) if needs_quotes else value
