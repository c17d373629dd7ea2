from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from fast_zero.changes.cursors import Cursor, parse
from fast_zero.core.pagination import DEFAULT_LIMIT, MAX_LIMIT
from fast_zero.core.types import Id, ResponseModel, Version
from fast_zero.labels.schemas import LabelPublic
from fast_zero.projects.schemas import Position, ProjectPublic, SectionPublic
from fast_zero.relations.models import RelationKind
from fast_zero.saved_filters.schemas import SavedFilterPublic
from fast_zero.todos.models import Priority, TodoState
from fast_zero.todos.reminders import StoredReminders
from fast_zero.todos.schemas import (
    DeadlineOn,
    Due,
    Duration,
    OccurrenceOn,
    ParentId,
    ProjectId,
    RecurrenceGiven,
    RecurrenceInWords,
    SectionId,
    Share,
    SnoozedUntil,
    StartsOn,
)

Entity = Literal["project", "section", "label", "todo", "relation", "filter"]
ENTITIES: Mapping[str, Entity] = {
    "projects": "project",
    "sections": "section",
    "labels": "label",
    "todos": "todo",
    "todo_labels": "todo",
    "todo_relations": "relation",
    "occurrences": "todo",
    "saved_filters": "filter",
}
"""The kind of thing that a change of a table is shown as."""

ThingId = Annotated[
    Id | str,
    Field(description="Of a relation: both ids and the kind, `7-blocks-9`.", examples=[7]),
]


class ChangesParams(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    since: Annotated[
        Cursor | None,
        BeforeValidator(parse),
        WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9_-]{78}$"}),
        Field(description="`next` of the page before. Without it, everything is listed."),
    ] = None
    limit: Annotated[
        int, Field(ge=1, le=MAX_LIMIT, description="About how many things one page holds.")
    ] = DEFAULT_LIMIT


class TodoRow(ResponseModel):
    """A todo without what comes from other rows, such as the names of its labels."""

    id: Id
    title: str = Field(examples=["Buy bread"])
    description: str = Field(examples=["The dark one, with seeds."])
    state: TodoState = Field(examples=["todo"])
    share: Share = Field(examples=[None])
    project_id: ProjectId
    section_id: SectionId
    parent_id: ParentId
    label_ids: list[Id] = Field(description="The ids of its labels, ascending.", examples=[[3]])
    priority: Priority = Field(examples=["none"])
    due_on: Due
    due_at: datetime | None = Field(description="The moment that it is due.", examples=[None])
    time_zone: str | None = Field(
        description="The time zone in which `due_at` was entered.", examples=[None]
    )
    starts_on: StartsOn
    deadline_on: DeadlineOn
    duration_minutes: Duration
    recurrence: RecurrenceGiven
    recurrence_text: RecurrenceInWords
    occurrence_on: OccurrenceOn
    reminders: StoredReminders
    snoozed_until: SnoozedUntil
    position: Position
    completed_at: datetime | None = Field(description="When it became `done`.", examples=[None])
    created_at: datetime
    updated_at: datetime
    version: Version


class RelationRow(ResponseModel):
    todo_id: Id
    kind: RelationKind = Field(
        description="`blocks`: the todo blocks the other one.", examples=["blocks"]
    )
    other_id: Id
    created_at: datetime


class Tombstone(ResponseModel):
    """Something that is deleted, or in the trash."""

    entity: Entity
    id: ThingId
    deleted: Literal[True] = True


class ProjectCurrent(ResponseModel):
    entity: Literal["project"]
    id: Id
    value: ProjectPublic


class SectionCurrent(ResponseModel):
    entity: Literal["section"]
    id: Id
    value: SectionPublic


class LabelCurrent(ResponseModel):
    entity: Literal["label"]
    id: Id
    value: LabelPublic


class TodoCurrent(ResponseModel):
    entity: Literal["todo"]
    id: Id
    value: TodoRow


class RelationCurrent(ResponseModel):
    entity: Literal["relation"]
    id: str = Field(examples=["7-blocks-9"])
    value: RelationRow


class FilterCurrent(ResponseModel):
    entity: Literal["filter"]
    id: Id
    value: SavedFilterPublic


Thing = (
    Tombstone
    | ProjectCurrent
    | SectionCurrent
    | LabelCurrent
    | TodoCurrent
    | RelationCurrent
    | FilterCurrent
)
STATES: Mapping[Entity, type[Thing]] = {
    "project": ProjectCurrent,
    "section": SectionCurrent,
    "label": LabelCurrent,
    "todo": TodoCurrent,
    "relation": RelationCurrent,
    "filter": FilterCurrent,
}


def state_of(entity: Entity, id_: int | str, value: dict[str, Any] | None) -> Thing:
    """Return a thing as it is now, or its tombstone."""
    if value is None:
        return Tombstone(entity=entity, id=id_)
    return STATES[entity].model_validate({"entity": entity, "id": id_, "value": value})


class ChangesPage(ResponseModel):
    changes: list[Thing] = Field(
        description="Each thing that changed, once: as it is now, or that it is deleted."
    )
    next: str = Field(
        description="Pass it as `since`, at once or later. It stays valid for weeks.",
        examples=["kFUdNcnDR2OH1b3tmumO1QAGYWwVShRlAAAAAAAABNUAAAAAAAACLgAAAAAAAAAAAAAAAAAAAAAAAA"],
    )
    more: bool = Field(
        description="Whether there is more to read at once. If not, ask again later.",
        examples=[False],
    )
