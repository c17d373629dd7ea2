"""Reads the CSV templates of Todoist: one project, and a row for each section, task and comment.

https://www.todoist.com/help/articles/format-a-csv-file-to-import-into-todoist-UVUXTmm6
"""

import csv
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from fast_zero.identity.time_zones import check_time_zone
from fast_zero.interchange.portable import (
    MOST_COLUMNS,
    MOST_ERRORS,
    MOST_TODOS,
    TOO_MANY_COLUMNS,
    Document,
    Loss,
    PortableTodo,
)
from fast_zero.interchange.todoist_dates import When, parse_date
from fast_zero.todos.models import Priority
from fast_zero.todos.reminders import MAX_MINUTES

IGNORED = {"IS_COLLAPSED", "AUTHOR", "DATE_LANG", "DEADLINE_LANG"}
"""Columns that are not reported: how tasks are shown, and who wrote them down."""

KNOWN = {
    *("TYPE", "CONTENT", "DESCRIPTION", "PRIORITY", "INDENT", "RESPONSIBLE", "DATE"),
    *("TIMEZONE", "DURATION", "DURATION_UNIT", "DEADLINE"),
} | IGNORED
PRIORITIES = {
    "": Priority.NONE,
    "1": Priority.URGENT,
    "2": Priority.HIGH,
    "3": Priority.MEDIUM,
    "4": Priority.NONE,
}
MINUTES = {"minute": 1, "day": 24 * 60}
DEEPEST = 9
LONGEST_DESCRIPTION = 20_000
NOTHING = {"", "None"}
LABEL = re.compile(r"(?:^|(?<=\s))@([^\s@]+)")
FILE = re.compile(r"\[\[file (\{[^\[\]]*\})\s*\]\]")
NOT_TODOIST = "The first line has to name the columns, with TYPE and CONTENT among them."


@dataclass(frozen=True)
class Row:
    line: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "").strip()


@dataclass
class Reader:
    """What has been read of a file, and where it is."""

    project: str
    zone: str
    now: datetime
    todos: list[PortableTodo] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    errors: list[Loss] = field(default_factory=list)
    section: str | None = None
    above: list[tuple[int, str]] = field(default_factory=list)
    """The indents and keys of the tasks that the next one may be below of."""
    seen: Counter[str] = field(default_factory=Counter)

    def lose(self, row: Row, column: str, message: str) -> None:
        self.losses.append(Loss(row.line, column, message))


def is_todoist_csv(head: str) -> bool:
    """Whether a file that begins like this has the columns of Todoist."""
    try:
        columns = next(csv.reader(io.StringIO(head), delimiter=delimiter_of(head)), [])
    except csv.Error:
        return False
    return {"TYPE", "CONTENT"} <= {column.strip().upper() for column in columns}


def delimiter_of(text: str) -> str:
    """Return what separates columns. Spreadsheets write semicolons where a comma is decimal."""
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def read_todoist_csv(text: str, project_name: str, zone: str, now: datetime) -> Document:
    """Read a template, which does not name its project. `zone` is where it names no time zone."""
    reader = Reader(project_name, zone, now)
    text = text.removeprefix("\ufeff")
    if is_todoist_csv(text):
        for row in rows(reader, text):
            read_row(reader, row)
            if len(reader.todos) > MOST_TODOS or len(reader.errors) >= MOST_ERRORS:
                break
    else:
        reader.errors.append(Loss(1, "TYPE", NOT_TODOIST))
    return Document(reader.todos, reader.losses, reader.errors)


def rows(reader: Reader, text: str) -> Iterator[Row]:
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text))
    line = 1
    columns: list[str] = []
    try:
        for cells in lines:
            if columns:
                yield Row(line, dict(zip(columns, cells, strict=False)))
            elif len(cells) > MOST_COLUMNS:
                reader.errors.append(Loss(line, "", TOO_MANY_COLUMNS))
                return
            else:
                columns = [name.strip().upper() for name in cells]
                reader.losses += [
                    Loss(line, name, "There is no such column in templates.")
                    for name in columns
                    if name and name not in KNOWN
                ]
            line = lines.line_num + 1
    except csv.Error as error:
        reader.errors.append(Loss(line, "", f"This is not CSV: {error}."))


def read_row(reader: Reader, row: Row) -> None:
    match row["TYPE"].lower():
        case "task":
            read_task(reader, row)
        case "section":
            reader.section, reader.above = row["CONTENT"] or None, []
        case "note":
            read_note(reader, row)
        case "meta":  # how the project is shown
            pass
        case "" if not row["CONTENT"]:
            pass
        case other:
            message = f"It has to be task, section or note: {other}"
            reader.errors.append(Loss(row.line, "TYPE", message))


