from collections.abc import Iterator
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import Field

from fast_zero.change_sets.net import RowKey
from fast_zero.change_sets.plans import Conflict, ConflictCode, Plan
from fast_zero.changes.schemas import ENTITIES, Entity, ThingId
from fast_zero.core.positions import WIDTH
from fast_zero.core.types import ResponseModel

Operation = Literal["create", "update", "delete", "restore"]
NAMES = {"recurrence_rule": "recurrence", "recurrence_from": "recurrence"}
UNNAMED = {"deletion_id", "recurrence_start", "recurrence_time", "recurrence_number"}
"""The fields of columns that have other names, and the columns that are no fields.

Where one of these changes, a field changes as well.
"""

PARTS = {"todo_labels": "labels", "occurrences": "occurrences"}
"""The fields of todos that rows of these tables are shown as."""


class UndoneThing(ResponseModel):
    """A thing that is as it was before the change set."""

    entity: Entity
    id: ThingId
    operation: Operation = Field(
        description="What was done to it. `delete`: todos and projects are moved into the trash.",
        examples=["update"],
    )
    fields: list[str] = Field(
        description="Which fields have the values from before; only for `update` and `restore`.",
        examples=[["title"]],
    )


class ConflictPublic(ResponseModel):
    """Something that is left as it is."""

    entity: Entity
    id: ThingId
    code: ConflictCode = Field(
        description="`changed_since`: it has another value by now. `in_use`: other things were "
        "put inside of it. `force` overrides these two. `in_trash`: restore it first.",
        examples=["changed_since"],
    )
    field: str | None = Field(description="Which field it is about.", examples=["title"])
    then: Any = Field(
        description="The value that the change set left. Of `in_use`, how many things were "
        "inside; of `place_missing`, the place that it had before.",
        examples=["Buy bread"],
    )
    now: Any = Field(description="The value now.", examples=["Buy rye bread"])


class UndoResult(ResponseModel):
    change_set_id: UUID = Field(
        description="The change set that was undone. That of the undo is in `X-Change-Set`.",
        examples=["0197c9a2-5c0f-4c5a-9f0e-2f6f3c1f7f10"],
    )
    undone: list[UndoneThing]
    conflicts: list[ConflictPublic]

    @classmethod
    def of(cls, change_set_id: UUID, planned: Plan) -> Self:
        """Say what was written by a plan."""
        things: dict[tuple[Entity, int | str], UndoneThing] = {}
        for key, operation, names in written(planned):
            entity, id_ = thing_of(key)
            new = UndoneThing(entity=entity, id=id_, operation=operation, fields=names)
            known = things.get((entity, id_))
            if known and operation == "update":
                known.fields += [name for name in names if name not in known.fields]
            else:
                things[entity, id_] = new
        conflicts = [
            conflict_of(conflict)
            for conflict in planned.conflicts
            if conflict.column not in UNNAMED
        ]
        return cls(change_set_id=change_set_id, undone=list(things.values()), conflicts=conflicts)


def written(planned: Plan) -> Iterator[tuple[RowKey, Operation, list[str]]]:
    left = {(conflict.key, conflict.column) for conflict in planned.conflicts}
    for key, values in planned.updated.items():
        if key in planned.inserted:
            continue
        names = [name for name in values if name not in UNNAMED and (key, name) not in left]
        names = list(dict.fromkeys(NAMES.get(name, name) for name in names))
        if "deletion_id" not in values:
            yield key, "update", names
        elif values["deletion_id"] is None:
            yield key, "restore", names
        else:
            yield key, "delete", []
    for key in planned.inserted:
        yield (key, "update", [PARTS[key.table]]) if key.table in PARTS else (key, "create", [])
    for key in planned.deleted:
        yield (key, "update", [PARTS[key.table]]) if key.table in PARTS else (key, "delete", [])
    for key in planned.trashed:
        yield key, "delete", []


def thing_of(key: RowKey) -> tuple[Entity, int | str]:
    entity = ENTITIES[key.table]
    return entity, f"{key.id}-{key.kind}-{key.other}" if entity == "relation" else key.id


def conflict_of(conflict: Conflict) -> ConflictPublic:
    entity, id_ = thing_of(conflict.key)
    return ConflictPublic(
        entity=entity,
        id=id_,
        code=conflict.code,
        field=PARTS.get(conflict.key.table, NAMES.get(conflict.column or "", conflict.column)),
        then=shown(conflict, conflict.then),
        now=shown(conflict, conflict.now),
    )


def shown(conflict: Conflict, value: Any) -> Any:  # noqa: ANN401  # of any column
    """Return a value as other routes show it. What was never moved has the position of its id."""
    if conflict.column == "position" and value is None:
        return f"{conflict.key.id:0{WIDTH}x}"
    return value
