"""VTIMEZONE: what the clocks of a time zone show, for clients that do not know its name.

`icalendar.Timezone.from_tzid` begins summer time an hour late: RFC 5545, section 3.6.5 has the
clock before the change.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from fast_zero.interchange.content_lines import line

FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)
STEP = timedelta(days=7)
"""No two changes of a clock are closer than this."""


class Offset(NamedTuple):
    seconds: int
    is_summer: bool
    name: str


class Change(NamedTuple):
    before: int
    after: Offset


def zone_definitions(names: Iterable[str | None]) -> str:
    """Define time zones, each once. UTC needs no definition: its moments end in Z."""
    wanted = {name for name in names if name and name != "UTC"}
    return "".join(map(zone_definition, sorted(wanted)))


# Takes ten milliseconds for each of six hundred names, and all of them a megabyte of memory.
@cache
def zone_definition(name: str) -> str:
    zone = ZoneInfo(name)
    onsets: defaultdict[Change, list[str]] = defaultdict(list)
    first = offset_at(zone, FIRST)
    onsets[Change(first.seconds, first)].append("19700101T000000")
    for at, before, after in changes(zone):
        clock = at.replace(tzinfo=None) + timedelta(seconds=before.seconds)
        onsets[Change(before.seconds, after)].append(f"{clock:%Y%m%dT%H%M%S}")
    parts = (observance(change, starts) for change, starts in onsets.items())
    return (
        line("BEGIN", "VTIMEZONE") + line("TZID", name) + "".join(parts) + line("END", "VTIMEZONE")
    )


def observance(change: Change, starts: list[str]) -> str:
    kind = "DAYLIGHT" if change.after.is_summer else "STANDARD"
    lines = [
        line("BEGIN", kind),
        line("DTSTART", starts[0]),
        line("TZOFFSETFROM", offset_text(change.before)),
        line("TZOFFSETTO", offset_text(change.after.seconds)),
        line("TZNAME", change.after.name),
        *([line("RDATE", ",".join(starts[1:]))] if starts[1:] else []),
        line("END", kind),
    ]
    return "".join(lines)


def changes(zone: ZoneInfo) -> Iterator[tuple[datetime, Offset, Offset]]:
    """Yield the moments when the clock changes, and its offsets before and after."""
    moments = (FIRST + STEP * number for number in range((LAST - FIRST) // STEP + 1))
    offsets = ((moment, offset_at(zone, moment)) for moment in moments)
    for (early, before), (late, after) in pairwise(offsets):
        if before != after:
            yield first_with(zone, after, early, late), before, after


def first_with(zone: ZoneInfo, offset: Offset, early: datetime, late: datetime) -> datetime:
    while late - early > timedelta(seconds=1):
        middle = early + timedelta(seconds=(late - early) // timedelta(seconds=2))
        if offset_at(zone, middle) == offset:
            late = middle
        else:
            early = middle
    return late


def offset_at(zone: ZoneInfo, moment: datetime) -> Offset:
    local = moment.astimezone(zone)
    offset = local.utcoffset() or timedelta()
    return Offset(int(offset.total_seconds()), bool(local.dst()), local.tzname() or zone.key)


def offset_text(seconds: int) -> str:
    minutes, rest = divmod(abs(seconds), 60)
    sign = "-" if seconds < 0 else "+"
    return f"{sign}{minutes // 60:02}{minutes % 60:02}" + (f"{rest:02}" if rest else "")
