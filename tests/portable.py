"""Random todos of files, for hypothesis."""

from datetime import UTC, date, datetime

from hypothesis import strategies as st
from pydantic import TypeAdapter

from fast_zero.core.types import Text
from fast_zero.interchange.portable import PortableTodo, checked
from fast_zero.todos.models import Priority, RecurrenceFrom, TodoState
from fast_zero.todos.reminders import Reminder

STRIPPED = TypeAdapter(Text)
ZONES = [
    "America/Sao_Paulo",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Etc/GMT+3",
    "UTC",
]
RULES = [
    "FREQ=DAILY",
    "FREQ=DAILY;COUNT=7",
    "FREQ=WEEKLY;UNTIL=20271231;BYDAY=MO,TH",
    "FREQ=MONTHLY;UNTIL=20271231T235959Z;INTERVAL=2;BYDAY=-1FR",
    "FREQ=YEARLY;BYMONTHDAY=1,-1;BYMONTH=2;BYSETPOS=1;WKST=SU",
]
SPECIAL = st.sampled_from(
    [*"=+-@'\"\\/,;:\t\r\n\x0b\x1f\x7f\x85\u2028\ufeff% ^\u202e", "\r\n", "\\n", "\\N"]
)


def texts(shortest: int, longest: int) -> st.SearchStrategy[str]:
    """Return texts as they are stored: without surrogates, NUL and white space around them."""
    characters = st.characters(codec="utf-8", exclude_characters="\0")
    parts = st.lists(SPECIAL | st.text(characters, max_size=8), max_size=12)
    stripped = parts.map(lambda found: STRIPPED.validate_python("".join(found)[:longest]))
    return stripped.filter(lambda text: len(text) >= shortest)


keys = (
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=40)
    .map(STRIPPED.validate_python)
    .filter(bool)
)
days = st.dates(date(1900, 1, 1), date(9999, 12, 30))
moments = st.datetimes(
    datetime(1900, 1, 2),  # noqa: DTZ001  # hypothesis wants them without a time zone
    datetime(9999, 12, 29),  # noqa: DTZ001  # likewise
    timezones=st.just(UTC),
) | st.sampled_from(
    # Both moments when clocks in New York show half past one.
    [datetime(2026, 11, 1, hour, 30, tzinfo=UTC) for hour in (5, 6)]
)
minutes = st.integers(0, 527_040)
reminders = st.lists(
    st.builds(Reminder, minutes_before=minutes) | st.builds(Reminder, at=moments),
    max_size=10,
    unique=True,
).map(tuple)


@st.composite
def portable_todos(draw, key=keys) -> PortableTodo:
    kind = draw(st.sampled_from(["none", "day", "moment"]))
    rule = draw(st.none() | st.sampled_from(RULES)) if kind != "none" else None
    values = {
        "key": draw(key),
        "line": 1,
        "title": draw(texts(1, 200)),
        "description": draw(texts(0, 2000)),
        "state": draw(st.sampled_from(TodoState)),
        "priority": draw(st.sampled_from(Priority)),
        "parent_key": draw(st.none() | keys),
        "project": tuple(draw(st.lists(texts(1, 100), max_size=3))),
        "section": draw(st.none() | texts(1, 100)),
        "labels": tuple(draw(st.lists(texts(1, 50), max_size=5))),
        "due_on": draw(days) if kind == "day" else None,
        "due_at": draw(moments) if kind == "moment" else None,
        "time_zone": draw(st.none() | st.sampled_from(ZONES)) if kind == "moment" else None,
        "starts_on": draw(st.none() | days),
        "deadline_on": draw(st.none() | days),
        "duration_minutes": draw(st.none() | st.integers(1, 527_040)),
        "recurrence_rule": rule,
        "recurrence_from": draw(st.sampled_from(RecurrenceFrom)) if rule else RecurrenceFrom.DUE,
        "reminders": draw(reminders),
        "completed_at": draw(st.none() | moments),
        "created_at": draw(st.none() | moments),
    }
    todo = checked(values)
    assert isinstance(todo, PortableTodo), todo
    return todo
