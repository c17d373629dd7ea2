"""Where the words that were looked for are in a todo, in code points."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fast_zero.search.words import PART

Span = tuple[int, int]

LENGTH = 200
"""Maximum length of an excerpt."""

LONGEST_WORD = 2046
"""How many bytes a word has at most that PostgreSQL counts."""

BEFORE = 60
"""How many code points of a text an excerpt has before the first word that was found."""


def found_positions(found: Iterable[Sequence[int]]) -> set[int]:
    """Return the positions of the words that were found.

    `found` has the number of a word that was looked for, of how many parts it consists, one of
    these parts, and its position. All parts of a word follow one another.
    """
    parts: dict[int, int] = {}
    starts: dict[tuple[int, int], set[int]] = {}
    for number, count, part, position in found:
        parts[number] = count
        starts.setdefault((number, position - part), set()).add(part)
    return {
        start + part
        for (number, start), seen in starts.items()
        if len(seen) == parts[number]
        for part in seen
    }


def spans(text: str, lengths: Iterable[int] | None) -> list[Span]:
    """Return where the words of a text are.

    `lengths` are those of the words, and below zero of what is between them. None: as usual.
    """
    if lengths is None:
        found = PART.finditer(text)
        return [each.span() for each in found if len(each[0].encode()) <= LONGEST_WORD]
    words: list[Span] = []
    end = 0
    for length in lengths:
        start, end = end, end + abs(length)
        if length > 0:
            words.append((start, end))
    return words


def as_ranges(marked: Iterable[Span], offset: int = 0) -> list[dict[str, int]]:
    return [{"start": start - offset, "end": end - offset} for start, end in marked]


def excerpt(text: str, words: Sequence[Span], marked: Sequence[Span]) -> dict[str, Any] | None:
    """Return the part of a text around the first word that was found, from word to word."""
    if not marked:
        return None
    first, end_of_first = marked[0]
    start, end = 0, len(text)
    if first > BEFORE:
        start = next(begin for begin, _ in words if begin >= first - BEFORE)
    if end > start + LENGTH:
        whole = max((over for _, over in words if over <= start + LENGTH), default=0)
        end = max(whole, end_of_first)
    shown = [span for span in marked if span[1] <= end]
    return {"text": text[start:end], "start": start, "ranges": as_ranges(shown, start)}


def highlight(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return where the words are in a row with the columns of `full_text.highlights`."""
    title, description = row["title"], row["description"]
    behind = len(title) + 1
    words = spans(f"{title}\n{description}", row["lengths"])
    positions = sorted(found_positions(row["found_words"]))
    marked = [words[position - 1] for position in positions if position <= len(words)]
    below = [(start - behind, end - behind) for start, end in words if start >= behind]
    in_text = [(start - behind, end - behind) for start, end in marked if start >= behind]
    return {
        "title": as_ranges(span for span in marked if span[0] < behind),
        "description": excerpt(description, below, in_text),
        "labels": sorted(set(row["found_labels"])),
    }
