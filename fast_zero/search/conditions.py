"""Filters as conditions of a statement.

A filter has a shape, which the statement is made of, and values, which are its parameters: filters
that differ in their values alone share a statement. No condition is ever null, so that `not` is the
exact complement.

The condition of a shape is compiled once, and kept as SQL: its expressions would take much more
memory, and half a millisecond in each statement.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    FromClause,
    Integer,
    Text,
    TextClause,
    and_,
    any_,
    bindparam,
    cast,
    column,
    exists,
    extract,
    func,
    literal_column,
    not_,
    or_,
    select,
    table,
    text,
    true,
)

from fast_zero.core.database.prepared import DIALECT
from fast_zero.core.folding import folded
from fast_zero.filter_language import syntax
from fast_zero.filter_language.parsing import parse
from fast_zero.filter_language.vocabulary import BEHIND, PRIORITIES, Field
from fast_zero.projects.queries import projects, sections
from fast_zero.search.expressions import NOT_FOUND, unaccented
from fast_zero.todos.expressions import (
    DONE,
    NO,
    NONE,
    RECURS,
    STATE,
    USER_ID,
    due_in_own_zone,
    is_blocked,
    is_open,
    is_overdue,
    labels,
    own_time_zone,
    today,
    todo_labels,
    todos,
)

Shape = tuple[Any, ...]
"""The name of a function of `CONDITIONS`, and its arguments."""

SHAPES = 512
"""How many filters are remembered, and how many shapes."""

PREFIX = "value_"
"""The names of parameters begin with it, until they are in a statement."""

PLACEHOLDER = re.compile(r"%\((\w+)\)s")

RANKS = list(dict.fromkeys(PRIORITIES.values()))
COMPARED: dict[syntax.Operator, Callable[[Any, Any], Any]] = {
    "=": lambda left, right: left == right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


class Shaped(NamedTuple):
    """The shape of a filter in a statement, where its parameters have a prefix of their own."""

    shape: Shape
    prefix: str


@lru_cache(SHAPES)
def shaped(filter_: str, prefix: str) -> tuple[Shaped, Mapping[str, Any]]:
    """Return the shape of a filter, and its values by the names of parameters."""
    values: list[object] = []

    def parameter(value: object) -> str:
        values.append(value)
        return f"{PREFIX}{len(values) - 1}"

    shape = shape_of(parse(filter_), parameter)
    named = {f"{prefix}_{number}": value for number, value in enumerate(values)}
    return Shaped(shape, prefix), named


COMPUTED = "computed"
computed = table(
    COMPUTED, column("title", Text), column("description", Text), column("blocked", Boolean)
)
COMPUTED_ONCE = (
    select(
        unaccented(todos.c.title).label("title"),
        unaccented(todos.c.description).label("description"),
        is_blocked().label("blocked"),
    )
    # With OFFSET, once for each todo, and not for each condition. PostgreSQL leaves out what no
    # condition uses.
    .offset(NONE)
    .correlate(todos)
    .lateral(COMPUTED)
)


def source(shapes: Iterable[Shaped]) -> FromClause:
    """Return todos, with what the conditions of these shapes compute once."""
    if any(f"{COMPUTED}." in sql_of(each.shape) for each in shapes):
        return todos.join(COMPUTED_ONCE, true())
    return todos


def condition(of: Shaped) -> TextClause:
    """Return the condition of a filter. Its values are bound at execution."""
    return text(sql_of(of.shape).replace(f":{PREFIX}", f":{of.prefix}_"))


@lru_cache(SHAPES)
def sql_of(shape: Shape) -> str:
    """Return the condition of a shape as SQL, in brackets and with colons before parameters."""
    found = select(todos.c.id).where(whole(shape)).compile(dialect=DIALECT)
    _, _, compiled = str(found).partition("WHERE ")
    # With a space, since what follows may be the colons of a cast.
    sql = PLACEHOLDER.sub(r":\1 ", compiled).replace("%%", "%")
    return f"({sql})"


Parameter = Callable[[object], str]


def shape_of(part: syntax.Filter, parameter: Parameter) -> Shape:
    match part:
        case syntax.And(parts):
            return ("and", *(shape_of(each, parameter) for each in parts))
        case syntax.Or(parts):
            return ("or", *(shape_of(each, parameter) for each in parts))
        case syntax.Not(of):
            return ("not", shape_of(of, parameter))
        case syntax.Text(content):
            return ("text", parameter(content))
    return shape_of_condition(part, parameter)


def shape_of_condition(condition: syntax.Condition, parameter: Parameter) -> Shape:
    field, values = condition.field, condition.values
    match field:
        case Field.IS:
            return any_of(("is", flag) for flag in values)
        case Field.STATE:
            return ("state", parameter(list(values)))
        case Field.PRIORITY:
            compare = COMPARED[condition.operator]
            ranks = [RANKS.index(str(value)) for value in values]
            found = [
                name for at, name in enumerate(RANKS) if any(compare(at, rank) for rank in ranks)
            ]
            return ("priority", parameter(found))
        case Field.PROJECT | Field.SECTION | Field.LABEL:
            names = [name for name in values if name is not None]
            named: list[Shape] = [("named", field.value, parameter(names))] if names else []
            return any_of([*named, *(("none", field.value) for each in values if each is None)])
    return any_of(shape_of_day(field, condition.operator, value, parameter) for value in values)


def shape_of_day(
    field: Field, operator: syntax.Operator, value: syntax.Value, parameter: Parameter
) -> Shape:
    match value:
        case syntax.Offset(days):
            return ("day", field.value, operator, "offset", parameter(days))
        case syntax.Weekday(number):
            kind = "last" if field in BEHIND else "next"
            return ("day", field.value, operator, kind, parameter(number))
        case date():
            return ("day", field.value, operator, "date", parameter(value))
    return ("none", field.value)


def any_of(shapes: Iterable[Shape]) -> Shape:
    found = list(shapes)
    return found[0] if len(found) == 1 else ("or", *found)


def whole(shape: Shape) -> ColumnElement[bool]:
    """Return the condition of a filter. What all todos have to have can be looked up first."""
    name, *arguments = shape
    if name == "and":
        return and_(*map(whole, arguments))
    if arguments[:1] == [Field.LABEL.value] and name == "named":
        return todos.c.id == labelled(arguments[1])
    return expression(shape)


def expression(shape: Shape) -> ColumnElement[bool]:
    name, *arguments = shape
    return CONDITIONS[name](*arguments)


def contains(parameter: str) -> ColumnElement[bool]:
    # As a subquery, the text is converted only once.
    content = select(unaccented(bindparam(parameter, type_=Text))).scalar_subquery()
    fields = (computed.c.title, computed.c.description)
    return or_(*(func.strpos(field, content) > NOT_FOUND for field in fields))


def texts(parameter: str) -> ColumnElement[Any]:
    return cast(bindparam(parameter), ARRAY(Text))


def has_state(parameter: str) -> ColumnElement[bool]:
    return any_(texts(parameter)) == STATE


def has_priority(parameter: str) -> ColumnElement[bool]:
    return cast(todos.c.priority, Text) == any_(texts(parameter))


def ids_of(field: str, parameter: str) -> ColumnElement[Any]:
    """Return the ids of what has one of these names.

    As an array, so that they are looked up once, and not for each todo.
    """
    table, key = NAMES[field]
    wanted = func.unnest(texts(parameter)).column_valued("wanted")
    found = select(table.c.id).where(table.c.owner_id == USER_ID, key.in_(select(folded(wanted))))
    return any_(func.array(found.scalar_subquery(), type_=ARRAY(BigInteger)))


NAMES = {
    Field.PROJECT.value: (projects, folded(projects.c.name)),
    Field.SECTION.value: (sections, folded(sections.c.name)),
    Field.LABEL.value: (labels, labels.c.name_key),
}
PLACES = {
    Field.PROJECT.value: todos.c.project_id,
    Field.SECTION.value: todos.c.section_id,
}


def has_name(field: str, parameter: str) -> ColumnElement[bool]:
    ids = ids_of(field, parameter)
    if field in PLACES:
        return func.coalesce(PLACES[field] == ids, NO)
    return carries(todo_labels.c.label_id == ids)


def carries(*of_label: ColumnElement[bool]) -> ColumnElement[bool]:
    of_todo = (todo_labels.c.owner_id == USER_ID, todo_labels.c.todo_id == todos.c.id)
    return exists().where(*of_todo, *of_label).correlate(todos)


def labelled(parameter: str) -> ColumnElement[Any]:
    """Return the ids of the todos that carry one of these labels.

    As an array, with which an index returns todos in the order of ids: a page reads few of them.
    """
    is_label = todo_labels.c.label_id == ids_of(Field.LABEL.value, parameter)
    found = select(todo_labels.c.todo_id).where(todo_labels.c.owner_id == USER_ID, is_label)
    return any_(func.array(found.scalar_subquery(), type_=ARRAY(BigInteger)))


def has_no(field: str) -> ColumnElement[bool]:
    if field == Field.LABEL:
        return not_(carries())
    column = PLACES[field] if field in PLACES else DAYS[field]
    return column.is_(None)


def day_of_moment(moment: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(func.timezone(own_time_zone(), moment), Date)


DAYS: dict[str, ColumnElement[Any]] = {
    Field.DUE.value: cast(due_in_own_zone(), Date),
    Field.STARTS.value: todos.c.starts_on,
    Field.DEADLINE.value: todos.c.deadline_on,
    Field.CREATED.value: day_of_moment(todos.c.created_at),
    Field.UPDATED.value: day_of_moment(todos.c.updated_at),
    Field.COMPLETED.value: day_of_moment(todos.c.completed_at),
}


WEEK: ColumnElement[int] = literal_column("7", Integer)
DAY_OF_WEEK = cast(extract("isodow", today()), Integer)


def compare_day(
    field: str, operator: syntax.Operator, kind: str, parameter: str
) -> ColumnElement[bool]:
    number: ColumnElement[Any] = cast(bindparam(parameter, type_=Integer), Integer)
    match kind:
        case "offset":
            bound = today() + number
        case "next":
            bound = today() + (number - DAY_OF_WEEK + WEEK) % WEEK
        case "last":
            bound = today() - (DAY_OF_WEEK - number + WEEK) % WEEK
        case _:
            bound = bindparam(parameter, type_=Date)
    # As a subquery, it is computed once, and not for each todo.
    once = select(cast(bound, Date)).scalar_subquery()
    return func.coalesce(COMPARED[operator](DAYS[field], once), NO)


def has_flag(flag: str) -> ColumnElement[bool]:
    return FLAGS[flag]()


FLAGS: dict[str, Callable[[], ColumnElement[bool]]] = {
    "open": lambda: is_open(todos),
    "done": lambda: STATE == DONE,
    "overdue": is_overdue,
    "blocked": lambda: computed.c.blocked,
    "recurring": lambda: RECURS,
    "subtask": lambda: todos.c.parent_id.is_not(None),
}
CONDITIONS: dict[str, Callable[..., ColumnElement[bool]]] = {
    "and": lambda *parts: and_(*map(expression, parts)),
    "or": lambda *parts: or_(*map(expression, parts)),
    "not": lambda part: not_(expression(part)),
    "text": contains,
    "state": has_state,
    "priority": has_priority,
    "named": has_name,
    "none": has_no,
    "day": compare_day,
    "is": has_flag,
}
