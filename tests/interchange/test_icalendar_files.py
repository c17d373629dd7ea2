from datetime import UTC, date, datetime, timedelta
from textwrap import dedent
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from fast_zero.interchange import vtodos
from fast_zero.interchange.icalendar_files import READERS, UNTITLED, read_icalendar
from fast_zero.interchange.portable import Document, Loss, PortableTodo
from fast_zero.interchange.zone_definitions import zone_definition, zone_definitions
from fast_zero.todos.models import Priority, TodoState
from fast_zero.todos.reminders import Reminder
from tests.portable import ZONES, portable_todos

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
DUE = datetime(2026, 12, 4, 12, tzinfo=UTC)
lists = st.lists(portable_todos(), max_size=4, unique_by=lambda todo: todo.key)


def write(*todos: PortableTodo) -> bytes:
    zones = {todo.time_zone for todo in todos if todo.time_zone}
    parts = [
        vtodos.begin(),
        zone_definitions(zones),
        *(vtodos.write_todo(todo, NOW) for todo in todos),
        vtodos.end(),
    ]
    return "".join(parts).encode()


def calendar(*lines: str) -> bytes:
    return "\r\n".join(["BEGIN:VCALENDAR", *lines, "END:VCALENDAR", ""]).encode()


def read_todo(*lines: str) -> tuple[PortableTodo, list[Loss]]:
    document = read_icalendar(
        calendar("BEGIN:VTODO", "UID:7", "SUMMARY:Buy bread", *lines, "END:VTODO")
    )
    assert document.errors == []
    [todo] = document.todos
    return todo, document.losses


def without_lines(document: Document) -> list[PortableTodo]:
    return [PortableTodo(**{**vars(todo), "line": 1}) for todo in document.todos]


@settings(deadline=None, max_examples=40)
@given(lists)
def test_what_is_written_is_read_as_the_same_todos(todos):
    document = read_icalendar(write(*todos))

    assert document.errors == document.losses == []
    assert without_lines(document) == todos


@settings(deadline=None, max_examples=40)
@given(portable_todos())
def test_another_program_reads_what_is_written(todo):
    written = write(todo)
    [read] = Calendar.from_ical(written).todos

    assert read.errors == []
    assert str(read["UID"]) == todo.key
    assert read.get("STATUS") == vtodos.STATUSES[todo.state]
    if todo.due_at:
        # Of two time zones, no moments are equal whose clock shows its time twice.
        assert read["DUE"].dt.astimezone(UTC) == todo.due_at.replace(microsecond=0)
    elif todo.due_on:
        assert read["DUE"].dt == todo.due_on
    assert len(read.walk("VALARM")) == len(todo.reminders)
    assert {len(line) <= 75 for line in written.split(b"\r\n")} == {True}


@settings(deadline=None)
@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_read_or_say_what_is_wrong(data):
    document = read_icalendar(data)

    assert document.errors


NAMES = st.sampled_from(["BEGIN", "END", "COMPLETED", "TRIGGER", "X-UNKNOWN", *READERS])
PARAMETERS = st.sampled_from(
    [
        "",
        ";VALUE=DATE",
        ";VALUE=DATE-TIME",
        ";TZID=America/Sao_Paulo",
        ";TZID=Nowhere",
        ";TZID=/../..",
        ";X-FAST-ZERO-EXACT=%00,%0D",
        ";X-FAST-ZERO-MICROSECONDS=9999999",
        ";X-FAST-ZERO-MINUTES-BEFORE=9" + "9" * 5000,
        ";X-FAST-ZERO-UNTIL=20261231",
        ";RELATED=END",
        ';X="',
    ]
)
VALUES = st.sampled_from(
    [
        "VTODO",
        "VALARM",
        "VCALENDAR",
        "20261204",
        "99991231T235959",
        "00010101T000000",
        "20260230",
        "20261204T120000Z",
        "P" + "9" * 5000 + "D",
        "-PT30M",
        "P99999999D",
        "FREQ=DAILY;UNTIL=20261231T000000Z",
        "COMPLETED",
        "9",
        "\\",
        "a" * 300,
    ]
) | st.text(max_size=20)
LINES = st.builds("{}{}:{}".format, NAMES, PARAMETERS, VALUES) | st.text(max_size=20)


@settings(deadline=None)
@given(st.lists(LINES, max_size=12))
def test_any_lines_of_a_todo_are_read_or_say_what_is_wrong(lines):
    text = "\r\n".join(["BEGIN:VCALENDAR", "BEGIN:VTODO", *lines, "END:VTODO", "END:VCALENDAR"])
    document = read_icalendar(text.encode())

    assert document.todos or document.errors or document.losses
    for problem in document.errors + document.losses:
        assert problem.line >= 1
        assert problem.message.strip()


