"""What quick add has understood of a sentence, as people read it."""

from collections.abc import Iterator
from dataclasses import dataclass
from gettext import NullTranslations

from fast_zero.quick_add.service import Answer
from fast_zero.todos.models import Priority
from fast_zero.todos.reminders import Reminder
from fast_zero.todos.schemas import text_of
from fast_zero.web.presentation.dates import Dates
from fast_zero.web.presentation.rows import PRIORITIES
from fast_zero.web.texts import mark

MINUTES_OF_HOUR = 60
MINUTES_OF_DAY = 1440
NOT_THERE = {
    "project": mark("there is no project %(name)s"),
    "section": mark("there is no section %(name)s"),
}
ICONS = {
    "moment": "clock",
    "day": "cal",
    "label": "tag",
    "priority": "flag",
    "recurrence": "repeat",
    "duration": "clock",
    "reminder": "bell",
    "unknown": "alert",
}
WHERE = frozenset({"moment", "day", "project"})
"""What says in which list a todo is."""


@dataclass(frozen=True)
class Chip:
    """One thing that was understood. A project has the dot of its color instead of an icon."""

    kind: str
    text: str
    color: str = ""

    @property
    def icon(self) -> str:
        return ICONS.get(self.kind, "")


@dataclass(frozen=True)
class Words:
    """How a reader is told what was understood."""

    dates: Dates
    catalogue: NullTranslations
    is_english: bool

    def chips(self, answer: Answer) -> list[Chip]:
        """Return what was understood: when, project, labels, priority, repetition, the rest."""
        return [
            *self.due(answer),
            *self.project(answer),
            *(Chip("label", name) for name in answer.new.labels),
            *self.priority(answer),
            *self.recurrence(answer),
            *self.duration(answer),
            *(Chip("reminder", self.reminder(each)) for each in answer.new.reminders),
            *self.unknown(answer),
        ]

    def due(self, answer: Answer) -> Iterator[Chip]:
        new = answer.new
        due = self.dates.due(new.due_on, new.due_at, without_day=False)
        if due.text:
            yield Chip("moment" if new.due_at else "day", due.text)

    def project(self, answer: Answer) -> Iterator[Chip]:
        if answer.project is not None:
            sections = [str(part.value) for part in answer.understood if part.kind == "section"]
            path = " / ".join([answer.project.name, *sections])
            yield Chip("project", path, answer.project.color)

    def priority(self, answer: Answer) -> Iterator[Chip]:
        if answer.new.priority != Priority.NONE:
            yield Chip("priority", self.catalogue.gettext(PRIORITIES[answer.new.priority]))

    def recurrence(self, answer: Answer) -> Iterator[Chip]:
        if answer.new.recurrence is not None:
            texts = text_of(answer.new.recurrence)
            said = " ".join(part.text for part in answer.understood if part.kind == "recurrence")
            yield Chip(
                "recurrence", (texts.en if self.is_english else texts.pt_br) if texts else said
            )

    def duration(self, answer: Answer) -> Iterator[Chip]:
        if answer.new.duration_minutes:
            yield Chip("duration", self.time(answer.new.duration_minutes))

    def reminder(self, reminder: Reminder) -> str:
        gettext = self.catalogue.gettext
        if reminder.at is not None:
            return gettext("Reminder: %(moment)s") % {"moment": self.dates.moment(reminder.at)}
        if not reminder.minutes_before:
            return gettext("Reminder when it is due")
        return gettext("Reminder %(time)s before") % {"time": self.time(reminder.minutes_before)}

    def time(self, minutes: int) -> str:
        """Return a span of time. The signs of hours and minutes are those of all languages."""
        if minutes % MINUTES_OF_DAY == 0:
            days = minutes // MINUTES_OF_DAY
            return self.catalogue.ngettext("%(num)d day", "%(num)d days", days) % {"num": days}
        hours, rest = divmod(minutes, MINUTES_OF_HOUR)
        return " ".join([*([f"{hours} h"] if hours else []), *([f"{rest} min"] if rest else [])])

    def unknown(self, answer: Answer) -> Iterator[Chip]:
        """Name the projects and sections that do not exist. Their words stay in the title."""
        for part in answer.understood:
            if part.value is None:
                sentence = self.catalogue.gettext(NOT_THERE[part.kind])
                yield Chip("unknown", sentence % {"name": part.text})
