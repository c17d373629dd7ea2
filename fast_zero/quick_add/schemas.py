from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from fast_zero.core.types import RawText, ResponseModel
from fast_zero.quick_add.parsing import LONGEST
from fast_zero.todos.models import Priority
from fast_zero.todos.reminders import Reminder
from fast_zero.todos.schemas import (
    Due,
    Duration,
    ProjectId,
    Recurrence,
    RecurrenceGiven,
    SectionId,
    TodoPublic,
)

SENTENCE = "Buy bread tomorrow 9am #Home @errands !high every 2 weeks"


class QuickAdd(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"text": SENTENCE}]})

    text: Annotated[
        RawText,
        StringConstraints(min_length=1, max_length=LONGEST),
        Field(
            description="A sentence, in English or Portuguese. Days and times are those of the "
            "time zone of the account; what is ambiguous is read in its language.",
            examples=[SENTENCE],
        ),
    ]
    dry_run: Annotated[
        bool, Field(strict=True, description="Write nothing; only show what it would be.")
    ] = False


class UnderstoodPublic(ResponseModel):
    """Words of the sentence, and what they became."""

    text: str = Field(examples=["tomorrow 9am"])
    start: int = Field(description="Where they begin, in code points from 0.", ge=0, examples=[10])
    end: int = Field(description="Where they end: behind the last one.", ge=1, examples=[22])
    kind: Literal[
        "project", "section", "label", "priority", "due", "duration", "reminder", "recurrence"
    ] = Field(examples=["due"])
    value: str | int | Recurrence | Reminder | None = Field(
        description="The day or moment of the due; the recurrence; the reminder; the minutes of "
        "the duration; the priority; the name of the project, section or label. `null`: there is "
        "no such project or section, and the words stay in the title.",
        examples=["2026-12-01T09:00:00-03:00"],
    )


class TodoDraft(ResponseModel):
    """A todo as it would be created."""

    title: str = Field(examples=["Buy bread"])
    project_id: ProjectId
    section_id: SectionId
    labels: list[str] = Field(examples=[["errands"]])
    priority: Priority = Field(examples=["high"])
    due_on: Due
    due_at: datetime | None = Field(examples=["2026-12-01T12:00:00Z"])
    time_zone: str | None = Field(examples=["America/Sao_Paulo"])
    duration_minutes: Duration
    recurrence: RecurrenceGiven
    reminders: list[Reminder] = Field(examples=[[{"minutes_before": 30}]])


class QuickAddAnswer(ResponseModel):
    todo: TodoPublic | None = Field(description="What was created; `null` with `dry_run`.")
    draft: TodoDraft | None = Field(description="With `dry_run`: what would be created.")
    understood: list[UnderstoodPublic] = Field(
        description="Which words became what, in their order. All others are the title."
    )
