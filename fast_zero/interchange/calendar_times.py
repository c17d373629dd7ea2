"""Days and moments of iCalendar files, and the time zones of their clocks."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import vDuration
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from fast_zero.identity.time_zones import check_time_zone
from fast_zero.interchange.components import Component
from fast_zero.interchange.content_lines import Property

NO_ZONE = "It has no time zone that is known, so only its day is kept."
DAY = re.compile("[0-9]{8}")
MOMENT = re.compile("[0-9]{8}T[0-9]{6}(Z?)")
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class When:
    """A day, or a moment in UTC with the time zone of its clock. `day` is that of the clock."""

    day: date
    moment: datetime | None = None
    time_zone: str | None = None
    loss: str | None = None

    def later(self, duration: timedelta) -> "When":
        try:
            moment = self.moment and self.moment + duration
            return When((self.day + duration), moment, self.time_zone, self.loss)
        except OverflowError:
            raise ValueError("It is too late.") from None


class Zones:
    """The time zones of a calendar, by the names that it has for them."""

    def __init__(self, calendar: Component) -> None:
        self.default = known(calendar.text_of("X-WR-TIMEZONE") or "")
        self.names: dict[str, str | None] = {}
        for part in calendar.parts:
            if part.name == "VTIMEZONE" and (name := part.text_of("TZID")):
                self.names[name] = known(name) or known(part.text_of("X-LIC-LOCATION") or "")

    def find(self, name: str | None) -> str | None:
        if name is None:
            return self.default
        if name not in self.names:
            self.names[name] = known(name)
        return self.names[name]


def known(name: str) -> str | None:
    """Return the IANA name of a time zone. Some programs have a path before it, or Windows' name.

    None: it is not known.
    """
    parts = name.strip("/").split("/")
    for candidate in (name, WINDOWS_TO_OLSON.get(name), *("/".join(parts[-n:]) for n in (3, 2))):
        with suppress(ValueError):
            return check_time_zone(candidate or "")
    return None


def read_when(found: Property, zones: Zones) -> When:
    """Raise ValueError if it is neither a day nor a moment."""
    text = found.value.strip()
    day = read_day(text)
    if DAY.fullmatch(text):
        return When(day)
    matched = MOMENT.fullmatch(text)
    if matched is None:
        raise ValueError("It has to be a day such as 20261204 or a moment.")
    clock = datetime.fromisoformat(text.removesuffix("Z")) + rest(found.parameters)
    if matched[1]:
        return When(day, clock.replace(tzinfo=UTC), own_zone(found.parameters))
    zone = zones.find(found.parameters.get("TZID"))
    if zone is None:
        return When(day, loss=NO_ZONE)
    try:
        return When(day, clock.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC), zone)
    except OverflowError:
        raise ValueError("It is out of the days that there are.") from None


def read_day(text: str) -> date:
    try:
        return date.fromisoformat(text[:8])
    except ValueError:
        raise ValueError("It has to be a day such as 20261204.") from None


def read_moment(found: Property) -> datetime:
    """Return a moment in UTC, as RFC 5545 has it in this property."""
    text = found.value.strip()
    matched = MOMENT.fullmatch(text)
    if matched is None or not matched[1]:
        raise ValueError("It has to be a moment in UTC such as 20261204T120000Z.")
    return datetime.fromisoformat(text) + rest(found.parameters)


def rest(parameters: Mapping[str, str]) -> timedelta:
    text = parameters.get("X-FAST-ZERO-MICROSECONDS", "")
    return timedelta(microseconds=int(text) if re.fullmatch("[0-9]{1,6}", text) else 0)


def own_zone(parameters: Mapping[str, str]) -> str | None:
    return known(parameters.get("X-FAST-ZERO-TIME-ZONE", ""))


def read_duration(text: str) -> timedelta:
    duration: timedelta = vDuration.from_ical(text.strip())
    return duration


def whole_minutes(duration: timedelta) -> int:
    """Return minutes, and one more for what is left."""
    return -(-duration // MINUTE)
