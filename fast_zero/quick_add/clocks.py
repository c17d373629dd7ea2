"""The times, durations and reminders that phrases mean."""

from datetime import time
from typing import Any, NamedTuple

from lark import Token, Transformer

from fast_zero.quick_add.cycles import number_in, numbers_of, of_type, refuse, unit_of
from fast_zero.quick_add.meanings import (
    DurationPhrase,
    Evidence,
    ReminderPhrase,
    TimePhrase,
    Unit,
)

MAX_MINUTES = 527_040
HOURS, NOON = 24, 12
PARTS = {"morning": 9, "afternoon": 14, "evening": 19, "night": 20}
"""The hours that parts of the day begin with, for those who say no hour."""

BEFORE_MORNING = 6
"""The hours until then are rare: a bare 5 is five in the afternoon, 2h is how long it takes."""

Parts = list[Any]


class Amount(NamedTuple):
    minutes: int
    is_hours: bool = False
    """Written as a time may be, too: 2h."""


class Clock(NamedTuple):
    at: time
    form: str
    """`sure`: 9am. `hours`: 9h. `counted`: 9 hours. `hour`: 9. `spoken`: half past 9, noon's is
    `named`.
    """

    def in_part(self, part: str) -> "Clock":
        """Return the time in a part of the day: 3 in the afternoon."""
        hour = self.at.hour
        if part == "morning":
            hour %= NOON if hour == NOON else HOURS
        elif hour < NOON and not (part == "night" and hour < BEFORE_MORNING and hour > 0):
            hour += NOON
        elif hour == NOON and part == "night":
            hour = 0
        return Clock(self.at.replace(hour=hour), "sure")


class PartPhrase(NamedTuple):
    name: str
    evidence: Evidence
    today: bool


class ClockMeanings(Transformer[Token, Any]):
    """Computes the meaning of each rule of the grammar that is about times."""

    def at_clock(self, parts: Parts) -> TimePhrase:
        return said_time(parts)

    def clock_range(self, parts: Parts) -> TimePhrase:
        begin, end = [part for part in parts if isinstance(part, Clock)]
        if of_type(parts, "AT") and "DA" not in words_in(parts):
            refuse()  # "a table for 4 at 8pm", but "das 14h às 16h"
        part = next((part for part in parts if isinstance(part, PartPhrase)), None)
        if part:
            begin, end = begin.in_part(part.name), end.in_part(part.name)
        elif begin.form == end.form == "hour" and "DA" not in words_in(parts):
            refuse()  # from 9 to 5
        elif begin.form == "hour" and begin.at.hour + NOON < end.at.hour + bool(end.at.minute):
            begin = Clock(begin.at.replace(hour=begin.at.hour + NOON), "sure")  # 2-4pm
        minutes = minutes_of(end.at) - minutes_of(begin.at)
        if begin.form != "hour" and end.form != "hour":
            minutes %= HOURS * 60  # from 10pm to 6am
        return TimePhrase(begin.at, Evidence.NONE, number_in(minutes, MAX_MINUTES))

    def at(self, parts: Parts) -> str:
        return str(parts[0].type)

    def part(self, parts: Parts) -> TimePhrase:
        named: PartPhrase = parts[-1]
        at = time(PARTS[named.name])
        return TimePhrase(at, named.evidence, today=named.today, part=named.name)

    def and_half(self, parts: Parts) -> Clock:
        return spoken(parts[0], 30)

    def and_minutes(self, parts: Parts) -> Clock:
        return spoken(parts[0], int(parts[-1]))

    def noon(self, parts: Parts) -> Clock:
        half = of_type(parts, "HALF")
        if of_type(parts, "DAY") and half[0] != "meio":  # a half day
            refuse()
        return named_clock(NOON, 30 if of_type(parts, "AND") else 0)

    def midnight(self, parts: Parts) -> Clock:
        part = of_type(parts, "PART")
        if part and part[0] != "night":
            refuse()
        return named_clock(0, 30 if of_type(parts, "AND") else 0)

    def half_past(self, parts: Parts) -> Clock:
        return spoken(parts[-1], 30)

    def quarter_past(self, parts: Parts) -> Clock:
        return spoken(parts[-1], 15)

    def quarter_to(self, parts: Parts) -> Clock:
        return spoken(number_in(parts[-1], HOURS) - 1, 45)

    def oclock(self, parts: Parts) -> Clock:
        unit = of_type(parts, "TIME_UNIT")
        if unit and unit[0] != "60":
            refuse()
        minute = 30 if of_type(parts, "HALF") else 0
        return Clock(clock_time(parts[0], minute), "counted") if unit else spoken(parts[0], minute)

    def sure(self, parts: Parts) -> Clock:
        hour, _, minute = parts[0].partition(":")
        half = of_type(parts, "AMPM")
        if not half:
            return Clock(clock_time(int(hour), int(minute)), "sure")
        number = number_in(int(hour), NOON) % NOON + (NOON if half[0][0] == "p" else 0)
        return Clock(clock_time(number, int(minute or 0)), "sure")

    def military(self, parts: Parts) -> Clock:
        hour, minute = divmod(int(parts[0]), 100)
        return Clock(clock_time(hour, minute), "military")

    def hours(self, parts: Parts) -> Clock:
        hour, _, minute = parts[0].partition(":")
        return Clock(clock_time(int(hour), int(minute)), "hours")

    def hour(self, parts: Parts) -> Clock:
        return Clock(clock_time(int(parts[0]), 0), "hour")

    def part_of(self, parts: Parts) -> PartPhrase:
        return PartPhrase(str(of_type(parts, "PART")[0]), Evidence.NONE, today=False)

    def part_phrase(self, parts: Parts) -> PartPhrase:
        if of_type(parts, "TONIGHT"):
            return PartPhrase("night", Evidence.NONE, today=True)
        [name] = of_type(parts, "PART")
        is_today = bool(of_type(parts, "THIS"))
        is_bare = len(parts) == 1 or parts[0].type == "ART"
        evidence = Evidence.NEIGHBOR if is_bare else Evidence.CONTEXT
        return PartPhrase(str(name), evidence, is_today)

    # Durations and reminders

    def amount_units(self, parts: Parts) -> Amount:
        units, numbers = numbers_of(parts, "TIME_UNIT"), [p for p in parts if type(p) is int]
        if len(units) > 1 and units != [60, 1]:
            refuse()
        return Amount(sum(map(int.__mul__, units, numbers)), is_hours=units == [60])

    def amount_half(self, parts: Parts) -> Amount:
        if parts[1] != "60":
            refuse()
        return Amount(parts[0] * 60 + 30)

    def half_hour(self, parts: Parts) -> Amount:
        if parts[-1] != "60":
            refuse()
        return Amount(30)

    def spans(self, parts: Parts) -> Amount:
        minutes = sum(numbers_of(parts, "SPAN"))
        for token in of_type(parts, "HOURS"):
            hour, _, minute = token.partition(":")
            minutes += int(hour) * 60 + int(minute)
        return Amount(minutes, is_hours=len(parts) == 1 and parts[0].type == "HOURS")

    def for_amount(self, parts: Parts) -> DurationPhrase:
        return DurationPhrase(number_in(parts[-1].minutes, MAX_MINUTES), Evidence.NONE)

    def bare_amount(self, parts: Parts) -> DurationPhrase:
        amount: Amount = parts[0]
        if amount.is_hours and amount.minutes >= BEFORE_MORNING * 60:
            refuse()  # "Reunião 9 horas" is a time, too
        return DurationPhrase(number_in(amount.minutes, MAX_MINUTES), Evidence.END)

    def remind(self, _parts: Parts) -> None:
        return None

    def before_amount(self, parts: Parts) -> int:
        return number_in(parts[0].minutes, MAX_MINUTES)

    def before_units(self, parts: Parts) -> int:
        days = {Unit.DAY: 1, Unit.WEEK: 7}.get(unit_of(parts[1])) or refuse()
        return number_in(parts[0] * days * 24 * 60, MAX_MINUTES)

    def remind_before(self, parts: Parts) -> ReminderPhrase:
        return ReminderPhrase(parts[-1])

    def remind_at(self, parts: Parts) -> ReminderPhrase:
        said = said_time(parts)
        return ReminderPhrase(at=in_afternoon(said.at) if said.is_bare else said.at)


