"""When a VTODO is due, begins, recurs and reminds."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from fast_zero.interchange import calendar_times
from fast_zero.interchange.calendar_times import When, Zones
from fast_zero.interchange.components import Component
from fast_zero.interchange.content_lines import Property
from fast_zero.interchange.portable import Loss
from fast_zero.interchange.vtodos import rule_for
from fast_zero.recurrence.rules import parse
from fast_zero.todos.reminders import MAX_REMINDERS, Reminder

NOT_KEPT = "This is not kept."
ONLY_DAY = "Only its day is kept."


@dataclass
class Reading:
    """What was read of a VTODO so far."""

    zones: Zones
    values: dict[str, Any]
    losses: list[Loss]
    start: When | None = None
    due: When | None = None
    reminders: list[Reminder] = field(default_factory=list)

    def lose(self, found: Property, message: str) -> None:
        self.losses.append(Loss(found.line, found.name, message))


def read_due(reading: Reading, found: Property) -> None:
    reading.due = calendar_times.read_when(found, reading.zones)
    if reading.due.loss:
        reading.lose(found, reading.due.loss)


def read_start(reading: Reading, found: Property) -> None:
    reading.start = calendar_times.read_when(found, reading.zones)


def read_duration(reading: Reading, found: Property) -> None:
    duration = calendar_times.read_duration(found.value)
    if found.name == "DURATION":
        reading.values["duration"] = duration
    else:
        reading.values["duration_minutes"] = calendar_times.whole_minutes(duration)


def place(reading: Reading) -> None:
    """Set when a todo begins and when it is due.

    DTSTART of a todo that recurs is its first due. With DURATION, it says when it is due.
    """
    values, start, due = reading.values, reading.start, reading.due
    duration = values.pop("duration", None)
    recurs = "recurrence_rule" in values
    if due is None and start is not None and (recurs or duration is not None):
        due = reading.due = due_from_start(reading, start, None if recurs else duration)
    elif start is not None and start != due and "starts_on" not in values:
        values["starts_on"] = start.day
        if start.moment is not None:
            reading.losses.append(Loss(values["line"], "DTSTART", ONLY_DAY))
    if due is not None and due.moment is None:
        values["due_on"] = due.day
    elif due is not None:
        values |= {"due_at": due.moment, "time_zone": due.time_zone}
    if recurs:
        restore_until(reading)


def due_from_start(reading: Reading, start: When, duration: timedelta | None) -> When | None:
    """Return the due of a todo that has a start alone."""
    line = reading.values["line"]
    if start.loss:
        reading.losses.append(Loss(line, "DTSTART", start.loss))
    try:
        return start if duration is None else start.later(duration)
    except ValueError as error:
        reading.losses.append(Loss(line, "DURATION", str(error)))
        return None


def read_rule(reading: Reading, found: Property) -> None:
    reading.values["recurrence_rule"] = str(parse(found.value.strip()))
    reading.values["until"] = found.parameters.get("X-FAST-ZERO-UNTIL")


def restore_until(reading: Reading) -> None:
    """Take UNTIL as it was, if it is what was written of it."""
    values = reading.values
    if not (was := values.pop("until", None)):
        return
    shown = values["recurrence_rule"]
    parts = [f"UNTIL={was}" if part.startswith("UNTIL=") else part for part in shown.split(";")]
    try:
        exact = str(parse(";".join(parts)))
        due = (values.get("due_on"), values.get("due_at"), values.get("time_zone"))
        is_same = rule_for(exact, *due)[0] == shown
    except ValueError:
        return
    if is_same:
        values["recurrence_rule"] = exact


def read_part(reading: Reading, part: Component) -> None:
    given = {found.name: found for found in part.properties}
    trigger = given.get("TRIGGER")
    if part.name != "VALARM" or trigger is None:
        reading.losses.append(Loss(part.line, part.name, NOT_KEPT))
        return
    try:
        reminder = read_trigger(reading, trigger)
    except ValidationError as error:
        message = error.errors()[0]["msg"].removeprefix("Value error, ")
        reading.lose(trigger, message)
    except ValueError as error:
        reading.lose(trigger, str(error))
    else:
        add_reminder(reading, trigger, reminder)
    if "REPEAT" in given:
        reading.lose(given["REPEAT"], "It reminds once.")


def add_reminder(reading: Reading, trigger: Property, reminder: Reminder) -> None:
    if reminder in reading.reminders:
        return
    if len(reading.reminders) >= MAX_REMINDERS:
        reading.lose(trigger, f"A todo has at most {MAX_REMINDERS} reminders.")
        return
    reading.reminders.append(reminder)


def read_trigger(reading: Reading, found: Property) -> Reminder:
    if found.parameters.get("VALUE", "").upper() == "DATE-TIME":
        return Reminder(at=calendar_times.read_moment(found))
    due, start = reading.due, reading.start
    if minutes := found.parameters.get("X-FAST-ZERO-MINUTES-BEFORE"):
        return Reminder(minutes_before=int(minutes))
    if due is not None and due.moment is None:
        raise ValueError("The todo is due on a day, so there is no moment before which to remind.")
    before = -calendar_times.read_duration(found.value)
    is_of_start = found.parameters.get("RELATED", "START").upper() == "START"
    if is_of_start and start is not None and start != due:
        if due is None or due.moment is None or start.moment is None:
            raise ValueError("Reminders are before the due, and not before the start.")
        before += due.moment - start.moment
    return Reminder(minutes_before=calendar_times.whole_minutes(before))
