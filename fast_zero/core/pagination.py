"""Keyset pagination with `after` and `limit`, and `offset` for clients that rely on it.

A cursor is opaque to clients. It is the id of the last row seen, as eight bytes in base64url.
"""

import base64
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar, TypeVarTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    PlainSerializer,
    WithJsonSchema,
)
from sqlalchemy import Select, SQLColumnExpression

from fast_zero.core.types import MAX_BIGINT

Ts = TypeVarTuple("Ts")

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
# More rows than a table can have. Statements add to the offset, and must not overflow bigint.
MAX_OFFSET = 2**48


def encode_cursor(position: int) -> str:
    return base64.urlsafe_b64encode(position.to_bytes(8)).decode().rstrip("=")


def decode_cursor(cursor: object) -> int:
    """Decode a cursor. Only the exact text that `encode_cursor` writes is accepted."""
    try:
        position = int.from_bytes(base64.urlsafe_b64decode(f"{cursor}="))
    except ValueError:
        position = -1
    if not 0 <= position <= MAX_BIGINT or encode_cursor(position) != cursor:
        message = "not a cursor of this list; take it from `next` of the page before"
        raise ValueError(message)
    return position


Cursor = Annotated[
    int,
    BeforeValidator(decode_cursor),
    PlainSerializer(encode_cursor, return_type=str),
    # Eight bytes below 2⁶³: the first and the last of the eleven characters are restricted.
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^[A-Za-f][A-Za-z0-9_-]{9}[AEIMQUYcgkosw048]$",
            "examples": ["AAAAAAAAAAc"],
        }
    ),
]

Next = Annotated[
    str | None,
    Field(
        description="Cursor of the next page: pass it as `after`. `null` at the end.",
        examples=["AAAAAAAAAAc"],
    ),
]


def clamp_offset(offset: int) -> int:
    return min(offset, MAX_OFFSET)


class PageParams(BaseModel):
    after: Annotated[
        Cursor | None, Field(description="Start behind this cursor: `next` of the page before.")
    ] = None
    offset: Annotated[
        int,
        Field(ge=0, le=MAX_BIGINT, description="Rows to skip. Prefer `after`, which stays fast."),
        WithJsonSchema({"type": "integer", "format": "int64", "minimum": 0}),  # like an `Id`
        AfterValidator(clamp_offset),
    ] = 0
    limit: Annotated[
        int, Field(ge=1, le=MAX_LIMIT, description="Most rows that one page holds.")
    ] = DEFAULT_LIMIT


Row = TypeVar("Row")


def keyset_page(
    statement: Select[*Ts],
    key: SQLColumnExpression[int],
    page: PageParams,
    *,
    newest_first: bool = False,
) -> Select[*Ts]:
    """Select a page ordered by id, plus one row, which shows whether another page follows."""
    if page.after is not None:
        statement = statement.where(key < page.after if newest_first else key > page.after)
    ordered = statement.order_by(key.desc() if newest_first else key)
    return ordered.offset(page.offset or None).limit(page.limit + 1)


def split_page(
    rows: Sequence[Row], page: PageParams, by: str = "id"
) -> tuple[Sequence[Row], str | None]:
    """Split `limit + 1` rows, as queries fetch them, into the page and the cursor of the next page.

    `by` is the column that the rows are ordered by.
    """
    shown = rows[: page.limit]
    if len(rows) <= page.limit:
        return shown, None
    last: Any = shown[-1]
    return shown, encode_cursor(last[by] if isinstance(last, dict) else getattr(last, by))
