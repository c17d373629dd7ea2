from datetime import datetime
from typing import Annotated, Self

from pydantic import MISSING, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from fast_zero.core.colors import Color
from fast_zero.core.pagination import Next, PageParams
from fast_zero.core.types import Id, ResponseModel, StrictId, Text, Version

Name = Annotated[
    Text, StringConstraints(min_length=1, max_length=100), Field(examples=["House and garden"])
]
Description = Annotated[
    Text, StringConstraints(max_length=5000), Field(examples=["What has to be done by winter."])
]
SectionName = Annotated[
    Text, StringConstraints(min_length=1, max_length=100), Field(examples=["This week"])
]
Archived = Annotated[
    bool, Field(strict=True, description="Put away, but not deleted.", examples=[False])
]
ParentId = Annotated[
    StrictId | None,
    Field(
        description="The project that it is inside of, at most three levels deep.", examples=[None]
    ),
]
# The descriptions are those of the union: inside of it, the schema of `Id` would replace them.
Before = Annotated[
    StrictId | MISSING, Field(description="The sibling that it is placed before.", examples=[8])
]
After = Annotated[
    StrictId | MISSING, Field(description="The sibling that it is placed after.", examples=[8])
]
Position = Annotated[
    str,
    Field(
        description="Its place among its siblings, compared byte by byte. Changes when it moves.",
        examples=["0000000000000007"],
    ),
]


class ProjectCreate(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "House and garden", "color": "green"}]}
    )

    name: Name
    description: Description = ""
    color: Color = "grey"
    parent_id: ParentId = None


class ProjectUpdate(BaseModel):
    """Any subset of a project's fields. Fields that are not sent stay as they are.

    `POST /projects/{id}/move` changes its parent and its position.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"archived": True}]})

    name: Name | MISSING = MISSING
    description: Description | MISSING = MISSING
    color: Color | MISSING = MISSING
    archived: Archived | MISSING = MISSING


class Move(BaseModel):
    """A new place next to a sibling."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"before": 8}]})

    before: Before = MISSING
    after: After = MISSING

    @model_validator(mode="after")
    def check_together(self) -> Self:
        if {"before", "after"} <= self.model_fields_set:
            message = "give before or after, not both"
            raise ValueError(message)
        if not self.model_fields_set:
            message = f"give {' or '.join(type(self).model_fields)}: where it is moved to"
            raise ValueError(message)
        return self

    def sibling_id(self) -> int | None:
        """Return the id of the sibling that it is placed next to, if any."""
        given = (self.before, self.after)
        return next((sibling for sibling in given if isinstance(sibling, int)), None)

    def is_before(self) -> bool:
        return "before" in self.model_fields_set


class ProjectMove(Move):
    """A new parent, `null` for none, or a place next to a sibling, or both.

    Without a sibling, it becomes the last project of its parent.
    """

    parent_id: ParentId | MISSING = MISSING

    def changes_parent(self) -> bool:
        return "parent_id" in self.model_fields_set


class SectionMove(Move):
    """A new place next to another section of the same project."""


class ProjectFilter(PageParams):
    archived: Annotated[
        bool | None,
        Field(description="Only archived projects; `false`: only others. Default: all."),
    ] = None


class ProjectPublic(ResponseModel):
    id: Id
    name: Name
    description: Description
    color: Color
    parent_id: ParentId
    position: Position
    archived: Archived
    created_at: datetime
    updated_at: datetime = Field(examples=["2026-11-26T18:30:00Z"])
    version: Version


class ProjectPage(ResponseModel):
    projects: list[ProjectPublic]
    next: Next


class SectionCreate(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "This week"}]})

    name: SectionName


class SectionUpdate(BaseModel):
    """Any subset of a section's fields. Fields that are not sent stay as they are."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Next week"}]})

    name: SectionName | MISSING = MISSING


class SectionPublic(ResponseModel):
    id: Id
    project_id: Id
    name: SectionName
    position: Position
    created_at: datetime
    updated_at: datetime = Field(examples=["2026-11-26T18:30:00Z"])
    version: Version


class SectionPage(ResponseModel):
    sections: list[SectionPublic]
    next: Next
