from datetime import datetime
from enum import StrEnum

from pydantic import Field

from fast_zero.core.types import Id, ResponseModel


class RelationView(StrEnum):
    """A relation as seen from one of its two todos."""

    BLOCKS = "blocks"
    BLOCKED_BY = "blocked_by"
    RELATES_TO = "relates_to"


class RelationPublic(ResponseModel):
    kind: RelationView = Field(
        description="`blocked_by`: this todo waits for the other one.", examples=["blocked_by"]
    )
    todo_id: Id = Field(description="The other todo.", examples=[9])
    title: str = Field(description="The title of the other todo.", examples=["Buy flour"])
    state: str = Field(description="The state of the other todo.", examples=["todo"])
    created_at: datetime = Field(description="When the relation was made.")


class RelationList(ResponseModel):
    relations: list[RelationPublic]
