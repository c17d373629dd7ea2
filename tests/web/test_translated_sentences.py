"""Sentences of other rooms that the page shows: each has a translation, or a reason for none."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_zero.core import errors
from fast_zero.core.languages import KNOWN
from fast_zero.imports import jobs
from fast_zero.interchange.portable import checked
from fast_zero.recurrence import rules
from fast_zero.web.forms import CODES
from fast_zero.web.notices import FAULTS
from fast_zero.web.pages.accounts.data import ERRORS
from fast_zero.web.presentation.import_messages import translate
from fast_zero.web.texts import translations_of

ROOT = Path(__file__).parents[2]
OTHERS = [language for language in KNOWN if language != "en"]
REPORTING = (
    *sorted((ROOT / "fast_zero/interchange").glob("*.py")),
    ROOT / "fast_zero/imports/formats.py",
    ROOT / "fast_zero/imports/plans.py",
)
"""The modules that write reports of imports."""

VALUE = "7"
"""Stands for what is put into a sentence."""

NOT_REPORTED = {
    "Comment: 7": "is written into a description",
    "Comment (7): 7": "is written into a description",
    "Date: 7": "is written into a description",
    "Value error, ": "is removed from a sentence",
    "This 7 is no todo, and is left out.": "has one of four words, each of which is translated",
}

PAGE = "is a page about an error, by its status"
NOT_HERE = "no form of the page can be refused with it"
WITHOUT_TEXT = {
    **dict.fromkeys({*errors.CODES.values()} - CODES.keys() - FAULTS.keys(), PAGE),
    "batch_refused": NOT_HERE,
    "cursor_expired": NOT_HERE,
    "filter_invalid": "is a `FilterFault`",
    "import_not_found": PAGE,
    "insufficient_scope": NOT_HERE,
    "invalid_token": "leads to the log-in",
    "not_your_account": NOT_HERE,
    "otp_required": "leads to the form for the code",
    "personal_token_not_allowed": NOT_HERE,
    "request_in_progress": PAGE,
    "todo_cycle": NOT_HERE,
    "token_not_recoverable": PAGE,
    "too_many_to_duplicate": NOT_HERE,
    "username_or_email_taken": NOT_HERE,
}
"""Codes without a text of the page, and what becomes of them."""


def sentences(path: Path) -> Iterator[str]:
    """Yield the sentences of a module, other than those that document it."""
    tree = ast.parse(path.read_text())
    passed = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    joined = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    passed |= {id(part) for node in joined for part in node.values}
    for node in ast.walk(tree):
        text = ""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        elif isinstance(node, ast.JoinedStr):
            values = [getattr(part, "value", VALUE) for part in node.values]
            text = "".join(value if isinstance(value, str) else VALUE for value in values)
        if id(node) not in passed and re.match(r"[A-Z]\S* \S|Value error", text):
            yield text


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_of_a_report_is_translated(language):
    gettext = translations_of(language).gettext
    found = {sentence for path in REPORTING for sentence in sentences(path)}

    assert len(found) > 80
    assert {text for text in found if not translate(text, gettext).is_translated} == {*NOT_REPORTED}
    for kind in ("event", "journal entry", "free or busy time", "component"):
        assert translate(f"This {kind} is no todo, and is left out.", gettext).is_translated


FIELDS = (
    "key",
    "title",
    "description",
    "state",
    "priority",
    "parent_key",
    "project",
    "section",
    "labels",
    "due_on",
    "due_at",
    "time_zone",
    "starts_on",
    "deadline_on",
    "duration_minutes",
    "recurrence_rule",
    "recurrence_from",
    "reminders",
    "completed_at",
    "created_at",
)
WORDS = ["", " ", "x", "a\nb", "\0", "\ud800", "a" * 300, "1.5", "-1", "9" * 30, "0001-01-01"]
WORDS += ["2026-13-45", "2026-12-04T12:00:00", "9999-12-31T23:59:59Z", "Europe/Nowhere", "FREQ=X"]
SIMPLE = st.sampled_from(WORDS) | st.none() | st.booleans() | st.integers() | st.text(max_size=8)
REMINDERS = st.fixed_dictionaries({}, optional={"minutes_before": SIMPLE, "at": SIMPLE})
VALUES = SIMPLE | st.lists(SIMPLE, max_size=60) | st.lists(REMINDERS, max_size=60)


@given(values=st.dictionaries(st.sampled_from(FIELDS), VALUES, min_size=1, max_size=3))
def test_whatever_is_wrong_with_a_value_is_said_in_each_language(values):
    found = checked({"line": 1, "key": "a", "title": "Bread", **values})
    wrong = found if isinstance(found, list) else []
    for language in OTHERS:
        for each in wrong:
            assert translate(each.message, translations_of(language).gettext).is_translated, each


PARTS = st.sampled_from([*rules.FIELDS, "X", ""])
RULE_VALUES = st.sampled_from(["", "0", "1", "-1", "99999", "MO", "2MO", "99MO", "DAILY", "WEEKLY"])
RULES = st.lists(st.builds("{}={}".format, PARTS, RULE_VALUES | st.text(max_size=5)), max_size=4)


@given(rule=RULES.map(";".join) | st.text(max_size=600))
def test_whatever_is_wrong_with_a_rule_is_said_in_each_language(rule):
    wrong = ""
    try:
        rules.parse(rule)
    except ValueError as error:
        wrong = str(error)
    for language in OTHERS:
        assert not wrong or translate(wrong, translations_of(language).gettext).is_translated, wrong


def test_why_an_import_failed_is_a_text_of_the_catalogue():
    assert {jobs.LATE, jobs.MISTAKES, jobs.UNREADABLE} == set(ERRORS)


def test_each_code_has_a_text_or_a_reason_for_none():
    rows = re.compile(r"^\| `([a-z_]+)` \| \d{3} \|", re.MULTILINE)
    documented = rows.findall((ROOT / "docs/errors.md").read_text())

    assert len(documented) > 80
    assert set(documented) - CODES.keys() - FAULTS.keys() == WITHOUT_TEXT.keys() & set(documented)
    assert not WITHOUT_TEXT.keys() & (CODES.keys() | FAULTS.keys())
