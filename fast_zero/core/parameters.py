"""What a dependency reads from a request by itself, and how the document tells of it.

FastAPI can read headers and query strings field by field, and describes them then. It takes a
model of query parameters apart and looks at each field's type, at each request: a quarter of the
time of a list. So what is on the way of every request reads for itself, and says here what.
"""

from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from fast_zero.core.pagination import PageParams

Function = TypeVar("Function", bound=Callable[..., Any])
Model = TypeVar("Model", bound=BaseModel)

REF = "#/components/schemas/{model}"
READ: dict[Callable[..., Any], list[dict[str, Any]]] = {}
"""By the dependency, the OpenAPI parameters that it reads."""


def header(name: str, description: str, **schema: object) -> Callable[[Function], Function]:
    """Say that a dependency reads a header."""
    parameter = {
        "name": name,
        "in": "header",
        "required": False,
        "schema": {"type": "string", **schema},
        "description": description,
    }

    def reads(function: Function) -> Function:
        READ[function] = [parameter]
        return function

    return reads


def query(model: type[Model]) -> Callable[[Request], Awaitable[Model]]:
    """Make a dependency that gives the query string to its model in one step."""

    async def read(request: Request) -> Model:
        try:
            text = request.scope["query_string"].decode("latin-1")
            return model.model_validate(dict(parse_qsl(text, keep_blank_values=True)))
        except ValidationError as error:
            complaints = error.errors(include_url=False, include_context=False)
            raise RequestValidationError(
                [{**item, "loc": ("query", *item["loc"])} for item in complaints]
            ) from None

    READ[read] = list(described(model))
    return read


def described(model: type[BaseModel]) -> Iterator[dict[str, Any]]:
    schema = model.model_json_schema(ref_template=REF)
    required = set(schema.get("required", ()))
    for name, field in schema["properties"].items():
        if field.get("default", ...) is None:
            del field["default"]  # a query string has no null
        yield {
            "name": name,
            "in": "query",
            "required": name in required,
            "schema": field,
            "description": field.get("description", ""),
        }


def read_by(dependant: Dependant) -> Iterator[dict[str, Any]]:
    """Find what a route's dependencies read by themselves."""
    for needed in dependant.dependencies:
        yield from READ.get(needed.call, ()) if needed.call else ()
        yield from read_by(needed)


PageQuery = Annotated[PageParams, Depends(query(PageParams))]
