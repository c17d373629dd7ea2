"""A sentence becomes a todo: what it says, and which words said so."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from fast_zero.quick_add import scanning, tags, tokens
from fast_zero.quick_add.evidence import Sentence, language_of, without_others
from fast_zero.quick_add.meanings import Said
from fast_zero.quick_add.resolving import Decision, decide
from fast_zero.quick_add.scanning import Phrase
from fast_zero.quick_add.tags import Known, Span
from fast_zero.quick_add.tokens import Word
from fast_zero.quick_add.vocabulary import ENGLISH_WORDS, PORTUGUESE_WORDS

LONGEST = 500
"""The characters of a sentence. The time that it takes grows with their square, at most."""

DANGLING = re.compile(
    r"(?:\s+(?:at|from|due|and|until|às|para|pra|pro|até|e|&|@)|\s*[,;:\u2013(\[-])+\s*$",
    re.IGNORECASE,
)
LEADING = re.compile(r"^\s*(?:[,;:\u2013)\]-]\s*|(?:and|e)\s+)+", re.IGNORECASE)
GAP = re.compile(r"[\s,]*")


@dataclass(frozen=True)
class Understood(Span):
    """Words, and what they became. The value is None if they name no project or section."""

    kind: str
    value: Any


@dataclass(frozen=True)
class Parsed:
    title: str
    tags: tags.Tags
    decision: Decision
    understood: Sequence[Understood]


def parse(text: str, said: Said, known: Known) -> Parsed:
    """Return what a sentence says. Never raises, whatever the sentence is."""
    found = tags.find(text, known)
    words = tokens.split(text, tags.taken(found.found))
    language = language_of(words, said.language)
    words = without_others(words, PORTUGUESE_WORDS if language == "en" else ENGLISH_WORDS)
    sentence = Sentence(words, list(scanning.phrases(words)), language)
    decision = decide(sentence.believed(), said, is_morning=sentence.is_of_morning())
    named = [Understood(tag.start, tag.end, tag.kind, tag.value) for tag in found.found]
    understood = [*named, *parts_of(text, words, decision, said)]
    understood.sort(key=lambda part: part.start)
    removed = [part for part in understood if part.value is not None]
    return Parsed(title_of(text, removed), found, decision, understood)


def parts_of(
    text: str, words: Sequence[Word], decision: Decision, said: Said
) -> Iterator[Understood]:
    def spans(phrases: Sequence[Phrase]) -> Iterator[tuple[int, int]]:
        found = sorted((words[p.begin].start, words[p.end - 1].end) for p in phrases)
        return joined(text, found)

    due: Any = decision.due_on and decision.due_on.isoformat()
    if decision.due_at is not None:
        due = decision.due_at.astimezone(said.zone).isoformat()
    for start, end in spans(decision.due_phrases):
        yield Understood(start, end, "due", due)
    if decision.rule is not None:
        for start, end in spans(decision.recurrence_phrases):
            rule = (str(decision.rule), decision.from_completion)
            yield Understood(start, end, "recurrence", rule)
    if decision.duration_phrase is not None:
        for start, end in spans([decision.duration_phrase]):
            yield Understood(start, end, "duration", decision.duration_minutes)
    for phrase, value in decision.reminders:
        for start, end in spans([phrase]):
            yield Understood(start, end, "reminder", value)


def joined(text: str, spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Join spans that have only spaces and commas between them."""
    open_span: tuple[int, int] | None = None
    for start, end in spans:
        if open_span and GAP.fullmatch(text, open_span[1], start):
            open_span = (open_span[0], end)
        else:
            if open_span:
                yield open_span
            open_span = (start, end)
    if open_span:
        yield open_span


def title_of(text: str, removed: Sequence[Span]) -> str:
    """Return what remains of a text, without the prepositions and marks that lead nowhere."""
    if not removed:
        return " ".join(text.split())
    kept = ""
    place = 0
    for span in map(partial(with_brackets, text), removed):
        piece = text[place : span.start]
        if kept and GAP.fullmatch(piece):
            piece = ""
        kept = f"{kept.rstrip()} {piece.lstrip()}" if kept.strip() else LEADING.sub("", piece)
        place = span.end
    rest = text[place:]
    if not kept.strip():
        rest = LEADING.sub("", rest)
    if not re.search(r"\w", rest):
        kept = DANGLING.sub("", kept)
        rest = rest.lstrip(" ,;:\u2013-")
        return tidy(kept.rstrip() + rest)
    return tidy(f"{kept.rstrip()} {rest.lstrip()}")


def with_brackets(text: str, span: Span) -> Span:
    """Return a span with the brackets that have nothing else between them."""
    if text[span.start - 1 : span.start] in {"(", "["} and text[span.end : span.end + 1] in {
        ")",
        "]",
    }:
        return Span(span.start - 1, span.end + 1)
    return span


def tidy(text: str) -> str:
    text = re.sub(r"\s+([,.;:!?)]+)(?=\s|$)", r"\1", " ".join(text.split()))
    return text.strip(" ,;\u2013-")
