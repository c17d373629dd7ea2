from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Self

from pydantic import (
    MISSING,
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from fast_zero.core.types import Id, RawText, ResponseModel, Sharing, StrictId, Text
from fast_zero.identity.schemas import TimeZone
from fast_zero.labels.schemas import LabelName
from fast_zero.projects.schemas import Position
from fast_zero.recurrence import wording
from fast_zero.recurrence.rules import LONGEST, parse
from fast_zero.todos.models import Priority, RecurrenceFrom, TodoState
from fast_zero.todos.moments import Day, Moment
from fast_zero.todos.reminders import Reminders, StoredReminders, as_json

Title = Annotated[
    Text, StringConstraints(min_length=1, max_length=200), Field(examples=["Buy bread"])
]
Description = Annotated[
    Text, StringConstraints(max_length=20_000), Field(examples=["The dark one, with seeds."])
]


Share = Annotated[
    Sharing | None,
    Field(
        description="Who can see that it was finished, once it is `done`. `null`: as `share_todos` "
        "of the account, which is `off` by default."
    ),
]


Labels = Annotated[
    list[LabelName],
    Field(
        max_length=50,
        description="The names of its labels. Unknown ones are created.",
        examples=[["errands"]],
    ),
]
Due = Annotated[
    Day | None,
    Field(
        description="The day that it is due, which is the same day in every time zone. Setting it "
        "clears `due_at`.",
        examples=["2026-12-04"],
    ),
]
DueAt = Annotated[
    Moment | None,
    Field(
        description="The moment that it is due, with an offset. Setting it clears `due_on`.",
        examples=[None],
    ),
]
DueTimeZone = Annotated[
    TimeZone | None,
    Field(
        description="The time zone in which `due_at` was entered: an IANA name, given together "
        "with it. Default: that of the account.",
        examples=[None],
    ),
]
StartsOn = Annotated[Day | None, Field(description="Not before this day.", examples=["2026-12-01"])]
DeadlineOn = Annotated[
    Day | None, Field(description="The day after which it is too late.", examples=[None])
]
Duration = Annotated[
    Annotated[int, Field(strict=True, ge=1, le=527_040)] | None,
    Field(description="How long it takes: up to 366 days, in minutes.", examples=[30]),
]
SnoozedUntil = Annotated[
    datetime | None,
    Field(
        description="Reminders that would go out before go out then, once. `null` when the due "
        "changes.",
        examples=[None],
    ),
]


def canonical_rule(text: str) -> str:
    return str(parse(text))


class Recurrence(ResponseModel):
    """When a todo comes back: a rule of RFC 5545, and what it is counted from."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    rule: Annotated[
        RawText,
        StringConstraints(min_length=1, max_length=LONGEST),
        AfterValidator(canonical_rule),
        Field(
            description="`FREQ` from `DAILY` to `YEARLY`, `INTERVAL`, `BYDAY`, `BYMONTHDAY`, "
            "`BYMONTH`, `BYSETPOS`, `COUNT`, `UNTIL` and `WKST`.",
            examples=["FREQ=WEEKLY;BYDAY=MO,TH"],
        ),
    ]
    counted_from: RecurrenceFrom = Field(
        RecurrenceFrom.DUE,
        alias="from",
        description="`due`: the next occurrence is the first one after the due that is not past. "
        "`completion`: it is counted from the day on which the todo was done.",
        examples=["due"],
    )


RecurrenceGiven = Annotated[
    Recurrence | None,
    Field(
        description="When it comes back. It begins with the due; without one, the first day of the "
        "rule becomes the due.",
        examples=[None],
    ),
]


class RecurrenceText(ResponseModel):
    """A recurrence in words, which `POST /todos/quick` understands as the same one."""

    model_config = ConfigDict(serialize_by_alias=True)

    en: str = Field(examples=["every Monday and Thursday"])
    pt_br: str = Field(alias="pt-BR", examples=["toda segunda e quinta"])


@lru_cache(wording.TEXTS)
def text_of_rule(rule: str, counted_from: str) -> RecurrenceText | None:
    is_from_completion = counted_from == RecurrenceFrom.COMPLETION
    texts = wording.texts(rule, from_completion=is_from_completion)
    return None if texts is None else RecurrenceText.model_validate(texts)


def text_of(recurrence: object) -> RecurrenceText | None:
    """Return the words of a recurrence, as a row or a model has it."""
    match recurrence:
        case {"rule": str(rule), "from": str(counted_from)}:
            return text_of_rule(rule, counted_from)
        case Recurrence():
            return text_of_rule(recurrence.rule, recurrence.counted_from)
        case _:
            return None


RecurrenceInWords = Annotated[
    # Null is seen first: a todo that does not recur costs nothing.
    Annotated[RecurrenceText | None, BeforeValidator(text_of)] | None,
    Field(
        validation_alias="recurrence",
        description="Its recurrence in words. `null`: it does not recur, or its rule has none.",
        examples=[None],
    ),
]
OccurrenceOn = Annotated[
    Day | None,
    Field(description="If it recurs, the day that names its current occurrence.", examples=[None]),
]
OccurrenceNamed = Annotated[
    Day | None,
    Field(
        description="The day that names it. If it is done already, nothing changes. Default: the "
        "current one.",
        examples=["2026-12-04"],
    ),
]
NO_SERIES: dict[str, None] = dict.fromkeys(
    (
        "recurrence_rule",
        "recurrence_from",
        "recurrence_start",
        "recurrence_time",
        "recurrence_number",
        "occurrence_on",
    )
)
"""The columns of a todo that does not recur."""

NO_COLUMNS = {"labels", "recurrence"}
"""The fields that are not columns of the same name."""

ProjectId = Annotated[
    StrictId | None,
    Field(description="Its project. `null`: it is in the inbox.", examples=[None]),
]
SectionId = Annotated[
    StrictId | None,
    Field(description="The section of its project.", examples=[None]),
]
ParentId = Annotated[
    StrictId | None,
    Field(
        description="The todo that it is a subtask of, at most six levels deep.", examples=[None]
    ),
]


def check_due(values: dict[str, Any]) -> None:
    """Refuse a day together with a moment, and a time zone without a moment."""
    if values.get("due_on") is not None and values.get("due_at") is not None:
        message = "give due_on or due_at, not both"
        raise ValueError(message)
    if values.get("time_zone") is not None and values.get("due_at") is None:
        message = "time_zone is given together with due_at"
        raise ValueError(message)


class TodoCreate(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "title": "Buy bread",
                    "description": "The dark one, with seeds.",
                    "labels": ["errands"],
                    "due_on": "2026-12-04",
                }
            ]
        }
    )

    title: Title
    description: Description = ""
    state: TodoState = TodoState.TODO
    share: Share = None
    project_id: ProjectId = None
    section_id: SectionId = None
    parent_id: ParentId = None
    labels: Labels = []
    priority: Priority = Priority.NONE
    due_on: Due = None
    due_at: DueAt = None
    time_zone: DueTimeZone = None
    starts_on: StartsOn = None
    deadline_on: DeadlineOn = None
    duration_minutes: Duration = None
    recurrence: RecurrenceGiven = None
    reminders: Reminders = []

    @model_validator(mode="after")
    def check_together(self) -> Self:
        check_due(self.__dict__)
        if self.recurrence is not None and self.state == TodoState.DONE:
            message = "a todo that recurs is created open; complete its first occurrence then"
            raise ValueError(message)
        if self.parent_id is not None and (self.project_id or self.section_id):
            message = "a subtask lives where its parent lives; give parent_id alone"
            raise ValueError(message)
        return self

    def columns(self) -> dict[str, Any]:
        """Return the values of the columns, without those that are null.

        The time zone of a moment is always included, since its default is the account's.
        """
        names = TodoCreate.model_fields.keys() - NO_COLUMNS
        given = {name: getattr(self, name) for name in names}
        given["reminders"] = as_json(self.reminders)
        values = {name: value for name, value in given.items() if value is not None}
        if self.due_at is not None:
            values["time_zone"] = self.time_zone
        return values


class TodoUpdate(BaseModel):
    """Any subset of a todo's fields. Fields that are not sent stay as they are.

    `POST /todos/{id}/move` changes project, section, parent and position.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"state": "done"}]})

    title: Title | MISSING = MISSING
    description: Description | MISSING = MISSING
    state: TodoState | MISSING = MISSING
    share: Share | MISSING = MISSING
    labels: Labels | MISSING = MISSING
    priority: Priority | MISSING = MISSING
    due_on: Due | MISSING = MISSING
    due_at: DueAt | MISSING = MISSING
    time_zone: DueTimeZone | MISSING = MISSING
    starts_on: StartsOn | MISSING = MISSING
    deadline_on: DeadlineOn | MISSING = MISSING
    duration_minutes: Duration | MISSING = MISSING
    recurrence: RecurrenceGiven | MISSING = MISSING
    reminders: Reminders | MISSING = MISSING

    @model_validator(mode="after")
    def check_together(self) -> Self:
        check_due({name: getattr(self, name) for name in self.model_fields_set})
        return self

    def columns(self) -> dict[str, Any]:
        """Return the values of the columns that change. A due day clears a moment, and reversed."""
        values = self.model_dump(include=TodoUpdate.model_fields.keys() - NO_COLUMNS)
        if self.ends_recurrence():
            values |= NO_SERIES
        if isinstance(self.reminders, list):
            values["reminders"] = as_json(self.reminders)
        zone = values.pop("time_zone", None)
        if "due_at" in values:
            values["time_zone"] = zone
        if values.get("due_at") is not None:
            values["due_on"] = None
        if values.get("due_on") is not None:
            values |= {"due_at": None, "time_zone": None}
        return values

    def completes(self) -> bool:
        return self.state == TodoState.DONE

    def new_recurrence(self) -> Recurrence | None:
        """Return the recurrence that begins; None if it stays as it is, or ends."""
        return self.recurrence if isinstance(self.recurrence, Recurrence) else None

    def ends_recurrence(self) -> bool:
        return self.recurrence is None

    def new_labels(self) -> Sequence[str] | None:
        """Return the labels that it sets; None if it leaves them as they are."""
        return self.labels if isinstance(self.labels, list) else None


