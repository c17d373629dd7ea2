"""Dates as Todoist writes them: days and moments, and in words how a todo recurs."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from fast_zero.core.languages import Language
from fast_zero.quick_add.meanings import Said
from fast_zero.quick_add.parsing import parse
from fast_zero.quick_add.tags import Known
from fast_zero.todos.models import RecurrenceFrom


@dataclass(frozen=True)
class When:
    """When a todo is due, and how it recurs: fields of a `PortableTodo`."""

    due_on: date | None = None
    due_at: datetime | None = None
    time_zone: str | None = None
    recurrence_rule: str | None = None
    recurrence_from: RecurrenceFrom = RecurrenceFrom.DUE

    def day(self) -> date | None:
        """Return the day that it is due, unless it recurs."""
        if self.recurrence_rule is not None:
            return None
        if self.due_at is not None and self.time_zone is not None:
            return self.due_at.astimezone(ZoneInfo(self.time_zone)).date()
        return self.due_on


LONGEST = 200
TITLE = "Note"
YEAR = re.compile(r"\b(?:19|20)\d\d\b")
ABBREVIATED = re.compile(r"(?<=[^\W\d_])\.")
AFTER_COMPLETION = re.compile(r"^every ?!")


def parse_date(text: str, language: str, zone: str, now: datetime) -> When | None:
    """Return what a date says, on the clock of a zone. None: it is not understood as a whole.

    `language` is that of the words; English and Portuguese are understood.
    """
    words = " ".join(text[: LONGEST + 1].lower().split())
    if len(words) > LONGEST:
        return None
    if moment := moment_of(words):
        return When(due_at=moment, time_zone=zone)
    words, after_completion = AFTER_COMPLETION.subn("every", ABBREVIATED.sub("", words))
    spoken: Language = "pt-BR" if language.lower().startswith("pt") else "en"
    said = Said(said_at(words, zone, now), ZoneInfo(zone), spoken)
    parsed = parse(f"{TITLE}: {words}", said, Known())
    if parsed.title != TITLE:
        return None
    found = parsed.decision
    from_completion = found.from_completion or bool(after_completion)
    return When(
        due_on=found.due_on,
        due_at=found.due_at,
        time_zone=zone if found.due_at else None,
        recurrence_rule=str(found.rule) if found.rule else None,
        recurrence_from=RecurrenceFrom.COMPLETION if from_completion else RecurrenceFrom.DUE,
    )


def moment_of(words: str) -> datetime | None:
    """Return a moment that has an offset: 2031-03-27t09:00:00z."""
    try:
        moment = datetime.fromisoformat(words.upper())
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def said_at(words: str, zone: str, now: datetime) -> datetime:
    """Return when words were said: at the beginning of the year that they name, if it is past.

    Of a sentence, a day that is past stays in the title; of a file, it is a due.
    """
    if (found := YEAR.search(words)) and int(found[0]) <= now.year:
        return datetime(int(found[0]), 1, 1, tzinfo=ZoneInfo(zone))
    return now
