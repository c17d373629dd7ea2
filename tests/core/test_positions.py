"""Positions: strictly between two others, and short."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fast_zero.core.positions import LONGEST, WIDTH, between, spread
from fast_zero.core.types import MAX_BIGINT

ids = st.integers(1, MAX_BIGINT) | st.integers(1, 40)
tails = st.text("0123456789abcdef", max_size=40) | st.text("0f8", max_size=6)


def of_id(id_: int) -> str:
    return f"{id_:0{WIDTH}x}"


@st.composite
def positions(draw) -> str:
    """Generate the position of a row that was moved, or was not."""
    head = of_id(draw(ids) - draw(st.integers(0, 1)))
    tail = draw(tails).rstrip("0")
    return head + tail if tail or head != "0" * WIDTH else of_id(1)


@st.composite
def gaps(draw) -> tuple[str | None, str | None]:
    """Generate two places, in order, each of which may be an end of the list."""
    first, last = sorted(draw(st.lists(positions(), min_size=2, max_size=2, unique=True)))
    return draw(st.sampled_from([first, None])), draw(st.sampled_from([last, None]))


@st.composite
def narrow_gaps(draw) -> tuple[str, str]:
    """Generate two positions that differ in their last digits alone."""
    first = draw(positions())
    return first, between(first, between(first, None))


def check_valid(position: str) -> None:
    """Check that it is the position of a row that was moved, and of no id."""
    assert len(position) > WIDTH
    assert not position.endswith("0")
    assert set(position) <= set("0123456789abcdef")


@given(gaps() | narrow_gaps())
def test_a_position_is_between_two_others(gap):
    before, after = gap
    position = between(before, after)

    check_valid(position)
    assert before is None or before.encode() < position.encode()
    assert after is None or position.encode() < after.encode()


@given(gaps())
def test_a_position_at_the_end_is_before_rows_that_are_created_later(gap):
    before, _ = gap
    newest = int((before or of_id(0))[:WIDTH], 16)

    assert between(before, None) < of_id(newest + 1)


@given(
    gaps() | narrow_gaps(),
    st.integers(0, 120),
    st.lists(st.integers(0, 119), max_size=10),
)
def test_positions_are_spread_in_order_and_avoid_those_that_are_taken(gap, count, places):
    before, after = gap
    taken = {spread(before, after, count)[place] for place in places if place < count}
    found = spread(before, after, count, taken)

    assert len(found) == count
    assert taken.isdisjoint(found)
    for position in found:
        check_valid(position)
    bounded = [*([before] if before else []), *found, *([after] if after else [])]
    assert all(one.encode() < other.encode() for one, other in pairwise(bounded))


def test_spread_positions_are_as_even_as_their_digits_allow():
    found = spread(of_id(7), of_id(8), 100)

    numbers = [int(position.ljust(30, "0"), 16) for position in found]
    distances = [other - one for one, other in pairwise(numbers)]
    assert max(distances) < 2 * min(distances)
    assert {len(position) for position in found} <= {WIDTH + 1, WIDTH + 2}


def test_a_position_beside_an_id_is_not_behind_what_follows():
    before, after = of_id(6) + "ff", of_id(7) + "01"

    assert before < between(before, after) < after


@pytest.mark.parametrize("first", [None, of_id(1), of_id(7), of_id(MAX_BIGINT - 1)])
@pytest.mark.parametrize("direction", ["append", "prepend"])
def test_a_thousand_moves_to_an_end_keep_positions_short(first, direction):
    row = first
    for _ in range(1000):
        moved = between(row, None) if direction == "append" else between(None, row)
        check_valid(moved)
        assert row is None or (row < moved if direction == "append" else moved < row)
        row = moved
        assert len(row) <= LONGEST // 2


@given(st.lists(st.booleans(), min_size=60, max_size=60))
def test_sixty_moves_between_the_same_rows_need_no_other_rows(sides):
    before, after = of_id(7), of_id(8)
    for side in sides:
        position = between(before, after)
        before, after = (position, after) if side else (before, position)
        assert len(position) < LONGEST
