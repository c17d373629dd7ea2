"""What lists of todos can be filtered and sorted by."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from fast_zero.core.errors import Invalid
from fast_zero.core.pagination import PageParams, decode_cursor, split_page
from fast_zero.core.sorting import Sort, decode, encode, parse_sort
from fast_zero.core.types import Id, RawText
from fast_zero.filter_language.schemas import FilterText, parse_field
from fast_zero.labels.schemas import LabelName
from fast_zero.search.words import SearchText
from fast_zero.todos.models import Priority, TodoState
from fast_zero.todos.moments import Day
from fast_zero.todos.sort_keys import SORT_TYPES

Row = dict[str, Any]

ACCENTS = re.compile("[\u0300-\u036f]+")


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


MAX_INTEGER = 2**31 - 1
SORT_TYPES_WITH_Q = {
    **SORT_TYPES,
    "relevance": Annotated[int, Field(ge=-MAX_INTEGER, le=MAX_INTEGER)],
}
MAX_LIMIT_WITH_Q = 100
"""How many todos a page has at most with `q`, since where it matched is computed for each."""

RELEVANCE_WITHOUT_Q = "`relevance` sorts what `q` finds; give `q` as well."


def check_sort(text: str) -> str:
    parse_sort(text, list(SORT_TYPES_WITH_Q))
    return text


class TodoFilter(PageParams):
    after: Annotated[
        Any,
        Field(description="Start behind this cursor: `next` of the page before, of the same sort."),
        WithJsonSchema({"type": "string", "examples": ["AAAAAAAAAAc"]}),
    ] = None
    q: Annotated[
        SearchText | None,
        Field(
            description="Only todos that have all of these words, up to 20, in title, description "
            "or labels: by their English and Portuguese stems, without regard to case and accents. "
            "The last one may be unfinished. Words in quotes follow one another. A page has at "
            f"most {MAX_LIMIT_WITH_Q} todos."
        ),
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
    filter: Annotated[
        FilterText | None,
        Field(
            description="Only todos that this filter finds, in the language of docs/filters.md. "
            "Combined with the other parameters by AND.",
            examples=["due<=friday and not label:errands"],
        ),
    ] = None
    saved_filter: Annotated[
        Id | None,
        Field(
            description="Only todos that this saved filter finds. Its sort is the default. "
            "Combined with the other parameters by AND.",
        ),
    ] = None
    sort: Annotated[
        str | None,
        Field(
            description=f"Keys with commas between: {', '.join(SORT_TYPES)}. `-` before a key: "
            "descending. Todos without a value are last. Default: oldest first. "
            "`relevance`, with `q`: those that match best are first.",
            examples=["due,-priority"],
        ),
        AfterValidator(check_sort),
    ] = None

    def order(self) -> Sort:
        return parse_sort(self.sort, list(SORT_TYPES_WITH_Q)) if self.sort else ()

    @model_validator(mode="after")
    def check_q(self) -> Self:
        if self.q is None:
            if "relevance" in (self.sort or ""):
                raise Invalid(RELEVANCE_WITHOUT_Q, "sort", "query")
        else:
            self.limit = min(self.limit, MAX_LIMIT_WITH_Q)
        return self

    def use_saved(self, text: str, sort: str | None) -> None:
        """Check the text of the saved filter, and take its sort as the default."""
        parse_field(text, "saved_filter", "query")
        self.sort = self.sort or sort
        self.decode_after()

    @model_validator(mode="after")
    def check_filter_and_cursor(self) -> Self:
        if self.filter is not None:
            parse_field(self.filter, "filter", "query")
        if self.saved_filter is None:  # else its sort may be that of the cursor
            self.decode_after()
        return self

    def decode_after(self) -> None:
        """Replace the cursor by what it contains."""
        if isinstance(self.after, str):
            try:
                self.after = (
                    decode(self.after, self.sort, SORT_TYPES_WITH_Q)
                    if self.sort
                    else decode_cursor(self.after)
                )
            except ValueError as error:
                raise Invalid(str(error), "after", "query") from None


def split_todos(rows: Sequence[Row], wanted: TodoFilter) -> tuple[Sequence[Row], str | None]:
    """Split `limit + 1` rows into the page, and the cursor of the next page in the same sort."""
    shown, cursor = split_page(rows, wanted)
    if cursor and wanted.sort:
        cursor = encode(wanted.sort, shown[-1], wanted.order())
    return shown, cursor
