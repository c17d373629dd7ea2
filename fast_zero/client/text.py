"""Words for todos: when they are due, and what a person typed for it.

Moments are in the time zone of this machine, by its rules for the day in question.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from rich.markup import escape

from fast_zero.client.errors import ClientError

OPEN = ("draft", "todo", "doing")
DAYS = {"today": 0, "tomorrow": 1}
DUE = re.compile(r"(today|tomorrow|\d{4}-\d\d-\d\d)(?:[ t](\d{1,2}:\d\d))?", re.ASCII)
INVISIBLE = {"Cc", "Cs", "Zl", "Zp"}
REORDERING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

Todo = Mapping[str, Any]


def plain(text: str) -> str:
    """Return a text in one line, without what a terminal would take for a command."""
    shown = ("�" if is_control(character) else character for character in " ".join(text.split()))
    return "".join(shown)


def safe(shown: object) -> str:
    """Return what came from a server as markup that shows it in one line, and no more."""
    return escape(plain(str(shown)))


def plain_lines(text: str) -> str:
    return "\n".join("".join(map(plain_character, line)) for line in text.split("\n"))


def plain_character(character: str) -> str:
    return "�" if is_control(character) and character != "\t" else character


def is_control(character: str) -> bool:
    return unicodedata.category(character) in INVISIBLE or character in REORDERING


def due_of(todo: Todo) -> date | datetime | None:
    """Return the day or the moment that a todo is due."""
    if todo["due_on"]:
        return date.fromisoformat(todo["due_on"])
    if todo["due_at"]:
        return datetime.fromisoformat(todo["due_at"]).astimezone()
    return None


def is_overdue(todo: Todo, now: datetime) -> bool:
    due = due_of(todo)
    if due is None or todo.get("state", "todo") not in OPEN:
        return False
    return due < now if isinstance(due, datetime) else due < now.date()


def due_in_words(todo: Todo, now: datetime) -> str:
    """Return the due as people say it: `today`, `tomorrow 09:00`, `Mon 6 Jan`."""
    due = due_of(todo)
    if due is None:
        return ""
    moment = f" {due:%H:%M}" if isinstance(due, datetime) else ""
    day = due.date() if isinstance(due, datetime) else due
    return day_in_words(day, now.date()) + moment


def day_in_words(day: date, today: date) -> str:
    near = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get((day - today).days)
    year = f" {day.year}" if day.year != today.year else ""
    return near or f"{day:%a} {day.day} {day:%b}{year}"


def due_as_typed(todo: Todo) -> str:
    """Return the due as `parse_due` understands it: `2026-12-04` or `2026-12-04 09:00`."""
    due = due_of(todo)
    if isinstance(due, datetime):
        return f"{due:%Y-%m-%d %H:%M}"
    return str(due or "")


def parse_due(typed: str, now: datetime) -> dict[str, str | None]:
    """Return the fields for a due that a person typed; `none` or nothing: no due."""
    wanted = typed.strip().lower()
    if wanted in {"", "none"}:
        return {"due_on": None, "due_at": None}
    found = DUE.fullmatch(wanted)
    try:
        if not found:
            raise ValueError  # noqa: TRY301  # one sentence for all that is wrong
        word, clock = found.groups()
        near = DAYS.get(word)
        day = date.fromisoformat(word) if near is None else now.date() + timedelta(days=near)
        if clock is None:
            return {"due_on": str(day)}
        hour, minute = map(int, clock.split(":"))
        moment = datetime(day.year, day.month, day.day, hour, minute).astimezone()
    except (ValueError, OverflowError):
        raise ClientError(
            f"{typed!r} is no due. Examples: 2026-12-04, 2026-12-04 09:00, tomorrow 9:00, none"
        ) from None
    return {"due_at": moment.isoformat()}
