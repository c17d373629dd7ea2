"""Where a search has found its words in a row."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Pieces = Sequence[tuple[str, bool]]
"""The pieces of a text, in order, and whether each was looked for."""


@dataclass(frozen=True)
class Found:
    title: Pieces
    notes: Pieces
    """Part of the notes. Empty: nothing was found there."""
    labels: frozenset[str]


def pieces(text: str, ranges: Sequence[Mapping[str, int]]) -> Iterator[tuple[str, bool]]:
    place = 0
    for each in ranges:
        if text[place : each["start"]]:
            yield text[place : each["start"]], False
        yield text[each["start"] : each["end"]], True
        place = each["end"]
    if text[place:]:
        yield text[place:], False


def found_of(todo: Mapping[str, Any], where: Mapping[str, Any]) -> Found:
    """Return the marked texts of a todo; `where` is what `search.highlights` says of it."""
    excerpt = where["description"]
    notes: list[tuple[str, bool]] = []
    if excerpt:
        end = excerpt["start"] + len(excerpt["text"])
        before = [("… ", False)] if excerpt["start"] else []
        behind = [(" …", False)] if end < len(todo["description"]) else []
        notes = [*before, *pieces(excerpt["text"], excerpt["ranges"]), *behind]
    title = list(pieces(todo["title"], where["title"]))
    return Found(title, notes, frozenset(where["labels"]))
