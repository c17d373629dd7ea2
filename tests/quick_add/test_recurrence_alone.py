"""A text that says when something comes back, and nothing else."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from fast_zero.quick_add.meanings import Said
from fast_zero.quick_add.service import understand_recurrence

SAID = Said(datetime(2026, 6, 11, 12, tzinfo=UTC), ZoneInfo("America/Sao_Paulo"), "en")


@pytest.mark.parametrize(
    ("text", "rule", "counted_from"),
    [
        ("every 2nd Friday", "FREQ=MONTHLY;BYDAY=2FR", "due"),
        ("toda segunda e quinta", "FREQ=WEEKLY;BYDAY=MO,TH", "due"),
        ("todo dia, 10 vezes", "FREQ=DAILY;COUNT=10", "due"),
        ("every 3 days after completion", "FREQ=DAILY;INTERVAL=3", "completion"),
    ],
)
def test_it_is_understood(text, rule, counted_from):
    found = understand_recurrence(text, SAID)

    assert found is not None
    assert (found.rule, found.counted_from) == (rule, counted_from)


@pytest.mark.parametrize(
    "text",
    ["", "bread", "tomorrow", "every Friday bread", "every Friday at 9", "every day #x", "a" * 501],
)
def test_anything_more_or_else_is_not(text):
    assert understand_recurrence(text, SAID) is None
