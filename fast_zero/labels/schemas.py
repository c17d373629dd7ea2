from datetime import datetime
from typing import Annotated

from pydantic import MISSING, BaseModel, ConfigDict, Field, StringConstraints

from fast_zero.core.colors import Color
from fast_zero.core.pagination import Next
from fast_zero.core.types import Id, ResponseModel, StrictId, Text, Version

LabelName = Annotated[
    Text,
    StringConstraints(min_length=1, max_length=50),
    Field(description="Unique, without regard to case.", examples=["errands"]),
]


class LabelCreate(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "errands", "color": "green"}]}
    )

    name: LabelName
    color: Color = "grey"


class LabelUpdate(BaseModel):
    """Any subset of a label's fields. Fields that are not sent stay as they are."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "shopping"}]})

    name: LabelName | MISSING = MISSING
    color: Color | MISSING = MISSING


class LabelMerge(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"into": 8}]})

    into: Annotated[
        StrictId, Field(description="The label that its todos carry afterwards.", examples=[8])
    ]


class LabelPublic(ResponseModel):
    id: Id
    name: LabelName
    color: Color
    created_at: datetime
    updated_at: datetime = Field(examples=["2026-11-26T18:30:00Z"])
    version: Version


class LabelPage(ResponseModel):
    labels: list[LabelPublic]
    next: Next
