"""A todo as a text that people edit: a line for each field, and the description below a line ---.

Pure: text in, fields out.
"""

import csv
from collections.abc import Mapping, Sequence
from datetime import datetime

from fast_zero.client import text
from fast_zero.client.errors import ClientError

FIELDS = ("title", "state", "priority", "due", "starts_on", "deadline_on", "labels", "project")
HINT = """\
# Change what you like, save, and leave the editor. Lines with # at the beginning are ignored.
# state: draft, todo, doing, done, trash      priority: none, low, medium, high, urgent
# due: 2026-12-04, 2026-12-04 09:00, today, tomorrow 9:00, or nothing
# labels: with commas between      project: a name or an ID; none: the inbox
"""
BELOW = "---"

Form = Mapping[str, str]
Given = Mapping[str, str | Sequence[str]]
"""Fields to change. Labels are a list, or a text with commas."""


def values_of(todo: text.Todo, project: str) -> dict[str, str]:
    """Return the fields of a todo as texts."""
    return {
        "title": todo["title"],
        "state": todo["state"],
        "priority": todo["priority"],
        "due": text.due_as_typed(todo),
        "starts_on": todo["starts_on"] or "",
        "deadline_on": todo["deadline_on"] or "",
        "labels": write_labels(todo["labels"]),
        "project": project,
        "description": todo["description"],
    }


def write(values: Form) -> str:
    # A title may contain line breaks; a text that has become two lines would be two fields.
    lines = [f"{name}: {' '.join(values[name].split())}".rstrip() for name in FIELDS]
    return "\n".join([HINT.rstrip(), *lines, BELOW, values["description"], ""])


def read(content: str) -> dict[str, str]:
    """Return the fields of an edited text."""
    head, below, description = f"\n{content}".replace("\r\n", "\n").partition(f"\n{BELOW}\n")
    values = {}
    for line in head.split("\n"):
        if not line.strip() or line.startswith("#"):
            continue
        name, colon, value = line.partition(":")
        if not colon or name.strip() not in FIELDS:
            raise ClientError(
                f"{line.strip()!r} is no field. A line has the form: title: Buy bread"
            )
        values[name.strip()] = value.strip()
    if below:
        values["description"] = description.removesuffix("\n")
    return values


def changed(before: Form, after: Form) -> dict[str, str]:
    """Return the fields that were edited. One whose line was deleted stays as it is."""
    shown = read(write(before))
    return {name: value for name, value in after.items() if value != shown[name]}


def write_labels(labels: Sequence[str]) -> str:
    """Return labels with commas between. One that has a comma is in quotation marks, as in CSV."""
    quoted = [name.replace('"', '""') for name in labels]
    return ", ".join(f'"{name}"' if {",", '"'} & set(name) else name for name in quoted)


def read_labels(written: str) -> list[str]:
    try:
        [labels] = csv.reader([written], skipinitialspace=True)
    except (csv.Error, ValueError):
        labels = []
    return [name.strip() for name in labels if name.strip()]


def body_of(given: Given, now: datetime) -> dict[str, object]:
    """Return edited fields as the API takes them, without the project."""
    body: dict[str, object] = {}
    for name, value in given.items():
        if name == "due":
            body |= text.parse_due(str(value), now)
        elif name == "labels":
            body[name] = read_labels(value) if isinstance(value, str) else value
        elif name in {"starts_on", "deadline_on"}:
            body[name] = None if value in {"", "none"} else value
        elif name != "project":
            body[name] = value
    return body
