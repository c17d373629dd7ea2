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


def codes_in_source() -> set[str]:
    """Collect the code of each `Reason(code, detail)` in the source."""
    return {
        ast.literal_eval(node.args[0])
        for path in ROOT.glob("fast_zero/**/*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "Reason"
        # The default code of a status comes from the table `CODES`.
        if not isinstance(node.args[0], ast.Subscript)
    }


def documented_codes() -> set[tuple[str, int]]:
    rows = ROW.findall(PAGE.read_text())
    return {(code, int(status)) for code, status in rows}


def example_codes(value: object) -> Iterator[tuple[str, int]]:
    """Return code and status of each example of a problem."""
    if isinstance(value, dict):
        if {"code", "status", "instance"} <= value.keys() and isinstance(value["code"], str):
            yield value["code"], value["status"]
        for child in value.values():
            yield from example_codes(child)
    elif isinstance(value, list):
        for child in value:
            yield from example_codes(child)


def test_the_page_of_errors_lists_exactly_the_existing_codes():
    assert len(codes_in_source()) >= 30
    assert {code for code, _ in documented_codes()} == codes_in_source() | set(CODES.values())
    assert {(code, status) for status, code in CODES.items()} <= documented_codes()


def test_messages_use_the_word_email():
    sentences = re.findall(r"^\| `[a-z_]+` \| \d{3} \| (.*?) \|", PAGE.read_text(), re.MULTILINE)
    other = re.compile(r"\b(e-mails?|letters?|mails?)\b", re.IGNORECASE)

    assert any("email" in sentence for sentence in sentences)
    assert [sentence for sentence in sentences if other.search(sentence)] == []


def test_the_page_of_errors_lists_each_example_with_its_status(app):
    examples = set(example_codes(app.openapi()))

    assert ("todo_not_found", 404) in examples
    assert examples <= documented_codes()


def test_the_openapi_document_names_each_code(app):
    document = json.dumps(app.openapi())

    assert {code for code, _ in documented_codes() if f'"{code}"' not in document} == set()
