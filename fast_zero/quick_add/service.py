from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from fast_zero.core.database import PreparedRow, Session
from fast_zero.core.errors import INVALID_TOKEN, Invalid, Unauthenticated
from fast_zero.quick_add import queries, tags
from fast_zero.quick_add.meanings import Said
from fast_zero.quick_add.parsing import LONGEST, Parsed, Understood, parse
from fast_zero.quick_add.schemas import UnderstoodPublic
from fast_zero.quick_add.tags import Known, NamedProject, NamedSection
from fast_zero.todos import service as todo_service
from fast_zero.todos.models import Priority, RecurrenceFrom
from fast_zero.todos.reminders import Reminder
from fast_zero.todos.schemas import Recurrence, TodoCreate

LONGEST_TITLE = 200
NO_TITLE = (
    "Nothing is left for a title. Say what is to be done, or put words in quotes to keep them."
)
LONG_TITLE = f"The title, which is what is left, has at most {LONGEST_TITLE} characters."
WEEK_STARTS = {"monday": 0, "saturday": 5, "sunday": 6}


@dataclass(frozen=True)
class Answer:
    """A sentence as a todo. `zone` is the time zone of the account."""

    new: TodoCreate
    understood: Sequence[UnderstoodPublic]
    zone: str
    project: NamedProject | None


async def understand(session: Session, user_id: int, text: str) -> Answer:
    """Return the todo that a sentence says. Raises Invalid if it leaves no title, or a long one."""
    projects, sections, labels = tags.wanted(text)
    account = await queries.select_account(session, user_id, projects, sections, labels)
    if account is None:
        raise Unauthenticated(INVALID_TOKEN)
    zone = account["time_zone"]
    said = Said(
        datetime.now(UTC),
        ZoneInfo(zone),
        account["language"],
        WEEK_STARTS[account["week_starts_on"]],
    )
    parsed = parse(text, said, known_of(account))
    if not parsed.title:
        raise Invalid(NO_TITLE, "text")
    if len(parsed.title) > LONGEST_TITLE:
        raise Invalid(LONG_TITLE, "text")
    understood = [shown(text, part) for part in parsed.understood]
    return Answer(new_todo(parsed, zone), understood, zone, parsed.tags.project)


async def create_todo(session: Session, user_id: int, answer: Answer) -> PreparedRow:
    return await todo_service.create_todo(session, user_id, answer.new, zone=answer.zone)


def understand_recurrence(text: str, said: Said) -> Recurrence | None:
    """Return the recurrence that a text is. None: it says something else, or more than that."""
    if len(text) > LONGEST:
        return None
    parsed = parse(text, said, Known({}, {}))
    decision = parsed.decision
    if parsed.title or decision.rule is None:
        return None
    if any(part.kind != "recurrence" for part in parsed.understood):
        return None
    return recurrence_of(str(decision.rule), from_completion=decision.from_completion)


def known_of(account: PreparedRow) -> Known:
    """Return what a sentence may name. Of projects with the same name, the oldest active one."""
    projects = sorted(
        account.get("projects") or (), key=lambda row: (row["archived"], row["id"]), reverse=True
    )
    return Known(
        {tags.key_of(row["name"]): project_of(row) for row in projects},
        {tags.key_of(row["name"]): row["name"] for row in account.get("labels") or ()},
    )


def project_of(row: Mapping[str, Any]) -> NamedProject:
    sections = sorted(row["sections"] or (), key=lambda section: section["id"], reverse=True)
    named = {tags.key_of(row["name"]): NamedSection(**row) for row in sections}
    return NamedProject(row["id"], row["name"], named, row["color"])


def new_todo(parsed: Parsed, zone: str) -> TodoCreate:
    decision, named = parsed.decision, parsed.tags
    recurrence = None
    if decision.rule is not None:
        recurrence = recurrence_of(str(decision.rule), from_completion=decision.from_completion)
    return TodoCreate(
        title=parsed.title,
        project_id=named.project.id if named.project else None,
        section_id=named.section.id if named.section else None,
        labels=named.labels,
        priority=named.priority or Priority.NONE,
        due_on=decision.due_on,
        due_at=decision.due_at,
        time_zone=zone if decision.due_at is not None else None,
        duration_minutes=decision.duration_minutes,
        recurrence=recurrence,
        reminders=[reminder_of(value) for _, value in decision.reminders],
    )


def recurrence_of(rule: str, *, from_completion: bool) -> Recurrence:
    counted_from = RecurrenceFrom.COMPLETION if from_completion else RecurrenceFrom.DUE
    return Recurrence(rule=rule, counted_from=counted_from)


def reminder_of(value: int | datetime) -> Reminder:
    return Reminder(minutes_before=value) if isinstance(value, int) else Reminder(at=value)


def shown(text: str, part: Understood) -> UnderstoodPublic:
    value = part.value
    if part.kind == "recurrence":
        rule, from_completion = value
        value = recurrence_of(rule, from_completion=from_completion)
    elif part.kind == "reminder":
        value = reminder_of(value)
    return UnderstoodPublic(
        text=text[part.start : part.end],
        start=part.start,
        end=part.end,
        kind=part.kind,
        value=value,
    )
