"""The todo that an address names, shown beside its list: `/app/today?todo=41`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated

from fastapi import Depends

from fast_zero.core.database import AnyRow, PreparedRow, Session
from fast_zero.core.errors import NotFound
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.core.types import Id
from fast_zero.occurrences import service as occurrences
from fast_zero.occurrences.schemas import OccurrencesOfTodo, OccurrencesParams
from fast_zero.projects import queries as project_queries
from fast_zero.search import queries as search_queries
from fast_zero.search.filters import TodoFilter
from fast_zero.todos import queries, service
from fast_zero.todos.models import OPEN, OccurrenceStatus, TodoState
from fast_zero.todos.reminders import LIST, Reminder
from fast_zero.web import links
from fast_zero.web.dependencies import Page, UserPage
from fast_zero.web.forms import Form
from fast_zero.web.pages.todos.todo_form import NEXT_DAYS, Marked, said_by, shown
from fast_zero.web.presentation.rows import Row, row_of, rows_of
from fast_zero.web.shell import Shell
from fast_zero.web.texts import mark

MAX_SUBTASKS = 200
MAX_SECTIONS = 500
HISTORY = 10
BELOW = " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} "

RELATIONS = {
    "blocked_by": mark("Waits for"),
    "blocks": mark("Blocks"),
    "relates_to": mark("Belongs with"),
}
STATES = {
    "draft": mark("Draft"),
    "todo": mark("To do"),
    "doing": mark("In progress"),
    "done": mark("Completed"),
    "trash": mark("Discarded"),
}
SHARES = {
    "": mark("As in the settings"),
    "off": mark("Nobody"),
    "followers": mark("Followers"),
    "public": mark("Everybody"),
}
MORE = frozenset({"starts_on", "deadline_on", "duration_minutes", "state", "share"})
"""The fields that are folded."""

REMINDERS = (0, 5, 10, 30, 60, 120, 1440, 2880, 10_080)
"""Minutes before a todo is due that its form offers."""


@dataclass(frozen=True)
class Beside:
    """The list that a todo stands beside."""

    back: str

    @classmethod
    def of(cls, address: str) -> "Beside":
        """Return the list of an address that may name a todo as well."""
        return cls(links.with_query(address, todo=None))

    def open(self, todo_id: int) -> str:
        return f"{links.before_todo(self.back)}{todo_id}"


@dataclass(frozen=True)
class Difference:
    """A field of which two versions differ."""

    label: str
    theirs: Marked
    mine: Marked


@dataclass(frozen=True)
class Clash:
    """A version that was saved meanwhile, and how the form differs from it."""

    version: int
    at: str
    differences: Sequence[Difference]


@dataclass(frozen=True)
class Candidate:
    """A todo that was perhaps meant."""

    id: int
    title: str


@dataclass
class Panel:
    """A todo with all that is shown of it. `form` has what was typed, if it was refused."""

    todo: PreparedRow
    row: Row
    beside: Beside
    form: Form
    parent: PreparedRow | None
    subtasks: list[Row]
    relations: Sequence[AnyRow]
    sections: Sequence[AnyRow]
    occurrences: OccurrencesOfTodo | None
    clash: Clash | None = None
    relating: Form = field(default_factory=Form)
    candidates: Sequence[Candidate] = ()

    is_deleted = False
    relation_names = RELATIONS
    states = STATES
    shares = SHARES
    reminder_choices = REMINDERS

    @property
    def id(self) -> int:
        found: int = self.todo["id"]
        return found

    @property
    def title(self) -> str:
        found: str = self.todo["title"]
        return found

    @property
    def address(self) -> str:
        """The address of the list with this todo."""
        return self.beside.open(self.id)

    @property
    def is_open(self) -> bool:
        return self.todo["state"] in OPEN

    @property
    def has_error_in_more(self) -> bool:
        return not MORE.isdisjoint(self.form.errors)

    @property
    def done_subtasks(self) -> int:
        return sum(subtask.done for subtask in self.subtasks)

    @property
    def reminders(self) -> Sequence[Reminder]:
        return LIST.validate_python(self.todo["reminders"] or [])

    @property
    def next_days(self) -> list[date]:
        """The days that follow the current occurrence."""
        upcoming = self.occurrences.upcoming if self.occurrences else []
        return [each.day for each in upcoming[1:]]

    @property
    def newest(self) -> date | None:
        """The occurrence that can be taken back."""
        past = self.occurrences.past if self.occurrences else []
        return next((each.day for each in past if each.status != OccurrenceStatus.MISSED), None)

    def places(self, shell: Shell) -> dict[str, str]:
        """Return where a todo can be, by the value of the form: projects with their sections."""
        inside: dict[int, list[AnyRow]] = {}
        for section in self.sections:
            inside.setdefault(section.project_id, []).append(section)
        found: dict[str, str] = {}
        names: list[str] = []
        for project in shell.projects:
            names = [*names[: project.level], project.place.name]
            found[f"p{project.place.id}"] = BELOW.join(names)
            for section in inside.get(project.place.id, ()):
                found[f"s{section.id}"] = BELOW.join([*names, section.name])
        return found


@dataclass(frozen=True)
class Deleted:
    """A todo in the trash."""

    id: int
    title: str
    beside: Beside

    is_deleted = True


async def read(session: Session, page: Page, todo_id: int, beside: Beside) -> Panel:
    """Read a todo with all that is shown of it: four statements, and two of what recurs."""
    user_id, dates = page.reader.id, page.dates
    todo = await service.read_todo(session, user_id, todo_id)
    states = [*OPEN, TodoState.DONE]
    below = TodoFilter(parent_id=todo_id, state=states, sort="position", limit=MAX_SUBTASKS)
    subtasks = await search_queries.select_todos(session, user_id, below)
    parent, coming = todo["parent_id"], None
    if todo["recurrence"] is not None:
        wanted = OccurrencesParams(limit=HISTORY)
        coming = await occurrences.list_occurrences(session, user_id, todo_id, wanted)
        coming.upcoming = coming.upcoming[: NEXT_DAYS + 1]
    return Panel(
        todo=todo,
        row=row_of(todo, dates, {}),
        beside=beside,
        form=page.form(shown(todo, said_by(page.reader))),
        parent=await queries.select_todo(session, user_id, parent) if parent else None,
        subtasks=rows_of(subtasks[:MAX_SUBTASKS], dates, {}),
        relations=await queries.select_relations(session, user_id, todo_id),
        sections=await project_queries.select_all_sections(session, user_id, MAX_SECTIONS),
        occurrences=coming,
    )


async def read_or_deleted(
    session: Session, page: Page, todo_id: int, beside: Beside
) -> Panel | Deleted:
    try:
        return await read(session, page, todo_id, beside)
    except NotFound:
        title = await queries.select_deleted_title(session, page.reader.id, todo_id)
        if title is None:
            raise
        return Deleted(todo_id, title, beside)


async def read_panel(
    page: UserPage, session: CurrentSession, todo: Id | None = None
) -> Panel | Deleted | None:
    if todo is None:
        return None
    return await read_or_deleted(session, page, todo, Beside(page.list_address))


OpenPanel = Annotated[Panel | Deleted | None, Depends(read_panel)]
"""What stands beside a list, if its address names a todo."""
