"""What a form has changed of a todo, for any values."""

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fast_zero.quick_add.meanings import Said
from fast_zero.web.pages.todos.todo_form import (
    changes_of,
    compared,
    read_labels,
    shown,
    written_labels,
)

SAID = Said(datetime(2026, 6, 11, 12, tzinfo=UTC), ZoneInfo("America/Sao_Paulo"), "en")
TODO = {
    "version": 1,
    "title": "Bread",
    "description": "",
    "due_on": None,
    "due_at": None,
    "recurrence": None,
    "priority": "none",
    "project_id": None,
    "section_id": None,
    "labels": [],
    "starts_on": None,
    "deadline_on": None,
    "duration_minutes": None,
    "state": "todo",
    "share": None,
}
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
MODERN = datetime(1990, 1, 1)  # noqa: DTZ001  # hypothesis adds the zone
NAME = TEXT.map(str.strip).filter(bool)


@given(
    st.fixed_dictionaries(
        {
            "title": TEXT,
            "description": TEXT,
            "due_at": st.none() | st.datetimes(MODERN, timezones=st.just(UTC)),
            "labels": st.lists(NAME, unique_by=str.casefold, max_size=5),
            "starts_on": st.none() | st.dates(),
            "duration_minutes": st.none() | st.integers(1, 1000),
        }
    )
)
def test_what_is_sent_as_it_is_shown_changes_nothing(values):
    todo = TODO | values
    sent = {name: re.sub("\r\n?|\n", "\r\n", text) for name, text in shown(todo, SAID).items()}

    assert not changes_of(todo, sent, SAID)


@given(st.lists(NAME, unique_by=str.casefold, max_size=8))
def test_labels_are_read_as_they_are_written(names):
    as_sent = written_labels(names)
    assert read_labels(as_sent) == [re.sub("\r\n?", "\n", name) for name in names]


@given(TEXT, TEXT)
def test_a_comparison_keeps_both_texts_and_marks_what_differs(one, other):
    texts = compared(one, other)

    for text, marked in zip((one, other), texts, strict=True):
        assert f"{marked.before}{marked.marked}{marked.after}".strip() == text.strip()
    if one.split() == other.split():
        assert [each.marked for each in texts] == ["", ""]


@pytest.mark.parametrize(
    ("one", "other", "marked"),
    [
        ("Send it by ten", "Send it with files", ("by ten", "with files")),
        ("Send it", "Send it now", ("", "now")),
        ("a a a", "a a", ("a", "")),
        ("", "x", ("", "x")),
    ],
)
def test_only_the_words_that_differ_are_marked(one, other, marked):
    assert tuple(each.marked for each in compared(one, other)) == marked


@settings(deadline=None, max_examples=50)  # the grammar is built once
@given(st.dictionaries(st.sampled_from([*shown(TODO, SAID)]), TEXT))
def test_whatever_is_sent_is_a_change_or_an_error(sent):
    changes = changes_of(TODO, sent, SAID)
    change = changes.update()

    assert changes.errors or change is None or change.model_fields_set


def test_only_what_was_changed_is_sent():
    todo = TODO | {"due_at": datetime(2026, 6, 11, 12, 0, 30, tzinfo=UTC), "labels": ["b", "a"]}
    form = shown(todo, SAID)

    assert changes_of(todo, form | {"labels": "a, B"}, SAID).fields == {}
    assert changes_of(todo, form | {"due_time": "09:00:00"}, SAID).fields == {}
    assert changes_of(todo, form | {"due_time": ""}, SAID).fields == {"due_on": date(2026, 6, 11)}
    assert changes_of(todo, form | {"title": " Bread  "}, SAID).fields == {}
