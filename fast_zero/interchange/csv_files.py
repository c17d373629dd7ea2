"""Todos as CSV (RFC 4180): a header, then a line for each todo. Columns are in any order."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from hashlib import sha256
from io import StringIO
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from fast_zero.identity.time_zones import check_time_zone
from fast_zero.interchange.portable import (
    MOST_COLUMNS,
    MOST_TODOS,
    TOO_MANY_COLUMNS,
    Document,
    Loss,
    PortableTodo,
    checked,
)
from fast_zero.todos.reminders import Reminder

BYTE_ORDER_MARK = "\ufeff"
DELIMITERS = ",;\t"
MOST_ERRORS = 100
"""After these, the rest of a file is not read."""

# A cell that begins so is a formula for spreadsheets, which may send the others elsewhere (OWASP,
# CSV injection). An apostrophe before it makes it text. Those that are there already are kept.
FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
ESCAPED = re.compile("'" + FORMULA.pattern)

ONLY_TITLE = "The header has no column title, which is the only one that is needed."


def write_list(separator: str) -> Callable[[Sequence[str]], str]:
    def write(texts: Sequence[str]) -> str:
        escaped = (re.sub(r"[\\" + separator + "]", r"\\\g<0>", text) for text in texts)
        return separator.join(escaped)

    return write


def read_list(separator: str) -> Callable[[str], Sequence[str]]:
    item = re.compile(rf"(?:\\.|[^\\{separator}]|\\\Z)+", re.DOTALL)

    def read(text: str) -> Sequence[str]:
        found = (part for part in item.findall(text) if part.strip(" "))
        return tuple(re.sub(r"\\(.)", r"\1", part, flags=re.DOTALL) for part in found)

    return read


def write_moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def read_day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError("It has to be a day such as 2026-12-04.") from None


def read_moment(text: str) -> datetime:
    """Return a moment, or the time of a clock if it has no offset. A day alone is none."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        moment = None
    if moment is None or len(text.strip()) <= len("2026-12-04"):
        raise ValueError("It has to be a moment such as 2026-12-04T12:00:00Z.")
    return moment