def clock_time(hour: int, minute: int) -> time:
    if not (0 <= hour < HOURS and 0 <= minute < 60):  # noqa: PLR2004  # minutes
        refuse()
    return time(hour, minute)


def named_clock(hour: int, minute: int) -> Clock:
    return Clock(clock_time(hour, minute), "named")


def spoken(hour: int, minute: int) -> Clock:
    return Clock(clock_time(hour, minute), "spoken")


def minutes_of(at: time) -> int:
    return at.hour * 60 + at.minute


def words_in(parts: Parts) -> list[str]:
    """Return what is text, but no token: the terminals of words before a time."""
    return [part for part in parts if type(part) is str]


def in_afternoon(at: time) -> time:
    return at.replace(hour=at.hour + NOON) if at.hour < BEFORE_MORNING + 1 else at


def said_time(parts: Parts) -> TimePhrase:
    """Return the time that is meant, and what it takes to believe it."""
    [clock] = [part for part in parts if isinstance(part, Clock)]
    part = next((part for part in parts if isinstance(part, PartPhrase)), None)
    leads = words_in(parts)
    if part is not None:
        return TimePhrase(clock.in_part(part.name).at, Evidence.NONE)
    is_at = "AT" in leads or bool(of_type(parts, "AT"))
    is_led = is_at or bool(leads)
    if not can_be_said(clock, leads, is_at=is_at, has_article=bool(of_type(parts, "ART"))):
        refuse()
    is_bare = clock.form in {"hour", "spoken", "counted"} and clock.at.hour <= BEFORE_MORNING
    is_bare = is_bare and (clock.at.hour > 0 or clock.form == "spoken")
    weak = {"hour": Evidence.END, "hours": Evidence.CONTEXT, "sure": Evidence.NONE}
    evidence = weak.get(clock.form, Evidence.END)
    if is_led and clock.form not in {"hour", "military"}:
        evidence = Evidence.NONE
    return TimePhrase(clock.at, evidence, is_bare=is_bare)


def can_be_said(clock: Clock, leads: list[str], *, is_at: bool, has_article: bool) -> bool:
    """Tell whether a time can stand after these words. After others, it may be a number."""
    if "FOR" in leads and clock.form.startswith("hour"):  # for 2h
        return False
    if "DA" in leads or (has_article and clock.form != "named"):
        return False
    if clock.form in {"hour", "counted", "military"}:  # by 9, até 10
        return is_at
    return clock.form != "hours" or is_at or bool(leads) or clock.at.hour >= BEFORE_MORNING
