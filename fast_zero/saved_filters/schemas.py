from datetime import datetime
from typing import Annotated, Self

from pydantic import (
    MISSING,
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from fast_zero.core.colors import Color
from fast_zero.core.pagination import Next
from fast_zero.core.types import Id, ResponseModel, Text, Version
from fast_zero.filter_language.schemas import FilterText, canonical
from fast_zero.projects.schemas import Move, Position
from fast_zero.todos.sort_keys import SORT_TYPES, check_sort

Name = Annotated[
    Text,
    StringConstraints(min_length=1, max_length=100),
    Field(description="Unique, without regard to case.", examples=["This week"]),
]
SortText = Annotated[
    str,
    StringConstraints(max_length=100),
    AfterValidator(check_sort),
    Field(
        description=f"Keys with commas between: {', '.join(SORT_TYPES)}. `-` before a key: "
        "descending. `null`: oldest first.",
        examples=["due,-priority"],
    ),
]


class SavedFilterCreate(BaseModel):
    """The filter is stored in English."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "This week", "filter": "due<=sunday is:open", "sort": "due"}]
        }
    )

    name: Name
    filter: FilterText
    color: Color = "grey"
    sort: SortText | None = None

    @model_validator(mode="after")
    def write_canonical(self) -> Self:
        self.filter = canonical(self.filter)
        return self


class SavedFilterUpdate(BaseModel):
    """Any subset of a saved filter's fields. Fields that are not sent stay as they are.

    `POST /filters/{id}/move` changes its position.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"filter": "due<=sunday"}]})

    name: Name | MISSING = MISSING
    filter: FilterText | MISSING = MISSING
    color: Color | MISSING = MISSING
    sort: SortText | MISSING | None = MISSING

    @model_validator(mode="after")
    def write_canonical(self) -> Self:
        if isinstance(self.filter, str):
            self.filter = canonical(self.filter)
        return self


class SavedFilterMove(Move):
    """A new place next to another saved filter."""


class SavedFilterPublic(ResponseModel):
    id: Id
    name: Name
    filter: str = Field(description="The filter, in English.", examples=["due<=sunday and is:open"])
    color: Color
    sort: str | None = Field(
        description="How its todos are sorted. `null`: oldest first.", examples=["due,-priority"]
    )
    position: Position
    created_at: datetime
    updated_at: datetime = Field(examples=["2026-11-26T18:30:00Z"])
    version: Version


class SavedFilterPage(ResponseModel):
    filters: list[SavedFilterPublic]
    next: Next
