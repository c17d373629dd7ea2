from datetime import UTC, datetime
from zoneinfo import ZoneInfo, available_timezones

import pytest
from sqlalchemy import text

from fast_zero.identity.time_zones import ABBREVIATIONS, check_time_zone

ABBREVIATED = "SELECT DISTINCT abbrev FROM pg_timezone_abbrevs"
SHOWN = "SELECT CAST(CAST(:moment AS timestamptz) AT TIME ZONE CAST(:zone AS text) AS text)"


@pytest.mark.parametrize("month", [1, 7])
async def test_names_that_are_abbreviations_are_read_alike_by_python_and_postgresql(session, month):
    moment = datetime(2031, month, 1, tzinfo=UTC)
    known = set(await session.scalars(text(ABBREVIATED))) & available_timezones()
    assert known > ABBREVIATIONS.keys()

    for zone in map(check_time_zone, sorted(known)):
        shown = await session.scalar(text(SHOWN), {"moment": moment, "zone": zone})
        assert shown == f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}", zone


async def test_an_abbreviation_of_an_account_is_what_it_is_a_link_to(client):
    changed = await client.patch("/users/me", json={"time_zone": "WET"})

    assert changed.json()["time_zone"] == "Europe/Lisbon"