def test_a_day_is_a_day_and_a_moment_has_the_time_of_its_clock():
    text = write(
        PortableTodo(key="a", line=1, title="Day", due_on=date(2026, 12, 4)),
        PortableTodo(key="b", line=1, title="Moment", due_at=DUE, time_zone="America/Sao_Paulo"),
        PortableTodo(
            key="c", line=1, title="Again", due_on=date(2026, 12, 4), recurrence_rule="FREQ=DAILY"
        ),
    ).decode()

    assert text.count("DUE;VALUE=DATE:20261204\r\n") == 2
    assert "DUE;TZID=America/Sao_Paulo:20261204T090000\r\n" in text
    assert "DTSTART;VALUE=DATE:20261204\r\n" in text


def test_until_is_a_day_for_days_and_a_moment_for_moments():
    common = {"line": 1, "title": "Again"}
    text = write(
        PortableTodo(
            key="a",
            due_on=date(2026, 12, 4),
            recurrence_rule="FREQ=DAILY;UNTIL=20261231T235959Z",
            **common,
        ),
        PortableTodo(
            key="b",
            due_at=DUE,
            time_zone="America/Sao_Paulo",
            recurrence_rule="FREQ=DAILY;UNTIL=20261231",
            **common,
        ),
    ).decode()

    assert ":FREQ=DAILY;UNTIL=20261231\r\n" in text
    assert ":FREQ=DAILY;UNTIL=20270101T025959Z\r\n" in text


def test_a_reminder_of_a_day_is_at_the_reminder_time_for_other_programs():
    todo = PortableTodo(
        key="a",
        line=1,
        title="Day",
        due_on=date(2026, 12, 4),
        reminders=(Reminder(minutes_before=30),),
    )

    assert "TRIGGER;RELATED=END;X-FAST-ZERO-MINUTES-BEFORE=30:PT8H30M" in write(todo).decode()


def test_apple_reminders():
    document = read_icalendar(
        dedent("""\
        BEGIN:VCALENDAR
        VERSION:2.0
        PRODID:-//Apple Inc.//Reminders 4.0//EN
        X-WR-CALNAME:House
        BEGIN:VTIMEZONE
        TZID:America/Sao_Paulo
        BEGIN:STANDARD
        DTSTART:20190217T000000
        TZOFFSETFROM:-0200
        TZOFFSETTO:-0300
        END:STANDARD
        END:VTIMEZONE
        BEGIN:VTODO
        UID:5E2C
        CREATED:20261101T080000Z
        DTSTAMP:20261101T080000Z
        SUMMARY:Water the plants
        DTSTART;TZID=America/Sao_Paulo:20261204T090000
        DUE;TZID=America/Sao_Paulo:20261204T090000
        PRIORITY:1
        RRULE:FREQ=WEEKLY;INTERVAL=1
        X-APPLE-SORT-ORDER:700000000
        BEGIN:VALARM
        UID:AA
        ACTION:DISPLAY
        DESCRIPTION:Reminder
        TRIGGER:-PT15M
        END:VALARM
        BEGIN:VALARM
        ACTION:DISPLAY
        TRIGGER;VALUE=DATE-TIME:20261203T210000Z
        END:VALARM
        END:VTODO
        END:VCALENDAR
        """).encode()
    )

    assert list(document.todos) == [
        PortableTodo(
            key="5E2C",
            line=13,
            title="Water the plants",
            priority=Priority.URGENT,
            project=("House",),
            due_at=DUE,
            time_zone="America/Sao_Paulo",
            recurrence_rule="FREQ=WEEKLY",
            reminders=(
                Reminder(minutes_before=15),
                Reminder(at=datetime(2026, 12, 3, 21, tzinfo=UTC)),
            ),
            created_at=datetime(2026, 11, 1, 8, tzinfo=UTC),
        )
    ]
    assert document.losses == [Loss(22, "X-APPLE-SORT-ORDER", "This is not kept.")]


