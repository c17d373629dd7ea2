"""The page about filters."""

import re
from pathlib import Path

import pytest

from fast_zero.filter_language import vocabulary
from fast_zero.filter_language.parsing import parse

PAGE = (Path(__file__).parents[2] / "docs/filters.md").read_text()
EXAMPLES = re.findall(r"^\| `([^`]+)` \|", PAGE.split("## Conditions")[0], re.MULTILINE)


@pytest.mark.parametrize("text", EXAMPLES)
def test_each_example_is_a_filter(text):
    assert parse(str(parse(text))) == parse(text)


def test_the_page_names_each_field_and_value():
    assert len(EXAMPLES) >= 7
    prose = re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)
    named = set(re.findall(r"`([^`]+)`", prose))
    for table in (
        vocabulary.FIELDS,
        vocabulary.STATES,
        vocabulary.PRIORITIES,
        vocabulary.FLAGS,
        vocabulary.NEAR,
    ):
        assert set(table.values()) <= named
