"""A sentence in words, each with what it may be in the grammar."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fast_zero.quick_add.vocabulary import CANDIDATES, Candidate, folded

HOURS, MINUTES = 24, 60
SHORT_YEAR = 100
ALWAYS = [24, 7]
QUOTED = re.compile(
    r"(?<!\w)\"[^\"]*\"|“[^”]*”|«[^»]*»|`[^`]*`|(?<!\w)['\u2018][^'\u2019]*['\u2019](?!\w)"
)
CHUNK = re.compile(r"\S+")
OPAQUE = re.compile(r"\w+://|www\.|[^\s@]+@|[^\s\\]*\\|[/~]\w", re.IGNORECASE)
"""The beginnings of addresses, of paths, and of what else is no words."""

PIECE = re.compile(
    r"""
    (?P<iso> \d{4}-\d{2}-\d{2} (?: T\d{2}:\d{2} (?: :\d{2} )? )? (?![\w-]) )
  | (?P<numeric> \d{1,2} (?P<mark>[/.-]) \d{1,2} (?P=mark) (?: \d{4} | \d{2} ) (?![\w/]) )
  | (?P<short> \d{1,2} / \d{1,2} (?![\w/]) )
  | (?P<clock> \d{1,2} (?: [:.]\d{2} )? [ap]\.?m (?! \w | -[^\W\d] )
             | \d{1,2} : \d{2} (?: h | hs | hrs | am | pm )? (?![\w:]) )
  | (?P<hours> \d{1,2} h (?: \d{2} (?: m | min )? | s | rs )? (?!\w) )
  | (?P<span> \d{1,3} (?: min | mins | minutos | minutes | m | hr | hrs | horas | hours ) (?!\w)
            | \d [.,] \d{1,2} (?: h | hrs? | hours | horas ) (?!\w) )
  | (?P<feira> [2-6] [aªoº] (?= -?feira ) )
  | (?P<nth> \d{1,2} (?: st | nd | rd | th | º | ª | ° | o | a ) (?!\w) )
  | (?P<times> \d{1,4} x (?!\w) )
  | (?P<number> \d+ (?! \w | [.,:/]\d | ['%$€°"″] | -[^\W\d] ) )
  | (?P<dotted> [ap]\.m\.? (?!\w) )
  | (?P<word> [^\W\d_]+ (?: ['\u2019.-] [^\W\d_]+ )* (?! \w ) )
  | (?P<feira_only> -feiras? (?!\w) )
  | (?P<comma> , )
  | (?P<dash> [-\u2013] )
  | (?P<other> \w+ | \S )
    """,
    re.VERBOSE | re.IGNORECASE,
)
GLUE = frozenset("$€£#_./:%+'\u2019\\*=~^|-\u2013")
"""What, directly before a number or a word, makes it a part of something else."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word, a number, or a mark. Without candidates, it stays in the title."""

    text: str
    start: int
    end: int
    key: str
    candidates: tuple[Candidate, ...] = ()
    is_mark: bool = False

    def is_capitalized(self) -> bool:
        return self.text[:1].isupper()


def split(text: str, taken: Sequence[tuple[int, int]]) -> list[Word]:
    """Return the words of a text. What is quoted, or taken by a tag, is one word each."""
    whole = sorted([*taken, *quotes(text, taken)])
    words: list[Word] = []
    position = 0
    for start, end in [*whole, (len(text), len(text))]:
        words.extend(split_between(text, position, start))
        if start < end:
            words.append(Word(text[start:end], start, end, ""))
        position = end
    return words


def quotes(text: str, taken: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for found in QUOTED.finditer(text):
        if not any(start < found.end() and found.start() < end for start, end in taken):
            yield found.span()


def split_between(text: str, start: int, end: int) -> Iterator[Word]:
    for chunk in CHUNK.finditer(text, start, end):
        if OPAQUE.match(chunk[0]):
            yield Word(chunk[0], *chunk.span(), "")
        else:
            yield from split_chunk(text, *chunk.span())


def split_chunk(text: str, start: int, end: int) -> Iterator[Word]:
    for found in PIECE.finditer(text, start, end):
        kind, piece = found.lastgroup or "other", found[0]
        kind = "numeric" if kind == "mark" else kind
        begin, stop = found.span()
        if kind == "word":
            glued = is_glued(text, begin, start) and not is_listed(text, begin, piece)
            yield from word(piece, begin, glued=glued)
        elif kind == "other":
            is_mark = not piece[0].isalnum()
            yield Word(piece, begin, stop, piece, CANDIDATES.get(piece, ()), is_mark)
        else:
            is_range = kind not in {"feira_only", "comma", "dash"}
            glued = is_range and is_glued(text, begin, start)
            candidates = () if glued else number_candidates(kind, piece)
            is_mark = kind in {"comma", "dash"}
            yield Word(piece, begin, stop, folded(piece), candidates, is_mark)


def is_glued(text: str, begin: int, start: int) -> bool:
    """Tell whether something directly before a piece makes it a part of something else."""
    if begin == start:
        return False
    before = text[begin - 1]
    if before in "-\u2013":  # the second half of a range: 14h-16h
        return not (begin - 1 > start and text[begin - 2].isalnum())
    return before.isalnum() or before in GLUE


def is_listed(text: str, begin: int, piece: str) -> bool:
    """Tell whether a word is a weekday in a list of them: mon/wed."""
    return text[begin - 1] == "/" and are_weekdays(folded(piece))


def word(text: str, begin: int, *, glued: bool) -> Iterator[Word]:
    key = folded(text).replace("\u2019", "'")
    if glued:
        yield Word(text, begin, begin + len(text), key)
        return
    candidates = CANDIDATES.get(text.lower()) or CANDIDATES.get(key, ())
    first, dash, second = key.partition("-")
    if not candidates and dash and are_weekdays(first, second):
        middle = begin + len(first)
        yield Word(text[: len(first)], begin, middle, first, CANDIDATES[first])
        yield Word("-", middle, middle + 1, "-", CANDIDATES["-"], is_mark=True)
        yield Word(
            text[len(first) + 1 :], middle + 1, begin + len(text), second, CANDIDATES[second]
        )
        return
    yield Word(text, begin, begin + len(text), key, candidates)


def are_weekdays(*keys: str) -> bool:
    return all(any(name == "WEEKDAY" for name, _ in CANDIDATES.get(key, ())) for key in keys)


def iso(key: str) -> tuple[Candidate, ...]:
    try:
        datetime.fromisoformat(key)
    except ValueError:
        return ()
    return (("ISO", key),)


def numeric(key: str) -> tuple[Candidate, ...]:
    parts = [int(part) for part in re.split("[/.-]", key)]
    if parts == ALWAYS:
        return ()
    if len(parts) > 2 and parts[2] < SHORT_YEAR:  # noqa: PLR2004  # day, month, year
        parts[2] += 2000
    return (("NUMERIC", "/".join(map(str, parts))),)


def clock(key: str) -> tuple[Candidate, ...]:
    digits = re.findall(r"\d+", key)
    hour, minute = int(digits[0]), int(digits[1]) if len(digits) > 1 else 0
    half = key.replace(".", "").removesuffix("m")[-1:]
    if half in {"a", "p"}:
        if not 1 <= hour <= HOURS // 2 or minute >= MINUTES:
            return ()
        hour = hour % 12 + (12 if half == "p" else 0)
    if hour >= HOURS or minute >= MINUTES:
        return ()
    return (("CLOCK", f"{hour}:{minute:02}"),)


def hours(key: str) -> tuple[Candidate, ...]:
    hour, _, rest = key.partition("h")
    minutes = rest.rstrip("smr") if rest[:1].isdigit() else ""
    minutes = re.sub(r"\D", "", minutes) or "0"
    if int(minutes) >= MINUTES:
        return ()
    return (("HOURS", f"{int(hour)}:{minutes}"),)


def span(key: str) -> tuple[Candidate, ...]:
    found = re.match(r"[\d.,]+", key)
    amount = found[0] if found else "0"
    factor = 60 if "h" in key else 1
    return (("SPAN", str(round(float(amount.replace(",", ".")) * factor))),)


def nth(key: str) -> tuple[Candidate, ...]:
    digits = re.match(r"\d+", key)
    day = int(digits[0]) if digits else 0
    if not 1 <= day <= 31:  # noqa: PLR2004  # the days of a month
        return ()
    found: tuple[Candidate, ...] = (("NTH", str(day)),)
    if key[-1] in "aª" and 2 <= day <= 6:  # noqa: PLR2004  # 2ª feira
        found = (("WEEKDAY_NUMBER", str(day - 2)), *found)
    return found


def number(key: str) -> tuple[Candidate, ...]:
    if len(key) == 4 and key[:2] in {"19", "20", "21"}:  # noqa: PLR2004  # a year
        return ("INT_YEAR", key), ("INT", key), ("MILITARY", key)
    if len(key) == 4:  # noqa: PLR2004  # at 0900, 1000 times
        return ("INT", str(int(key))), ("MILITARY", key)
    return (("INT", str(int(key))),) if len(key) < 4 else ()  # noqa: PLR2004  # digits


def feira(key: str) -> tuple[Candidate, ...]:
    return (("WEEKDAY_NUMBER", str(int(key[0]) - 2)),)


def times(key: str) -> tuple[Candidate, ...]:
    return (("TIMES_NUMBER", key[:-1]),)


def dotted(key: str) -> tuple[Candidate, ...]:
    return (("AMPM", key),)


FORMS: Mapping[str, Callable[[str], tuple[Candidate, ...]]] = {
    "iso": iso,
    "numeric": numeric,
    "short": numeric,
    "clock": clock,
    "hours": hours,
    "span": span,
    "feira": feira,
    "nth": nth,
    "times": times,
    "number": number,
    "dotted": dotted,
}
"""The groups of `PIECE`, and what each may be."""


def number_candidates(kind: str, piece: str) -> tuple[Candidate, ...]:
    key = folded(piece)
    return FORMS[kind](key) if kind in FORMS else CANDIDATES.get(key, ())
