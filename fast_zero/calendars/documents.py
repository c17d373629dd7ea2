"""Dues as a calendar of events (RFC 5545): most calendar apps do not show VTODO components."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from icalendar import vDuration

from fast_zero.core.database import AnyRow
from fast_zero.interchange import vtodos
from fast_zero.interchange.content_lines import clean, line, text_line
from fast_zero.interchange.keys import OwnKey
from fast_zero.interchange.zone_definitions import zone_definitions
from fast_zero.recurrence.rules import Rule
from fast_zero.recurrence.series import Rest, Series, rest
from fast_zero.todos import recurring

ICALENDAR = "text/calendar"
NAME = "fast_zero"
DAY = timedelta(days=1)
HALF_AN_HOUR = 30
MOST_COUNTED = 100_000
"""The days that are gone through in one calendar because of COUNT, in a third of a second."""

HOUR = vDuration(timedelta(hours=1)).to_ical().decode()


def as_calendar(dues: Sequence[AnyRow]) -> bytes:
    parts = (
        vtodos.begin(),
        line("NAME", NAME),
        line("X-WR-CALNAME", NAME),
        line("REFRESH-INTERVAL", HOUR, VALUE="DURATION"),  # RFC 7986, section 5.7
        line("X-PUBLISHED-TTL", HOUR),  # Outlook's name for it
        zone_definitions(due.time_zone for due in dues),
        *(event for due, series in with_series(dues) for event in events(due, series)),
        vtodos.end(),
    )
    return "".join(parts).encode()


def with_series(dues: Iterable[AnyRow]) -> Iterator[tuple[AnyRow, Series | None]]:
    """Yield dues with the series that they are of. From the completion, it is not known.

    Nor is it if too many days would have to be gone through because of COUNT.
    """
    left = MOST_COUNTED
    for due in dues:
        series = None if due.recurrence_rule is None else recurring.series_of(due)
        if series is not None and series.rule.count:
            days = (due.occurrence_on - series.start).days + 1
            series = series if days <= left else None
            left -= days if series else 0
        yield due, None if series is None or series.from_completion else series


def events(due: AnyRow, series: Series | None) -> Iterator[str]:
    """Yield the events of a due. A current occurrence that was moved is one beside its series."""
    key = str(OwnKey(due.id, due.created_at))
    left = None
    if series is not None:  # of days, UNTIL is a day: that of a moment in the time zone
        left = rest(replace(series, rule=series.limited()), due.occurrence_on)
    if left is None:
        yield event(key, due, current(due))
    elif left.day == due.occurrence_on:
        yield event(key, due, repeated(due, left))
    else:
        yield event(key, due, current(due))
        yield event(f"{key}-series", due, repeated(due, left))


def event(key: str, due: AnyRow, times: Sequence[str]) -> str:
    parts = (
        line("BEGIN", "VEVENT"),
        line("UID", key),
        vtodos.moment_line("DTSTAMP", due.updated_at.replace(microsecond=0)),
        text_line("SUMMARY", clean(due.title)),
        *([text_line("DESCRIPTION", clean(due.description))] if due.description else []),
        *times,
        line("TRANSP", "TRANSPARENT"),  # its owner is not busy then
        line("END", "VEVENT"),
    )
    return "".join(parts)


def current(due: AnyRow) -> Sequence[str]:
    if due.due_on is not None:
        return all_day(due.due_on)
    start = vtodos.moment_in_zone("DTSTART", due.due_at.replace(microsecond=0), due.time_zone)
    return [start, duration(due)]


def repeated(due: AnyRow, left: Rest) -> Sequence[str]:
    rule = rule_line(due, left.rule)
    if due.due_on is not None:
        return [*all_day(left.day), rule]
    clock = datetime.combine(left.day, due.recurrence_time)
    zone = due.time_zone
    at = f"{clock:%Y%m%dT%H%M%S}"
    start = line("DTSTART", f"{at}Z") if zone == "UTC" else line("DTSTART", at, TZID=zone)
    return [start, duration(due), rule]


def rule_line(due: AnyRow, rule: Rule) -> str:
    text, _ = vtodos.rule_for(str(rule), due.due_on, due.due_at, due.time_zone)
    return line("RRULE", text)


def all_day(day: date) -> Sequence[str]:
    return [vtodos.day_line("DTSTART", day), vtodos.day_line("DTEND", day + DAY)]


def duration(due: AnyRow) -> str:
    minutes = due.duration_minutes or HALF_AN_HOUR
    return line("DURATION", vDuration(timedelta(minutes=minutes)).to_ical().decode())
