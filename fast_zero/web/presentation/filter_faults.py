"""What is wrong with the text of a filter, in the language of the reader."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from fast_zero.web.texts import mark

EXPECTED = (
    mark("a condition, such as due:today, a word, or text in quotes"),
    mark("and, or, another condition, or the end"),
    mark("and, or, another condition, or a closing bracket"),
    mark("a value: a word, or text in quotes"),
    mark("a quotation mark that ends this text"),
    mark("a colon, since this field has no order"),
    mark("one value, since only a colon takes several"),
    mark(
        "a day: today, tomorrow, yesterday, a weekday such as friday, 2026-12-04, 3d (in three "
        "days), -3d (three days ago), or none"
    ),
    mark(
        "a day: today, tomorrow, yesterday, a weekday such as friday, 2026-12-04, an age such as "
        "3d, or none"
    ),
    mark(
        "a day: today, tomorrow, yesterday, a weekday such as friday, 2026-12-04, or an age such "
        "as 3d"
    ),
    mark("a day, since none has no order"),
    mark("text between the quotation marks, other than accents alone"),
    mark("a name"),
    mark("at most 10 levels of and, or and not"),
    mark("at most 50 conditions"),
    mark("at most 1,000 characters"),
    mark("at most 1,000 characters, also in English"),
    mark(
        "a field (due, starts, deadline, created, updated, completed, project, section, label, "
        "priority, state, is), or text in quotes"
    ),
    mark("draft, todo, doing, done or trash"),
    mark("none, low, medium, high or urgent"),
    mark("open, done, overdue, blocked, recurring or subtask"),
)
"""What the parser says that it expected, word for word."""

SENTENCE = mark("Column %(column)d: expected %(expected)s.")


@dataclass(frozen=True)
class FilterFault:
    """The first mistake in a filter: a sentence, the text before it, and what follows."""

    sentence: str
    before: str
    rest: str

    @classmethod
    def of(cls, members: Mapping[str, Any], text: str, gettext: Callable[[str], str]) -> Self:
        column = members["column"]
        expected = gettext(members["expected"])
        sentence = gettext(SENTENCE) % {"column": column, "expected": expected}
        return cls(sentence, text[: column - 1], text[column - 1 :])
