"""What rows of the log mean, as plain values."""

import re
from pathlib import Path
from typing import get_args

import pytest

from fast_zero.activity.codes import Code, Logged, describe
from fast_zero.change_sets.plans import ConflictCode

PAGE = Path(__file__).parents[2] / "docs/undo.md"

CREATED = Logged("create", None, {"title": "Bread", "name": "Home", "state": "todo"})
TRASHED = Logged("delete", {"deletion_id": None}, {"deletion_id": 5})
RESTORED = Logged("restore", {"deletion_id": 5}, {"deletion_id": None})
DELETED = Logged("delete", {"name": "green"}, None)
FORGOTTEN = Logged("delete", None, None)


def update(**changed) -> Logged:
    before = {name: both[0] for name, both in changed.items()}
    return Logged("update", before, {name: both[1] for name, both in changed.items()})


def code_of(entity, *rows, is_last=False) -> str:
    return describe(entity, rows, is_last=is_last).code.value


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([CREATED], "todo_created"),
        ([CREATED, update(title=("Bread", "Flour"))], "todo_created"),
        ([update(title=("Bread", "Flour"))], "todo_updated"),
        ([update(title=("Bread", "Flour"), project_id=(None, 1))], "todo_updated"),
        ([update(project_id=(None, 1), position=(None, "8"))], "todo_moved"),
        ([update(position=("4", "8"))], "todo_moved"),
        ([update(state=("doing", "done"), completed_at=(None, "now"))], "todo_completed"),
        ([update(state=("done", "doing"))], "todo_reopened"),
        ([update(state=("done", "trash"))], "todo_updated"),
        ([update(state=("todo", "doing"))], "todo_updated"),
        ([update(state=("todo", "done")), update(state=("done", "todo"))], "todo_updated"),
        ([TRASHED], "todo_deleted"),
        ([update(title=("Bread", "Flour")), TRASHED], "todo_deleted"),
        ([CREATED, TRASHED], "todo_deleted"),
        ([TRASHED, RESTORED], "todo_restored"),
        ([RESTORED], "todo_restored"),
        ([DELETED], "todo_purged"),
        ([FORGOTTEN], "todo_deleted"),
    ],
)
def test_the_code_says_what_became_of_a_todo(rows, code):
    assert code_of("todos", *rows) == code


def test_of_what_is_deleted_for_good_the_last_deletion_is_that():
    assert code_of("todos", FORGOTTEN, is_last=True) == "todo_purged"
    assert code_of("projects", FORGOTTEN, is_last=True) == "project_purged"
    assert code_of("sections", FORGOTTEN, is_last=True) == "section_deleted"
    assert code_of("todos", TRASHED, is_last=True) == "todo_deleted"


@pytest.mark.parametrize(
    ("entity", "row", "code"),
    [
        ("projects", CREATED, "project_created"),
        ("projects", update(archived=(False, True)), "project_updated"),
        ("projects", update(parent_id=(None, 1)), "project_moved"),
        ("projects", TRASHED, "project_deleted"),
        ("projects", RESTORED, "project_restored"),
        ("projects", DELETED, "project_purged"),
        ("sections", CREATED, "section_created"),
        ("sections", update(name=("Later", "Soon")), "section_updated"),
        ("sections", update(position=("4", "8")), "section_moved"),
        ("sections", DELETED, "section_deleted"),
        ("labels", CREATED, "label_created"),
        ("labels", update(color=("grey", "red")), "label_updated"),
        ("labels", DELETED, "label_deleted"),
        ("saved_filters", CREATED, "filter_created"),
        ("saved_filters", update(filter=("overdue", "is:open")), "filter_updated"),
        ("saved_filters", update(position=(None, "00")), "filter_moved"),
        ("saved_filters", DELETED, "filter_deleted"),
        ("todo_labels", CREATED, "todo_labelled"),
        ("todo_labels", DELETED, "todo_unlabelled"),
        ("todo_relations", CREATED, "relation_created"),
        ("todo_relations", DELETED, "relation_deleted"),
        ("occurrences", Logged("create", None, {"status": "done"}), "occurrence_done"),
        ("occurrences", Logged("create", None, {"status": "missed"}), "occurrence_missed"),
        ("occurrences", Logged("create", None, {"status": "skipped"}), "occurrence_skipped"),
        ("occurrences", DELETED, "occurrence_taken_back"),
    ],
)
def test_the_code_names_the_kind_of_thing(entity, row, code):
    assert code_of(entity, row) == code
    assert code in set(Code)


def test_updates_of_one_thing_are_one_update():
    rows = [
        update(title=("Bread", "Flour"), priority=("none", "high")),
        update(title=("Flour", "Rye"), priority=("high", "none")),
    ]

    described = describe("todos", rows, is_last=False)

    assert described.values == {"title": ("Bread", "Rye")}
    assert described.title == "Rye"


@pytest.mark.parametrize("field", ["position", "deletion_id", "owner_id", "unheard_of"])
def test_only_fields_of_other_routes_are_shown(field):
    row = update(title=("Bread", "Flour"), **{field: (1, 2)})

    assert describe("todos", [row], is_last=False).values == {"title": ("Bread", "Flour")}


def test_a_restoration_shows_where_to():
    row = Logged("restore", {"deletion_id": 5, "project_id": 7}, {"project_id": None})

    assert describe("todos", [row], is_last=False).values == {"project_id": (7, None)}


@pytest.mark.parametrize(
    ("entity", "row", "title"),
    [
        ("todos", Logged("create", None, {"title": "Bread"}), "Bread"),
        ("labels", update(name=("red", "green")), "green"),
        ("labels", DELETED, "green"),
        ("todos", TRASHED, None),
        ("todos", update(priority=("none", "high")), None),
        ("todos", FORGOTTEN, None),
    ],
)
def test_the_title_is_the_one_that_the_change_left(entity, row, title):
    assert describe(entity, [row], is_last=False).title == title


def test_the_page_lists_the_codes_of_activity_and_of_conflicts():
    undo, activity = PAGE.read_text().split("## Activity")

    rows = [line for line in activity.splitlines() if line.startswith("| ")]
    listed = {code for row in rows for code in re.findall("`([a-z]+_[a-z_]+)`", row)}
    assert listed == {code.value for code in Code}
    rows = [line.split("|")[1] for line in undo.splitlines() if line.startswith("| ")]
    conflicts = {code for row in rows for code in re.findall("`([a-z_]+)`", row)} - {"code"}
    assert conflicts == set(get_args(ConflictCode))
