"""Todos of iCalendar files, our own and those of other programs.

What cannot be kept of a VTODO is a loss. An error is what makes the rest of a file doubtful.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from itertools import islice
from types import MappingProxyType

from pydantic import TypeAdapter, ValidationError

from fast_zero.interchange import calendar_times
from fast_zero.interchange.calendar_times import Zones
from fast_zero.interchange.components import Component, read_calendars
from fast_zero.interchange.content_lines import Property
from fast_zero.interchange.portable import MOST_TODOS, Document, Key, Loss, PortableTodo, checked
from fast_zero.interchange.vtodo_times import (
    NOT_KEPT,
    Reading,
    place,
    read_due,
    read_duration,
    read_part,
    read_rule,
    read_start,
)
from fast_zero.interchange.vtodos import PRIORITIES, STATUSES
from fast_zero.labels.schemas import LabelName
from fast_zero.todos.models import Priority, TodoState

KEY: TypeAdapter[str] = TypeAdapter(Key)
LABEL: TypeAdapter[str] = TypeAdapter(LabelName)
TITLE_LENGTH = 200
DESCRIPTION_LENGTH = 20_000
MOST_LABELS = 50
UNTITLED = "Untitled"
CUT = "It was cut after {} characters."
KINDS = {"VEVENT": "event", "VJOURNAL": "journal entry", "VFREEBUSY": "free or busy time"}
STATES: Mapping[str, TodoState] = MappingProxyType(
    {status: state for state, status in STATUSES.items() if state != TodoState.DRAFT}
)
# RFC 5545, section 3.8.1.9: 1 to 4 are high, 5 is medium, 6 to 9 are low; 0 says nothing.
LEVELS: Mapping[str, Priority] = MappingProxyType(
    {
        "0": Priority.NONE,
        **{str(number): Priority.HIGH for number in range(2, 5)},
        **{str(number): Priority.LOW for number in range(6, 10)},
        **{str(number): priority for priority, number in PRIORITIES.items()},
    }
)
# They say nothing of the todo itself.
IGNORED = {"DTSTAMP", "LAST-MODIFIED", "SEQUENCE", "CLASS", "PERCENT-COMPLETE"}
PROPERTIES = {
    "title": "SUMMARY",
    "due_on": "DUE",
    "due_at": "DUE",
    "time_zone": "DUE",
    "starts_on": "DTSTART",
    "duration_minutes": "ESTIMATED-DURATION",
    "recurrence_rule": "RRULE",
    "reminders": "VALARM",
}
"""What a field is called in the file, where it is not its name in upper case."""


def read_icalendar(data: bytes) -> Document:
    """Read the VTODO components of a file."""
    document = Document()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        document.errors.append(Loss(1, "", "The file is not UTF-8."))
        return document
    calendars = read_calendars(text, document)
    document.todos = list(islice(read_todos(calendars, document), MOST_TODOS + 1))
    return document


def walk(calendars: Iterable[Component]) -> Iterator[tuple[Component, Zones, Component]]:
    """Yield what is in calendars, each component with its calendar and the time zones of this."""
    for calendar in calendars:
        zones = Zones(calendar)
        for component in calendar.parts:
            yield calendar, zones, component


def read_todos(calendars: Iterable[Component], document: Document) -> Iterator[PortableTodo]:
    used: dict[str, int] = {}
    for calendar, zones, component in walk(calendars):
        line, name = component.line, component.name
        if name == "VTIMEZONE":
            continue
        if name != "VTODO":
            message = f"This {KINDS.get(name, 'component')} is no todo, and is left out."
            document.losses.append(Loss(line, name, message))
            continue
        if any(part.name == "RECURRENCE-ID" for part in component.properties):
            message = "This changes one occurrence of a todo, and is left out."
            document.losses.append(Loss(line, "RECURRENCE-ID", message))
            continue
        todo = read_todo(component, calendar, zones, document.losses)
        first = used.setdefault(todo.key, line)
        if first == line:
            yield todo
        else:
            message = f"The todo of line {first} has this UID already, so this one is left out."
            document.losses.append(Loss(line, "UID", message))


def read_todo(
    component: Component, calendar: Component, zones: Zones, losses: list[Loss]
) -> PortableTodo:
    reading = Reading(zones, {"line": component.line, "title": UNTITLED}, losses)
    project = calendar.text_of("NAME", "X-WR-CALNAME")
    if project:
        reading.values["project"] = (project,)
    for found in component.properties:
        try:
            READERS.get(found.name, lose)(reading, found)
        except ValueError as error:
            reading.lose(found, str(error).removesuffix(".") + ".")
    read_state(reading, component)
    place(reading)
    for part in component.parts:
        read_part(reading, part)
    reading.values.setdefault("key", key_of(repr(content(component))))
    return build(reading)


def content(component: Component) -> list[tuple[str, str]]:
    return [(found.name, found.value) for found in component.properties]


def build(reading: Reading) -> PortableTodo:
    """Return the todo without the values that it cannot have, which are losses."""
    values, line = reading.values, reading.values["line"]
    values["reminders"] = tuple(reading.reminders)
    while isinstance(todo := checked(values), list):
        for wrong in todo:
            name = PROPERTIES.get(wrong.column, wrong.column.upper())
            reading.losses.append(Loss(line, name, wrong.message))
            values.pop(wrong.column, None)
            if wrong.column == "due_at":
                values.pop("time_zone", None)
        values.setdefault("title", UNTITLED)
    return todo


def lose(reading: Reading, found: Property) -> None:
    if found.name not in IGNORED:
        reading.lose(found, NOT_KEPT)


def read_key(reading: Reading, found: Property) -> None:
    reading.values["key"] = key_of(found.text())


def read_parent(reading: Reading, found: Property) -> None:
    if found.parameters.get("RELTYPE", "PARENT").upper() == "PARENT":
        reading.values["parent_key"] = key_of(found.text())
    else:
        reading.lose(found, "Only relations to the parent are kept.")


def key_of(text: str) -> str:
    """Return a key for a UID, which may be longer than keys are."""
    try:
        return KEY.validate_python(text)
    except ValidationError:
        return sha256(text.encode()).hexdigest()


def read_title(reading: Reading, found: Property) -> None:
    title = found.text()
    if len(title.strip()) > TITLE_LENGTH:
        title = title.strip()[:TITLE_LENGTH]
        reading.lose(found, CUT.format(TITLE_LENGTH))
    reading.values["title"] = title if title.strip(" ") else UNTITLED


def read_description(reading: Reading, found: Property) -> None:
    text = found.text()
    if len(text.strip()) > DESCRIPTION_LENGTH:
        text = text.strip()[:DESCRIPTION_LENGTH]
        reading.lose(found, CUT.format(f"{DESCRIPTION_LENGTH:,}"))
    reading.values["description"] = text


def read_labels(reading: Reading, found: Property) -> None:
    labels: list[str] = list(reading.values.get("labels", ()))
    for name in found.texts():
        try:
            labels.append(LABEL.validate_python(name))
        except ValidationError:
            reading.lose(found, f"A label has 1 to 50 characters, so {name[:60]!r} is left out.")
    if len(labels) > MOST_LABELS:
        reading.lose(found, f"A todo has at most {MOST_LABELS} labels.")
    reading.values["labels"] = tuple(labels[:MOST_LABELS])


def read_priority(reading: Reading, found: Property) -> None:
    priority = LEVELS.get(found.value.strip())
    if priority is None:
        raise ValueError("It has to be from 0 to 9.")
    reading.values["priority"] = priority


def read_state(reading: Reading, component: Component) -> None:
    """Take the state from STATUS, or else from whether it is completed."""
    given = {found.name: found for found in component.properties}
    if (completed := given.get("COMPLETED")) is not None:
        try:
            reading.values["completed_at"] = calendar_times.read_moment(completed)
        except ValueError as error:
            reading.lose(completed, str(error))
    percent = given.get("PERCENT-COMPLETE")
    is_done = completed is not None or (percent is not None and percent.value.strip() == "100")
    status = given.get("STATUS")
    state = TodoState.DONE if is_done and status is None else TodoState.TODO
    if status is not None:
        state = STATES.get(status.value.strip().upper(), state)
        if STATUSES[state] != status.value.strip().upper():
            reading.lose(status, "This status is not known.")
    if state == TodoState.TODO and component.text_of("X-FAST-ZERO-STATE") == TodoState.DRAFT:
        state = TodoState.DRAFT
    reading.values["state"] = state


def read_day(name: str) -> Callable[[Reading, Property], None]:
    def read(reading: Reading, found: Property) -> None:
        reading.values[name] = calendar_times.read_day(found.value.strip())

    return read


def read_text(name: str) -> Callable[[Reading, Property], None]:
    def read(reading: Reading, found: Property) -> None:
        reading.values[name] = found.text()

    return read


def read_created(reading: Reading, found: Property) -> None:
    reading.values["created_at"] = calendar_times.read_moment(found)


def read_project(reading: Reading, found: Property) -> None:
    reading.values["project"] = tuple(found.texts())


def ignore(reading: Reading, found: Property) -> None:
    """Do nothing: another function reads it."""


READERS: Mapping[str, Callable[[Reading, Property], None]] = {
    "UID": read_key,
    "SUMMARY": read_title,
    "DESCRIPTION": read_description,
    "STATUS": ignore,
    "COMPLETED": ignore,
    "PRIORITY": read_priority,
    "CATEGORIES": read_labels,
    "RELATED-TO": read_parent,
    "DUE": read_due,
    "DTSTART": read_start,
    "DURATION": read_duration,
    "ESTIMATED-DURATION": read_duration,
    "RRULE": read_rule,
    "CREATED": read_created,
    "X-FAST-ZERO-STATE": ignore,
    "X-FAST-ZERO-PROJECT": read_project,
    "X-FAST-ZERO-SECTION": read_text("section"),
    "X-FAST-ZERO-STARTS-ON": read_day("starts_on"),
    "X-FAST-ZERO-DEADLINE": read_day("deadline_on"),
    "X-FAST-ZERO-RECURRENCE-FROM": read_text("recurrence_from"),
}