def read_number(text: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", text.strip()):
        raise ValueError("It has to be a whole number.")
    return int(text)


def write_reminders(reminders: Sequence[Reminder]) -> str:
    return ",".join(
        write_moment(reminder.at) if reminder.at else str(reminder.minutes_before)
        for reminder in reminders
    )


def read_reminders(text: str) -> Sequence[Reminder]:
    return tuple(read_reminder(part.strip()) for part in text.split(","))


def read_reminder(text: str) -> Reminder:
    try:
        if text.isdecimal():
            return Reminder(minutes_before=read_number(text))
        return Reminder(at=read_moment(text))
    except ValidationError as error:
        message = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise ValueError(f"{text}: {message}") from None
    except ValueError:
        raise ValueError(
            "It has minutes before the due, and moments such as 2026-12-04T12:00:00Z, with commas "
            "between."
        ) from None


TEXT = (str, str)
WORD = (str, str.strip)
DAY = (date.isoformat, read_day)
MOMENT = (write_moment, read_moment)

COLUMNS: Mapping[str, tuple[Callable[[Any], str], Callable[[str], Any]]] = {
    "key": TEXT,
    "title": TEXT,
    "description": TEXT,
    "state": WORD,
    "priority": WORD,
    "project": (write_list("/"), read_list("/")),
    "section": TEXT,
    "parent_key": TEXT,
    "labels": (write_list(","), read_list(",")),
    "due_on": DAY,
    "due_at": MOMENT,
    "time_zone": WORD,
    "starts_on": DAY,
    "deadline_on": DAY,
    "duration_minutes": (str, read_number),
    "recurrence_rule": WORD,
    "recurrence_from": WORD,
    "reminders": (write_reminders, read_reminders),
    "completed_at": MOMENT,
    "created_at": MOMENT,
}
"""What writes and what reads the cells of each column. Empty cells are not read."""


def header() -> str:
    """Return the first line. The byte order mark tells spreadsheets that it is UTF-8."""
    return BYTE_ORDER_MARK + lines([COLUMNS.keys()])


def write_rows(todos: Iterable[PortableTodo]) -> str:
    """Return the lines of todos, which stand behind `header()`."""
    return lines(map(cells, todos))


def lines(rows: Iterable[Iterable[str]]) -> str:
    written = StringIO(newline="")
    csv.writer(written).writerows(rows)
    return written.getvalue()


def cells(todo: PortableTodo) -> Iterator[str]:
    for name, (write, _) in COLUMNS.items():
        value = getattr(todo, name)
        is_left_out = value is None or (name == "recurrence_from" and not todo.recurrence_rule)
        text = "" if is_left_out else write(value)
        yield "'" + text if FORMULA.match(text) else text


def read_csv(text: str) -> Document:
    """Read todos. Line numbers are those where their rows begin."""
    document = Document()
    rows = numbered_rows(text.removeprefix(BYTE_ORDER_MARK), document)
    names = [name.strip().lower() for name in next(rows, (1, []))[1]]
    while names and not names[-1]:  # spreadsheets write columns that were used once
        names.pop()
    if not document.errors:
        check_header(names, document)
    if not document.errors:
        document.todos = list(islice(read_rows(rows, names, document), MOST_TODOS + 1))
    return document


def numbered_rows(text: str, document: Document) -> Iterator[tuple[int, Sequence[str]]]:
    """Yield the rows that are not empty, and the line where each begins."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter(text), strict=True)
    line = 1
    try:
        for row in reader:
            if any(row):
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        document.errors.append(Loss(line, "", f"This line is not CSV: {error}."))


def delimiter(text: str) -> str:
    """Return what separates the names of most columns that are known."""
    first = re.split("[\r\n]", text.lstrip("\r\n"), maxsplit=1)[0]

    def known(delimiter: str) -> int:
        names = (name.strip(' "').lower() for name in first.split(delimiter))
        return sum(name in COLUMNS for name in names)

    return max(DELIMITERS, key=known)


def check_header(names: Sequence[str], document: Document) -> None:
    if len(names) > MOST_COLUMNS:
        document.errors.append(Loss(1, "", TOO_MANY_COLUMNS))
        return
    if "title" not in names:
        document.errors.append(Loss(1, "title", ONLY_TITLE))
    for number, name in enumerate(names):
        if name and name in names[:number]:
            document.errors.append(Loss(1, name, "This column is there twice."))
        elif name not in COLUMNS:
            known = ", ".join(COLUMNS)
            document.losses.append(Loss(1, name, f"This column is not kept; known are {known}."))


def read_rows(
    rows: Iterator[tuple[int, Sequence[str]]], names: Sequence[str], document: Document
) -> Iterator[PortableTodo]:
    used: dict[str, int] = {}
    digests: Counter[str] = Counter()
    for line, row in rows:
        values, errors = read_row(line, row, names)
        if "key" not in values:
            values["key"] = new_key(row, digests)
        todo = errors or checked(values)
        if isinstance(todo, PortableTodo):
            first = used.setdefault(todo.key, line)
            if first == line:
                yield todo
                continue
            todo = [Loss(line, "key", f"Line {first} has this key already.")]
        document.errors += todo
        if len(document.errors) >= MOST_ERRORS:
            document.errors.append(Loss(line, "", "There may be more; the rest was not read."))
            return


def read_row(
    line: int, row: Sequence[str], names: Sequence[str]
) -> tuple[dict[str, Any], list[Loss]]:
    """Return the values of a row, and what is wrong with it. Missing cells are empty."""
    values: dict[str, Any] = {"line": line}
    errors: list[Loss] = []
    if any(row[len(names) :]):
        errors.append(Loss(line, "", "This line has more cells than the header."))
    for name, cell in zip(names, row, strict=False):
        text = cell[1:] if ESCAPED.match(cell) else cell
        if name not in COLUMNS or not text.strip(" "):
            continue
        try:
            values[name] = COLUMNS[name][1](text)
        except ValueError as error:
            errors.append(Loss(line, name, str(error)))
    place_in_zone(values)
    return values, errors


def place_in_zone(values: dict[str, Any]) -> None:
    """Make a moment of a due without an offset: it is the time of a clock in its time zone."""
    due, zone = values.get("due_at"), values.get("time_zone")
    if due is not None and due.tzinfo is None and zone is not None:
        with suppress(ValueError):  # `checked` says that it is no time zone
            values["due_at"] = due.replace(tzinfo=ZoneInfo(check_time_zone(zone)))


def new_key(row: Sequence[str], digests: Counter[str]) -> str:
    """Return a key for a row that has none: the same one when the file is read again."""
    digest = sha256("\0".join(row).encode(errors="surrogatepass")).hexdigest()[:32]
    digests[digest] += 1
    return f"{digest}-{digests[digest]}"
