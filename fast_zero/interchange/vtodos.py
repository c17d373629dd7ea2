"""Todos as VTODO components of iCalendar (RFC 5545, section 3.6.2).

What iCalendar has no word for is in properties and parameters that begin with X-FAST-ZERO.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from icalendar import vDuration

from fast_zero.interchange.content_lines import line, text_line
from fast_zero.interchange.portable import PortableTodo
from fast_zero.recurrence import expansion
from fast_zero.recurrence.rules import parse, until_text
from fast_zero.todos.models import Priority, RecurrenceFrom, TodoState
from fast_zero.todos.reminders import Reminder

PRODUCT = "-//fast_zero//fast_zero//EN"
STATUSES: Mapping[TodoState, str] = MappingProxyType(
    {
        TodoState.DRAFT: "NEEDS-ACTION",
        TodoState.TODO: "NEEDS-ACTION",
        TodoState.DOING: "IN-PROCESS",
        TodoState.DONE: "COMPLETED",
        TodoState.TRASH: "CANCELLED",
    }
)
PRIORITIES: Mapping[Priority, int] = MappingProxyType(
    {Priority.URGENT: 1, Priority.HIGH: 3, Priority.MEDIUM: 5, Priority.LOW: 9}
)
END_OF_DAY = time(23, 59, 59)


def begin() -> str:
    """Return the beginning of a calendar."""
    return line("BEGIN", "VCALENDAR") + line("VERSION", "2.0") + line("PRODID", PRODUCT)


def end() -> str:
    return line("END", "VCALENDAR")


def write_todo(todo: PortableTodo, stamp: datetime, reminder_time: time = time(9)) -> str:
    """Return a VTODO. A day reminds as if it were due at `reminder_time`."""
    parts = (
        line("BEGIN", "VTODO"),
        text_line("UID", todo.key),
        moment_line("DTSTAMP", stamp.replace(microsecond=0)),
        *texts(todo),
        *times(todo),
        *recurrence(todo),
        *(alarm(todo, reminder, reminder_time) for reminder in todo.reminders),
        line("END", "VTODO"),
    )
    return "".join(parts)


def texts(todo: PortableTodo) -> Iterator[str]:
    yield text_line("SUMMARY", todo.title)
    if todo.description:
        yield text_line("DESCRIPTION", todo.description)
    yield line("STATUS", STATUSES[todo.state])
    if todo.state == TodoState.DRAFT:
        yield line("X-FAST-ZERO-STATE", todo.state.value)
    if todo.priority in PRIORITIES:
        yield line("PRIORITY", str(PRIORITIES[todo.priority]))
    if todo.labels:
        yield text_line("CATEGORIES", *todo.labels)
    if todo.parent_key:
        yield text_line("RELATED-TO", todo.parent_key)
    if todo.project:
        yield text_line("X-FAST-ZERO-PROJECT", *todo.project)
    if todo.section:
        yield text_line("X-FAST-ZERO-SECTION", todo.section)


def times(todo: PortableTodo) -> Iterator[str]:
    if todo.due_on or todo.due_at:
        yield due_line("DUE", todo)
    if todo.recurrence_rule and (todo.due_on or todo.due_at):
        yield due_line("DTSTART", todo)
    elif is_start(todo):
        yield day_line("DTSTART", todo.starts_on)
    if todo.starts_on and not is_start(todo):
        yield day_line("X-FAST-ZERO-STARTS-ON", todo.starts_on)
    if todo.deadline_on:
        yield day_line("X-FAST-ZERO-DEADLINE", todo.deadline_on)
    if todo.duration_minutes:
        duration = vDuration(timedelta(minutes=todo.duration_minutes))
        yield line("ESTIMATED-DURATION", duration.to_ical().decode())
    if todo.completed_at:
        yield moment_line("COMPLETED", todo.completed_at)
    if todo.created_at:
        yield moment_line("CREATED", todo.created_at)


def is_start(todo: PortableTodo) -> bool:
    """Tell whether DTSTART may have the start: a day before a due that is a day, if there is one.

    DTSTART of a todo that recurs is its first due.
    """
    if todo.starts_on is None or todo.recurrence_rule or todo.due_at:
        return False
    return todo.due_on is None or todo.starts_on < todo.due_on


def recurrence(todo: PortableTodo) -> Iterator[str]:
    if todo.recurrence_rule is None:
        return
    shown, until = rule_for(todo.recurrence_rule, todo.due_on, todo.due_at, todo.time_zone)
    yield line("RRULE", shown, **({"X_FAST_ZERO_UNTIL": until} if until else {}))
    if todo.recurrence_from == RecurrenceFrom.COMPLETION:
        yield line("X-FAST-ZERO-RECURRENCE-FROM", todo.recurrence_from.value)


def rule_for(
    text: str, due_on: date | None, due_at: datetime | None, time_zone: str | None
) -> tuple[str, str]:
    """Return a rule with UNTIL as a day or a moment, as the due is, and what it was if it was not.

    RFC 5545, section 3.3.10 wants them to be alike.
    """
    rule = parse(text)
    until = rule.until
    if until is None:
        return text, ""
    is_moment = isinstance(until, datetime)
    if due_on and is_moment:
        changed: date = expansion.last_day(rule)
    elif due_at and not is_moment:
        changed = expansion.at(until, END_OF_DAY, ZoneInfo(time_zone or "UTC"))
    else:
        return text, ""
    was = until_text(until)
    return text.replace(f"UNTIL={was}", f"UNTIL={until_text(changed)}"), was


def alarm(todo: PortableTodo, reminder: Reminder, reminder_time: time) -> str:
    return "".join(
        [
            line("BEGIN", "VALARM"),
            line("ACTION", "DISPLAY"),
            text_line("DESCRIPTION", todo.title),
            trigger(todo, reminder, reminder_time),
            line("END", "VALARM"),
        ]
    )


def trigger(todo: PortableTodo, reminder: Reminder, reminder_time: time) -> str:
    if reminder.at is not None:
        return moment_line("TRIGGER", reminder.at, VALUE="DATE-TIME")
    minutes = reminder.minutes_before or 0
    offset = timedelta(minutes=-minutes)
    if todo.due_on is None:
        return line("TRIGGER", vDuration(offset).to_ical().decode(), RELATED="END")
    offset += timedelta(hours=reminder_time.hour, minutes=reminder_time.minute)
    duration = vDuration(offset).to_ical().decode()
    said = {"RELATED": "END", "X_FAST_ZERO_MINUTES_BEFORE": str(minutes)}
    return line("TRIGGER", duration, **said)


def due_line(name: str, todo: PortableTodo) -> str:
    if todo.due_at is None:
        return day_line(name, todo.due_on)
    return moment_in_zone(name, todo.due_at, todo.time_zone)


def day_line(name: str, day: date | None) -> str:
    return line(name, f"{day:%Y%m%d}", VALUE="DATE")


def moment_line(name: str, moment: datetime, **parameters: str) -> str:
    """Return a line with a moment in UTC. iCalendar has whole seconds."""
    return line(name, f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}", **parameters, **rest(moment))


def moment_in_zone(name: str, moment: datetime, time_zone: str | None) -> str:
    """Return a line with the time of the clock. Of two moments with the same time it has one.

    The other one is written in UTC.
    """
    if time_zone is not None and time_zone != "UTC":
        local = moment.astimezone(ZoneInfo(time_zone))
        if local.replace(fold=0).astimezone(UTC) == moment:
            return line(name, f"{local:%Y%m%dT%H%M%S}", TZID=time_zone, **rest(moment))
    return moment_line(name, moment, **({"X_FAST_ZERO_TIME_ZONE": time_zone} if time_zone else {}))


def rest(moment: datetime) -> dict[str, str]:
    return {"X_FAST_ZERO_MICROSECONDS": str(moment.microsecond)} if moment.microsecond else {}
