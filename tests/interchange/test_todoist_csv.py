from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_zero.interchange.portable import Loss
from fast_zero.interchange.todoist_csv import is_todoist_csv, read_todoist_csv
from fast_zero.todos.models import Priority

NOW = datetime(2026, 11, 29, 20, tzinfo=UTC)
HEADER = "TYPE,CONTENT,PRIORITY,INDENT"


def read(*rows: str, header: str = HEADER):
    return read_todoist_csv("\n".join((header, *rows)), "House", "UTC", NOW)


def test_indents_become_parents():
    document = read("task,a,,1", "task,b,,2", "task,c,,4", "task,d,,2", "task,e,,1")

    todos = {todo.title: todo for todo in document.todos}
    titles = {todo.key: todo.title for todo in document.todos}
    assert {title: titles.get(todo.parent_key) for title, todo in todos.items()} == {
        "a": None,
        "b": "a",
        "c": "b",
        "d": "a",
        "e": None,
    }


def test_a_section_ends_the_indents_before_it():
    document = read("task,a,,1", "section,Later,,", "task,b,,2")

    [a, b] = document.todos
    assert (a.section, b.section, b.parent_key) == (None, "Later", None)


def test_priorities_are_1_to_4_the_highest_first():
    document = read("task,a,1,", "task,b,2,", "task,c,3,", "task,d,4,", "task,e,,", "task,f,9,")

    assert [todo.priority for todo in document.todos] == [
        Priority.URGENT,
        Priority.HIGH,
        Priority.MEDIUM,
        Priority.NONE,
        Priority.NONE,
        Priority.NONE,
    ]
    assert document.losses == [Loss(7, "PRIORITY", "It has to be from 1 to 4: 9")]


@pytest.mark.parametrize(
    ("content", "title", "labels"),
    [
        ("Buy bread @errands @home", "Buy bread", ("errands", "home")),
        ("@home  Buy   bread", "Buy bread", ("home",)),
        ("Write to ana@example.com", "Write to ana@example.com", ()),
        ("@home", "@home", ()),
        ("Pão @mercearia-são-joão", "Pão", ("mercearia-são-joão",)),
    ],
)
def test_words_with_an_at_sign_are_labels(content, title, labels):
    [todo] = read(f"task,{content},,").todos

    assert (todo.title, todo.labels) == (title, labels)


def test_the_same_file_has_the_same_keys_and_what_is_alike_has_others():
    rows = ("task,a,,1", "task,b,,2", "task,a,,1", "task,b,,2", "section,Later,,", "task,a,,1")

    first, second = read(*rows), read(*rows)
    keys = [todo.key for todo in first.todos]
    assert keys == [todo.key for todo in second.todos]
    assert len(set(keys)) == len(keys)
    assert read(*rows, "task,z,,1").todos[0].key == keys[0]


def test_semicolons_and_a_byte_order_mark_are_read():
    text = "\ufeffTYPE;CONTENT;PRIORITY;INDENT\r\ntask;a, b;1;1\r\n"

    assert is_todoist_csv(text.removeprefix("\ufeff"))
    [todo] = read_todoist_csv(text, "House", "UTC", NOW).todos
    assert (todo.title, todo.line) == ("a, b", 2)


def test_lines_are_those_of_the_file():
    document = read('task,"a\nb",,', "task,c,,", "other,d,,")

    assert [todo.line for todo in document.todos] == [2, 4]
    assert document.errors == [Loss(5, "TYPE", "It has to be task, section or note: other")]


def test_a_comment_before_any_task_is_lost():
    document = read("note,Hello,,")

    assert document.losses == [Loss(2, "CONTENT", "Only tasks have comments: Hello")]


def test_links_of_files_are_found_in_no_time():
    text = '"' + '[[file {""' * 8000 + '"'

    document = read(*("task,a,,", f"note,{text},,"))

    assert document.errors == []


def test_many_comments_are_cut_off_once():
    document = read("task,a,,", *(f"note,{'x' * 1000},," for _ in range(100)))

    assert len(document.todos[0].description) < 25_000


def test_what_is_no_csv_is_an_error_of_its_line():
    document = read("task,a,,", f"task,{'x' * 140_000},,")

    assert [(error.line, error.message) for error in document.errors] == [
        (3, "This is not CSV: field larger than field limit (131072).")
    ]


def test_unknown_columns_are_reported_once():
    document = read("task,a,,,x", "task,b,,,y", header=f"{HEADER},COLOR")

    assert document.losses == [Loss(1, "COLOR", "There is no such column in templates.")]


def test_another_file_is_refused():
    [error] = read("a,b", header="title,due_on").errors

    assert (error.line, error.column) == (1, "TYPE")


@pytest.mark.parametrize("column", ["DURATION", "DURATION_UNIT", "TIMEZONE", "DEADLINE", "INDENT"])
def test_a_value_that_is_not_understood_is_reported(column):
    header = "TYPE,CONTENT,DATE,DURATION,DURATION_UNIT,TIMEZONE,DEADLINE,INDENT"
    cells = {"TYPE": "task", "CONTENT": "a", column: "nonsense"}
    row = ",".join(cells.get(name, "") for name in header.split(","))

    document = read(row, header=header)

    assert [(loss.line, loss.column) for loss in document.losses] == [(2, column)]
    assert document.errors == []


@pytest.mark.parametrize("number", ["1" * 5000, "0000000015", "\u0661"])
def test_a_number_that_is_too_long_is_reported(number):
    document = read(f"task,a,{number},{number}", header="TYPE,CONTENT,INDENT,DURATION")

    assert [loss.column for loss in document.losses] == ["INDENT", "DURATION"]
    assert document.errors == []


@given(st.text() | st.text(alphabet='task,noe"\n1234@ ').map(lambda text: f"{HEADER}\n{text}"))
def test_no_text_is_an_exception(text):
    document = read_todoist_csv(text, "House", "UTC", NOW)

    assert len({todo.key for todo in document.todos}) == len(document.todos)
