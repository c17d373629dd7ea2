"""Filters in requests."""

from typing import Annotated

from pydantic import Field, StringConstraints

from fast_zero.core.errors import Invalid, Reason
from fast_zero.core.types import RawText
from fast_zero.filter_language.parsing import LONGEST, FilterError, parse
from fast_zero.filter_language.syntax import Filter

FILTER_INVALID = Reason("filter_invalid", "Column 5: expected a word, or text in quotes.")

FilterText = Annotated[
    RawText,
    StringConstraints(max_length=LONGEST),
    Field(
        description="A filter in the language of docs/filters.md.",
        examples=["due<=friday and not label:errands"],
    ),
]


def parse_field(text: str, field: str, place: str = "body") -> Filter:
    """Parse a filter of a request. Raises Invalid, which names the column."""
    try:
        return parse(text)
    except FilterError as error:
        raise invalid(error, field, place) from None


def canonical(text: str) -> str:
    """Return a filter as it is stored. Raises Invalid."""
    found = str(parse_field(text, "filter"))
    if len(found) > LONGEST:  # English may be longer
        error = FilterError(LONGEST + 1, f"at most {LONGEST:,} characters, also in English")
        raise invalid(error, "filter", "body")
    return found


def invalid(error: FilterError, field: str, place: str) -> Invalid:
    sentence = f"Column {error.column}: expected {error.expected}."
    refusal = Invalid(FILTER_INVALID._replace(detail=sentence), field, place)
    refusal.members = {"column": error.column, "expected": error.expected}
    return refusal
