"""Statements that are built once and sent often, as the driver takes them.

Around each statement SQLAlchemy makes a context, a cursor and a result of its own, and changes to
a greenlet and back at each step: as much work as psycopg's. What it knows of a statement stays the
same from one time to the next, so it is asked once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import psycopg
from sqlalchemy import Dialect, Enum, Executable, Result, Row
from sqlalchemy.engine import IteratorResult
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.selectable import ExecutableReturnsRows
from sqlalchemy.types import TypeEngine

MOST_KEPT = 1024

Process = Callable[[Any], Any]


@dataclass
class Prepared:
    """The text of a statement, and what its types do to what goes in and what comes out."""

    compiled: SQLCompiler
    text: bytes
    given: list[tuple[str, Process]]
    kinds: dict[str, TypeEngine[Any]]
    """The columns that it gives, and their types."""
    columns: SimpleResultMetaData | None = None

    async def send(
        self, connection: psycopg.AsyncConnection[Any], values: Mapping[str, Any]
    ) -> Result[*tuple[Any, ...]]:
        bound = self.compiled.construct_params(values)
        for name, process in self.given:
            bound[name] = process(bound[name])
        cursor = await connection.execute(self.text, bound)
        if self.columns is None:
            self.columns = self.described(cursor.description or ())
        return IteratorResult(self.columns, iter(await cursor.fetchall()))

    def described(self, columns: Sequence[psycopg.Column]) -> SimpleResultMetaData:
        """Find what makes values out of the driver's, which some types tell by the database's."""
        dialect = self.compiled.dialect
        read: list[Any] = [  # SQLAlchemy asks for a protocol that no plain callable is known to be
            reading(kind, dialect, column.type_code)
            for kind, column in zip(self.kinds.values(), columns, strict=True)
        ]
        return SimpleResultMetaData(list(self.kinds), _processors=read)


def reading(kind: TypeEngine[Any], dialect: Dialect, oid: int) -> Process | None:
    if isinstance(kind, Enum) and kind.enum_class:
        # For each row SQLAlchemy's own takes two calls of Python, and this none.
        members = zip(kind.enums, kind.enum_class.__members__.values(), strict=True)
        by_name: dict[str | None, object] = {None: None, **dict(members)}
        return by_name.__getitem__
    return kind.dialect_impl(dialect).result_processor(dialect, oid)


def as_dicts(rows: Sequence[Row[*tuple[Any, ...]]]) -> list[dict[str, Any]]:
    """Give many rows by names, as pydantic reads them five times as fast as by attributes."""
    names = rows[0]._fields if rows else ()
    return [dict(zip(names, row, strict=True)) for row in rows]


@lru_cache(MOST_KEPT)
def prepare(statement: Executable, given: frozenset[str], dialect: Dialect) -> Prepared | None:
    """Compile a statement for values of these names.

    None for one that is more than a text with values: that gives no rows, has a list whose length
    is part of the text, or a default that Python makes.
    """
    if not isinstance(statement, ExecutableReturnsRows):
        return None
    compiled = statement.compile(dialect=dialect, column_keys=list(given))
    columns = statement.exported_columns
    if not isinstance(compiled, SQLCompiler) or not columns:
        return None
    if compiled.post_compile_params or compiled.prefetch:
        return None
    writing = {
        name: bind.type.dialect_impl(dialect).bind_processor(dialect)
        for bind, name in compiled.bind_names.items()
    }
    return Prepared(
        compiled,
        str(compiled).encode(),
        given=[(name, process) for name, process in writing.items() if process],
        kinds={str(name): column.type for name, column in columns.items()},
    )
