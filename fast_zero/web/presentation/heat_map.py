"""The heat map of finished todos: a column for each week, a square for each day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

WEEKS = 18
STEP = 13  # of the squares in the drawing
DAYS = 7
FIRST_DAYS = {"monday": 0, "saturday": 5, "sunday": 6}
LEVELS = (1, 3, 6)
"""How many finished todos each shade begins with; below the first, a day is empty."""


@dataclass(frozen=True)
class Square:
    x: int
    y: int
    level: int
    day: date
    finished: int


@dataclass(frozen=True)
class HeatMap:
    """`weeks` has the first day of each week, and how many todos were finished in it."""

    squares: list[Square]
    weeks: list[tuple[date, int]]
    total: int
    width: int = WEEKS * STEP - 2
    height: int = DAYS * STEP - 2

    @property
    def first(self) -> date:
        return self.squares[0].day

    @property
    def last(self) -> date:
        return self.squares[-1].day


def level_of(finished: int) -> int:
    return sum(finished >= least for least in LEVELS)


def draw(finished: Mapping[date, int], today: date, week_starts_on: str) -> HeatMap:
    """Draw the last weeks. The last column ends today."""
    offset = (today.weekday() - FIRST_DAYS[week_starts_on]) % DAYS
    first = today - timedelta(days=offset + DAYS * (WEEKS - 1))
    days = [first + timedelta(days=number) for number in range((today - first).days + 1)]
    squares = [
        Square(
            x=number // DAYS * STEP,
            y=number % DAYS * STEP,
            level=level_of(finished.get(day, 0)),
            day=day,
            finished=finished.get(day, 0),
        )
        for number, day in enumerate(days)
    ]
    weeks = [
        (days[start], sum(square.finished for square in squares[start : start + DAYS]))
        for start in range(0, len(days), DAYS)
    ]
    return HeatMap(squares, weeks, sum(square.finished for square in squares))
