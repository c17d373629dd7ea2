from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_zero.interchange.todoist_dates import parse_date
from fast_zero.todos.models import RecurrenceFrom

ZONE = "America/Sao_Paulo"
# A Sunday there; in UTC it is Monday already.
NOW = datetime(2026, 11, 30, 1, tzinfo=UTC)


def read(text: str):
    return parse_date(text, "en", ZONE, NOW)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2031-03-27", date(2031, 3, 27)),
        ("27 Mar 2031", date(2031, 3, 27)),
        ("27th March, 2031", date(2031, 3, 27)),
        ("March 27, 2031", date(2031, 3, 27)),
        ("Oct 5 2031", date(2031, 10, 5)),
        ("27.3.2031", date(2031, 3, 27)),
        ("27 de março de 2031", date(2031, 3, 27)),
        ("27 de mar. de 2021", date(2021, 3, 27)),
        ("30 Nov", date(2026, 11, 30)),
        ("29 Nov", date(2026, 11, 29)),
        ("28 Nov", date(2027, 11, 28)),
        ("29 Feb", date(2028, 2, 29)),
        ("today", date(2026, 11, 29)),
        ("amanhã", date(2026, 11, 30)),
    ],
)
def test_a_day_is_read(text, day):
    found = read(text)

    assert (found.due_on, found.due_at, found.recurrence_rule) == (day, None, None)
    assert found.day() == day


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2031-03-27 09:00", datetime(2031, 3, 27, 12, tzinfo=UTC)),
        ("2031-03-27T09:00:00", datetime(2031, 3, 27, 12, tzinfo=UTC)),
        ("2031-03-27T09:00:00.000000Z", datetime(2031, 3, 27, 9, tzinfo=UTC)),
        ("2031-03-27T09:00:00+02:00", datetime(2031, 3, 27, 7, tzinfo=UTC)),
        ("27 Mar 2031 at 9pm", datetime(2031, 3, 28, 0, tzinfo=UTC)),
        ("27 de março de 2031 às 9h30", datetime(2031, 3, 27, 12, 30, tzinfo=UTC)),
        ("27 Mar 2031 12am", datetime(2031, 3, 27, 3, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_on_the_clock_of_the_zone(text, moment):
    found = read(text)

    assert (found.due_on, found.due_at, found.time_zone) == (None, moment, ZONE)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("every day", "FREQ=DAILY"),
        ("daily", "FREQ=DAILY"),
        ("every 2 weeks", "FREQ=WEEKLY;INTERVAL=2"),
        ("every other month", "FREQ=MONTHLY;INTERVAL=2"),
        ("every year", "FREQ=YEARLY"),
        ("every weekday", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ("every mon, wed and fri", "FREQ=WEEKLY;BYDAY=MO,WE,FR"),
        ("Every Sunday", "FREQ=WEEKLY;BYDAY=SU"),
        ("every 3rd friday", "FREQ=MONTHLY;BYDAY=3FR"),
        ("todo dia 15", "FREQ=MONTHLY;BYMONTHDAY=15"),
    ],
)
def test_a_recurrence_is_read(text, rule):
    found = read(text)

    assert (found.recurrence_rule, found.due_at) == (rule, None)
    assert found.due_on >= date(2026, 11, 29)
    assert found.recurrence_from is RecurrenceFrom.DUE
    assert found.day() is None


def test_a_recurrence_can_be_counted_from_the_completion():
    assert read("every! 3 days").recurrence_from is RecurrenceFrom.COMPLETION


def test_a_recurrence_with_a_time_begins_with_its_first_moment():
    found = read("every monday at 9am")

    assert found.due_at == datetime(2026, 11, 30, 12, tzinfo=UTC)
    assert found.recurrence_rule == "FREQ=WEEKLY;BYDAY=MO"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "someday",
        "31 Feb 2031",
        "2031-13-01",
        "0001-01-01",
        "9999-12-31",
        "27 Mar 2031 25:00",
        "27 Mar 2031 13pm",
        "every 0 days",
        "every",
        "jeden Tag",
        "every day #home",
    ],
)
def test_what_is_not_understood_is_none(text):
    assert read(text) is None


WORDS = ["every", "every!", "2", "other", "day", "monday", "27", "Mar", "2031", "at", "9am", "9:30"]


@given(st.text() | st.lists(st.sampled_from(WORDS)).map(" ".join))
def test_no_text_is_an_error(text):
    found = read(text)

    assert found is None or found.due_at is None or found.due_at.utcoffset() is not None
