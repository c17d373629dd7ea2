"""The fields of a todo as its form shows them, and what of them was changed."""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from fast_zero.quick_add.meanings import Said
from fast_zero.quick_add.service import WEEK_STARTS, understand_recurrence
from fast_zero.recurrence import series
from fast_zero.recurrence.rules import parse
from fast_zero.recurrence.series import Due
from fast_zero.todos.models import RecurrenceFrom
from fast_zero.todos.moments import FIRST_DAY, LAST_DAY
from fast_zero.todos.schemas import Recurrence, TodoUpdate, text_of
from fast_zero.web.dependencies import Reader
from fast_zero.web.forms import OTHER
from fast_zero.web.texts import mark

Todo = Mapping[str, Any]

NO_DAY = mark("There is no such day. Choose one from 1900 on.")
DAY_MISSING = mark("Choose a day as well, or leave out the time.")
ERRORS = {
    "title": mark("Write a title of up to 200 characters."),
    "description": mark("Notes have up to 20,000 characters. Shorten them."),
    "due_on": NO_DAY,
    "due_time": mark("There is no such time. Write it like 14:30."),
    "recurrence": mark(
        "This is not understood. Write it like “every Friday” or “every 3 days”; the day and the "
        "time go above."
    ),
    "labels": mark("A task has up to 50 labels, of up to 50 characters each."),
    "starts_on": NO_DAY,
    "deadline_on": NO_DAY,
    "duration_minutes": mark("Write whole minutes, from 1 to 527040."),
}
CONFLICTS = {
    "recurrence_without_due": (
        "due_on",
        mark("A task that repeats needs a day. Choose one, or empty “Repeat” as well."),
    ),
    "occurrence_recorded": ("due_on", mark("It was done or skipped on this day. Choose another.")),
    "todo_blocked": ("state", mark("Another task has to be completed first.")),
    "project_not_found": ("place", mark("This project is gone. Choose another.")),
    "section_not_found": ("place", mark("This section is gone. Choose another.")),
}
"""Errors of the domain: the field that each is shown beside, and its text."""

PLACE = re.compile(r"([ps])([1-9]\d{0,17})")
NEXT_DAYS = 3
MOST_LABELS = 50 * 60  # characters


def said_by(reader: Reader) -> Said:
    week_start = WEEK_STARTS[reader.week_starts_on]
    return Said(datetime.now(UTC), ZoneInfo(reader.time_zone), reader.language, week_start)


def one_line(text: str) -> str:
    return " ".join(text.split())


