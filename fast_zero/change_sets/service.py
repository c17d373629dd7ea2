from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import cast
from uuid import UUID

from sqlalchemy import Table

from fast_zero.change_sets import queries
from fast_zero.change_sets.models import MOST_ROWS, NO_CHANGE_SET, TOO_LARGE
from fast_zero.change_sets.net import Change, Net, RowKey, Values, collapse
from fast_zero.change_sets.plans import PLACE, Conflict, ConflictCode, Plan, Present, plan
from fast_zero.change_sets.queries import (
    filters,
    labels,
    occurrences,
    projects,
    relations,
    sections,
    todo_labels,
    todos,
)
from fast_zero.change_sets.schemas import UndoResult
from fast_zero.core import errors
from fast_zero.core.database import Session, lock_lists
from fast_zero.core.siblings import find_position
from fast_zero.projects import queries as project_queries
from fast_zero.todos import trees


async def undo(
    session: Session, user_id: int, change_set_id: UUID, *, force: bool, dry_run: bool
) -> UndoResult:
    """Restore what a change set changed, as far as nobody has changed it since.

    `force`: also what was changed since. `dry_run`: return the result, and change nothing.
    """
    await lock_lists(session, user_id)
    changes = await queries.select_changes(session, user_id, change_set_id, MOST_ROWS + 1)
    if len(changes) > MOST_ROWS:
        raise errors.Conflict(TOO_LARGE)
    planned = await undo_changes(session, user_id, changes, force=force, dry_run=dry_run)
    return UndoResult.of(change_set_id, planned)


async def undo_in_job(session: Session, user_id: int, change_set_id: UUID) -> UndoResult:
    """Undo a change set of any size."""
    await lock_lists(session, user_id)
    changes = await queries.select_changes(session, user_id, change_set_id, None)
    planned = await undo_changes(session, user_id, changes, force=False, dry_run=False)
    return UndoResult.of(change_set_id, planned)


async def undo_changes(
    session: Session, user_id: int, changes: Sequence[Change], *, force: bool, dry_run: bool
) -> Plan:
    if not changes:
        raise errors.NotFound(NO_CHANGE_SET)
    nets = collapse(changes)
    present = await read_present(session, user_id, nets)
    planned = plan(nets, present, force=force)
    async with session.begin_nested() as savepoint:
        await write(session, user_id, planned, present)
        if dry_run:
            await savepoint.rollback()
    return planned


async def read_present(session: Session, user_id: int, nets: Mapping[RowKey, Net]) -> Present:
    rows = await queries.lock_rows(session, user_id, nets)
    trashed_before = {key: net.before.get("deletion_id") for key, net in nets.items()}
    ids = {id_ for id_ in trashed_before.values() if id_ is not None}
    emptied = [key for key, net in nets.items() if not net.existed or trashed_before[key]]
    return Present(
        rows,
        await queries.select_deletions(session, user_id, ids) if ids else (),
        await queries.count_contents(session, user_id, emptied, nets) if emptied else {},
    )


async def write(session: Session, user_id: int, planned: Plan, present: Present) -> None:
    """Write what is planned. What turns out to be impossible becomes a conflict of the plan."""
    for table in (relations, todo_labels, occurrences, labels, filters):
        await delete_rows(session, user_id, table, planned)
    await write_each(session, user_id, labels, planned)
    await insert_rows(session, user_id, filters, planned)
    await write_rows(session, user_id, filters, planned, present)
    await write_rows(session, user_id, projects, planned, present)
    await insert_rows(session, user_id, sections, planned)
    await write_rows(session, user_id, sections, planned, present)
    # Before the todos, as when an occurrence is done: a trigger keeps what its checklist announced.
    await insert_rows(session, user_id, occurrences, planned)
    await write_rows(session, user_id, todos, planned, present)
    await insert_rows(session, user_id, relations, planned)
    await insert_todo_labels(session, user_id, planned)
    await move_to_trash(session, user_id, planned, present)
    for table in (projects, todos):
        places = planned.places_of(table.name)
        await write_values(session, user_id, table, planned, places)
    await delete_rows(session, user_id, sections, planned)
    emptied = {row["deletion_id"] for row in present.rows.values() if row.get("deletion_id")}
    if emptied:
        await queries.delete_empty_deletions(session, user_id, emptied)


async def delete_rows(session: Session, user_id: int, table: Table, planned: Plan) -> None:
    if keys := planned.deletes_of(table.name):
        await queries.delete_rows(session, user_id, table, keys)


Write = Callable[[], Awaitable[None]]


async def attempt(session: Session, planned: Plan, key: RowKey, operation: Write) -> None:
    """Write a row. If a rule of the database refuses that, it becomes a conflict."""
    try:
        async with session.begin_nested():
            await operation()
    except errors.NotFound:
        planned.leave(key, Conflict(key, "place_missing"))
    except errors.Conflict as error:
        planned.leave(key, Conflict(key, cast("ConflictCode", error.code)))


