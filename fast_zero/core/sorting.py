"""Keyset pagination for lists that clients sort by several keys. Nulls are last.

A cursor contains the sort that it belongs to, the sort keys of the last row, and its id.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import BigInteger, ColumnElement, Label, and_, bindparam, cast, or_, type_coerce
from sqlalchemy.types import TypeEngine

from fast_zero.core.types import MAX_BIGINT

NOT_A_CURSOR = "not a cursor of this list and sort; take it from `next` of the page before"


@dataclass(frozen=True)
class SortKey:
    """What rows can be sorted by: an expression, and the type that its values have in Python."""

    expression: ColumnElement[Any]
    kind: TypeEngine[Any]

    def column(self) -> ColumnElement[Any]:
        return type_coerce(self.expression, self.kind)

    def parameter(self, name: str) -> ColumnElement[Any]:
        return cast(bindparam(name, type_=self.kind), self.expression.type)


Sort = tuple[tuple[str, bool], ...]
"""The names of the keys, and whether each one is descending."""


def parse_sort(text: str, known: Sequence[str]) -> Sort:
    """Parse `due,-priority`. Raises ValueError for an unknown or repeated key."""
    sort = tuple((part.removeprefix("-"), part.startswith("-")) for part in text.split(","))
    names = [name for name, _ in sort]
    if unknown := [name for name in names if name not in known]:
        message = f"{unknown[0]!r} is not a key to sort by; use {', '.join(known)}"
        raise ValueError(message)
    if len(set(names)) < len(names):
        message = "each key can be used once"
        raise ValueError(message)
    return sort


def order_by(
    sort: Sort, keys: Mapping[str, SortKey], id_: ColumnElement[int]
) -> list[ColumnElement[Any]]:
    ordered = [(keys[name].expression, descending) for name, descending in sort]
    return [
        *((key.desc() if descending else key.asc()).nulls_last() for key, descending in ordered),
        id_,
    ]


def sort_columns(sort: Sort, keys: Mapping[str, SortKey]) -> list[Label[Any]]:
    """Return the columns that a cursor is made of, named `sort_0` and so on."""
    return [keys[name].column().label(f"sort_{index}") for index, (name, _) in enumerate(sort)]


def behind(sort: Sort, keys: Mapping[str, SortKey], id_: ColumnElement[int]) -> ColumnElement[bool]:
    """Return the condition for rows behind a cursor, whose values are bound at execution."""
    condition: ColumnElement[bool] = id_ > bindparam("after_id", type_=BigInteger)
    for index, (name, descending) in reversed(list(enumerate(sort))):
        key = keys[name].expression
        seen = keys[name].parameter(f"after_{index}")
        later = key < seen if descending else key > seen
        later = and_(seen.is_not(None), or_(later, key.is_(None)))
        condition = or_(later, and_(key.is_not_distinct_from(seen), condition))
    return condition


def cursor_values(cursor: "SortCursor") -> dict[str, Any]:
    values = {f"after_{index}": value for index, value in enumerate(cursor.values)}
    return values | {"after_id": cursor.id}


@dataclass(frozen=True)
class SortCursor:
    values: tuple[Any, ...]
    id: int


Parts = TypeAdapter(tuple[str, list[Any], int])


def encode(text: str, row: Mapping[str, Any], sort: Sort) -> str:
    """Return the cursor of a row, which has the columns of `sort_columns`."""
    values = [row[f"sort_{index}"] for index in range(len(sort))]
    return base64.urlsafe_b64encode(Parts.dump_json((text, values, row["id"]))).decode().rstrip("=")


def decode(cursor: str, text: str, types: Mapping[str, Any]) -> SortCursor:
    """Decode a cursor of a sort whose keys have these types. Raises ValueError otherwise."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        found, values, last = Parts.validate_json(base64.b64decode(padded, b"-_", validate=True))
        kinds = [types[name] for name, _ in parse_sort(text, list(types))]
        read = [
            TypeAdapter(kind).validate_python(value)
            for kind, value in zip(kinds, values, strict=True)
        ]
    except ValueError:
        found, last = "", 0
    if found != text or not 0 < last <= MAX_BIGINT:
        raise ValueError(NOT_A_CURSOR)
    return SortCursor(tuple(read), last)
