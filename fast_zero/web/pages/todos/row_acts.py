"""What the buttons of rows change: one todo, or all that are selected, in one change set."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Self

from pydantic import TypeAdapter, ValidationError

from fast_zero.batches import service as batches
from fast_zero.batches.schemas import (
    Batch,
    CompleteItem,
    DeleteItem,
    ItemResult,
    MoveItem,
    UpdateItem,
)
from fast_zero.core.database import Session, lock_lists
from fast_zero.core.errors import NotFound
from fast_zero.projects import queries as project_queries
from fast_zero.quick_add.meanings import Unit, next_period
from fast_zero.quick_add.service import WEEK_STARTS
from fast_zero.relations.models import NO_TODO
from fast_zero.search import queries as search_queries
from fast_zero.search.filters import TodoFilter, split_todos
from fast_zero.todos import queries as todo_queries
from fast_zero.todos.models import OPEN, Priority, TodoState
from fast_zero.todos.schemas import Labels, TodoPublic
from fast_zero.web.attempts import read_id
from fast_zero.web.dependencies import Page
from fast_zero.web.notices import Notice, Refused, fault
from fast_zero.web.presentation.rows import INBOX, NO_PRIORITY, PRIORITIES, due_day
from fast_zero.web.texts import mark

MAX_SELECTED = 200
"""How many todos a form may change: as many as a batch may have."""
MAX_OVERDUE = 1000

Fields = Mapping[str, str]
Todo = Mapping[str, Any]
LABELS = TypeAdapter(Labels)
NEXT = mark("next: %(day)s")


@dataclass(frozen=True)
class Target:
    """A todo that a button or a selected row names: `41`, or `41/2026-12-04` if it recurs.

    The day names the occurrence, so that a second click completes no second one.
    """

    id: int
    occurrence: date | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        id_, _, day = text.partition("/")
        return cls(read_id(id_, "todo_not_found"), date.fromisoformat(day) if day else None)


Item = CompleteItem | UpdateItem | MoveItem | DeleteItem
Change = Callable[[Page, Fields, Target, Todo], Item]


@dataclass(frozen=True)
class Act:
    """`code` is that of its notice, which may say a `place`: a day, a project, a label."""

    code: str
    change: Change
    place: Callable[[Page, Fields], str] = lambda _page, _fields: ""


def complete(_page: Page, _fields: Fields, target: Target, _todo: Todo) -> Item:
    return CompleteItem(op="complete", id=target.id, occurrence=target.occurrence)


def reopen(_page: Page, _fields: Fields, target: Target, _todo: Todo) -> Item:
    return UpdateItem(op="update", id=target.id, state=TodoState.TODO)


def delete(_page: Page, _fields: Fields, target: Target, _todo: Todo) -> Item:
    return DeleteItem(op="delete", id=target.id)


def due_on(page: Page, todo: Todo, day: date) -> Item:
    """Move a todo to a day. Its hour stays, on the clock of the reader."""
    if todo["due_at"] is None:
        return UpdateItem(op="update", id=todo["id"], due_on=day)
    zone = page.dates.now.tzinfo
    hour = todo["due_at"].astimezone(zone).time()
    moment = datetime.combine(day, hour, zone)
    return UpdateItem(op="update", id=todo["id"], due_at=moment, time_zone=todo["time_zone"])


def next_week(page: Page) -> date:
    """Return the Monday of next week, as quick add understands it."""
    return next_period(Unit.WEEK, page.dates.today, WEEK_STARTS[page.reader.week_starts_on])


def postpone(day_of: Callable[[Page], date]) -> Act:
    return Act(
        "due",
        lambda page, _fields, _target, todo: due_on(page, todo, day_of(page)),
        lambda page, _fields: page.dates.day(day_of(page)),
    )


def remove_due(_page: Page, _fields: Fields, target: Target, _todo: Todo) -> Item:
    return UpdateItem(op="update", id=target.id, due_on=None, due_at=None)


def move_to(_page: Page, fields: Fields, target: Target, _todo: Todo) -> Item:
    """Move to the place that the form names: `inbox`, `project/3` or `section/7`."""
    kind, _, id_ = fields.get("place", "").partition("/")
    if kind == "inbox":
        return MoveItem(op="move", id=target.id, project_id=None)
    if kind not in {"project", "section"}:
        raise Refused("no_place")
    named = read_id(id_, "no_place")
    if kind == "section":
        return MoveItem(op="move", id=target.id, section_id=named)
    return MoveItem(op="move", id=target.id, project_id=named)


def add_label(_page: Page, fields: Fields, target: Target, todo: Todo) -> Item:
    name = label_of(fields)
    try:
        labels = LABELS.validate_python([*todo["labels"], name])
    except ValidationError:
        raise Refused("label_refused") from None
    return UpdateItem(op="update", id=target.id, labels=labels)


def label_of(fields: Fields) -> str:
    return fields.get("label_name", "").strip().removeprefix("@")


def set_priority(_page: Page, fields: Fields, target: Target, _todo: Todo) -> Item:
    try:
        level = Priority(fields.get("level", ""))
    except ValueError:
        raise Refused("no_priority") from None
    return UpdateItem(op="update", id=target.id, priority=level)


def priority_of(page: Page, fields: Fields) -> str:
    return page.catalogue.gettext(PRIORITIES.get(fields["level"], NO_PRIORITY))


ACTS: dict[str, Act] = {
    "complete": Act("completed", complete),
    "reopen": Act("reopened", reopen),
    "delete": Act("todo_deleted", delete),
    "today": postpone(lambda page: page.dates.today),
    "tomorrow": postpone(lambda page: page.dates.today + timedelta(1)),
    "next_week": postpone(next_week),
    "no_date": Act("undated", remove_due),
    "move_to": Act("todo_moved", move_to),
    "label": Act("labelled", add_label, lambda _page, fields: f"@{label_of(fields)}"),
    "priority": Act("prioritized", set_priority, priority_of),
}
"""By the name of the button that was pressed."""


async def do(
    session: Session, page: Page, name: str, targets: Sequence[Target], fields: Fields
) -> Notice:
    """Change the todos; what cannot be changed stays as it is, and is counted in the notice."""
    if not targets:
        raise Refused("nothing_selected")
    if len(targets) > MAX_SELECTED:
        raise Refused("too_many_selected")
    act, user_id = ACTS[name], page.reader.id
    await lock_lists(session, user_id)  # so that nobody else changes labels that are kept
    wanted = {target.id: target for target in targets}
    found = await todo_queries.select_todos_by_id(session, user_id, list(wanted))
    items = [act.change(page, fields, wanted[id_], todo) for id_, todo in found.items()]
    if not items:
        raise NotFound(NO_TODO)
    results = await batches.do_batch(session, user_id, Batch(items=items, atomic=False))
    done = [item for item, result in zip(items, results, strict=True) if result.problem is None]
    if not done:
        return refusal_of(results)
    project = await project_of(session, page, results) if name == "move_to" else ""
    return Notice(
        code=act.code,
        title=found[done[0].id]["title"] if len(done) == 1 else "",
        place=project or act.place(page, fields),
        details=next_day(page, results[0].todo) if name == "complete" and len(items) == 1 else "",
        count=len(done),
        failed=len(wanted) - len(done),
        undo=page.change_set,
        focus=f"t{targets[0].id}" if name == "reopen" else "",
    )


def next_day(page: Page, todo: TodoPublic | None) -> str:
    """Say when a todo that was completed comes back, if it does."""
    if todo is None or todo.state == TodoState.DONE:
        return ""
    day = due_day(todo.model_dump(include={"due_on", "due_at"}), page.dates)
    return page.catalogue.gettext(NEXT) % {"day": page.dates.day(day)}


async def do_overdue(session: Session, page: Page) -> Notice:
    """Move to today all that was due before. Of very many, the first; the notice says so."""
    user_id, today, failed = page.reader.id, page.dates.today, 0
    wanted = TodoFilter(due_before=today, state=list(OPEN), sort="due", limit=MAX_SELECTED)
    cursor: str | None = ""
    done: list[str] = []
    while cursor is not None and len(done) + failed < MAX_OVERDUE:
        rows = await search_queries.select_todos(session, user_id, wanted)
        todos, cursor = split_todos(rows, wanted)
        if not todos:
            raise NotFound(NO_TODO)
        items = [due_on(page, todo, today) for todo in todos]
        results = await batches.do_batch(session, user_id, Batch(items=items, atomic=False))
        pairs = zip(todos, results, strict=True)
        moved = [todo["title"] for todo, result in pairs if result.problem is None]
        done, failed = [*done, *moved], failed + len(todos) - len(moved)
        wanted = wanted.model_copy(update={"after": cursor})
        wanted.decode_after()
    if not done:
        return refusal_of(results)
    return Notice(
        code="due",
        title=done[0] if len(done) == 1 else "",
        place=page.dates.day(today),
        count=len(done),
        failed=failed,
        more=cursor is not None,
        undo=page.change_set,
    )


async def project_of(session: Session, page: Page, results: Sequence[ItemResult]) -> str:
    """Return the name of the project that todos are in after a move."""
    moved = next(result.todo for result in results if result.problem is None)
    if moved is None or moved.project_id is None:
        return page.catalogue.gettext(INBOX)
    project = await project_queries.select_project(session, page.reader.id, moved.project_id)
    return project.name if project else ""


def refusal_of(results: Sequence[ItemResult]) -> Notice:
    """Say why the first of todos cannot be changed."""
    code = next((result.problem.code for result in results if result.problem), "")
    return fault(code)
