from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fast_zero.interchange.keys import OwnKey, parse_key

moments = st.datetimes(
    datetime(2000, 1, 1),  # noqa: DTZ001  # hypothesis wants them without a time zone
    timezones=st.just(UTC),
)


@settings(deadline=None)
@given(st.integers(1, 10**18 - 1), moments)
def test_a_key_says_which_todo_it_is(todo_id, created_at):
    key = OwnKey(todo_id, created_at)

    assert parse_key(str(key)) == key


@pytest.mark.parametrize(
    "key",
    [
        "",
        "7",
        "fast-zero-7",
        "fast-zero-0-1",
        "fast-zero-7-1x",
        "FAST-ZERO-7-1",
        "fast-zero-\u0667-1",
    ],
)
def test_other_keys_are_none_of_ours(key):
    assert parse_key(key) is None


@settings(deadline=None)
@given(st.text() | st.from_regex("fast-zero-[0-9]{1,30}-[0-9]{1,30}", fullmatch=True))
def test_any_text_may_be_a_key(text):
    found = parse_key(text)

    assert found is None or str(found) == text
