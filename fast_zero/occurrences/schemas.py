from datetime import date, datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

from fast_zero.core.errors import Invalid
from fast_zero.core.pagination import Next
from fast_zero.core.sorting import SortCursor, decode
from fast_zero.core.types import Id, ResponseModel
from fast_zero.todos.models import OccurrenceStatus
from fast_zero.todos.moments import Day
from fast_zero.todos.schemas import OccurrenceNamed

DEFAULT_LIMIT = 20
MAX_LIMIT = 50
SORT = "-day"
"""How lists of occurrences are sorted, in their cursors. Of one day, the last todo comes first."""

SORT_TYPES = {"day": date}

Limit = Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Most occurrences of each kind.")]
DayOf = Annotated[Day, Field(description="The day that names it.", examples=["2026-12-04"])]


class Skip(BaseModel):
    """Which occurrence is skipped."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"occurrence": "2026-12-04"}]})

    occurrence: OccurrenceNamed = None


class OccurrencesParams(BaseModel):
    before: Annotated[
        Day | None, Field(description="Only past occurrences before this day: `next_past`.")
    ] = None
    after: Annotated[
        Day | None, Field(description="Only upcoming ones after this day: `next_upcoming`.")
    ] = None
    limit: Limit = DEFAULT_LIMIT


class AllOccurrencesParams(BaseModel):
    status: Annotated[
        OccurrenceStatus | None, Field(description="Only those that are this.", examples=["done"])
    ] = None
    after: Annotated[
        Any,
        Field(description="Start behind this cursor: `next` of the page before."),
        WithJsonSchema({"type": "string"}),
    ] = None
    limit: Limit = DEFAULT_LIMIT

    @model_validator(mode="after")
    def decode_after(self) -> Self:
        """Replace the cursor by what it contains."""
        if isinstance(self.after, str):
            try:
                self.after = decode(self.after, SORT, SORT_TYPES)
            except ValueError as error:
                raise Invalid(str(error), "after", "query") from None
        return self

    def cursor(self) -> SortCursor | None:
        return self.after if isinstance(self.after, SortCursor) else None


class OccurrenceDue(ResponseModel):
    day: DayOf
    due_on: Day | None = Field(description="The day that it is due.", examples=["2026-12-04"])
    due_at: datetime | None = Field(description="The moment that it is due.", examples=[None])


class OccurrencePublic(OccurrenceDue):
    status: OccurrenceStatus = Field(examples=["done"])
    finished_at: datetime | None = Field(
        description="When it was done or skipped.", examples=["2026-12-04T08:00:00Z"]
    )
    actor_id: Id | None = Field(description="The user who did that.", examples=[1])


class OccurrencesOfTodo(ResponseModel):
    past: list[OccurrencePublic] = Field(description="What is over. The newest day first.")
    next_past: Day | None = Field(
        description="Pass it as `before` for the page that follows. `null` at the end.",
        examples=[None],
    )
    upcoming: list[OccurrenceDue] = Field(
        description="The current one, and a preview of those that follow it, of 10,000 days at "
        "most. If it is counted from the completion, only the current one is known."
    )
    next_upcoming: Day | None = Field(
        description="Pass it as `after` for the page that follows. `null` at the end.",
        examples=[None],
    )


class OccurrenceListed(OccurrencePublic):
    todo_id: Id
    title: str = Field(description="The title of the todo now.", examples=["Water the plants"])


class OccurrencePage(ResponseModel):
    occurrences: list[OccurrenceListed]
    next: Next
