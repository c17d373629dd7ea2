"""What a recurrence says in words is understood as the same recurrence."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fast_zero.quick_add.meanings import Said
from fast_zero.quick_add.parsing import parse as understand
from fast_zero.quick_add.tags import Known
from fast_zero.recurrence import expansion, wording
from fast_zero.recurrence.rules import WEEKDAYS, Rule, parse
from tests.recurrence.recurring import rules

ZONE = ZoneInfo("America/Sao_Paulo")
NOW = datetime(2026, 11, 29, 10, tzinfo=ZONE)
TODAY = NOW.date()
TITLES = {"en": "Water plants", "pt-BR": "Regar plantas"}
PLACES = [1, 2, 3, 4, 5, -1]
languages = st.sampled_from(["en", "pt-BR"])
months = st.lists(st.integers(1, 12), min_size=1, max_size=3, unique=True)


def listed(values: st.SearchStrategy, size: int) -> st.SearchStrategy[str]:
    return st.lists(values.map(str), min_size=1, max_size=size, unique=True).map(",".join)


def month_days() -> st.SearchStrategy[str]:
    numbers = listed(st.integers(1, 31) | st.just(-1), 4).map("BYMONTHDAY={}".format)
    ordinals = listed(
        st.builds("{}{}".format, st.sampled_from(PLACES), st.sampled_from(WEEKDAYS)), 3
    )
    weekdays = ordinals.map("BYDAY={}".format)
    business = listed(st.sampled_from(PLACES), 2).map("BYDAY=MO,TU,WE,TH,FR;BYSETPOS={}".format)
    return numbers | weekdays | business


@st.composite
def natural_rules(draw) -> Rule:
    """Generate a rule as people have them."""
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = [f"FREQ={frequency}", f"INTERVAL={draw(st.integers(1, 4) | st.integers(1, 999))}"]
    if frequency == "WEEKLY" and draw(st.booleans()):
        parts.append(f"BYDAY={draw(listed(st.sampled_from(WEEKDAYS), 7))}")
    if frequency in {"MONTHLY", "YEARLY"} and draw(st.booleans()):
        parts.append(draw(month_days()))
        if frequency == "YEARLY":
            parts.append(f"BYMONTH={','.join(map(str, draw(months)))}")
    ending = draw(st.sampled_from(["", "COUNT", "UNTIL"]))
    if ending == "COUNT":
        parts.append(f"COUNT={draw(st.integers(1, 9999))}")
    elif ending == "UNTIL":
        parts.append(f"UNTIL={draw(st.dates(TODAY, date(2199, 12, 31))):%Y%m%d}")
    return parse(";".join(parts))


def understood(text: str, language: str) -> tuple[str, str, bool]:
    parsed = understand(f"{TITLES[language]} {text}", Said(NOW, ZONE, language), Known())
    return parsed.title, str(parsed.decision.rule), parsed.decision.from_completion


def occurs(rule: Rule) -> bool:
    return next(expansion.days(rule, TODAY, TODAY), None) is not None


@given(natural_rules(), st.booleans(), languages)
def test_words_are_understood_as_the_same_rule(rule, from_completion, language):
    assume(occurs(rule))
    text = wording.text(rule, language, from_completion=from_completion)

    if text is not None:
        expected = (TITLES[language], str(rule), from_completion)
        assert understood(text, language) == expected


@given(rules(), st.booleans(), languages)
def test_words_of_any_rule_are_understood_as_the_same_rule(rule, from_completion, language):
    text = wording.text(rule, language, from_completion=from_completion)

    if text is not None and occurs(rule):
        assert understood(text, language)[1:] == (str(rule), from_completion)


def test_most_rules_that_people_have_have_words():
    found: list[str | None] = []

    @given(natural_rules(), languages)
    def collect(rule, language):
        found.append(wording.text(rule, language, from_completion=False))

    collect()
    assert len(found) >= 50
    assert sum(text is not None for text in found) >= len(found) * 0.9


@pytest.mark.parametrize("language", ["en", "pt-BR"])
@pytest.mark.parametrize("day", range(1, 32))
def test_each_day_of_a_month_has_words(language, day):
    rule = parse(f"FREQ=MONTHLY;BYMONTHDAY={day}")
    text = wording.text(rule, language, from_completion=False)
    assert understood(text, language) == (TITLES[language], str(rule), False)
