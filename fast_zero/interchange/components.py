"""The components of an iCalendar file, with their lines."""

from dataclasses import dataclass, field

from fast_zero.interchange.content_lines import Property, parse, unfold
from fast_zero.interchange.portable import Document, Loss

DEEPEST = 8
CALENDAR = "VCALENDAR"
LONGEST_LINE = 400_000
"""The rest of a line is left out. No value that is kept is that long, whatever its escapes."""


@dataclass
class Component:
    name: str
    line: int
    properties: list[Property] = field(default_factory=list)
    parts: list["Component"] = field(default_factory=list)

    def text_of(self, *names: str) -> str | None:
        """Return the text of the first property that has one of these names and is not empty."""
        texts = (found.text().strip() for found in self.properties if found.name in names)
        return next(filter(None, texts), None)


def read_calendars(text: str, document: Document) -> list[Component]:
    """Return the calendars of a file. None if it has errors, which the document says then."""
    stack = [Component("", 0)]
    for number, line in unfold(text):
        try:
            found = parse(number, line[:LONGEST_LINE])
        except ValueError:
            document.losses.append(Loss(number, "", "This line is not iCalendar."))
            continue
        if problem := take(found, stack):
            document.errors.append(Loss(number, found.name, problem))
            return []
    if stack[1:]:
        message = f"{stack[-1].name} has no end."
        document.errors.append(Loss(stack[-1].line, "BEGIN", message))
    elif not stack[0].parts:
        document.errors.append(Loss(1, "BEGIN", "This is not iCalendar: there is no VCALENDAR."))
    return [] if document.errors else stack[0].parts


def take(found: Property, stack: list[Component]) -> str | None:
    """Put a property where it belongs. Return what is wrong with its place, if anything."""
    name = found.value.strip().upper()
    if found.name == "BEGIN":
        if (name == CALENDAR) != (len(stack) == 1):
            return "Everything is in a VCALENDAR, and these are not in one another."
        if len(stack) > DEEPEST:
            return f"Components can be nested {DEEPEST} levels deep."
        component = Component(name, found.line)
        stack[-1].parts.append(component)
        stack.append(component)
    elif found.name == "END":
        if name != stack[-1].name or len(stack) == 1:
            return f"This is not the end of {stack[-1].name or 'a component'}."
        stack.pop()
    elif len(stack) == 1:
        return "This is outside of a VCALENDAR."
    else:
        stack[-1].properties.append(found)
    return None
