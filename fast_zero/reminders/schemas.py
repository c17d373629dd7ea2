from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fast_zero.todos.moments import Moment
from fast_zero.todos.reminders import MAX_MINUTES


class Snooze(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"minutes": 30}]})

    until: Annotated[Moment | None, Field(description="A moment to come, with an offset.")] = None
    minutes: Annotated[
        Annotated[int, Field(strict=True, ge=1, le=MAX_MINUTES)] | None,
        Field(description="Minutes from now, up to 366 days."),
    ] = None

    @model_validator(mode="after")
    def check_one(self) -> Self:
        if (self.minutes is None) == (self.until is None):
            message = "give either until or minutes"
            raise ValueError(message)
        return self