def test_nextcloud_tasks():
    document = read_icalendar(
        calendar(
            "PRODID:-//Nextcloud Tasks v0.16.1",
            "BEGIN:VTODO",
            "UID:parent",
            "SUMMARY:Move",
            "STATUS:IN-PROCESS",
            "PERCENT-COMPLETE:40",
            "CATEGORIES:home,one\\, two",
            "X-OC-HIDESUBTASKS:1",
            "LOCATION:Recife",
            "END:VTODO",
            "BEGIN:VTODO",
            "UID:child",
            "SUMMARY:Pack",
            "STATUS:COMPLETED",
            "COMPLETED:20261128T100000Z",
            "PERCENT-COMPLETE:100",
            "RELATED-TO:parent",
            "DTSTART;VALUE=DATE:20261120",
            "DUE;VALUE=DATE:20261128",
            "END:VTODO",
        )
    )

    move, pack = document.todos
    assert (move.state, move.labels) == (TodoState.DOING, ("home", "one, two"))
    assert (pack.state, pack.parent_key) == (TodoState.DONE, "parent")
    assert (pack.starts_on, pack.due_on) == (date(2026, 11, 20), date(2026, 11, 28))
    assert pack.completed_at == datetime(2026, 11, 28, 10, tzinfo=UTC)
    assert [(loss.line, loss.column) for loss in document.losses] == [
        (9, "X-OC-HIDESUBTASKS"),
        (10, "LOCATION"),
    ]


@pytest.mark.parametrize(
    "zone",
    [
        "America/Sao_Paulo",
        "/freeassociation.sourceforge.net/America/Sao_Paulo",
        "/mozilla.org/20050126_1/America/Sao_Paulo",
        "E. South America Standard Time",
    ],
)
def test_programs_have_names_of_their_own_for_time_zones(zone):
    todo, losses = read_todo(f"DUE;TZID={zone}:20261204T090000")

    assert (todo.due_at, todo.time_zone, losses) == (DUE, "America/Sao_Paulo", [])


def test_a_definition_can_name_its_place():
    document = read_icalendar(
        calendar(
            "BEGIN:VTIMEZONE",
            "TZID:Home",
            "X-LIC-LOCATION:America/Sao_Paulo",
            "END:VTIMEZONE",
            "BEGIN:VTODO",
            "UID:7",
            "DUE;TZID=Home:20261204T090000",
            "END:VTODO",
        )
    )
    [todo] = document.todos

    assert (todo.due_at, todo.time_zone) == (DUE, "America/Sao_Paulo")
    assert todo.title == UNTITLED


@pytest.mark.parametrize(
    ("line", "field", "kept", "message"),
    [
        ("DUE;TZID=Nowhere:20261204T090000", "due_on", date(2026, 12, 4), "no time zone"),
        ("DUE:20261204T090000", "due_on", date(2026, 12, 4), "no time zone"),
        ("DUE:20261304", "due_on", None, "It has to be a day"),
        ("DUE:18000101T000000Z", "due_at", None, "it has to be between"),
        ("PRIORITY:10", "priority", Priority.NONE, "It has to be from 0 to 9."),
        ("STATUS:LOST", "state", TodoState.TODO, "This status is not known."),
        ("RRULE:FREQ=HOURLY", "recurrence_rule", None, "FREQ is one of"),
        ("RRULE:FREQ=WEEKLY;BYHOUR=9", "recurrence_rule", None, "BYHOUR is not supported"),
        ("ESTIMATED-DURATION:PT9999999H", "duration_minutes", None, "less than or equal"),
        ("RELATED-TO;RELTYPE=SIBLING:8", "parent_key", None, "Only relations to the parent"),
        ("COMPLETED:20261204", "completed_at", None, "It has to be a moment in UTC"),
        ("SUMMARY:" + "a" * 201, "title", "a" * 200, "It was cut after 200 characters."),
        ("CATEGORIES:" + "a" * 51, "labels", (), "A label has 1 to 50 characters"),
        ("EXDATE;VALUE=DATE:20261211", "title", "Buy bread", "This is not kept."),
        ("no colon", "title", "Buy bread", "This line is not iCalendar."),
    ],
)
def test_what_cannot_be_kept_is_a_loss(line, field, kept, message):
    todo, losses = read_todo(line)

    assert getattr(todo, field) == kept
    [loss] = losses
    assert message in loss.message


def test_what_is_no_todo_is_a_loss_at_its_line():
    document = read_icalendar(
        calendar(
            "BEGIN:VEVENT",
            "SUMMARY:Party",
            "END:VEVENT",
            "BEGIN:VTODO",
            "UID:7",
            "END:VTODO",
            "BEGIN:VTODO",
            "UID:7",
            "RECURRENCE-ID;VALUE=DATE:20261204",
            "END:VTODO",
            "BEGIN:VTODO",
            "UID:7",
            "END:VTODO",
        )
    )

    assert len(document.todos) == 1
    assert [(loss.line, loss.column) for loss in document.losses] == [
        (2, "VEVENT"),
        (8, "RECURRENCE-ID"),
        (12, "UID"),
    ]


