"""PostgreSQL finds the moments of reminders, Python those of dues: in every zone they are alike."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import text

from fast_zero.identity.time_zones import OTHER_FILES, check_time_zone
from fast_zero.recurrence import expansion

DAY = timedelta(days=1)
QUARTERS = [time(number // 4, number % 4 * 15) for number in range(24 * 4)]
FIRST_MOMENTS = text("""
SELECT first_moment(local, CAST(:zone AS text))
FROM unnest(CAST(:locals AS timestamp[])) WITH ORDINALITY AS each(local, place) ORDER BY place
""")
SHOWN = text("""
SELECT moment AT TIME ZONE CAST(:zone AS text)
FROM unnest(CAST(:moments AS timestamptz[])) WITH ORDINALITY AS each(moment, place) ORDER BY place
""")


def days_of_changes(zone: ZoneInfo, year: int) -> Iterator[date]:
    """Yield the days of a year whose first and last moments have different offsets."""
    midnight = datetime(year, 1, 1, tzinfo=zone)
    while midnight.year == year:
        if midnight.utcoffset() != (midnight + DAY).utcoffset():
            yield midnight.date()
        midnight += DAY


async def test_times_of_days_when_clocks_change_are_the_same_moments(session):
    """Zones are left out of which the two databases of time zones are of different opinion."""
    compared = 0
    for zone in map(ZoneInfo, sorted({*map(check_time_zone, known_zones())})):
        locals_ = [
            datetime.combine(day, quarter)
            for day in days_of_changes(zone, 2031)
            for quarter in QUARTERS
        ]
        expected = [expansion.at(local.date(), local.time(), zone) for local in locals_]
        values = {"zone": zone.key, "locals": locals_, "moments": expected}
        shown = (await session.scalars(SHOWN, values)).all()
        if shown != [moment.astimezone(zone).replace(tzinfo=None) for moment in expected]:
            continue
        found = (await session.scalars(FIRST_MOMENTS, values)).all()
        assert [moment.astimezone(UTC) for moment in found] == expected, zone.key
        compared += bool(locals_)

    assert compared > 100


def known_zones() -> Iterator[str]:
    return (name for name in available_timezones() if not name.startswith(OTHER_FILES))
