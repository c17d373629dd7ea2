"""Examples of whole bodies, composed from those of their fields."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

Schema = Mapping[str, Any]

BY_FORMAT = {"date": "2026-11-25", "date-time": "2026-11-25T08:00:00Z"}


def compose(schema: Schema, named: Mapping[str, Schema]) -> Any:  # noqa: ANN401  # any JSON
    """Give a value of a schema; `named` are those that a `$ref` may mean.

    An example of the schema's own is taken first, which a schema that refers to itself needs.
    Where a value may be one of several, it is of the first. A text without an example has none.
    """
    given = [*schema.get("examples", ()), *schema.get("enum", ())]
    given += [schema[key] for key in ("const", "default") if key in schema]
    if given:
        return given[0]
    if several := schema.get("anyOf") or schema.get("oneOf"):
        return compose(several[0], named)
    if "$ref" in schema:
        return compose(named[schema["$ref"].rsplit("/", 1)[-1]], named)
    if "properties" in schema:
        return {name: compose(field, named) for name, field in schema["properties"].items()}
    if "items" in schema:
        return [compose(schema["items"], named)]
    return BY_FORMAT.get(schema.get("format", ""))


def message(text: str, status: int = HTTPStatus.OK) -> dict[int | str, dict[str, Any]]:
    """Show what a route says, for its `responses`."""
    return {status: {"content": {"application/json": {"example": {"message": text}}}}}
