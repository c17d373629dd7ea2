from typing import Self

from pydantic import MISSING, BaseModel, ConfigDict, model_validator

from fast_zero.projects.schemas import After, Before
from fast_zero.todos.schemas import ParentId, ProjectId, SectionId

PLACE = {"project_id", "section_id", "parent_id"}


class TodoMove(BaseModel):
    """Another place, or a place next to a sibling, or both.

    Without a sibling, the todo becomes the last of its list. With a sibling alone, it goes where
    that one is. `section_id` implies the project, and `parent_id` both. Without `parent_id`, it has
    no parent; with nothing but `null` for section or parent, it stays in its project.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"project_id": 3, "before": 8}]})

    project_id: ProjectId | MISSING = MISSING
    section_id: SectionId | MISSING = MISSING
    parent_id: ParentId | MISSING = MISSING
    before: Before = MISSING
    after: After = MISSING

    @model_validator(mode="after")
    def check_together(self) -> Self:
        if self.model_fields_set.isdisjoint(TodoMove.model_fields):
            message = f"give {', '.join(TodoMove.model_fields)}: where it is moved to"
            raise ValueError(message)
        if {"before", "after"} <= self.model_fields_set:
            message = "give before or after, not both"
            raise ValueError(message)
        if self.project_id is None and given(self.section_id):
            message = "the inbox has no sections; give section_id alone"
            raise ValueError(message)
        return self

    def changes_place(self) -> bool:
        return not PLACE.isdisjoint(self.model_fields_set)

    def sibling_id(self) -> int | None:
        return given(self.before) or given(self.after)

    def is_before(self) -> bool:
        return "before" in self.model_fields_set


def given(value: object) -> int | None:
    """Return an id that was sent. None: it is null, or was not sent."""
    return value if isinstance(value, int) else None
