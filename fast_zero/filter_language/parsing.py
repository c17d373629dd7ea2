"""Parses filters. A mistake is named with its column and what was expected there."""

import re
from collections.abc import Callable
from datetime import date
from functools import cache, lru_cache

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedToken, v_args

from fast_zero.filter_language.syntax import (
    REVERSED,
    WORD,
    And,
    Condition,
    Filter,
    Not,
    Offset,
    Operator,
    Or,
    Text,
    Value,
    Weekday,
    count,
    depth,
    is_age,
    join,
)
from fast_zero.filter_language.vocabulary import (
    AHEAD,
    BEHIND,
    FIELDS,
    FLAGS,
    NAMED,
    NEAR,
    NEAR_DAYS,
    NEVER_NONE,
    NONE,
    OVERDUE,
    PRIORITIES,
    STATES,
    UNITS,
    WEEKDAY_NAMES,
    WEEKDAYS,
    Field,
    folded,
)

LONGEST = 1000
"""The characters of a filter."""

DEEPEST = 10
MOST = 50
"""The conditions of a filter. Each value of a list counts."""

PARSED = 512
"""How many filters are remembered."""

# `and`, `or` and `not` are words like others where a value is expected, and before a colon.
NO_WORD = rf"(?!{WORD}|\s*[:<>=])"
GRAMMAR = rf"""
?start: either
?either: both (_OR both)*
?both: inverse (_AND? inverse)*
?inverse: NOT inverse -> negated | atom
?atom: "(" either ")" | condition | text
condition: WORD OPERATOR value ("," value)*
text: WORD | PHRASE
?value: VALUE | PHRASE

_AND.2: /(and|e){NO_WORD}/i
_OR.2: /(or|ou){NO_WORD}/i
NOT.2: /(not|n(ã|a\u0303?)o){NO_WORD}/i
OPERATOR: /[<>]=?|[:=]/
PHRASE: /"([^"]|"")*"|“[^”"]*[”"]/
WORD.1: /(?!(and|e|or|ou){NO_WORD}){WORD}/i
VALUE: /{WORD}/
%ignore /\s+/
"""
DAYS = re.compile(rf"([+-]?)(\d{{1,4}})({'|'.join(UNITS)})")
ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
ACCENTS = re.compile("[\u0300-\u036f]+")

CONDITION = "a condition, such as due:today, a word, or text in quotes"
FURTHER = "and, or, another condition, or the end"
INSIDE = "and, or, another condition, or a closing bracket"
ONE_VALUE = "a value: a word, or text in quotes"
CLOSING_QUOTE = "a quotation mark that ends this text"
FIELD = f"a field ({', '.join(Field)}), or text in quotes"
COLON = "a colon, since this field has no order"
DAY = "a day: today, tomorrow, yesterday, a weekday such as friday, 2026-12-04"
DAY_AHEAD = f"{DAY}, 3d (in three days), -3d (three days ago), or none"
DAY_BEHIND = f"{DAY}, an age such as 3d, or none"
DAY_BEHIND_ALWAYS = f"{DAY}, or an age such as 3d"
CONTENT = "text between the quotation marks, other than accents alone"


class FilterError(ValueError):
    """A mistake in a filter. The first column is 1."""

    def __init__(self, column: int, expected: str) -> None:
        super().__init__(f"column {column}: expected {expected}")
        self.column = column
        self.expected = expected


def mistake(token: Token, expected: str) -> FilterError:
    return FilterError((token.start_pos or 0) + 1, expected)


@v_args(inline=True)
class Builder(Transformer[Token, Filter]):
    """Builds a filter from the bottom up, while it is parsed."""

    def text(self, token: Token) -> Filter:
        if token.type == "WORD" and folded(token) in OVERDUE:
            return Condition(Field.IS, "=", ("overdue",))
        content = content_of(token)
        if not ACCENTS.sub("", content):
            raise mistake(token, CONTENT)
        return Text(content)

    def condition(self, name: Token, operator: Token, *values: Token) -> Filter:
        if folded(name) not in FIELDS:
            raise mistake(name, FIELD)
        field = Field(FIELDS[folded(name)])
        if operator not in {":", "="}:
            if field in {*NAMED, Field.STATE, Field.IS}:
                raise mistake(operator, COLON)
            if len(values) > 1:
                raise mistake(values[1], "one value, since only a colon takes several")
            return compared(field, operator_of(operator), values[0])
        found = [value_of(field, token) for token in values]
        return limited(Condition(field, "=", tuple(dict.fromkeys(found))), name)

    def negated(self, word: Token, part: Filter) -> Filter:
        return limited(Not(part), word)

    def both(self, *parts: Filter) -> Filter:
        return limited(join(And, parts), None)

    def either(self, *parts: Filter) -> Filter:
        return limited(join(Or, parts), None)


