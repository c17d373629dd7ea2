from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator

from fast_zero.core.types import Id, Problem, ResponseModel, StrictId
from fast_zero.ordering.schemas import TodoMove
from fast_zero.todos.schemas import OccurrenceNamed, TodoCreate, TodoPublic, TodoUpdate

Force = Annotated[StrictBool, Field(description="Complete it even if an open todo blocks it.")]


class CreateItem(TodoCreate):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"op": "create", "title": "Buy bread", "labels": ["errands"]}]
        }
    )

    op: Literal["create"]


class NamedItem(BaseModel):
    """An operation on a todo that exists."""

    id: StrictId = Field(examples=[7])


class ExistingItem(NamedItem):
    version: Annotated[
        Id | None,
        Field(strict=True, description="Only if the todo still has this version."),
    ] = None


class UpdateItem(ExistingItem, TodoUpdate):
    """A change of some fields. To `done` it completes the open subtasks too, as `complete` does."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"op": "update", "id": 7, "version": 3, "state": "done"}]}
    )

    op: Literal["update"]
    force: Force = False


class CompleteItem(ExistingItem):
    """Completes a todo and its open subtasks or, if it recurs, an occurrence."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"op": "complete", "id": 7}]})

    op: Literal["complete"]
    occurrence: OccurrenceNamed = None
    force: Force = False


class MoveItem(ExistingItem, TodoMove):
    """Moves a todo, with its subtasks, as `POST /todos/{id}/move` does."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"op": "move", "id": 7, "project_id": 3}]}
    )

    op: Literal["move"]


class DeleteItem(ExistingItem):
    """Moves a todo into the trash, with its subtasks."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"op": "delete", "id": 7, "version": 3}]}
    )

    op: Literal["delete"]


class RestoreItem(NamedItem):
    """Takes a todo out of the trash, with the subtasks that were deleted with it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"op": "restore", "id": 7}]})

    op: Literal["restore"]


Item = Annotated[
    CreateItem | UpdateItem | CompleteItem | MoveItem | DeleteItem | RestoreItem,
    Field(discriminator="op"),
]


class Batch(BaseModel):
    """Operations in any order. No todo may appear twice."""

    items: Annotated[
        list[Item],
        Field(
            min_length=1,
            max_length=200,
            description="1 to 200 operations.",
            examples=[
                [
                    {"op": "create", "title": "Buy bread"},
                    {"op": "update", "id": 7, "version": 3, "due_on": "2026-12-04"},
                    {"op": "complete", "id": 8},
                    {"op": "delete", "id": 9},
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
        None,
        description="The todo after the request; `null` if the batch has deleted it. With status "
        "412, its current values.",
    )
    problem: Problem | None = Field(None, description="Why the item was not done.", examples=[None])


class BatchAnswer(ResponseModel):
    results: list[ItemResult] = Field(description="One for each item, in the same order.")
