"""The reminders of a todo, which it stores as JSON. Triggers schedule them."""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    model_validator,
)

from fast_zero.todos.moments import Moment

MAX_REMINDERS = 10
MAX_MINUTES = 527_040


class Reminder(BaseModel):
    """When to remind of a todo: before it is due, or at a moment."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"minutes_before": 30}]}
    )

    minutes_before: Annotated[
        Annotated[int, Field(strict=True, ge=0, le=MAX_MINUTES)] | None,
        Field(
            description="Minutes before it is due, up to 366 days. A todo that is due on a day is "
            "due at `default_reminder_time` of the account.",
            examples=[30],
        ),
    ] = None
    at: Annotated[
        Moment | None, Field(description="A moment, with an offset.", examples=[None])
    ] = None

    @model_validator(mode="after")
    def check_one(self) -> Self:
        if (self.minutes_before is None) == (self.at is None):
            message = "give either minutes_before or at"
            raise ValueError(message)
        return self


def without_duplicates(reminders: list[Reminder]) -> list[Reminder]:
    return list(dict.fromkeys(reminders))


Reminders = Annotated[
    list[Reminder],
    Field(
        max_length=MAX_REMINDERS,
        description="When to remind of it, while it is open and nothing blocks it. They follow "
        "when it is due.",
        examples=[[{"minutes_before": 30}]],
    ),
    AfterValidator(without_duplicates),
]
StoredReminders = Annotated[
    list[Reminder],
    Field(description="When to remind of it.", examples=[[{"minutes_before": 30}]]),
    # Null where there are none, so that a todo without reminders costs nothing.
    BeforeValidator(lambda stored: [] if stored is None else stored),
]
LIST: TypeAdapter[Sequence[Reminder]] = TypeAdapter(Sequence[Reminder])


def as_json(reminders: Sequence[Reminder]) -> str | None:
    """Return what is stored of reminders. None: there are none."""
    return LIST.dump_json(reminders, exclude_none=True).decode() if reminders else None
