import csv
from datetime import UTC, date, datetime
from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fast_zero.interchange import csv_files
from fast_zero.interchange.csv_files import read_csv
from fast_zero.interchange.portable import Loss, PortableTodo
from fast_zero.todos.models import Priority, TodoState
from fast_zero.todos.reminders import Reminder
from tests.portable import keys, portable_todos

lists = st.lists(portable_todos(), max_size=5, unique_by=lambda todo: todo.key)


def without_lines(todos):
    return [PortableTodo(**{**vars(todo), "line": 1}) for todo in todos]


@settings(deadline=None, max_examples=40)
@given(lists)
def test_what_is_written_is_read_as_the_same_todos(todos):
    document = read_csv(csv_files.header() + csv_files.write_rows(todos))

    assert document.errors == document.losses == []
    assert without_lines(document.todos) == todos


@settings(deadline=None, max_examples=40)
@given(lists, st.randoms())
def test_columns_are_in_any_order_and_a_semicolon_may_separate_them(todos, random):
    text = csv_files.header() + csv_files.write_rows(todos)
    rows = list(csv.reader(StringIO(text.removeprefix("\ufeff"), newline="")))
    order = list(range(len(rows[0])))
    random.shuffle(order)
    written = StringIO(newline="")
    csv.writer(written, delimiter=";").writerows([row[number] for number in order] for row in rows)

    document = read_csv(written.getvalue())

    assert without_lines(document.todos) == todos


