from datetime import datetime
from typing import Annotated

from pydantic import MISSING, BaseModel, ConfigDict, Field, StringConstraints

from fast_zero.core.pagination import Next, PageParams
from fast_zero.core.types import Id, RawText, Text
from fast_zero.todos.models import TodoState

Title = Annotated[
    Text, StringConstraints(min_length=1, max_length=200), Field(examples=["Buy bread"])
]
Description = Annotated[
    Text, StringConstraints(max_length=20_000), Field(examples=["The dark one, with seeds."])
]
Fragment = Annotated[RawText, StringConstraints(min_length=1, max_length=200)]


class TodoCreate(BaseModel):
    title: Title
    description: Description = ""
    state: TodoState = TodoState.TODO


class TodoUpdate(BaseModel):
    """Any subset of a todo's fields; what is left out stays as it is."""

    title: Title | MISSING = MISSING
    description: Description | MISSING = MISSING
    state: TodoState | MISSING = MISSING


class TodoPublic(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: Id
    title: str = Field(examples=["Buy bread"])
    description: str = Field(examples=["The dark one, with seeds."])
    state: TodoState
    created_at: datetime
    updated_at: datetime


class TodoPage(BaseModel):
    todos: list[TodoPublic]
    next: Next


class TodoFilter(PageParams):
    title: Annotated[
        Fragment | None,
        Field(description="Only titles that contain this, whatever its case. `%` is itself."),
    ] = None
    description: Annotated[
        Fragment | None,
        Field(description="Only descriptions that contain this, whatever its case."),
    ] = None
    state: Annotated[TodoState | None, Field(description="Only todos in this state.")] = None
