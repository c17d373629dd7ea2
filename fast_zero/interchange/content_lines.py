"""The lines of iCalendar (RFC 5545, section 3.1): from a file, and to one.

TEXT has no control characters but tabs and line feeds. A parameter says the exact text if a value
has others. Whoever changes the value, and not the parameter, is believed.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

from icalendar.parser import Contentline, split_on_unescaped_comma, unescape_backslash

LONGEST = 75
"""Lines of fewer bytes are not folded."""

EXACT = "X-FAST-ZERO-EXACT"
END_OF_LINE = re.compile("\r\n?")
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
# `vText.to_ical` cannot be used: it takes a backslash before a capital N for a line feed.
ESCAPES = str.maketrans({"\\": r"\\", ";": r"\;", ",": r"\,", "\n": r"\n"})


@dataclass(frozen=True)
class Property:
    line: int
    name: str
    parameters: Mapping[str, str]
    value: str
    """As it is in the file, with its escapes."""

    def text(self) -> str:
        [text] = self.exactly([unescape_backslash(self.value)])
        return text

    def texts(self) -> Sequence[str]:
        return [text for text in self.exactly(split_on_unescaped_comma(self.value)) if text]

    def exactly(self, shown: Sequence[str]) -> Sequence[str]:
        shown = [clean(text) for text in shown]
        exact = [unquote(text) for text in self.parameters.get(EXACT, "").split(",")]
        is_same = [clean(text) for text in exact] == shown
        return exact if is_same and "\0" not in "".join(exact) else shown


def clean(text: str) -> str:
    """Return what TEXT can have of a text."""
    return CONTROL.sub("", END_OF_LINE.sub("\n", text))


def unfold(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file, and where each of them begins."""
    parts: list[str] = []
    begin = 0
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.removesuffix("\r")
        if line.startswith((" ", "\t")) and parts:
            parts.append(line[1:])
        elif line:
            if parts:
                yield begin, "".join(parts)
            begin, parts = number, [line]
    if parts:
        yield begin, "".join(parts)


def parse(number: int, line: str) -> Property:
    """Raise ValueError if it is no content line."""
    name, parameters, value = Contentline(line).raw_parts()
    return Property(
        number,
        name.upper(),
        {
            key.upper(): ",".join(given) if isinstance(given, list) else given
            for key, given in parameters.items()
        },
        value,
    )


def line(name: str, value: str, **parameters: str) -> str:
    """Return a folded line. Underscores of names of parameters become hyphens."""
    given = "".join(f";{key.replace('_', '-')}={said}" for key, said in parameters.items())
    whole = f"{name}{given}:{value}"
    if len(whole.encode()) < LONGEST:
        return f"{whole}\r\n"
    folded: bytes = Contentline(whole).to_ical()
    return folded.decode() + "\r\n"


def text_line(name: str, *texts: str) -> str:
    shown = [clean(text) for text in texts]
    value = ",".join(text.translate(ESCAPES) for text in shown)
    if shown == list(texts):
        return line(name, value)
    return line(name, value, **{EXACT: ",".join(quote(text, safe="") for text in texts)})
