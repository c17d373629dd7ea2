"""The phrases of a sentence: at each word, the longest one that the grammar accepts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

from lark import Token, UnexpectedToken

from fast_zero.quick_add.cycles import NoPhraseError
from fast_zero.quick_add.grammar import KINDS, parser
from fast_zero.quick_add.meanings import Meaning
from fast_zero.quick_add.tokens import Word

END = "$END"
COUNTED = {"TIMES", "TIME_UNIT"}
STEPS = 400
"""The words that are tried, at most, in search of one phrase."""


class ParserState(Protocol):
    """The methods of lark's `InteractiveParser` that are used, some of which have no types."""

    def choices(self) -> Mapping[str, object]: ...

    def copy(self, *, deepcopy_values: bool) -> "ParserState": ...

    def feed_token(self, token: Token) -> Any: ...  # noqa: ANN401  # the meaning


@dataclass(frozen=True)
class Phrase:
    """Words that mean something: those from `begin` and before `end`."""

    begin: int
    end: int
    meaning: Meaning


@dataclass
class Search:
    """Looks for the longest phrase of a kind. A word that may be several is tried as each."""

    words: Sequence[Word]
    steps: int = 0
    end: int = 0
    meaning: Meaning | None = field(default=None)

    def extend(self, state: ParserState, place: int) -> None:
        if END in state.choices() and place > self.end:
            self.accept(state, place)
        if place == len(self.words):
            return
        for terminal, value in self.words[place].candidates:
            if terminal not in state.choices() or self.steps > STEPS:
                continue
            self.steps += 1
            following = state.copy(deepcopy_values=False)
            try:
                following.feed_token(Token(terminal, value))
            except (UnexpectedToken, NoPhraseError):
                continue
            self.extend(following, place + 1)

    def accept(self, state: ParserState, place: int) -> None:
        if self.splits_number(place):
            return
        try:
            meaning = state.copy(deepcopy_values=False).feed_token(Token(END, ""))
        except (UnexpectedToken, NoPhraseError):
            return
        self.meaning, self.end = meaning, place

    def splits_number(self, place: int) -> bool:
        """Tell whether a phrase would end between a number and what it counts."""
        if place == len(self.words):
            return False
        last = {terminal for terminal, _ in self.words[place - 1].candidates}
        following = {terminal for terminal, _ in self.words[place].candidates}
        return "INT" in last and not following.isdisjoint(COUNTED)


def begin(kind: str) -> ParserState:
    return parser().parse_interactive(start=kind)


@cache
def beginnings() -> dict[str, frozenset[str]]:
    """Return the terminals that the phrases of each kind begin with."""
    return {kind: frozenset(begin(kind).choices()) for kind in KINDS}


def phrases(words: Sequence[Word]) -> Iterator[Phrase]:
    """Yield the phrases of a sentence, none of which overlaps another one."""
    place = 0
    while place < len(words):
        found = longest(words, place) if words[place].candidates else None
        if found is not None:
            yield found
        place = place + 1 if found is None else found.end


def longest(words: Sequence[Word], place: int) -> Phrase | None:
    best: Phrase | None = None
    terminals = {terminal for terminal, _ in words[place].candidates}
    for kind in KINDS:
        if terminals.isdisjoint(beginnings()[kind]):
            continue
        search = Search(words, end=best.end if best else place)
        search.extend(begin(kind), place)
        if search.meaning is not None:
            best = Phrase(place, search.end, search.meaning)
    return best
