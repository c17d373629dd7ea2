"""Recurrence rules as text: what is accepted, what is refused, and the canonical text."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fast_zero.recurrence.rules import ByDay, Frequency, Rule, parse
from tests.recurrence.recurring import rules


@given(rules())
def test_the_canonical_text_of_a_rule_says_the_same(rule):
    assert parse(str(rule)) == rule
    assert str(parse(str(rule))) == str(rule)


def test_a_rule_has_all_that_its_text_says():
    days = "BYDAY=-1FR,MO;BYMONTHDAY=1,-1;BYMONTH=3;BYSETPOS=-2"
    rule = parse(f"FREQ=YEARLY;UNTIL=20301231;INTERVAL=2;{days};WKST=SU")

    assert rule == Rule(
        Frequency.YEARLY,
        until=date(2030, 12, 31),
        interval=2,
        by_day=frozenset({ByDay(-1, 4), ByDay(0, 0)}),
        by_month_day=(-1, 1),
        by_month=(3,),
        by_set_position=(-2,),
        week_start=6,
    )


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("FREQ=WEEKLY;BYDAY=MO,TH", "FREQ=WEEKLY;BYDAY=MO,TH"),
        ("rrule:freq=weekly;byday=th,mo,th", "FREQ=WEEKLY;BYDAY=MO,TH"),
        ("RRULE:COUNT=010;FREQ=DAILY", "FREQ=DAILY;COUNT=10"),
        ("FREQ=DAILY;INTERVAL=1;WKST=MO", "FREQ=DAILY"),
        ("FREQ=MONTHLY;BYDAY=TU,+2MO,-1MO", "FREQ=MONTHLY;BYDAY=-1MO,TU,2MO"),
        ("FREQ=MONTHLY;BYSETPOS=-1;BYMONTHDAY=+1,-3", "FREQ=MONTHLY;BYMONTHDAY=-3,1;BYSETPOS=-1"),
        ("FREQ=YEARLY;BYMONTH=12,3;INTERVAL=999", "FREQ=YEARLY;INTERVAL=999;BYMONTH=3,12"),
        ("FREQ=DAILY;UNTIL=20301231t000000z", "FREQ=DAILY;UNTIL=20301231T000000Z"),
    ],
)
def test_a_rule_has_one_canonical_text(text, canonical):
    assert str(parse(text)) == canonical


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("20301231", date(2030, 12, 31)),
        ("20301231T235959Z", datetime(2030, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_until_is_a_day_or_a_moment_in_utc(text, until):
    assert parse(f"FREQ=DAILY;UNTIL={text}").until == until


FORM = "A recurrence rule is written NAME=VALUE;NAME=VALUE, such as FREQ=WEEKLY;BYDAY=MO,TH."
SPACES = "A recurrence rule has neither spaces nor characters outside of ASCII."
UNTIL = "UNTIL is a day, such as 20261231, or a moment in UTC, such as 20261231T235959Z."
NUMBERED = "The number in BYDAY has to be from 1 to 53 or from -53 to -1."
ONLY_IN_MONTHS = "BYDAY has numbers, such as 2MO, only with FREQ=MONTHLY and with FREQ=YEARLY."
PLACES = "BYSETPOS has to be from 1 to 366 or from -366 to -1."
WEEKDAYS = "MO, TU, WE, TH, FR, SA, SU"
PARTS = "FREQ, UNTIL, COUNT, INTERVAL, BYDAY, BYMONTHDAY, BYMONTH, BYSETPOS, WKST"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", FORM),
        ("RRULE:", FORM),
        ("FREQ", FORM),
        ("FREQ=DAILY;", FORM),
        ("FREQ=DAILY\n", SPACES),
        ("FREQ=DAILY; COUNT=1", SPACES),
        ("FREQ=WEE\N{KELVIN SIGN}LY", SPACES),
        ("FREQ=DAILY;COUNT=\N{ARABIC-INDIC DIGIT ONE}", SPACES),
        ("COUNT=1", "FREQ is missing."),
        ("FREQ=", "FREQ has no value."),
        ("FREQ=DAILY;BYDAY=", "BYDAY has no value."),
        ("FREQ=DAILY;COUNT=2;COUNT=2", "COUNT is given more than once."),
        ("FREQ=DAILY;BYHOUR=9", f"BYHOUR is not supported; {PARTS} are."),
        ("FREQ=YEARLY;byweekno=9", f"BYWEEKNO is not supported; {PARTS} are."),
        ("FREQ=YEARLY;X-NAME=9", f"X-NAME is not supported; {PARTS} are."),
        ("FREQ=HOURLY", "FREQ is one of DAILY, WEEKLY, MONTHLY, YEARLY."),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL has to be from 1 to 999."),
        ("FREQ=DAILY;INTERVAL=1000", "INTERVAL has to be from 1 to 999."),
        ("FREQ=DAILY;INTERVAL=+1", "INTERVAL has to be from 1 to 999."),
        ("FREQ=DAILY;INTERVAL=1_0", "INTERVAL has to be from 1 to 999."),
        ("FREQ=DAILY;COUNT=0", "COUNT has to be from 1 to 9999."),
        ("FREQ=DAILY;COUNT=10000", "COUNT has to be from 1 to 9999."),
        ("FREQ=DAILY;COUNT=-1", "COUNT has to be from 1 to 9999."),
        ("FREQ=DAILY;COUNT=1;UNTIL=20300101", "COUNT and UNTIL cannot be used together."),
        ("FREQ=DAILY;UNTIL=2030-01-01", UNTIL),
        ("FREQ=DAILY;UNTIL=20300230", UNTIL),
        ("FREQ=DAILY;UNTIL=20300101T000000", UNTIL),
        ("FREQ=DAILY;UNTIL=20300101T240000Z", UNTIL),
        ("FREQ=DAILY;UNTIL=18991231", "UNTIL is between 1900-01-01 and 9999-12-29."),
        ("FREQ=DAILY;UNTIL=99991230T000000Z", "UNTIL is between 1900-01-01 and 9999-12-29."),
        ("FREQ=WEEKLY;BYDAY=MO,", f"BYDAY has {WEEKDAYS}, with commas between."),
        ("FREQ=WEEKLY;BYDAY=1", f"BYDAY has {WEEKDAYS}, with commas between."),
        ("FREQ=MONTHLY;BYDAY=0MO", NUMBERED),
        ("FREQ=MONTHLY;BYDAY=54MO", NUMBERED),
        ("FREQ=MONTHLY;BYDAY=-54MO", NUMBERED),
        ("FREQ=MONTHLY;BYDAY=--1MO", NUMBERED),
        ("FREQ=WEEKLY;BYDAY=TU,1MO", ONLY_IN_MONTHS),
        ("FREQ=DAILY;BYDAY=-1MO", ONLY_IN_MONTHS),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY cannot be used with FREQ=WEEKLY."),
        ("FREQ=DAILY;BYMONTHDAY=0", "BYMONTHDAY has to be from 1 to 31 or from -31 to -1."),
        ("FREQ=DAILY;BYMONTHDAY=32", "BYMONTHDAY has to be from 1 to 31 or from -31 to -1."),
        ("FREQ=DAILY;BYMONTHDAY=1,,2", "BYMONTHDAY has to be from 1 to 31 or from -31 to -1."),
        ("FREQ=DAILY;BYMONTH=0", "BYMONTH has to be from 1 to 12."),
        ("FREQ=DAILY;BYMONTH=1,13", "BYMONTH has to be from 1 to 12."),
        ("FREQ=DAILY;BYMONTH=-1", "BYMONTH has to be from 1 to 12."),
        (
            "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=0",
            "BYSETPOS has to be from 1 to 366 or from -366 to -1.",
        ),
        (
            "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=367",
            "BYSETPOS has to be from 1 to 366 or from -366 to -1.",
        ),
        ("FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS requires BYDAY, BYMONTHDAY or BYMONTH."),
        ("FREQ=WEEKLY;WKST=1", f"WKST is one of {WEEKDAYS}."),
        (f"FREQ=DAILY;COUNT={1:0500}", "A recurrence rule has at most 500 characters."),
    ],
)
def test_a_rule_that_is_wrong_is_refused_with_a_sentence(text, sentence):
    with pytest.raises(ValueError) as refused:
        parse(text)

    assert str(refused.value) == sentence


def test_a_rule_of_five_hundred_characters_is_accepted():
    text = "FREQ=DAILY;BYMONTH="

    assert parse(text + f"{1:0{500 - len(text)}}").by_month == (1,)


names = st.sampled_from([*PARTS.split(", "), "RRULE:FREQ", "BYHOUR", ""])
known_values = st.sampled_from(["DAILY", "MONTHLY", "1", "-1", "MO", "2MO", "20300101"])


@given(st.lists(st.tuples(names, known_values | st.text(max_size=9))))
@example([("FREQ", "DAILY"), ("UNTIL", "00000101")])
@example([("FREQ", "DAILY"), ("UNTIL", "00010101T000000Z")])
def test_any_text_is_a_rule_or_is_refused_with_a_sentence(parts):
    result = canonical_or_sentence(";".join(f"{name}={value}" for name, value in parts))

    assert result.endswith(".") or str(parse(result)) == result


def canonical_or_sentence(text: str) -> str:
    try:
        return str(parse(text))
    except ValueError as refused:
        return str(refused)
