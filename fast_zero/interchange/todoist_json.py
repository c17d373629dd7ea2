"""Reads the JSON backup of Todoist: what its Sync API answers with `resource_types=["all"]`.

https://developer.todoist.com/api/v1/
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, TypeVar

from pydantic import ValidationError

from fast_zero.identity.time_zones import check_time_zone
from fast_zero.interchange.portable import MOST_ERRORS, Document, Loss, PortableTodo
from fast_zero.interchange.todoist_csv import MINUTES, comment
from fast_zero.interchange.todoist_dates import When, parse_date
from fast_zero.interchange.todoist_shapes import (
    Due,
    Filter,
    Item,
    ItemReminder,
    Label,
    Note,
    Project,
    Section,
    Thing,
)
from fast_zero.todos.models import Priority, TodoState
from fast_zero.todos.reminders import MAX_MINUTES, MAX_REMINDERS, Reminder

PRIORITIES = {4: Priority.URGENT, 3: Priority.HIGH, 2: Priority.MEDIUM}
COLORS = {None, "", "charcoal", "grey", "gray"}
"""Those that a project or a label has if none was chosen."""

NOT_BACKUP = "It has to be an object with the list `items`: a backup of the Sync API."
DAY = len("2031-03-27")
MOST_ENTRIES = 100_000
MOST_LEVELS = 50  # far more than there are


T = TypeVar("T", bound=Thing)


@dataclass(frozen=True)
class ProjectPlace:
    """The names of a project and of those around it, and by what it is sorted."""

    names: tuple[str, ...] = ()
    order: tuple[int, ...] = ()


NOWHERE = ProjectPlace()


@dataclass
class Backup:
    """What a backup contains, by ids. The number of an item is its place in its list, from 1."""

    zone: str
    now: datetime
    projects: dict[str, tuple[int, Project]] = field(default_factory=dict)
    sections: dict[str, tuple[int, Section]] = field(default_factory=dict)
    labels: dict[str, tuple[int, Label]] = field(default_factory=dict)
    items: dict[str, tuple[int, Item]] = field(default_factory=dict)
    notes: dict[str, list[Note]] = field(default_factory=lambda: defaultdict(list))
    reminders: dict[str, list[Reminder]] = field(default_factory=lambda: defaultdict(list))
    losses: list[Loss] = field(default_factory=list)
    errors: list[Loss] = field(default_factory=list)

    def lose(self, number: int, column: str, message: str) -> None:
        self.losses.append(Loss(number, column, message))


def read_todoist_json(content: bytes, zone: str, now: datetime) -> Document:
    """Read a backup. `zone` is where a moment names no time zone."""
    backup = Backup(zone, now)
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "it cannot be read"
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        return Document(errors=[Loss(line, "", f"This is not JSON: {reason}.")])
    if not isinstance(data, dict) or not isinstance(data.get("items"), list):
        return Document(errors=[Loss(1, "items", NOT_BACKUP)])
    read_lists(backup, data)
    places = places_of(backup)

    def order_of(entry: tuple[int, Item]) -> tuple[tuple[int, ...], int, int]:
        _, item = entry
        section = backup.sections.get(item.section_id or "")
        place = places.get(item.project_id, NOWHERE)
        return place.order, section[1].section_order if section else -1, item.child_order

    todos = [
        todo_of(backup, places.get(item.project_id, NOWHERE), number, item)
        for number, item in sorted(backup.items.values(), key=order_of)
    ]
    report_unused(backup)
    return Document(todos, backup.losses, backup.errors)


def things(
    backup: Backup, data: Mapping[str, Any], name: str, kind: type[T]
) -> Iterator[tuple[int, T]]:
    """Yield the things of a list that are not deleted, once for each id, with their numbers."""
    numbers: dict[str, int] = {}
    entries = data.get(name) or []
    if not isinstance(entries, list):
        backup.errors.append(Loss(1, name, "It has to be a list."))
        return
    if len(entries) > MOST_ENTRIES:
        message = f"It has at most {MOST_ENTRIES:,} entries."
        backup.errors.append(Loss(MOST_ENTRIES + 1, name, message))
        return
    for number, entry in enumerate(entries, 1):
        if len(backup.errors) >= MOST_ERRORS:
            return
        try:
            thing = kind.model_validate(entry)
        except ValidationError as error:
            for item in error.errors(include_url=False, include_input=False, include_context=False):
                column = ".".join(map(str, (name, *item["loc"])))
                backup.errors.append(Loss(number, column, item["msg"]))
        else:
            first = numbers.setdefault(thing.id, number)
            if first != number:
                backup.lose(number, f"{name}.id", f"Left out: entry {first} has this id already.")
            elif not thing.is_deleted:
                yield number, thing


def read_lists(backup: Backup, data: Mapping[str, Any]) -> None:
    for number, project in things(backup, data, "projects", Project):
        backup.projects[project.id] = (number, project)
        report_project(backup, number, project)
    for number, section in things(backup, data, "sections", Section):
        backup.sections[section.id] = (number, section)
    for number, label in things(backup, data, "labels", Label):
        backup.labels[label.id] = (number, label)
        if label.color not in COLORS:
            backup.lose(
                number, "labels.color", f"Colors are not imported: {label.color}, of {label.name}"
            )
    for number, item in things(backup, data, "items", Item):
        backup.items[item.id] = (number, item)
    read_parts(backup, data)
    for number, note in things(backup, data, "project_notes", Note):
        backup.lose(number, "project_notes", f"Only items have comments: {note.content}")
    for number, one in things(backup, data, "filters", Filter):
        backup.lose(number, "filters", f"Filters are not imported: {one.name}")


def read_parts(backup: Backup, data: Mapping[str, Any]) -> None:
    """Read what is listed apart from the items that it belongs to."""
    for number, note in things(backup, data, "notes", Note):
        if note.item_id not in backup.items:
            backup.lose(number, "notes", f"There is no such item: {note.content}")
            continue
        backup.notes[note.item_id].append(note)
        if note.file_attachment:
            name = note.file_attachment.file_name
            backup.lose(
                number, "notes.file_attachment", f"The file is not copied, only its link: {name}"
            )
    for number, one in things(backup, data, "reminders", ItemReminder):
        reminder = reminder_of(backup, one)
        if reminder is None or one.item_id not in backup.items:
            backup.lose(number, "reminders", f"Only reminders of times are kept, not: {one.type}")
        else:
            backup.reminders[one.item_id].append(reminder)


def report_project(backup: Backup, number: int, project: Project) -> None:
    if project.color not in COLORS:
        backup.lose(
            number, "projects.color", f"Colors are not imported: {project.color}, of {project.name}"
        )
    if project.description:
        message = f"It is not imported, of {project.name}: {project.description}"
        backup.lose(number, "projects.description", message)
    if project.is_favorite:
        backup.lose(number, "projects.is_favorite", f"There are no favorites: {project.name}")
    if project.is_archived:
        backup.lose(number, "projects.is_archived", f"It is not archived here: {project.name}")


def report_unused(backup: Backup) -> None:
    """Report the projects and sections without items, which are not created."""
    items = [item for _, item in backup.items.values()]
    used = {item.section_id for item in items}
    for number, section in backup.sections.values():
        if section.id not in used:
            backup.lose(number, "sections", f"Not created, since it has no items: {section.name}")
    full = {item.project_id for item in items}
    for id_ in list(full):
        full.update(above(backup, id_))
    for number, project in backup.projects.values():
        if project.id not in full and not project.inbox_project:
            backup.lose(number, "projects", f"Not created, since it has no items: {project.name}")


def above(backup: Backup, project_id: str | None) -> list[str]:
    """Return the ids of a project and of those around it, outermost first."""
    found: list[str] = []
    while project_id in backup.projects and project_id not in found and len(found) < MOST_LEVELS:
        found.insert(0, project_id)
        project_id = backup.projects[project_id][1].parent_id
    return found


def places_of(backup: Backup) -> dict[str | None, ProjectPlace]:
    """Return for each project its names, and by what it is sorted."""
    places: dict[str | None, ProjectPlace] = {}
    for id_, (_, project) in backup.projects.items():
        around = [backup.projects[each][1] for each in above(backup, id_)]
        order = tuple(each.child_order for each in around)
        names = () if project.inbox_project else tuple(each.name for each in around)
        places[id_] = ProjectPlace(names, order)
    return places


def todo_of(backup: Backup, place: ProjectPlace, number: int, item: Item) -> PortableTodo:
    if item.project_id is not None and item.project_id not in backup.projects:
        backup.lose(number, "project_id", "There is no such project. It is in the inbox now.")
    parent_id = item.parent_id
    if parent_id is not None and parent_id not in backup.items:
        backup.lose(number, "parent_id", "There is no such item. It is below none now.")
        parent_id = None
    title = item.content
    if title.startswith("* "):
        title = title[2:]
        backup.lose(number, "content", "A task that cannot be completed becomes one that can be.")
    if item.responsible_uid:
        backup.lose(number, "responsible_uid", f"Nobody can be assigned: {item.responsible_uid}")
    when, unread = read_due(backup, number, item)
    notes = (note_text(note) for note in backup.notes[item.id])
    section = backup.sections.get(item.section_id or "")
    return PortableTodo(
        key=f"todoist:{item.id}",
        line=number,
        title=title,
        description="\n\n".join(filter(None, (item.description, unread, *notes))),
        state=TodoState.DONE if item.checked else TodoState.TODO,
        priority=PRIORITIES.get(item.priority, Priority.NONE),
        parent_key=parent_id and f"todoist:{parent_id}",
        project=place.names,
        section=section and section[1].name,
        labels=tuple(
            backup.labels[name][1].name if name in backup.labels else name for name in item.labels
        ),
        deadline_on=read_deadline(backup, number, item),
        duration_minutes=read_duration(backup, number, item),
        reminders=read_reminders(backup, number, item),
        completed_at=read_moment(backup, number, "completed_at", item.completed_at),
        created_at=read_moment(backup, number, "added_at", item.added_at),
        **vars(when),
    )


def note_text(note: Note) -> str:
    file = note.file_attachment
    link = f"[{file.file_name}]({file.file_url})" if file else ""
    text = "\n".join(filter(None, (note.content, link)))
    return comment(text, "", (note.posted_at or "")[:DAY])


def read_due(backup: Backup, number: int, item: Item) -> tuple[When, str]:
    """Return when an item is due, and what is kept in words if that is not understood."""
    due = item.due
    if due is None:
        return When(), ""
    zone = zone_of(due)
    if due.timezone and zone is None:
        message = f"Not known. That of the account is used: {due.timezone}"
        backup.lose(number, "due.timezone", message)
    zone = zone or backup.zone
    when = read_day(backup, due, zone)
    words = due.string or due.date
    if when is None:
        backup.lose(number, "due.date", f"Not understood. It is in the description: {due.date}")
        return When(), f"Date: {words}"
    if not due.is_recurring:
        return when, ""
    rule = parse_date(words, due.lang or "en", zone, backup.now)
    if rule is None or rule.recurrence_rule is None:
        message = f"How it recurs is not understood. It is in the description: {words}"
        backup.lose(number, "due.string", message)
        return when, f"Date: {words}"
    return replace(
        when, recurrence_rule=rule.recurrence_rule, recurrence_from=rule.recurrence_from
    ), ""


def zone_of(due: Due) -> str | None:
    try:
        return check_time_zone(due.timezone) if due.timezone else None
    except ValueError:
        return None


def read_day(backup: Backup, due: Due, zone: str) -> When | None:
    """Return the day or the moment of a due. One without an offset is on the clock of its zone."""
    return parse_date(due.datetime or due.date, "en", zone, backup.now)


def read_deadline(backup: Backup, number: int, item: Item) -> date | None:
    if item.deadline is None:
        return None
    when = parse_date(item.deadline.date, "en", backup.zone, backup.now)
    if when is None or when.day() is None:
        backup.lose(number, "deadline.date", f"Not understood: {item.deadline.date}")
        return None
    return when.day()


def read_duration(backup: Backup, number: int, item: Item) -> int | None:
    if item.duration is None:
        return None
    minutes = item.duration.amount * MINUTES.get(item.duration.unit, 0)
    if 1 <= minutes <= MAX_MINUTES:
        return minutes
    message = f"Not understood: {item.duration.amount} {item.duration.unit}"
    backup.lose(number, "duration", message)
    return None


def read_reminders(backup: Backup, number: int, item: Item) -> tuple[Reminder, ...]:
    known = list(dict.fromkeys(backup.reminders[item.id]))
    if len(known) > MAX_REMINDERS:
        backup.lose(number, "reminders", f"Only {MAX_REMINDERS} are kept.")
    return tuple(known[:MAX_REMINDERS])


def reminder_of(backup: Backup, one: ItemReminder) -> Reminder | None:
    """Return a reminder. None: it is not of a time, but for example of a place."""
    offset = one.minute_offset
    if one.type == "relative" and offset is not None and 0 <= offset <= MAX_MINUTES:
        return Reminder(minutes_before=offset)
    if one.type == "absolute" and one.due is not None:
        when = read_day(backup, one.due, zone_of(one.due) or backup.zone)
        if when is not None and when.due_at is not None:
            return Reminder(at=when.due_at)
    return None


def read_moment(backup: Backup, number: int, column: str, text: str | None) -> datetime | None:
    if not text:
        return None
    when = parse_date(text, "en", "UTC", backup.now)
    if when is None or when.due_at is None:
        backup.lose(number, column, f"Not understood: {text}")
        return None
    return when.due_at