def test_a_start_with_a_duration_says_when_it_is_due():
    todo, losses = read_todo("DTSTART:20261204T100000Z", "DURATION:PT2H")

    assert (todo.due_at, todo.starts_on, losses) == (DUE, None, [])


def test_a_todo_that_recurs_is_due_when_it_starts():
    todo, losses = read_todo("DTSTART;VALUE=DATE:20261204", "RRULE:FREQ=WEEKLY")

    assert (todo.due_on, todo.starts_on, losses) == (date(2026, 12, 4), None, [])


def test_an_alarm_before_the_start_is_before_the_due():
    todo, losses = read_todo(
        "DTSTART:20261204T100000Z",
        "DUE:20261204T120000Z",
        "BEGIN:VALARM",
        "TRIGGER:-PT30M",
        "END:VALARM",
    )

    assert todo.reminders == (Reminder(minutes_before=150),)
    assert losses == [Loss(2, "DTSTART", "Only its day is kept.")]


def test_a_program_that_changes_a_value_is_believed():
    [line] = [
        line
        for line in write(PortableTodo(key="a", line=1, title="a\vb")).decode().splitlines()
        if line.startswith("SUMMARY")
    ]
    todo, _ = read_todo(line.replace(":ab", ":changed"))
    completed, _ = read_todo("STATUS:COMPLETED", "X-FAST-ZERO-STATE:draft")

    assert todo.title == "changed"
    assert completed.state == TodoState.DONE


@pytest.mark.parametrize(
    ("data", "line", "message"),
    [
        (b"", 1, "there is no VCALENDAR"),
        (b"\xff", 1, "The file is not UTF-8."),
        (b"title\nBuy bread", 1, "there is no VCALENDAR"),
        (b"SUMMARY:x", 1, "This is outside of a VCALENDAR."),
        (b"BEGIN:VTODO\nEND:VTODO", 1, "Everything is in a VCALENDAR"),
        (b"BEGIN:VCALENDAR\nBEGIN:VTODO\nEND:VCALENDAR", 3, "This is not the end of VTODO."),
        (b"BEGIN:VCALENDAR\n\n\nBEGIN:VTODO\n", 4, "VTODO has no end."),
        (b"END:VTODO", 1, "This is not the end of a component."),
        (b"BEGIN:VCALENDAR\n" + b"BEGIN:X\n" * 20, 9, "nested 8 levels deep"),
    ],
)
def test_a_broken_file_is_an_error(data, line, message):
    document = read_icalendar(data)

    [error] = document.errors
    assert error.line == line
    assert message in error.message
    assert not document.todos


@pytest.mark.parametrize("zone", ZONES)
def test_a_definition_of_a_time_zone_says_what_the_clock_shows(zone):
    """`icalendar` reads the definition under a name that it does not know."""
    text = zone_definition(zone).replace(f"TZID:{zone}\r\n", "TZID:Unknown\r\n")
    [read] = Calendar.from_ical(calendar(text.strip())).walk("VTIMEZONE")
    defined, real = read.to_tz(lookup_tzid=False), ZoneInfo(zone)

    moment = datetime(1980, 1, 1, tzinfo=UTC)
    while moment < datetime(2030, 1, 1, tzinfo=UTC):
        clock = moment.astimezone(real).replace(tzinfo=None)
        if clock.replace(tzinfo=real).astimezone(UTC) == moment:  # else it has this time twice
            assert clock.replace(tzinfo=defined).astimezone(UTC) == moment, clock
        moment += timedelta(hours=37)


def test_every_time_zone_has_a_definition():
    for zone in sorted(available_timezones())[::10]:
        assert zone_definition(zone).startswith(f"BEGIN:VTIMEZONE\r\nTZID:{zone}\r\n")


def test_time_zones_are_defined_once_and_utc_is_not():
    berlin = zone_definition("Europe/Berlin")

    assert zone_definitions([None, "UTC", "Europe/Berlin", "Europe/Berlin"]) == berlin


def test_the_end_of_an_endless_line_is_left_out():
    lines = ["BEGIN:VCALENDAR", "BEGIN:VTODO", "UID:1", "SUMMARY:a"]
    long = [f"DESCRIPTION:{'b' * 500_000}", f"X-A{';B=1' * 200_000}:1"]
    text = "\r\n".join([*lines, *long, "END:VTODO", "END:VCALENDAR", ""])

    document = read_icalendar(text.encode())

    [todo] = document.todos
    assert (todo.title, len(todo.description)) == ("a", 20_000)
    assert sorted(loss.line for loss in document.losses) == [5, 6]
