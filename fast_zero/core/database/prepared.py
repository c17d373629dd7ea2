"""Statements that are compiled once, for the few that most requests send.

A session costs more than the statement itself: it checks out its connection in a greenlet, begins
and commits a transaction, and creates a context, a cursor and a result. A prepared statement can be
sent directly on a connection of the pool, in one round trip: see `Session.fetch_all`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, BindParameter, Executable, UpdateBase, make_url
from sqlalchemy.sql import visitors
from sqlalchemy.sql.selectable import ExecutableReturnsRows
from sqlalchemy.types import TypeEngine

# Not the dialect of an engine, which has loaded its driver and would wrap bytes. psycopg takes them
# unchanged.
DIALECT = make_url("postgresql+psycopg_async://").get_dialect()()


@dataclass(frozen=True, eq=False)
class Prepared:
    """A statement, and its SQL for psycopg, with a `%(name)s` placeholder for each value."""

    statement: Executable
    text: str
    query: bytes
    computed: Mapping[str, Callable[[], Any]]  # values that are computed at execution

    def complete(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        if not self.computed:
            return values
        return {**values, **{name: compute() for name, compute in self.computed.items()}}


def prepare(statement: ExecutableReturnsRows) -> Prepared:
    """Compile a statement that returns rows and whose values are all bound at execution.

    Only types whose values psycopg passes unchanged are allowed, so that the result is the same
    whether SQLAlchemy or psycopg sends the statement. Raises TypeError for any other statement.
    """
    refuse_entities(statement)
    refuse_converted_columns(statement)
    compiled = statement.compile(dialect=DIALECT)
    parameters = {
        element.key: element
        for element in visitors.iterate(statement)
        if isinstance(element, BindParameter)
    }
    computed = {name: given.callable for name, given in parameters.items() if given.callable}
    for name, value in compiled.params.items():
        parameter = parameters.get(name)
        if parameter is None or (value is not None and name not in computed):
            message = f"{name} has a value already; give it with a bindparam"
            raise TypeError(message)
        if parameter.expanding:
            message = f"{name} is a list within the text; cast a bindparam to an ARRAY"
            raise TypeError(message)
        if not takes_plain_values(parameter.type):
            message = f"SQLAlchemy converts the values of {name}: {parameter.type!r}"
            raise TypeError(message)
    text = str(compiled)
    return Prepared(statement, text, text.encode(), computed)


def refuse_entities(statement: ExecutableReturnsRows) -> None:
    described: list[dict[str, Any]] = getattr(statement, "column_descriptions", [])
    if isinstance(statement, UpdateBase):
        if writes_entity(statement):
            message = "it writes a mapped class; write its __table__, and name its columns alone"
            raise TypeError(message)
        described = [dict(column) for column in statement.returning_column_descriptions]
    for column in described:
        if isinstance(column.get("expr"), type):
            message = f"it selects the mapped class {column['name']}; take its __table__.c"
            raise TypeError(message)


def writes_entity(statement: UpdateBase) -> bool:
    try:
        return "entity" in statement.entity_description
    except KeyError:  # a table, with a condition on attributes of a mapped class
        return True


def refuse_converted_columns(statement: ExecutableReturnsRows) -> None:
    for name, column in statement.exported_columns.items():
        if not gives_plain_values(column.type):
            message = f"SQLAlchemy converts the values of {name}: {column.type!r}; use type_coerce"
            raise TypeError(message)


def takes_plain_values(kind: TypeEngine[Any]) -> bool:
    """Return whether psycopg takes the values of a type, or a list of them, unchanged."""
    item = kind.item_type if isinstance(kind, ARRAY) else kind
    return item.dialect_impl(DIALECT).bind_processor(DIALECT) is None


def gives_plain_values(kind: TypeEngine[Any]) -> bool:
    return kind.dialect_impl(DIALECT).result_processor(DIALECT, None) is None
