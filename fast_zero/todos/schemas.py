import re
import unicodedata
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import (
    MISSING,
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    model_validator,
)

from fast_zero.core.pagination import Next, PageParams
from fast_zero.core.types import Id, Problem, RawText, ResponseModel, Sharing, Text
from fast_zero.todos.models import TodoState

ACCENTS = re.compile("[\u0300-\u036f]+")
Title = Annotated[
    Text, StringConstraints(min_length=1, max_length=200), Field(examples=["Buy bread"])
]
Description = Annotated[
    Text, StringConstraints(max_length=20_000), Field(examples=["The dark one, with seeds."])
]


def has_more_than_accents(text: str) -> str:
    """Refuse a text that is empty once accents are removed: every text would contain it."""
    if ACCENTS.fullmatch(unicodedata.normalize("NFD", text)):
        message = "accents alone cannot be looked for"
        raise ValueError(message)
    return text


Fragment = Annotated[
    RawText,
    StringConstraints(min_length=1, max_length=200),
    AfterValidator(has_more_than_accents),
    Field(examples=["bread"]),
]


Share = Annotated[
    Sharing | None,
    Field(
        description="Who can see that it was finished, once it is `done`. `null`: as `share_todos` "
        "of the account, which is `off` by default."
    ),
]


class TodoCreate(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"title": "Buy bread", "description": "The dark one, with seeds."}]
        }
    )

    title: Title
    description: Description = ""
    state: TodoState = TodoState.TODO
    share: Share = None


class TodoUpdate(BaseModel):
    """Any subset of a todo's fields. Fields that are not sent stay as they are."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"state": "done"}]})

    title: Title | MISSING = MISSING
    description: Description | MISSING = MISSING
    state: TodoState | MISSING = MISSING
    share: Share | MISSING = MISSING


class TodoPublic(ResponseModel):
    id: Id
    title: str = Field(examples=["Buy bread"])
    description: str = Field(examples=["The dark one, with seeds."])
    state: TodoState = Field(examples=["todo"])
    share: Share = Field(examples=[None])
    created_at: datetime
    updated_at: datetime = Field(examples=["2026-11-26T18:30:00Z"])
    version: int = Field(
        description="Increases with each change. In quotes, it is the `ETag`.", examples=[7]
    )


class TodoPage(ResponseModel):
    todos: list[TodoPublic]
    next: Next


class TodoFilter(PageParams):
    title: Annotated[
        Fragment | None,
        Field(
            description="Only titles that contain this text. Case and accents are ignored: `pao` "
            "finds `Pão`. `%` is not a wildcard."
        ),
    ] = None
    description: Annotated[
        Fragment | None,
        Field(
            description="Only descriptions that contain this text. Case and accents are ignored."
        ),
    ] = None
    state: Annotated[
        list[TodoState] | None,
        Field(
            description="Only todos in this state. Repeat the parameter for several states.",
        ),
    ] = None


class CreateItem(TodoCreate):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"op": "create", "title": "Buy bread"}]}
    )

    op: Literal["create"]


class ExistingItem(BaseModel):
    id: Annotated[Id, Field(strict=True)]
    version: Annotated[
        Id | None,
        Field(strict=True, description="Only if the todo still has this version."),
    ] = None


class UpdateItem(ExistingItem, TodoUpdate):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"op": "update", "id": 7, "version": 3, "state": "done"}]}
    )

    op: Literal["update"]


class DeleteItem(ExistingItem):
    op: Literal["delete"]


Item = Annotated[CreateItem | UpdateItem | DeleteItem, Field(discriminator="op")]


class Batch(BaseModel):
    """Creates, updates and deletes, in any order. No todo may appear twice."""

    items: Annotated[
        list[Item],
        Field(
            min_length=1,
            max_length=200,
            description="1 to 200 operations.",
            examples=[
                [
                    {"op": "create", "title": "Buy bread"},
                    {"op": "update", "id": 7, "version": 3, "state": "done"},
                    {"op": "delete", "id": 8},
                ]
            ],
        ),
    ]
    atomic: Annotated[
        StrictBool,
        Field(description="All or nothing. If false, each item is done independently."),
    ] = True

    @model_validator(mode="after")
    def refuse_duplicates(self) -> Self:
        named: set[int] = set()
        for item in self.items:
            if isinstance(item, CreateItem):
                continue
            if item.id in named:
                message = f"todo {item.id} is named twice; put all its changes into one item"
                raise ValueError(message)
            named.add(item.id)
        return self


class ItemResult(ResponseModel):
    status: int = Field(
        description="The status that the item would have as a request of its own.", examples=[201]
    )
    todo: TodoPublic | None = Field(
        None, description="The todo after the request. With status 412, its current values."
    )
    problem: Problem | None = Field(None, description="Why the item was not done.", examples=[None])


class BatchAnswer(ResponseModel):
    results: list[ItemResult] = Field(description="One for each item, in the same order.")
