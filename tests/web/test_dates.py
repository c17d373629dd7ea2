"""Days and times in words."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from fast_zero.web.presentation.dates import Dates
from fast_zero.web.texts import locale_of, translations_of

NOW = datetime(2026, 6, 11, 12, tzinfo=ZoneInfo("America/Sao_Paulo"))  # a Thursday


def dates(language="pt-BR", clock=24) -> Dates:
    return Dates(locale_of(language), translations_of(language).gettext, clock, NOW)


@pytest.mark.parametrize(
    ("ahead", "portuguese", "english"),
    [
        (-400, "7 de mai. de 2025", "May 7, 2025"),
        (-2, "9 de jun.", "Jun 9"),
        (-1, "ontem", "yesterday"),
        (0, "hoje", "today"),
        (1, "amanhã", "tomorrow"),
        (2, "sábado", "Saturday"),
        (6, "quarta-feira", "Wednesday"),
        (7, "18 de jun.", "Jun 18"),
        (300, "7 de abr. de 2027", "Apr 7, 2027"),
    ],
)
def test_near_days_have_names(ahead, portuguese, english):
    day = NOW.date() + timedelta(days=ahead)

    assert dates().day(day) == portuguese
    assert dates("en").day(day) == english


@pytest.mark.parametrize(
    ("due_on", "due_at", "without_day", "expected"),
    [
        (date(2026, 6, 8), None, False, ("há 3 dias", "2026-06-08", "late")),
        (date(2026, 6, 10), None, False, ("ontem", "2026-06-10", "late")),
        (date(2026, 6, 11), None, False, ("hoje", "2026-06-11", "today")),
        (date(2026, 6, 11), None, True, ("", "2026-06-11", "today")),
        (date(2026, 6, 12), None, False, ("amanhã", "2026-06-12", "")),
        (None, None, False, ("", "", "")),
        (
            None,
            datetime(2026, 6, 11, 14, 59, tzinfo=UTC),
            True,
            ("11:59", "2026-06-11T11:59-03:00", "late"),
        ),
        (
            None,
            datetime(2026, 6, 12, 1, 0, tzinfo=UTC),
            False,
            ("hoje, 22:00", "2026-06-11T22:00-03:00", "today"),
        ),
        (
            None,
            datetime(2026, 6, 12, 4, 0, tzinfo=UTC),
            False,
            ("amanhã, 01:00", "2026-06-12T01:00-03:00", ""),
        ),
    ],
)
def test_a_due_is_said_on_the_clock_of_its_reader(due_on, due_at, without_day, expected):
    due = dates().due(due_on, due_at, without_day=without_day)

    assert (due.text, due.value, due.kind) == expected


def test_headings_have_name_and_date():
    assert dates().heading(date(2026, 6, 12)) == "Amanhã, 12 de jun."
    assert dates().heading(date(2026, 6, 13)) == "Sábado, 13 de jun."
    assert dates("en").heading(date(2027, 1, 1)) == "Friday, Jan 1, 2027"
    assert dates().long_day(date(2026, 6, 11)) == "quinta-feira, 11 de junho"


def test_a_moment_is_said_on_the_clock_of_its_reader():
    assert dates().moment(datetime(2026, 6, 11, 2, 0, tzinfo=UTC)) == "ontem, 23:00"
    assert dates("en", 12).moment(datetime(2025, 1, 1, 12, tzinfo=UTC)) == "Jan 1, 2025, 9:00 AM"
