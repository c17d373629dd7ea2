import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    MISSING,
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    NaiveDatetime,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from fast_zero.core.errors import Invalid
from fast_zero.core.pagination import Next, PageParams, decode_cursor, split_page
from fast_zero.core.sorting import Sort, decode, encode, parse_sort
from fast_zero.core.types import Id, RawText, ResponseModel, Sharing, StrictId, Text
from fast_zero.identity.schemas import TimeZone
from fast_zero.labels.schemas import LabelName
from fast_zero.projects.schemas import Position
from fast_zero.todos.models import Priority, TodoState

Row = dict[str, Any]

ACCENTS = re.compile("[\u0300-\u036f]+")
Title = Annotated[
    Text, StringConstraints(min_length=1, max_length=200), Field(examples=["Buy bread"])
]
Description = Annotated[
    Text, StringConstraints(max_length=20_000), Field(examples=["The dark one, with seeds."])
]


def has_more_than_accents(text: str) -> str:
    """Refuse a text that is empty once accents are removed: every text would contain it."""
    if ACCENTS.fullmatch(unicodedata.normalize("NFD", text)):
        message = "accents alone cannot be looked for"
        raise ValueError(message)
    return text


Fragment = Annotated[
    RawText,
    StringConstraints(min_length=1, max_length=200),
    AfterValidator(has_more_than_accents),
    Field(examples=["bread"]),
]


Share = Annotated[
    Sharing | None,
    Field(
        description="Who can see that it was finished, once it is `done`. `null`: as `share_todos` "
        "of the account, which is `off` by default."
    ),
]


FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(9999, 12, 30)


def check_moment(moment: datetime) -> datetime:
    """Refuse moments that are outside of what PostgreSQL and Python both can store, in any zone."""
    if not FIRST_DAY < moment.date() < LAST_DAY:
        message = f"it has to be between {FIRST_DAY} and {LAST_DAY}"
        raise ValueError(message)
    return moment.astimezone(UTC)


Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]
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
    Annotated[AwareDatetime, AfterValidator(check_moment)] | None,
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

    @model_validator(mode="after")
    def check_together(self) -> Self:
        check_due(self.__dict__)
        if self.parent_id is not None and (self.project_id or self.section_id):
            message = "a subtask lives where its parent lives; give parent_id alone"
            raise ValueError(message)
        return self

    def columns(self) -> dict[str, Any]:
        """Return the values of the columns, without those that are null.

        The time zone of a moment is always included, since its default is the account's.
        """
        given = {name: getattr(self, name) for name in TodoCreate.model_fields if name != "labels"}
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

    @model_validator(mode="after")
    def check_together(self) -> Self:
        check_due({name: getattr(self, name) for name in self.model_fields_set})
        return self

    def columns(self) -> dict[str, Any]:
        """Return the values of the columns that change. A due day clears a moment, and reversed."""
        values = self.model_dump(include=TodoUpdate.model_fields.keys() - {"labels"})
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


class TodoPage(ResponseModel):
    todos: list[TodoPublic]
    next: Next


SORT_TYPES: dict[str, Any] = {
    "due": NaiveDatetime | None,
    "priority": Priority,
    "position": RawText,
    "title": RawText,
    "created_at": AwareDatetime,
    "completed_at": AwareDatetime | None,
}
"""What todos can be sorted by, and the types of the values in a cursor."""


def check_sort(text: str) -> str:
    parse_sort(text, list(SORT_TYPES))
    return text


class TodoFilter(PageParams):
    after: Annotated[
        Any,
        Field(description="Start behind this cursor: `next` of the page before, of the same sort."),
        WithJsonSchema({"type": "string", "examples": ["AAAAAAAAAAc"]}),
    ] = None
    title: Annotated[
        Fragment | None,
        Field(
            description="Only titles that contain this text. Case and accents are ignored: `pao` "
            "finds `Pão`. `%` is not a wildcard."
        ),
    ] = None
    description: Annotated[
        Fragment | None,
        Field(
            description="Only descriptions that contain this text. Case and accents are ignored."
        ),
    ] = None
    state: Annotated[
        list[TodoState] | None,
        Field(
            description="Only todos in this state. Repeat the parameter for several states.",
        ),
    ] = None
    project_id: Annotated[
        Id | Literal["none"] | None,
        Field(description="Only todos of this project; `none`: those in the inbox."),
    ] = None
    section_id: Annotated[
        Id | Literal["none"] | None,
        Field(description="Only todos of this section; `none`: those in no section."),
    ] = None
    parent_id: Annotated[
        Id | Literal["none"] | None,
        Field(description="Only subtasks of this todo; `none`: no subtasks."),
    ] = None
    label: Annotated[
        list[LabelName] | None,
        Field(description="Only todos with this label. Repeat it: with all of these."),
    ] = None
    priority: Annotated[
        list[Priority] | None,
        Field(description="Only todos of this priority. Repeat it for several priorities."),
    ] = None
    due_before: Annotated[
        Day | None,
        Field(description="Only todos that are due before this day, in your time zone."),
    ] = None
    due_after: Annotated[
        Day | None,
        Field(description="Only todos that are due after this day, in your time zone."),
    ] = None
    overdue: Annotated[
        bool | None,
        Field(description="Only open todos whose due day or moment has passed; `false`: others."),
    ] = None
    sort: Annotated[
        str | None,
        Field(
            description=f"Keys with commas between: {', '.join(SORT_TYPES)}. `-` before a key: "
            "descending. Todos without a value are last. Default: oldest first.",
            examples=["due,-priority"],
        ),
        AfterValidator(check_sort),
    ] = None

    def order(self) -> Sort:
        return parse_sort(self.sort, list(SORT_TYPES)) if self.sort else ()

    @model_validator(mode="after")
    def decode_after(self) -> Self:
        """Replace the cursor by what it contains."""
        if isinstance(self.after, str):
            try:
                self.after = (
                    decode(self.after, self.sort, SORT_TYPES)
                    if self.sort
                    else decode_cursor(self.after)
                )
            except ValueError as error:
                raise Invalid(str(error), "after", "query") from None
        return self


def split_todos(rows: Sequence[Row], wanted: TodoFilter) -> tuple[Sequence[Row], str | None]:
    """Split `limit + 1` rows into the page, and the cursor of the next page in the same sort."""
    shown, cursor = split_page(rows, wanted)
    if cursor and wanted.sort:
        cursor = encode(wanted.sort, shown[-1], wanted.order())
    return shown, cursor
