"""What todos can be sorted by."""

from typing import Any

from pydantic import AwareDatetime, NaiveDatetime

from fast_zero.core.sorting import parse_sort
from fast_zero.core.types import RawText
from fast_zero.todos.models import Priority

SORT_TYPES: dict[str, Any] = {
    "due": NaiveDatetime | None,
    "priority": Priority,
    "position": RawText,
    "title": RawText,
    "created_at": AwareDatetime,
    "completed_at": AwareDatetime | None,
}
"""What todos can be sorted by, and the types of the values in a cursor."""


def check_sort(text: str) -> str:
    parse_sort(text, list(SORT_TYPES))
    return text