def lines(text: str) -> str:
    """Return a text as it is stored. Browsers send carriage returns in it."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def written_labels(names: Sequence[str]) -> str:
    """Write labels with commas between them; one with a comma in it is in quotes."""
    quoted = ('"{}"'.format(n.replace('"', '""')) if set(n) & set('",\r\n') else n for n in names)
    return ", ".join(quoted)


def read_labels(text: str) -> list[str]:
    if len(text) > MOST_LABELS:
        raise ValueError
    try:
        rows = list(csv.reader(io.StringIO(lines(text)), skipinitialspace=True))
    except csv.Error:
        raise ValueError from None
    names = (name.strip() for row in rows for name in row)
    found: dict[str, str] = {}
    for name in names:
        if name:
            found.setdefault(name.casefold(), name)
    return list(found.values())


def comparable_labels(text: str) -> str:
    try:
        return "\n".join(sorted(name.casefold() for name in read_labels(text)))
    except ValueError:
        return text


NORMAL: dict[str, Callable[[str], str]] = {
    "title": one_line,
    "description": lines,
    "due_on": str.strip,
    "due_time": lambda text: text.strip()[:5],
    "recurrence": lambda text: one_line(text).casefold(),
    "priority": str.strip,
    "place": str.strip,
    "labels": comparable_labels,
    "starts_on": str.strip,
    "deadline_on": str.strip,
    "duration_minutes": str.strip,
    "state": str.strip,
    "share": str.strip,
}
"""The fields, and what two values of each have in common if nothing was changed."""


def shown(todo: Todo, said: Said) -> dict[str, str]:
    """Return the values of the form of a todo."""
    due_at: datetime | None = todo["due_at"]
    moment = due_at.astimezone(said.zone) if due_at else None
    due_on = moment.date() if moment else todo["due_on"]
    return {
        "version": str(todo["version"]),
        "title": todo["title"],
        "description": todo["description"],
        "due_on": day_text(due_on),
        "due_time": moment.strftime("%H:%M") if moment else "",
        "recurrence": recurrence_words(todo["recurrence"], said),
        "priority": todo["priority"],
        "place": place_of(todo),
        "labels": written_labels(todo["labels"]),
        "starts_on": day_text(todo["starts_on"]),
        "deadline_on": day_text(todo["deadline_on"]),
        "duration_minutes": str(todo["duration_minutes"] or ""),
        "state": todo["state"],
        "share": todo["share"] or "",
    }


def day_text(day: date | None) -> str:
    return day.isoformat() if day else ""


def place_of(todo: Todo) -> str:
    if todo["section_id"]:
        return f"s{todo['section_id']}"
    return f"p{todo['project_id']}" if todo["project_id"] else ""


def recurrence_words(recurrence: Mapping[str, str] | None, said: Said) -> str:
    """Say a recurrence in words. A rule that has none is shown as it is."""
    if recurrence is None:
        return ""
    words = text_of(recurrence)
    if words is None:
        return recurrence["rule"]
    return words.en if said.language == "en" else words.pt_br


def changed_names(todo: Todo, sent: Mapping[str, str], said: Said) -> list[str]:
    """Return the fields that a form has with another value than the todo."""
    before = shown(todo, said)
    return [
        name
        for name, normal in NORMAL.items()
        if name in sent and normal(sent[name]) != normal(before[name])
    ]


@dataclass
class Changes:
    """What a form changes: fields of a `TodoUpdate` and of a `TodoMove`, or what is wrong."""

    fields: dict[str, Any] = field(default_factory=dict)
    move: dict[str, int | None] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.fields or self.move or self.errors)

    def update(self) -> TodoUpdate | None:
        """Return the change of the todo. None: there is none, or `errors` say what is wrong."""
        if not self.fields:
            return None
        try:
            return TodoUpdate.model_validate(self.fields)
        except ValidationError as error:
            for item in error.errors(include_url=False, include_context=False):
                name = str(item["loc"][0]) if item["loc"] else ""
                self.refuse("due_on" if name in {"due_at", "time_zone"} else name)
            return None

    def refuse(self, name: str, text: str = "") -> None:
        self.errors.setdefault(name, text or ERRORS.get(name, OTHER))


def changes_of(todo: Todo, sent: Mapping[str, str], said: Said) -> Changes:
    """Return only what was really changed, so that the rest keeps its moment and zone."""
    changes = Changes()
    names = changed_names(todo, sent, said)
    values = {name: sent[name].strip() for name in names}
    for name, text in values.items():
        if name in READ:
            try:
                changes.fields[name] = READ[name](text)
            except ValueError:
                changes.refuse(name)
    if values.keys() & {"due_on", "due_time"}:
        change_due(changes, todo, {**shown(todo, said), **sent}, said)
    if "recurrence" in values:
        change_recurrence(changes, values["recurrence"], said)
    if "place" in values:
        change_place(changes, values["place"])
    return changes


def read_day(text: str) -> date | None:
    if not text:
        return None
    day = date.fromisoformat(text)
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError
    return day


READ: dict[str, Callable[[str], Any]] = {
    "title": one_line,
    "description": lines,
    "priority": str,
    "labels": read_labels,
    "starts_on": read_day,
    "deadline_on": read_day,
    "duration_minutes": lambda text: int(text) if text else None,
    "state": str,
    "share": lambda text: text or None,
}


def change_due(changes: Changes, todo: Todo, values: Mapping[str, str], said: Said) -> None:
    try:
        day = read_day(values["due_on"].strip())
    except ValueError:
        changes.refuse("due_on")
        return
    clock = values["due_time"].strip()
    if not clock:
        if day is None and todo["due_at"] is not None:
            changes.fields["due_at"] = None
        else:
            changes.fields["due_on"] = day
        return
    if day is None:
        changes.refuse("due_on", DAY_MISSING)
        return
    try:
        at = time.fromisoformat(clock).replace(tzinfo=None)
    except ValueError:
        changes.refuse("due_time")
        return
    changes.fields["due_at"] = datetime.combine(day, at, said.zone)
    changes.fields["time_zone"] = said.zone.key


def change_recurrence(changes: Changes, text: str, said: Said) -> None:
    if not text:
        changes.fields["recurrence"] = None
        return
    recurrence = read_recurrence(text, said)
    if recurrence is None:
        changes.refuse("recurrence")
    else:
        changes.fields["recurrence"] = recurrence


def read_recurrence(text: str, said: Said) -> Recurrence | None:
    """Return the recurrence that words or a rule say. None: they say none, or more than that."""
    recurrence = understand_recurrence(text, said)
    if recurrence is None and text.upper().startswith("FREQ="):
        with suppress(ValidationError):
            return Recurrence.model_validate({"rule": text.upper()})
    return recurrence


@dataclass(frozen=True)
class Coming:
    """A recurrence in words, with its next days, which are not those of the form already."""

    words: str
    days: Sequence[date]
    from_completion: bool


def read_due(day_text: str, time_text: str, said: Said) -> Due:
    """Return the due of a form. Raises ValueError for what is no day or no time."""
    day = read_day(day_text.strip())
    if day is None or not time_text.strip():
        return Due(on=day)
    at = time.fromisoformat(time_text.strip()).replace(tzinfo=None)
    return Due(at=datetime.combine(day, at, said.zone))


def coming_days(recurrence: Recurrence, due: Due, said: Said) -> Coming:
    """Return what a recurrence would be if it was saved. Raises ValueError if it has no day."""
    from_completion = recurrence.counted_from is RecurrenceFrom.COMPLETION
    begun = series.begin(
        parse(recurrence.rule), said.zone, due, said.at, from_completion=from_completion
    )
    days = series.upcoming(begun, begun.start, None, said.at)
    first = 0 if due == Due() and not from_completion else 1
    written = {"rule": recurrence.rule, "from": recurrence.counted_from.value}
    words = recurrence_words(written, said)
    return Coming(words, list(islice(days, first, first + NEXT_DAYS)), from_completion)


def change_place(changes: Changes, text: str) -> None:
    found = PLACE.fullmatch(text)
    if found:
        name = "project_id" if found[1] == "p" else "section_id"
        changes.move = {name: int(found[2])}
    elif text:
        changes.refuse("place")
    else:
        changes.move = {"project_id": None}


@dataclass(frozen=True)
class Marked:
    """A text of which a part is marked."""

    before: str
    marked: str
    after: str


def compared(one: str, other: str) -> tuple[Marked, Marked]:
    """Mark what differs between two texts: all between the words that they begin and end with."""
    a, b = re.findall(r"\S+\s*", one), re.findall(r"\S+\s*", other)
    short, begin, end = min(len(a), len(b)), 0, 0
    while begin < short and a[begin].split() == b[begin].split():
        begin += 1
    while end < short - begin and a[-1 - end].split() == b[-1 - end].split():
        end += 1

    def marked(words: list[str]) -> Marked:
        middle = len(words) - end
        differing = "".join(words[begin:middle])
        shown = differing.rstrip()
        after = differing[len(shown) :] + "".join(words[middle:])
        return Marked("".join(words[:begin]), shown, after)

    return marked(a), marked(b)
