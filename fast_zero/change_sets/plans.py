"""How a change set is undone: from what it did, and how the rows are now."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from fast_zero.change_sets.net import Net, RowKey, Values

PLACE = ("project_id", "section_id", "parent_id", "position")
DERIVED = {"project_id", "section_id"}
"""A subtask is where its parent is."""

SERIES = (
    "recurrence_rule",
    "recurrence_from",
    "recurrence_start",
    "recurrence_number",
    "occurrence_on",
)
"""Columns that are all null, or none of them."""

DUE = (
    "due_on",
    "due_at",
    "time_zone",
    "recurrence_rule",
    "recurrence_from",
    "recurrence_start",
    "recurrence_time",
    "recurrence_number",
    "occurrence_on",
)
STATE = ("state", "completed_at")
TOGETHER = (PLACE, DUE, STATE)
"""Columns that only make sense together: all of them are restored, or none."""

NULL_WITH = {
    "due_on": ("due_at", "time_zone"),
    "due_at": ("due_on",),
    "project_id": ("section_id",),
}
"""Columns that are null, before and after, if they stay as they are while another one changes."""

CONTAINERS = {
    "projects": {"parent_id": "projects"},
    "sections": {"project_id": "projects"},
    "todos": {"project_id": "projects", "section_id": "sections", "parent_id": "todos"},
    "todo_labels": {"label_id": "labels"},
}
"""The columns that say what a row is inside of, with the tables of that."""

NOT_COMPARED = {
    "id",
    "owner_id",
    "version",
    "updated_at",
    "deletion_id",
    "position",
    "name_key",
    "search",
    "external_key",
}
"""Columns of a row that was created by which one cannot tell whether somebody changed it since."""

ConflictCode = Literal[
    "changed_since",
    "in_use",
    "in_trash",
    "deleted_for_good",
    "place_missing",
    "label_exists",
    "filter_exists",
    "too_many_filters",
    "project_cycle",
    "project_too_deep",
    "todo_cycle",
    "todo_too_deep",
    "relation_cycle",
]


@dataclass(frozen=True)
class Conflict:
    """Something that is left alone. `then`: as the change set left it; `now`: as it is now."""

    key: RowKey
    code: ConflictCode
    column: str | None = None
    then: Any = None
    now: Any = None


@dataclass
class Plan:
    """What has to be written, so that rows are again as they were before the change set."""

    updated: dict[RowKey, Values] = field(default_factory=dict)
    inserted: dict[RowKey, Values] = field(default_factory=dict)
    deleted: list[RowKey] = field(default_factory=list)
    trashed: list[RowKey] = field(default_factory=list)  # with a new deletion
    places: dict[RowKey, Values] = field(default_factory=dict)  # in the trash, of what goes there
    conflicts: list[Conflict] = field(default_factory=list)

    def leave(self, key: RowKey, conflict: Conflict) -> None:
        """Take a row out of the plan, or only its place in the trash."""
        self.conflicts.append(conflict)
        if self.places.pop(key, None) is None:
            self.updated.pop(key, None)
            self.inserted.pop(key, None)
            self.deleted = [other for other in self.deleted if other != key]

    def place_later(self, key: RowKey) -> None:
        """Write the place of a row only once it is in the trash, with all that is inside of it."""
        values = self.updated[key]
        if place := {name: values[name] for name in PLACE if name in values}:
            self.places[key] = place
            self.updated[key] = {name: values[name] for name in values if name not in place}

    def going(self) -> set[RowKey]:
        """Return what is deleted, or moved into the trash."""
        moved = {key for key, values in self.updated.items() if values.get("deletion_id")}
        return moved.union(self.trashed, self.deleted)

    def updates_of(self, table: str) -> dict[int, Values]:
        return {key.id: values for key, values in self.updated.items() if key.table == table}

    def inserts_of(self, table: str) -> dict[RowKey, Values]:
        return {key: values for key, values in self.inserted.items() if key.table == table}

    def deletes_of(self, table: str) -> list[RowKey]:
        return [key for key in self.deleted if key.table == table]

    def trashed_of(self, table: str) -> list[int]:
        return [key.id for key in self.trashed if key.table == table]

    def going_of(self, table: str) -> set[int]:
        return {key.id for key in self.going() if key.table == table}

    def places_of(self, table: str) -> dict[int, Values]:
        return {key.id: values for key, values in self.places.items() if key.table == table}


@dataclass(frozen=True)
class Present:
    """How things are now: rows, which deletions there are, and what else is in created things."""

    rows: Mapping[RowKey, Values]
    deletions: Collection[int] = ()
    contents: Mapping[RowKey, int] = field(default_factory=dict)


def plan(nets: dict[RowKey, Net], present: Present, *, force: bool) -> Plan:
    """Plan how to undo changes. `force`: also where something was changed since.

    The last change is undone first.
    """
    planned = Plan()
    for key in reversed(nets):
        net, now = nets[key], present.rows.get(key)
        of = [nets[todo] for todo in todos_of(key) if todo in nets]
        if any(todo.forgotten or not todo.existed for todo in of):
            continue  # the link is gone with its todo, or stays with it
        if net.forgotten:
            planned.conflicts.append(Conflict(key, "deleted_for_good"))
        elif net.existed and net.exists:
            undo_update(planned, key, net, present, force=force)
        elif net.existed and now is None:
            planned.inserted[key] = net.before
        elif net.exists and now is not None and now.get("deletion_id") is None:
            undo_creation(planned, key, net, now, force=force)
    keep_occurrences(planned, nets, present)
    if not force:
        keep_used(planned, present)
    drop_inside(planned, nets)
    return planned


def todos_of(key: RowKey) -> list[RowKey]:
    """Return the todos of a row that links them."""
    ids = {"todo_labels": [key.id], "todo_relations": [key.id, key.other]}
    return [RowKey("todos", id_) for id_ in ids.get(key.table, ())]


def undo_update(planned: Plan, key: RowKey, net: Net, present: Present, *, force: bool) -> None:
    now = present.rows.get(key)
    if now is None:
        planned.conflicts.append(Conflict(key, "deleted_for_good"))
        return
    if not any(grouped(key, net, now)):
        return  # it moved with its parent, and moves back with it
    deletion, restored = now.get("deletion_id"), "deletion_id" in net.columns()
    wanted = net.before.get("deletion_id") if restored else deletion
    known = {wanted, net.after.get("deletion_id")} if restored else {None}
    is_place = set(PLACE).issuperset(net.columns())  # which also changes in the trash
    if deletion not in known and not is_place and not (force and restored and wanted is None):
        planned.conflicts.append(Conflict(key, "in_trash"))
        return
    values = values_before(planned, key, net, now, force=force)
    # A deletion that is gone, or that does not have what was put inside since, cannot be used.
    if wanted is not None and (wanted not in present.deletions or key in present.contents):
        values.pop("deletion_id", None)
        if deletion is None:
            planned.trashed.append(key)
    values = {name: value for name, value in values.items() if now.get(name) != value}
    if values:
        planned.updated[key] = values


def values_before(planned: Plan, key: RowKey, net: Net, now: Values, *, force: bool) -> Values:
    """Return the values that are restored. What others changed since becomes a conflict."""
    values: Values = {}
    for columns in grouped(key, net, now):
        before = {name: net.before.get(name) for name in columns}
        changed = [
            name for name in columns if now.get(name) not in (net.after.get(name), before[name])
        ]
        if (changed and not force) or is_half_due(now, before):
            planned.conflicts += changed_since(key, changed or columns, net, now)
        else:
            values |= before
    return values


def changed_since(key: RowKey, columns: Iterable[str], net: Net, now: Values) -> list[Conflict]:
    return [
        Conflict(key, "changed_since", name, net.after.get(name), now.get(name)) for name in columns
    ]


def is_half_due(now: Values, before: Values) -> bool:
    """Whether a due would be half of what it was, since only a part of it is known.

    A moment has a time zone, a todo that recurs has a due, and its occurrence is of that due. A
    trigger sets day and time of the occurrence if these are not restored.
    """
    row = now | before
    day, moment, zone = (row.get(name) for name in ("due_on", "due_at", "time_zone"))
    if (moment is None) != (zone is None):
        return True
    known = [name for name in SERIES if row.get(name) is not None]
    if len(known) < len(SERIES):
        return bool(known)
    if "occurrence_on" not in before:
        return day is None and moment is None
    if moment and zone:
        local = datetime.fromisoformat(moment).astimezone(ZoneInfo(zone))
        day = local.date().isoformat()
    is_timed = row.get("recurrence_time") is not None
    return is_timed != (moment is not None) or bool(row["occurrence_on"] != day)


def grouped(key: RowKey, net: Net, now: Values) -> Iterator[list[str]]:
    """Group the columns that are to be restored by those that only make sense together."""
    names = net.columns()
    parent_id = net.before.get("parent_id") if "parent_id" in names else now.get("parent_id")
    if key.table == "todos" and parent_id is not None:
        names = [name for name in names if name not in DERIVED]
    names += {other for name in names for other in NULL_WITH.get(name, ())}.difference(names)
    for group in TOGETHER:
        if found := [name for name in group if name in names]:
            yield found
    yield from ([name] for name in names if not any(name in group for group in TOGETHER))


def undo_creation(planned: Plan, key: RowKey, net: Net, now: Values, *, force: bool) -> None:
    changed = [
        name for name in now if name not in NOT_COMPARED and now[name] != net.after.get(name)
    ]
    if changed and not force:
        planned.conflicts += changed_since(key, changed, net, now)
    elif key.table in {"todos", "projects"}:
        planned.trashed.append(key)
    else:
        planned.deleted.append(key)


def keep_occurrences(planned: Plan, nets: Mapping[RowKey, Net], present: Present) -> None:
    """Leave the due of a todo, its occurrences and their checklists, if one of these is left.

    Otherwise an occurrence could be done and current at once, or be lost while others follow it.
    """
    left = {
        conflict.key.id
        for conflict in planned.conflicts
        if conflict.key.table == "occurrences"
        or (conflict.key.table == "todos" and conflict.column in {None, *DUE})
    }
    for key, net in nets.items():
        if key.table != "occurrences" or key.id not in left:
            continue
        if key in planned.inserted or key in planned.deleted:
            planned.leave(key, Conflict(key, "changed_since"))
        leave_columns(planned, RowKey("todos", key.id), DUE, nets, present)
        for item in (net.after or net.before).get("checklist") or ():
            leave_columns(planned, RowKey("todos", item), STATE, nets, present)


def leave_columns(
    planned: Plan,
    key: RowKey,
    columns: Collection[str],
    nets: Mapping[RowKey, Net],
    present: Present,
) -> None:
    """Take columns of a row out of the plan."""
    values = planned.updated.get(key, {})
    if names := [name for name in columns if name in values]:
        planned.conflicts += changed_since(key, names, nets[key], present.rows[key])
        planned.updated[key] = {name: values[name] for name in values if name not in names}
        if not planned.updated[key]:
            del planned.updated[key]


def keep_used(planned: Plan, present: Present) -> None:
    """Leave things that something else is inside of, and in turn what these are inside of."""
    while used := count_staying(planned, present):
        planned.conflicts += [Conflict(key, "in_use", None, 0, used[key]) for key in used]
        planned.trashed = [key for key in planned.trashed if key not in used]
        planned.deleted = [key for key in planned.deleted if key not in used]
        planned.updated = {
            key: values for key, values in planned.updated.items() if key not in used
        }


def count_staying(planned: Plan, present: Present) -> Mapping[RowKey, int]:
    """Count what stays inside of each thing that would go."""
    going = planned.going()
    counts = Counter({key: present.contents[key] for key in going & present.contents.keys()})
    rows = {key: row | planned.updated.get(key, {}) for key, row in present.rows.items()}
    gone = going | {key for key, row in rows.items() if row.get("deletion_id") is not None}
    for key, row in rows.items():
        if gone.isdisjoint({key, *todos_of(key)}):
            counts.update(going.intersection(containers_of(key, row)))
    return counts


def containers_of(key: RowKey, row: Values) -> list[RowKey]:
    """Return what a thing is inside of; of the label of a todo, the label.

    A subtask is inside of its parent alone, with which it moves.
    """
    is_subtask = key.table == "todos" and row["parent_id"] is not None
    names = CONTAINERS.get(key.table, {})
    return [
        RowKey(names[name], row[name])
        for name in names
        if row[name] is not None and not (is_subtask and name in DERIVED)
    ]


def drop_inside(planned: Plan, nets: Mapping[RowKey, Net]) -> None:
    """Leave what goes into the trash as it is inside, so that it can come back with it."""
    trashed = set(planned.trashed)

    def is_inside(key: RowKey) -> bool:
        if key.table == "sections":
            return RowKey("projects", nets[key].after["project_id"]) in trashed
        return not trashed.isdisjoint(todos_of(key))

    planned.deleted = [key for key in planned.deleted if not is_inside(key)]