@settings(deadline=None, max_examples=40)
@given(st.lists(portable_todos(key=keys), min_size=1, max_size=3))
def test_no_cell_begins_as_a_formula(todos):
    text = csv_files.write_rows(todos)
    for row in csv.reader(StringIO(text, newline="")):
        assert not [
            cell for cell in row if cell.startswith(tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"))
        ]


@settings(deadline=None)
@given(st.text() | st.text("title,;\"\n\r=' 20-:TZ"))
def test_any_text_is_read_or_says_what_is_wrong(text):
    for document in (read_csv(text), read_csv("title,due_on,due_at,reminders,labels\n" + text)):
        for problem in document.errors + document.losses:
            assert problem.line >= 1
            assert problem.message.strip()


def test_only_a_title_is_needed():
    [todo] = read_csv("title\nBuy bread\n").todos

    assert todo == PortableTodo(key=todo.key, line=2, title="Buy bread")


def test_a_row_without_a_key_has_the_same_one_again():
    text = "title,priority\nBuy bread,low\nBuy bread,low\nBuy bread,high\n"
    first, second = read_csv(text), read_csv(text)

    assert [todo.key for todo in first.todos] == [todo.key for todo in second.todos]
    assert len({todo.key for todo in first.todos}) == 3


def test_every_column_is_read():
    document = read_csv(
        "key;title;description;state;priority;project;section;parent_key;labels;due_at;time_zone;"
        "starts_on;deadline_on;duration_minutes;recurrence_rule;recurrence_from;reminders;"
        "completed_at;created_at\r\n"
        "7;Buy bread;Dark;doing;high;House/Kitchen\\/Pantry;This week;6;errands, my\\, own;"
        "2026-12-04T09:00;America/Sao_Paulo;2026-12-01;2026-12-05;30;freq=weekly;completion;"
        "30, 2026-12-03T18:00:00-03:00;2026-12-04T12:00:00Z;2026-11-29T12:00:00.5Z\r\n"
    )

    assert document.errors == document.losses == []
    assert list(document.todos) == [
        PortableTodo(
            key="7",
            line=2,
            title="Buy bread",
            description="Dark",
            state=TodoState.DOING,
            priority=Priority.HIGH,
            project=("House", "Kitchen/Pantry"),
            section="This week",
            parent_key="6",
            labels=("errands", "my, own"),
            due_at=datetime(2026, 12, 4, 12, tzinfo=UTC),
            time_zone="America/Sao_Paulo",
            starts_on=date(2026, 12, 1),
            deadline_on=date(2026, 12, 5),
            duration_minutes=30,
            recurrence_rule="FREQ=WEEKLY",
            recurrence_from="completion",
            reminders=(
                Reminder(minutes_before=30),
                Reminder(at=datetime(2026, 12, 3, 21, tzinfo=UTC)),
            ),
            completed_at=datetime(2026, 12, 4, 12, tzinfo=UTC),
            created_at=datetime(2026, 11, 29, 12, 0, 0, 500_000, tzinfo=UTC),
        )
    ]


def test_lines_are_those_where_rows_begin():
    rows = ['One,"two\nlines",', 'Two,"of\r\nthree\rlines",', "Three,,x"]
    document = read_csv("\r\n".join(["title,description,due_on", "", *rows]))

    assert [todo.line for todo in document.todos] == [3, 5]
    assert [error.line for error in document.errors] == [8]


@pytest.mark.parametrize(
    ("cells", "column", "message"),
    [
        ("due_on\n04/12/2026", "due_on", "It has to be a day such as 2026-12-04."),
        ("due_at\n2026-12-04", "due_at", "It has to be a moment such as 2026-12-04T12:00:00Z."),
        ("due_at\n2026-12-04T09:00", "due_at", "Input should have timezone info"),
        (
            "due_at,time_zone\n,America/Sao_Paulo",
            "due_at",
            "time_zone is given together with due_at",
        ),
        ("duration_minutes\n1h", "duration_minutes", "It has to be a whole number."),
        ("duration_minutes\n0", "duration_minutes", "Input should be greater than or equal to 1"),
        ("state\nopen", "state", "Input should be 'draft', 'todo', 'doing', 'done' or 'trash'"),
        ("reminders\nsoon", "reminders", "It has minutes before the due"),
        ("reminders\n999999", "reminders", "999999: Input should be less than or equal to 527040"),
        ("recurrence_rule\nFREQ=HOURLY", "recurrence_rule", "FREQ is one of DAILY, WEEKLY"),
        ("project\na/b/c/d", "project", "Tuple should have at most 3 items"),
    ],
)
def test_a_wrong_value_is_an_error(cells, column, message):
    header, row = cells.split("\n")
    document = read_csv(f"title,{header}\nBuy bread,{row}\n")

    [error] = document.errors
    assert (error.line, error.column) == (2, column)
    assert message in error.message


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, csv_files.ONLY_TITLE),
        ("name\nBuy bread", 1, csv_files.ONLY_TITLE),
        ("title,title\nBuy bread,x", 1, "This column is there twice."),
        ("title\nBuy bread,x", 2, "This line has more cells than the header."),
        ("key,title\n7,a\n8,b\n7,c", 4, "Line 2 has this key already."),
        ('title\n"Buy" bread', 2, "This line is not CSV"),
        ('title\nA\n"Buy\nbread', 3, "This line is not CSV"),
        ("title\n" + "a" * 201, 2, "String should have at most 200 characters"),
        ("title,section\n,x", 2, "Field required"),
    ],
)
def test_what_is_wrong_with_a_file_is_an_error(text, line, message):
    [error] = read_csv(text).errors

    assert error.line == line
    assert message in error.message


def test_columns_without_a_name_at_the_end_are_empty():
    document = read_csv("title;due_on;;\nBuy bread;2026-12-04;;\n")

    assert len(document.todos) == 1
    assert document.errors == document.losses == []


def test_an_unknown_column_is_a_loss():
    document = read_csv("title,colour\nBuy bread,red\n")

    assert len(document.todos) == 1
    [loss] = document.losses
    assert (loss.line, loss.column) == (1, "colour")


def test_errors_end_somewhere():
    document = read_csv("title,due_on\n" + "a,b\n" * 10_000)

    assert len(document.errors) == csv_files.MOST_ERRORS + 1
    assert document.errors[-1] == Loss(101, "", "There may be more; the rest was not read.")