def read_task(reader: Reader, row: Row) -> None:
    title, labels = split_labels(row["CONTENT"])
    if title.startswith("* "):
        title = title[2:]
        reader.lose(row, "CONTENT", "A task that cannot be completed becomes one that can be.")
    indent = number_of(reader, row, "INDENT", 1, DEEPEST) or 1
    while reader.above and reader.above[-1][0] >= indent:
        reader.above.pop()
    parent_key = reader.above[-1][1] if reader.above else None
    key = key_of(reader, parent_key, row["CONTENT"])
    reader.above.append((indent, key))
    if row["PRIORITY"] not in PRIORITIES:
        reader.lose(row, "PRIORITY", f"It has to be from 1 to 4: {row['PRIORITY']}")
    if responsible := row["RESPONSIBLE"]:
        reader.lose(row, "RESPONSIBLE", f"Nobody can be assigned: {responsible}")
    when, deadline, unread = read_dates(reader, row)
    reader.todos.append(
        PortableTodo(
            key=key,
            line=row.line,
            title=title,
            description="\n\n".join(filter(None, (row["DESCRIPTION"], *unread))),
            priority=PRIORITIES.get(row["PRIORITY"], Priority.NONE),
            parent_key=parent_key,
            project=(reader.project,),
            section=reader.section,
            labels=labels,
            deadline_on=deadline,
            duration_minutes=read_duration(reader, row),
            **vars(when),
        )
    )


def read_note(reader: Reader, row: Row) -> None:
    """Add a comment to the description of the task before it."""
    text = read_files(reader, row)
    if not reader.todos or not reader.above:
        reader.lose(row, "CONTENT", f"Only tasks have comments: {text}")
        return
    todo = reader.todos[-1]
    if len(todo.description) > LONGEST_DESCRIPTION:  # the end will be cut off
        return
    note = comment(text, row["AUTHOR"].rpartition(" (")[0] or row["AUTHOR"], row["DATE"])
    description = "\n\n".join(filter(None, (todo.description, note)))
    reader.todos[-1] = replace(todo, description=description)


def comment(text: str, author: str, day: str) -> str:
    """Return a comment as a part of a description."""
    about = ", ".join(filter(None, (author, day)))
    return f"Comment ({about}): {text}" if about else f"Comment: {text}"


def read_files(reader: Reader, row: Row) -> str:
    """Return the text of a comment, with a link to each file."""

    def link(found: re.Match[str]) -> str:
        try:
            file = json.loads(found[1])
            name, url = file["file_name"], file["file_url"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return found[0]
        reader.lose(row, "CONTENT", f"The file is not copied, only its link: {name}")
        return f"[{name}]({url})"

    return FILE.sub(link, row["CONTENT"]).strip()


def split_labels(content: str) -> tuple[str, tuple[str, ...]]:
    """Return the title of a task, and its labels, which are words that begin with @."""
    title = " ".join(LABEL.sub("", content).split(" ")).strip()
    if not title:
        return content, ()
    return re.sub(r" {2,}", " ", title), tuple(LABEL.findall(content))


def key_of(reader: Reader, parent_key: str | None, content: str) -> str:
    """Return the key of a task: its place and its text, since a template has no ids.

    Of those that are alike, it also counts.
    """
    place = (reader.project, reader.section, parent_key, content)
    alike = hashlib.sha256(json.dumps(place).encode()).hexdigest()[:32]
    reader.seen[alike] += 1
    return f"todoist-csv:{alike}:{reader.seen[alike]}"


def read_dates(reader: Reader, row: Row) -> tuple[When, date | None, list[str]]:
    """Return due and deadline, and what is kept in words of those that are not understood."""
    zone = reader.zone
    try:
        zone = check_time_zone(row["TIMEZONE"] or zone)
    except ValueError:
        reader.lose(row, "TIMEZONE", f"Not known. That of the account is used: {row['TIMEZONE']}")

    def read(column: str) -> When | None:
        if row[column] in NOTHING:
            return When()
        return parse_date(row[column], row[f"{column}_LANG"], zone, reader.now)

    due, deadline = read("DATE"), read("DEADLINE")
    day = deadline.day() if deadline else None
    unread = [
        (column, row[column])
        for column, is_read in (("DATE", due), ("DEADLINE", day or row["DEADLINE"] in NOTHING))
        if not is_read
    ]
    for column, words in unread:
        reader.lose(row, column, f"Not understood. It is in the description: {words}")
    return due or When(), day, [f"{column.capitalize()}: {words}" for column, words in unread]


def read_duration(reader: Reader, row: Row) -> int | None:
    unit = row["DURATION_UNIT"]
    minutes = MINUTES.get("minute" if unit in NOTHING else unit.lower())
    if minutes is None:
        reader.lose(row, "DURATION_UNIT", f"It has to be minute or day: {unit}")
        return None
    number = number_of(reader, row, "DURATION", 1, MAX_MINUTES // minutes)
    return number and number * minutes


def number_of(reader: Reader, row: Row, column: str, least: int, most: int) -> int | None:
    value = row[column]
    if value in NOTHING:
        return None
    if re.fullmatch("[0-9]{1,9}", value) and least <= int(value) <= most:
        return int(value)
    reader.lose(row, column, f"It has to be from {least} to {most}: {value}")
    return None