def limited(part: Filter, token: Token | None) -> Filter:
    """Return a part of a filter that may be as deep and long as it is. It begins with a token."""
    column = 1 if token is None else (token.start_pos or 0) + 1
    if depth(part) > DEEPEST:
        raise FilterError(column, f"at most {DEEPEST} levels of and, or and not")
    if count(part) > MOST:
        raise FilterError(column, f"at most {MOST} conditions")
    return part


def operator_of(token: Token) -> Operator:
    return next(operator for operator in REVERSED if operator == token)


def compared(field: Field, operator: Operator, token: Token) -> Condition:
    value = value_of(field, token)
    if value is None:
        raise mistake(token, "a day, since none has no order")
    return Condition(field, REVERSED[operator] if is_age(field, value) else operator, (value,))


def content_of(token: Token) -> str:
    if token.type == "PHRASE":
        return token[1:-1].replace('""', '"')
    return str(token)


def value_of(field: Field, token: Token) -> Value:
    if field in AHEAD + BEHIND:
        return day_of(field, token)
    content = content_of(token)
    if field in NAMED:
        if token.type == "VALUE" and folded(token) in NONE:
            return None
        if not content.strip():
            raise mistake(token, "a name")
        return content.strip()
    known = {Field.STATE: STATES, Field.PRIORITY: PRIORITIES, Field.IS: FLAGS}[field]
    if folded(content) not in known:
        raise mistake(token, " or ".join(split_last(dict.fromkeys(known.values()))))
    return known[folded(content)]


def split_last(names: dict[str, None]) -> tuple[str, str]:
    *others, last = names
    return ", ".join(others), last


def day_of(field: Field, token: Token) -> Value:
    word = folded(content_of(token))
    if word in NEAR:
        return Offset(NEAR_DAYS[NEAR[word]])
    if word in WEEKDAYS:
        return Weekday(WEEKDAY_NAMES.index(WEEKDAYS[word]) + 1)
    if word in NONE and field not in NEVER_NONE:
        return None
    if found := DAYS.fullmatch(word):
        sign, number, unit = found.groups()
        days = int(number) * UNITS[unit]
        if field in AHEAD:
            return Offset(-days if sign == "-" else days)
        if not sign:
            return Offset(-days)
    if ISO.fullmatch(word):
        try:
            return date.fromisoformat(word)
        except ValueError:
            pass
    if field in AHEAD:
        raise mistake(token, DAY_AHEAD)
    raise mistake(token, DAY_BEHIND_ALWAYS if field in NEVER_NONE else DAY_BEHIND)


@cache
def parser() -> Callable[[str], Filter]:
    """Return the parser, which takes twenty milliseconds to build."""
    return Lark(GRAMMAR, parser="lalr", transformer=Builder()).parse  # type: ignore[return-value]  # a transformer returns its own type


@lru_cache(PARSED)
def parse(text: str) -> Filter:
    """Parse a filter. Raises FilterError."""
    if len(text) > LONGEST:
        raise FilterError(LONGEST + 1, f"at most {LONGEST:,} characters")
    try:
        found = parser()(text)
    except UnexpectedToken as error:
        raise unexpected(error, text) from None
    except UnexpectedCharacters as error:
        raise FilterError((error.pos_in_stream or 0) + 1, CLOSING_QUOTE) from None
    return found


def unexpected(error: UnexpectedToken, text: str) -> FilterError:
    ends = error.token.type == "$END"
    column = len(text) + 1 if ends else (error.token.start_pos or 0) + 1
    if error.accepts <= {"VALUE", "PHRASE"}:
        return FilterError(column, ONE_VALUE)
    if "RPAR" in error.accepts:
        return FilterError(column, INSIDE)
    return FilterError(column, FURTHER if "$END" in error.accepts else CONDITION)
