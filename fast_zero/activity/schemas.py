from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from fast_zero.activity.codes import Code
from fast_zero.changes.schemas import Entity, ThingId
from fast_zero.core.pagination import Cursor, Next
from fast_zero.core.types import Id, ResponseModel

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
SHOWN = 20
"""How many changes of an entry are shown."""

COUNTED = 200
"""Up to how many changes of an entry are counted."""

TEXT_LENGTH = 500
"""How many characters are shown of a description."""


class ActivityParams(BaseModel):
    after: Annotated[
        Cursor | None, Field(description="Start behind this cursor: `next` of the page before.")
    ] = None
    limit: Annotated[
        int, Field(ge=1, le=MAX_LIMIT, description="Most entries that one page holds.")
    ] = DEFAULT_LIMIT


class ClientKind(StrEnum):
    SESSION = "session"
    TOKEN = "token"  # noqa: S105  # not a secret
    COMMAND = "command"
    JOB = "job"


class ActivityClient(ResponseModel):
    kind: ClientKind = Field(
        description="`command`: of the operator. `job`: in the background.", examples=["session"]
    )
    id: Id | None = Field(
        description="Of the session (`GET /auth/sessions`) or of the personal token "
        "(`GET /auth/tokens`); it may have ended since.",
        examples=[7],
    )


Value = Annotated[str | int | bool | list[dict[str, Any]] | None, Field(examples=["Buy bread"])]


class ValueChange(ResponseModel):
    before: Value
    after: Value


class OtherThing(ResponseModel):
    entity: Entity = Field(examples=["label"])
    id: Id
    title: str | None = Field(
        description="Its title or name now, or when this entry deleted it; `null` if it is "
        "deleted for good.",
        examples=["errands"],
    )


class ActivityChange(ResponseModel):
    """What happened to one thing."""

    code: Code = Field(
        description="`deleted`: moved into the trash, if there is one for such things; `purged`: "
        "deleted for good; `moved`: only its place changed.",
        examples=["todo_updated"],
    )
    entity: Entity = Field(examples=["todo"])
    id: ThingId
    title: str | None = Field(
        description="The title or name that the change left, if it changed it, and else that of "
        "now; of a relation, that of its first todo. `null` if it is deleted for good.",
        examples=["Buy bread"],
    )
    other: OtherThing | None = Field(
        description="The label that a todo was given or lost, or the second todo of a relation."
    )
    values: dict[str, ValueChange] = Field(
        description="What changed, by the names of fields as in `GET /changes`. Of a description, "
        f"the first {TEXT_LENGTH} characters are shown.",
        examples=[{"title": {"before": "Buy bread", "after": "Buy rye bread"}}],
    )


class ActivityEntry(ResponseModel):
    """What one transaction changed. Most change sets are one transaction."""

    change_set_id: UUID | None = Field(
        description="The `X-Change-Set` of the request. `null` if it is unknown.",
        examples=["0197c9a2-5c0f-4c5a-9f0e-2f6f3c1f7f10"],
    )
    at: datetime
    actor_id: Id | None = Field(
        description="The user who did it. `null` for commands and jobs.", examples=[1]
    )
    client: ActivityClient | None = Field(
        description="Through what it was done. `null` if it is unknown."
    )
    count: int = Field(
        description=f"Number of its changes. Up to {COUNTED} are counted.", examples=[1]
    )
    changes: list[ActivityChange] = Field(
        description=f"Up to {SHOWN} of its changes, those of projects, sections and labels first."
    )


class ActivityPage(ResponseModel):
    activity: list[ActivityEntry]
    next: Next
