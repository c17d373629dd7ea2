"""Error codes in the source, in the OpenAPI document and in the documentation."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

from fast_zero.core.errors import CODES

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/errors.md"
ROW = re.compile(r"^\| `([a-z_]+)` \| (\d{3}) \|", re.MULTILINE)


def reasons() -> set[str]:
    """Collect the code of each `Reason(code, detail)` in the source."""
    return {
        ast.literal_eval(node.args[0])
        for path in ROOT.glob("fast_zero/**/*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "Reason"
        # An error takes its status's own code from the table.
        if not isinstance(node.args[0], ast.Subscript)
    }


def documented() -> set[tuple[str, int]]:
    rows = ROW.findall(PAGE.read_text())
    return {(code, int(status)) for code, status in rows}


def shown(value: object) -> Iterator[tuple[str, int]]:
    """Return code and status of each example of a problem."""
    if isinstance(value, dict):
        if {"code", "status", "instance"} <= value.keys() and isinstance(value["code"], str):
            yield value["code"], value["status"]
        for below in value.values():
            yield from shown(below)
    elif isinstance(value, list):
        for below in value:
            yield from shown(below)


def test_the_page_of_errors_lists_each_code_and_nothing_else():
    assert len(reasons()) >= 30
    assert {code for code, _ in documented()} == reasons() | set(CODES.values())
    assert {(code, status) for status, code in CODES.items()} <= documented()


def test_messages_call_an_email_email():
    sentences = re.findall(r"^\| `[a-z_]+` \| \d{3} \| (.*?) \|", PAGE.read_text(), re.MULTILINE)
    other = re.compile(r"\b(e-mails?|letters?|mails?)\b", re.IGNORECASE)

    assert any("email" in sentence for sentence in sentences)
    assert [sentence for sentence in sentences if other.search(sentence)] == []


def test_the_page_of_errors_lists_each_example_with_its_status(app):
    examples = set(shown(app.openapi()))

    assert ("todo_not_found", 404) in examples
    assert examples <= documented()


def test_the_document_names_each_code(app):
    document = json.dumps(app.openapi())

    assert {code for code, _ in documented() if f'"{code}"' not in document} == set()
