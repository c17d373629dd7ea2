"""The words for dues: plain values in, plain values out."""

import os
import time
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_zero.client import forms, text
from fast_zero.client.errors import ClientError


@pytest.fixture(autouse=True)
def at_home(monkeypatch):
    before = os.environ.get("TZ")
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    if before is None:
        monkeypatch.delenv("TZ")
    else:
        monkeypatch.setenv("TZ", before)
    time.tzset()


def now() -> datetime:
    return datetime(2026, 11, 29, 20, 0, tzinfo=UTC).astimezone()  # 15:00 in New York


def todo(**fields: object) -> dict[str, object]:
    return {"state": "todo", "due_on": None, "due_at": None} | fields


@pytest.mark.parametrize(
    ("fields", "words", "overdue"),
    [
        ({}, "", False),
        ({"due_on": "2026-11-29"}, "today", False),
        ({"due_on": "2026-11-30"}, "tomorrow", False),
        ({"due_on": "2026-11-28"}, "yesterday", True),
        ({"due_on": "2026-11-28", "state": "done"}, "yesterday", False),
        ({"due_on": "2026-12-04"}, "Fri 4 Dec", False),
        ({"due_on": "2027-01-06"}, "Wed 6 Jan 2027", False),
        ({"due_at": "2026-11-29T19:59:00Z"}, "today 14:59", True),
        ({"due_at": "2026-11-30T04:30:00.000000Z"}, "today 23:30", False),
        ({"due_at": "2026-11-30T05:00:00Z"}, "tomorrow 00:00", False),
        ({"due_at": "2026-07-01T12:00:00Z"}, "Wed 1 Jul 08:00", True),  # in summer time
    ],
)
def test_a_due_is_said_as_people_say_it(fields, words, overdue):
    assert text.due_in_words(todo(**fields), now()) == words
    assert text.is_overdue(todo(**fields), now()) == overdue


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        ("today", {"due_on": "2026-11-29"}),
        ("Tomorrow", {"due_on": "2026-11-30"}),
        ("2026-12-04", {"due_on": "2026-12-04"}),
        ("2026-12-04 9:05", {"due_at": "2026-12-04T09:05:00-05:00"}),
        ("2026-07-01T23:00", {"due_at": "2026-07-01T23:00:00-04:00"}),
        ("tomorrow 09:00", {"due_at": "2026-11-30T09:00:00-05:00"}),
        ("none", {"due_on": None, "due_at": None}),
        (" ", {"due_on": None, "due_at": None}),
    ],
)
def test_a_typed_due_is_understood(typed, fields):
    assert text.parse_due(typed, now()) == fields


@pytest.mark.parametrize(
    "typed", ["soon", "2026-02-30", "2026-12-04 25:00", "today9:00", "٢٠٢٦-12-04", "9999-12-31x"]
)
def test_another_due_is_refused_with_examples(typed):
    with pytest.raises(ClientError, match=r"is no due\. Examples: 2026-12-04"):
        text.parse_due(typed, now())


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001  # without a time zone
def test_a_moment_that_is_shown_can_be_typed_again(moment):
    due_at = moment.replace(second=0, microsecond=0, tzinfo=UTC).isoformat()
    shown = text.due_as_typed(todo(due_at=due_at))
    again = text.parse_due(shown, now())

    assert text.due_as_typed(todo(**again)) == shown


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("Pão 👩‍🍳", "Pão 👩‍🍳"),
        ("a\tb\nc", "a b c"),
        ("\x1b[31mred", "�[31mred"),
        ("a\u202eb", "a�b"),
        ("a\x9b2Jb", "a�2Jb"),
    ],
)
def test_text_of_others_cannot_command_a_terminal(given_text, shown):
    assert text.plain(given_text) == shown


VALUES = {
    "title": "Buy bread",
    "state": "todo",
    "priority": "none",
    "due": "2026-12-04",
    "starts_on": "",
    "deadline_on": "",
    "labels": "a, b",
    "project": "none",
    "description": "One.\n---\n# Two: three\n",
}


def test_a_form_that_is_saved_as_it_was_changes_nothing():
    assert forms.changed(VALUES, forms.read(forms.write(VALUES))) == {}
    odd = VALUES | {"title": "a\nb: c", "description": "\n"}
    assert forms.changed(odd, forms.read(forms.write(odd))) == {}


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r")))
def test_a_description_is_read_as_it_was_written(description):
    values = VALUES | {"description": description}
    assert forms.read(forms.write(values))["description"] == description


@given(
    st.lists(st.text(min_size=1).map(str.strip).filter(lambda name: name and name.isprintable()))
)
def test_labels_are_read_as_they_were_written(labels):
    assert forms.read_labels(forms.write_labels(labels)) == labels


def test_only_edited_fields_are_sent():
    edited = forms.write(VALUES).replace("title: Buy bread", "title: Rye: dark")
    edited = edited.replace("labels: a, b", "labels:").replace("state: todo\n", "")
    edited = edited.replace("due: 2026-12-04", "due:").replace("deadline_on:", "deadline_on: x")
    changes = forms.changed(VALUES, forms.read(edited))

    assert forms.body_of(changes, now()) == {
        "title": "Rye: dark",
        "labels": [],
        "due_on": None,
        "due_at": None,
        "deadline_on": "x",
    }


@pytest.mark.parametrize("line", ["nonsense", "color: red", ": x"])
def test_a_line_that_is_no_field_is_refused(line):
    with pytest.raises(ClientError, match="is no field"):
        forms.read(f"title: x\n{line}\n---\n")


def test_days_are_said_from_both_sides_of_a_year():
    assert text.day_in_words(date(2027, 1, 1), date(2026, 12, 31)) == "tomorrow"
    assert text.day_in_words(date(2026, 12, 30), date(2027, 1, 1)) == "Wed 30 Dec 2026"