async def insert_rows(session: Session, user_id: int, table: Table, planned: Plan) -> None:
    """Insert rows under their ids, one by one, since each may be refused."""
    for key, values in planned.inserts_of(table.name).items():
        # The position may be taken. A row without one is the last of its list.
        row = {name: value for name, value in values.items() if name != "position"}
        await attempt(
            session, planned, key, partial(queries.insert_row, session, user_id, key, row)
        )
        if key in planned.inserted and values.get("position"):
            planned.updated[key] = {"position": values["position"]}


async def write_each(session: Session, user_id: int, table: Table, planned: Plan) -> None:
    """Write rows one by one, since each may be refused: those that have a unique name."""
    await insert_rows(session, user_id, table, planned)
    for id_, values in planned.updates_of(table.name).items():
        update = partial(queries.update_rows, session, user_id, table, {id_: values})
        await attempt(session, planned, RowKey(table.name, id_), update)


async def write_rows(
    session: Session, user_id: int, table: Table, planned: Plan, present: Present
) -> None:
    """Write rows that have a position. What goes into the trash gets its place there, later."""
    new = planned.updates_of(table.name)
    if new and "deletion_id" in table.c:
        going = planned.going_of(table.name)
        for id_ in await queries.select_misplaced(session, user_id, table, new, going):
            misplace(RowKey(table.name, id_), planned, present)
        for id_ in going & planned.updates_of(table.name).keys():
            planned.place_later(RowKey(table.name, id_))
        new = planned.updates_of(table.name)
    await write_values(session, user_id, table, planned, new)


async def write_values(
    session: Session, user_id: int, table: Table, planned: Plan, new: Mapping[int, Values]
) -> None:
    """Write rows; those that get a parent, or have a unique name, one by one.

    A parent may be refused: one may be below the other by now.
    """
    alone = {
        id_: values
        for id_, values in new.items()
        if table is filters or values.get("parent_id") is not None
    }
    together = {id_: values for id_, values in new.items() if values and id_ not in alone}
    await place_rows(session, user_id, table, together)
    for id_, values in alone.items():
        update = partial(place_rows, session, user_id, table, {id_: values})
        await attempt(session, planned, RowKey(table.name, id_), update)


def misplace(key: RowKey, planned: Plan, present: Present) -> None:
    """Restore a row whose place is gone into the inbox, and leave another one where it is."""
    now, values = present.rows[key], planned.updated.pop(key)
    names, wanted = [name for name in PLACE if name in now], now | values
    left = now if now["deletion_id"] is None else dict.fromkeys(names)
    changes = values | {name: left[name] for name in names}
    if changes := {name: value for name, value in changes.items() if value != now[name]}:
        planned.updated[key] = changes
    planned.conflicts += [
        Conflict(key, "place_missing", name, wanted[name], left[name])
        for name in names
        if wanted[name] != left[name]
    ]


async def place_rows(
    session: Session, user_id: int, table: Table, new: Mapping[int, Values]
) -> None:
    """Update rows. One whose position is taken waits for it, or else gets the next one."""
    while new:
        taken = {row.id: row for row in await queries.select_taken(session, user_id, table, new)}
        free = {id_: values for id_, values in new.items() if id_ not in taken}
        if not free:
            [row, *_] = taken.values()
            siblings = queries.siblings_of(user_id, table, row)
            position = await find_position(session, siblings, row.position)
            free = {row.id: {**new[row.id], "position": position}}
        await queries.update_rows(session, user_id, table, free)
        new = {id_: values for id_, values in new.items() if id_ not in free}


async def insert_todo_labels(session: Session, user_id: int, planned: Plan) -> None:
    keys = list(planned.inserts_of(todo_labels.name))
    if keys:
        added = await queries.insert_todo_labels(session, user_id, keys)
        for key in keys:
            if key not in added:
                planned.leave(key, Conflict(key, "place_missing", None, key.other))


async def move_to_trash(session: Session, user_id: int, planned: Plan, present: Present) -> None:
    """Move what was created into the trash: what is on top, with all that is inside of it."""
    project_ids, todo_ids = (set(planned.trashed_of(name)) for name in ("projects", "todos"))
    for id_ in project_ids:
        if present.rows[RowKey("projects", id_)]["parent_id"] not in project_ids:
            await project_queries.delete_project(session, user_id, id_, None)
    tops = [
        id_
        for id_ in todo_ids
        if (row := present.rows[RowKey("todos", id_)])["parent_id"] not in todo_ids
        and row["project_id"] not in project_ids
    ]
    if tops:
        await trees.delete_trees(session, user_id, sorted(tops))
