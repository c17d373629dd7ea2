"""Positions in lists that users order: strings that sort, with room between any two.

A row that was never moved has the position of its id: sixteen hexadecimal digits. So a new row is
the last one of its list, and its position needs no statement. A moved row has more digits, and
never the position of an id. All digits are a fraction, compared as text with COLLATE "C".
"""

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Text, func, literal_column

WIDTH = 16
"""The digits of an id, which is a `bigint`."""

LONGEST = 48
"""Positions that would be longer are rebalanced."""

POSITION = "coalesce(position, lpad(to_hex(id), 16, '0'))"
"""The position of a row, for indexes. `position` is null until the row is moved."""

# At an end of a list, rows are placed at a distance that leaves room for a million more before the
# next id. Halving what is left would add a digit for every four rows.
END_WIDTH = 24
END_STEP = 1 << 12


def ordered_text() -> Text:
    return Text(collation="C")


def position_of(position: ColumnElement[str | None], id_: ColumnElement[int]) -> ColumnElement[str]:
    """Return the position of a row, for statements. Written as in the index."""
    width: ColumnElement[int] = literal_column(str(WIDTH))
    zero: ColumnElement[str] = literal_column("'0'")
    return func.coalesce(position, func.lpad(func.to_hex(id_), width, zero), type_=Text())


def between(before: str | None, after: str | None) -> str:
    """Return a position between two others. None stands for the start or the end of the list.

    The end is not the end of the fraction: rows that are created later come behind it.
    """
    return spread(before, after, 1)[0]


def spread(
    before: str | None, after: str | None, count: int, taken: Collection[str] = ()
) -> Sequence[str]:
    """Return positions for `count` rows between two others, as short and as even as possible.

    None of them is in `taken`.
    """
    first, last = bounds(before, after, count)
    width = WIDTH + 1
    lower, upper = digits(first, width), digits(last, width)
    while upper - lower < 2 * (count + 1):
        width += 1
        lower, upper = digits(first, width), digits(last, width)
    numbers = [lower + (upper - lower) * place // (count + 1) for place in range(1, count + 1)]
    return [text_of(number, width, taken) for number in numbers]


def bounds(before: str | None, after: str | None, count: int) -> tuple[str, str]:
    """Return what the positions of `count` rows have to be between."""
    first = before or "0" * WIDTH
    last = after or f"{digits(first, WIDTH) + 1:0{WIDTH}x}"
    step = END_STEP * (count + 1)
    if before and after is None:
        last = min(last, f"{digits(before, END_WIDTH) + step:0{END_WIDTH}x}")
    if after and before is None:
        first = max(first, f"{max(digits(after, END_WIDTH) - step, 0):0{END_WIDTH}x}")
    return first, last


def digits(position: str, width: int) -> int:
    """Return the first digits of a position. The others are cut off, so the result is not more."""
    return int(position[:width].ljust(width, "0"), 16)


def text_of(number: int, width: int, taken: Collection[str]) -> str:
    """Write a position without zeros at the end, which would make two texts of one fraction.

    The next number is at least two more, so a number can be increased by less than two.
    """
    if number % 16 ** (width - WIDTH) == 0:  # the position of an id
        number += 1
    text = f"{number:0{width}x}"
    while shortened(text) in taken:
        text += "8"
    return shortened(text)


def shortened(text: str) -> str:
    return text[:WIDTH] + text[WIDTH:].rstrip("0")