class TodoPublic(ResponseModel):
    id: Id
    title: str = Field(examples=["Buy bread"])
    description: str = Field(examples=["The dark one, with seeds."])
    state: TodoState = Field(examples=["todo"])
    share: Share = Field(examples=[None])
    project_id: ProjectId
    section_id: SectionId
    parent_id: ParentId
    labels: list[str] = Field(description="The names of its labels.", examples=[["errands"]])
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
    blocked: bool = Field(description="Whether an open todo blocks it.", examples=[False])
    subtasks: int = Field(description="The number of its direct subtasks.", examples=[0])
    open_subtasks: int = Field(
        description="Those in state `draft`, `todo` or `doing`.", examples=[0]
    )
    completed_at: datetime | None = Field(
        description="When it became `done`. Set by the server.", examples=[None]
    )
    created_at: datetime
    updated_at: datetime = Field(examples=["2026-11-26T18:30:00Z"])
    version: int = Field(
        description="Increases with each change. In quotes, `If-Match` accepts it.", examples=[7]
    )


class TodoCompletion(BaseModel):
    """Which occurrence is done. Only for todos that recur."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"occurrence": "2026-12-04"}]})

    occurrence: OccurrenceNamed = None


class TodoFinished(TodoPublic):
    """A todo of which an occurrence, or all of it, is done or skipped."""

    completed_occurrence: Day | None = Field(
        description="The occurrence that is done or skipped; `null` if the todo does not recur.",
        examples=[None],
    )
