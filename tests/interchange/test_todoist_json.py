import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_zero.interchange.portable import Loss
from fast_zero.interchange.todoist_json import read_todoist_json
from fast_zero.todos.models import Priority

NOW = datetime(2026, 11, 29, 20, tzinfo=UTC)


def read(**lists):
    return read_todoist_json(json.dumps(lists).encode(), "America/Sao_Paulo", NOW)


def item(id_, **fields):
    return {"id": id_, "content": f"item {id_}", **fields}


def test_priorities_are_4_to_1_the_highest_first():
    document = read(items=[item(str(number), priority=number) for number in (4, 3, 2, 1)])

    assert [todo.priority for todo in document.todos] == [
        Priority.URGENT,
        Priority.HIGH,
        Priority.MEDIUM,
        Priority.NONE,
    ]


def test_todos_are_in_the_order_of_projects_sections_and_siblings():
    document = read(
        projects=[
            {"id": "b", "name": "B", "child_order": 2},
            {"id": "a", "name": "A", "child_order": 1},
        ],
        sections=[{"id": "s", "name": "S", "project_id": "a", "section_order": 1}],
        items=[
            item("1", project_id="b"),
            item("2", project_id="a", section_id="s"),
            item("3", project_id="a", child_order=2),
            item("4", project_id="a", child_order=1),
        ],
    )

    assert [todo.key for todo in document.todos] == [f"todoist:{id_}" for id_ in "4321"]
    assert [todo.line for todo in document.todos] == [4, 3, 2, 1]


def test_projects_inside_of_each_other_end():
    document = read(
        projects=[
            {"id": "a", "name": "A", "parent_id": "b"},
            {"id": "b", "name": "B", "parent_id": "a"},
        ],
        items=[item("1", project_id="a")],
    )

    assert document.todos[0].project == ("B", "A")


@pytest.mark.parametrize(
    ("due", "moment", "zone"),
    [
        ({"date": "2031-03-27T09:00:00"}, "2031-03-27T12:00:00+00:00", "America/Sao_Paulo"),
        (
            {"date": "2031-03-27T09:00:00Z", "timezone": "Europe/Madrid"},
            "2031-03-27T09:00:00+00:00",
            "Europe/Madrid",
        ),
        (
            {
                "date": "2031-03-27",
                "datetime": "2031-03-27T09:00:00Z",
                "timezone": "Europe/Madrid",
            },
            "2031-03-27T09:00:00+00:00",
            "Europe/Madrid",
        ),
    ],
)
def test_moments_are_read(due, moment, zone):
    [todo] = read(items=[item("1", due=due)]).todos

    assert (todo.due_at.isoformat(), todo.time_zone, todo.due_on) == (moment, zone, None)


@pytest.mark.parametrize(
    ("fields", "column"),
    [
        ({"due": {"date": "soon"}}, "due.date"),
        ({"deadline": {"date": "soon"}}, "deadline.date"),
        ({"duration": {"amount": 1, "unit": "moon"}}, "duration"),
        ({"duration": {"amount": 10**9, "unit": "day"}}, "duration"),
        ({"completed_at": "Mon 07 Aug 2006"}, "completed_at"),
        ({"project_id": "gone"}, "project_id"),
        ({"parent_id": "gone"}, "parent_id"),
    ],
)
def test_what_is_not_understood_is_reported(fields, column):
    document = read(items=[item("1", **fields)])

    assert [(loss.line, loss.column) for loss in document.losses] == [(1, column)]
    assert len(document.todos) == 1


def test_a_wrong_item_is_an_error_with_its_number():
    document = read(items=[item("1"), {"id": "2"}, "three"])

    assert [(error.line, error.column) for error in document.errors] == [
        (2, "items.content"),
        (3, "items"),
    ]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", Loss(1, "", "This is not JSON: Expecting value.")),
        (b'{"a"', Loss(1, "", "This is not JSON: Expecting ':' delimiter.")),
        (b"\xff\xfe\xfa", Loss(1, "", "This is not JSON: it cannot be read.")),
        (b"[" * 100_000, Loss(1, "", "This is not JSON: it cannot be read.")),
    ],
)
def test_what_is_no_json_is_refused(content, error):
    assert read_todoist_json(content, "UTC", NOW).errors == [error]


@pytest.mark.parametrize("content", [b"[]", b"1", b"{}", b'{"items": {}}'])
def test_what_is_no_backup_is_refused(content):
    [error] = read_todoist_json(content, "UTC", NOW).errors

    assert error.column == "items"


def test_long_lists_are_not_read():
    [error] = read(items=[1] * 100_001).errors

    assert (error.line, error.column) == (100_001, "items")


def test_after_many_errors_the_rest_is_not_read():
    assert len(read(items=[1] * 100_000).errors) == 1000


VALUES = st.sampled_from(
    [
        *(None, True, 0, 4, -1, 2**70, float("inf"), "", "1", "x\0", "\ud800", [], {}, ["1", 2]),
        *("2031-03-27", "relative", "absolute"),
        {"date": "2031-03-27T09:00:00Z", "timezone": "/"},
        {"date": "2031-03-27", "is_recurring": True, "string": "every day"},
        {"amount": 1, "unit": "day"},
    ]
)
FIELDS = [
    *("id", "content", "name", "project_id", "parent_id", "item_id", "due", "labels", "priority"),
    *("duration", "deadline", "checked", "completed_at", "type", "minute_offset", "child_order"),
]
WHOLE = {"id": "1", "content": "a", "name": "a", "project_id": "1", "item_id": "1"}
THINGS = st.lists(
    st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=5).map(lambda found: WHOLE | found)
    | VALUES,
    max_size=3,
)
LISTS = ["projects", "sections", "labels", "items", "notes", "reminders", "filters"]


@given(st.dictionaries(st.sampled_from(LISTS), THINGS | VALUES))
def test_no_backup_is_an_exception(lists):
    document = read(**{"items": [], **lists})

    assert document.errors or len(document.todos) <= len(lists.get("items", []))


def test_what_has_an_id_twice_is_left_out_and_reported():
    items = [{"id": "1", "content": "a"}, {"id": 1, "content": "b"}, {"id": "2", "content": "c"}]

    document = read_todoist_json(json.dumps({"items": items}).encode(), "UTC", NOW)

    assert [todo.title for todo in document.todos] == ["a", "c"]
    assert [(loss.line, loss.column, loss.message) for loss in document.losses] == [
        (2, "items.id", "Left out: entry 1 has this id already.")
    ]
