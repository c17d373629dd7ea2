"""Random filters, as the parser returns them."""

from datetime import date

from hypothesis import strategies as st

from fast_zero.filter_language.syntax import And, Condition, Not, Offset, Or, Text, Weekday
from fast_zero.filter_language.syntax import join as joined
from fast_zero.filter_language.vocabulary import AHEAD, BEHIND, NAMED, NEVER_NONE, Field

ORDERED = ["=", "<", "<=", ">", ">="]
STATES = ["draft", "todo", "doing", "done", "trash"]
PRIORITIES = ["none", "low", "medium", "high", "urgent"]
FLAGS = ["open", "done", "overdue", "blocked", "recurring", "subtask"]


def days(field: Field, near: int):
    """Return a strategy for days, mostly those around today. A past day is not written as ahead."""
    ahead = st.integers(-near, near if field in AHEAD else 1).map(Offset)
    return ahead | st.integers(1, 7).map(Weekday) | st.dates(date(2026, 11, 1), date(2027, 1, 31))


def some(values):
    return st.lists(values, min_size=1, max_size=3, unique=True).map(tuple)


def conditions_of(field: Field, names, near: int):
    if field in NAMED:
        return st.builds(Condition, st.just(field), st.just("="), some(names | st.none()))
    if field in AHEAD + BEHIND:
        values = days(field, near)
        lists = some(values if field in NEVER_NONE else values | st.none())
        return st.builds(Condition, st.just(field), st.just("="), lists) | st.builds(
            Condition, st.just(field), st.sampled_from(ORDERED), st.tuples(values)
        )
    known = {Field.STATE: STATES, Field.PRIORITY: PRIORITIES, Field.IS: FLAGS}[field]
    lists = st.builds(Condition, st.just(field), st.just("="), some(st.sampled_from(known)))
    if field != Field.PRIORITY:
        return lists
    one = st.tuples(st.sampled_from(known))
    return lists | st.builds(Condition, st.just(field), st.sampled_from(ORDERED), one)


def filters(texts, names, near: int = 9):
    """Return a strategy for filters with these texts and names."""
    leaves = st.one_of(*(conditions_of(field, names, near) for field in Field))
    leaves |= texts.map(Text)

    def larger(parts):
        lists = st.lists(parts, min_size=2, max_size=3)
        return (
            parts.map(Not)
            | lists.map(lambda found: joined(And, found))
            | lists.map(lambda found: joined(Or, found))
        )

    return st.recursive(leaves, larger, max_leaves=6)
