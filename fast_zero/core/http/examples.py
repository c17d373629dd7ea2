"""Examples of whole bodies, composed from the examples of their fields."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

Schema = Mapping[str, Any]

BY_FORMAT = {"date": "2026-11-25", "date-time": "2026-11-25T08:00:00Z"}


def compose(schema: Schema, named: Mapping[str, Schema]) -> Any:  # noqa: ANN401  # any JSON
    """Return an example value for a schema. `named` are the schemas that a `$ref` may refer to.

    An example of the schema itself comes first, which a recursive schema needs. Of several
    alternatives the first is used. A string without an example has no value.
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
    """Return the example of a message response, for the `responses` of a route."""
    return {status: {"content": {"application/json": {"example": {"message": text}}}}}
