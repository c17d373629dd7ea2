"""The filters and sort keys of lists of todos."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    Integer,
    Text,
    any_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    not_,
    select,
)

from fast_zero.core.folding import folded
from fast_zero.core.sorting import SortKey
from fast_zero.search import full_text
from fast_zero.todos.expressions import (
    IS_CARRIED,
    POSITION,
    STATE,
    USER_ID,
    due_in_own_zone,
    is_overdue,
    labels,
    todo_labels,
    todos,
)

# Literals: the bound parameters of a prepared statement are given when it is executed.
DECOMPOSED: ColumnElement[str] = literal_column("NFD")
ACCENTS: ColumnElement[str] = literal_column(r"'[\u0300-\u036f]'")
EMPTY: ColumnElement[str] = literal_column("''")
GLOBAL: ColumnElement[str] = literal_column("'g'")
NOT_FOUND: ColumnElement[int] = literal_column("0")


def unaccented(text: ColumnElement[str]) -> ColumnElement[str]:
    """Remove case and accents, without a PostgreSQL extension.

    ASCII text has no accents; removing them all the same would cost five times as much.
    """
    lower = func.lower(text)
    bare = func.regexp_replace(
        func.normalize(lower, DECOMPOSED), ACCENTS, EMPTY, GLOBAL, type_=Text()
    )
    return case((func.octet_length(text) == func.char_length(text), lower), else_=bare)


def containing(name: str) -> ColumnElement[bool]:
    """Whether a column contains a text. As a subquery, the text is converted only once.

    With LIKE, the planner would expect few rows, and sort all rows of the owner first.
    """
    wanted = select(unaccented(bindparam(name, type_=Text))).scalar_subquery()
    return func.strpos(unaccented(todos.c[name]), wanted) > NOT_FOUND


def has_labels() -> ColumnElement[bool]:
    """Whether a todo has all labels whose names are in the parameter `label`."""
    name = func.unnest(bindparam("label", type_=ARRAY(Text))).column_valued("wanted")
    found = (
        select(func.count())
        .select_from(todo_labels.join(labels, IS_CARRIED))
        .where(
            todo_labels.c.owner_id == USER_ID,
            todo_labels.c.todo_id == todos.c.id,
            labels.c.name_key.in_(select(folded(name))),
        )
        .correlate(todos)
        .scalar_subquery()
    )
    return found == select(func.count(folded(name).distinct())).scalar_subquery()


def is_in(name: str) -> ColumnElement[bool]:
    return todos.c[name] == bindparam(name, type_=BigInteger)


FILTERS = {
    "after": todos.c.id > bindparam("after", type_=BigInteger),
    "state": bindparam("state", type_=Text) == STATE,
    "states": any_(cast(bindparam("states"), ARRAY(Text))) == STATE,
    "q": full_text.matches("q"),
    "title": containing("title"),
    "description": containing("description"),
    "project_id": is_in("project_id"),
    "section_id": is_in("section_id"),
    "parent_id": is_in("parent_id"),
    "no_project_id": todos.c.project_id.is_(None),
    "no_section_id": todos.c.section_id.is_(None),
    "no_parent_id": todos.c.parent_id.is_(None),
    "label": has_labels(),
    "priority": cast(todos.c.priority, Text) == any_(cast(bindparam("priority"), ARRAY(Text))),
    "due_before": due_in_own_zone() < bindparam("due_before", type_=Date),
    "due_after": cast(due_in_own_zone(), Date) > bindparam("due_after", type_=Date),
    "overdue": is_overdue(),
    "not_overdue": not_(is_overdue()),
}
SORT_KEYS = {
    "relevance": SortKey(full_text.relevance("q"), Integer()),
    "due": SortKey(due_in_own_zone(), DateTime()),
    "priority": SortKey(todos.c.priority, Text()),
    "position": SortKey(POSITION, Text()),
    "title": SortKey(unaccented(todos.c.title), Text()),
    "created_at": SortKey(todos.c.created_at, DateTime(timezone=True)),
    "completed_at": SortKey(todos.c.completed_at, DateTime(timezone=True)),
}
