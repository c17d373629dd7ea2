"""Search: tasks by their words, and by filter expressions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ValidationError

from fast_zero.core.database import Session
from fast_zero.core.errors import Invalid
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.filter_language.schemas import FILTER_INVALID
from fast_zero.search import queries
from fast_zero.search.filters import TodoFilter, split_todos
from fast_zero.search.highlights import highlight
from fast_zero.todos.models import OPEN, TodoState
from fast_zero.web.dependencies import Page, UserPage
from fast_zero.web.forms import Form
from fast_zero.web.pages.todos.panel import OpenPanel
from fast_zero.web.presentation.filter_faults import FilterFault
from fast_zero.web.presentation.found import found_of
from fast_zero.web.presentation.rows import Row, rows_of
from fast_zero.web.shell import Shell, read_shell
from fast_zero.web.texts import mark

SEARCH = "search/search.html"
PER_PAGE = 50
ALL = [state for state in TodoState if state != TodoState.TRASH]
WORDS = mark("Write words of letters or digits: up to 20 of them, and 200 characters.")
FILTER = mark("This filter is too long, or has characters that are not allowed.")

router = APIRouter()


class Wanted(BaseModel):
    """What is looked for, as the address has it."""

    q: str = ""
    filter: str = ""
    state: Literal["open", "all", ""] = ""
    after: str = ""

    @property
    def is_empty(self) -> bool:
        return not self.q.strip() and not self.filter.strip()

    def address(self, **changes: str) -> str:
        """Return the address of this search with some parameters changed, from its beginning."""
        given = {**self.model_dump(), "after": "", **changes}
        query = urlencode({name: value for name, value in given.items() if value})
        return f"/app/search?{query}"

    def filters(self) -> TodoFilter:
        """Return the parameters of the list. Raises ValidationError, or Invalid.

        A filter says itself which states it finds, as it does once it is saved.
        """
        states = ALL if self.state == "all" else list(OPEN)
        return TodoFilter(
            q=self.q.strip() or None,
            filter=self.filter.strip() or None,
            state=None if self.filter.strip() else states,
            sort="relevance" if self.q.strip() else "due",
            limit=PER_PAGE,
            after=self.after or None,
        )


@router.get("/app/search")
async def search(
    wanted: Annotated[Wanted, Query()], page: UserPage, session: CurrentSession, panel: OpenPanel
) -> Response:
    """Show the tasks that have these words, and that the filter finds."""
    shell = await read_shell(session, page.reader.id)
    form = page.form({"q": wanted.q, "filter": wanted.filter})
    shown: dict[str, Any] = {
        "place": "search",
        "shell": shell,
        "panel": panel,
        "wanted": wanted,
        "fault": None,
    }
    if wanted.is_empty:
        return page.render(SEARCH, form=form, todos=None, after=None, **shown)
    try:
        filters = wanted.filters()
    except (ValidationError, Invalid) as error:
        shown["fault"] = refuse(form, wanted, page, error)
        return page.show_errors(SEARCH, form, todos=None, after=None, **shown)
    todos, after = await read_found(session, page, shell, filters)
    return page.render(SEARCH, form=form, todos=todos, after=after, **shown)


def refuse(
    form: Form, wanted: Wanted, page: Page, error: ValidationError | Invalid
) -> FilterFault | None:
    """Show what is wrong beside its field. Of a filter, return its first mistake."""
    if isinstance(error, ValidationError):
        fields = {item["loc"][0] for item in error.errors(include_url=False) if item["loc"]}
        form.errors |= {"q": WORDS} if "q" in fields else {"filter": FILTER}
        return None
    if error.code != FILTER_INVALID.code:
        raise error
    text, gettext = wanted.filter.strip(), page.catalogue.gettext
    fault = FilterFault.of(error.members or {}, text, gettext)
    form.errors["filter"] = fault.sentence.replace("%", "%%")
    return fault


async def read_found(
    session: Session, page: Page, shell: Shell, filters: TodoFilter
) -> tuple[Sequence[Row], str | None]:
    found = await queries.select_todos(session, page.reader.id, filters)
    todos, after = split_todos(found, filters)
    rows = rows_of(todos, page.dates, shell.places)
    if filters.q is None:
        return rows, after
    return [with_marks(row, todo) for row, todo in zip(rows, todos, strict=True)], after


def with_marks(row: Row, todo: Mapping[str, Any]) -> Row:
    return replace(row, found=found_of(todo, highlight(todo)))
