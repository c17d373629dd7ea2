"""Replays the log of changes from empty accounts, and compares the result with the tables.

Each `before` must be what the replay has at that point, so that a change that is missing or there
twice is noticed.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import class_row

# What tells rows apart besides `entity_id`.
KEYS = {
    "todos": (),
    "projects": (),
    "sections": (),
    "labels": (),
    "saved_filters": (),
    "todo_labels": ("label_id",),
    "todo_relations": ("other_id", "kind"),
    "occurrences": ("day",),
}
HIDDEN = "'{id,owner_id,version,updated_at,search}'::text[]"
# A transaction that got its id first may change a row last, so the order of a row's changes is not
# that of `xid`. A position is drawn while the row is locked.
LOG = """
SELECT owner_id, entity, entity_id, operation, before, after FROM changes ORDER BY position
"""
ROWS = " UNION ALL ".join(
    f"""
SELECT owner_id, '{table}' AS entity, {"todo_id" if key else "id"} AS entity_id,
    jsonb_strip_nulls(to_jsonb({table}) - {HIDDEN} - ARRAY(
        SELECT attname::text FROM pg_attribute
        WHERE attrelid = '{table}'::regclass AND attgenerated <> ''
    )) AS content
FROM {table}"""
    for table, key in KEYS.items()
)

Content = Mapping[str, Any]
Key = tuple[Any, ...]


class Change(NamedTuple):
    owner_id: int
    entity: str
    entity_id: int
    operation: str
    before: Content | None
    after: Content | None


class Row(NamedTuple):
    owner_id: int
    entity: str
    entity_id: int
    content: Content


class Forgotten(Enum):
    """The state of a row that was deleted for good, so that its changes have no content."""

    THERE = "there"
    DELETED = "deleted, perhaps for good"


State = Content | Forgotten | None  # None: there is no such row


class Written(NamedTuple):
    """A value that an acknowledged write gave a row, and no other write."""

    entity: str
    entity_id: int
    name: str
    value: Any


class UnexpectedChange(Exception):
    """A change that cannot follow those before it."""


def read(connection: psycopg.Connection) -> tuple[list[Change], list[Row]]:
    """Return the log and the rows of the same moment."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.execute("SET LOCAL timezone = 'UTC'")  # as for fast_zero, which writes the log
        return (
            connection.cursor(row_factory=class_row(Change)).execute(LOG).fetchall(),
            connection.cursor(row_factory=class_row(Row)).execute(ROWS).fetchall(),
        )


def errors_of(connection: psycopg.Connection, written: Iterable[Written] = ()) -> list[str]:
    """Return what is wrong with the log, also as to what was acknowledged."""
    changes, rows = read(connection)
    return [*differences(changes, rows), *miscounted(changes, written)]


def differences(changes: Iterable[Change], rows: Iterable[Row]) -> list[str]:
    states, errors = replay(changes)
    stored = {key_of(row, row.content): row.content for row in rows}
    for key in states.keys() | stored.keys():
        replayed = states.get(key)
        expected = None if replayed is Forgotten.DELETED else replayed
        if stored.get(key) != expected:
            errors.append(f"{key}: the log ends with {expected}, and it is {stored.get(key)}")
    return errors


def miscounted(changes: Iterable[Change], written: Iterable[Written]) -> list[str]:
    """Return the writes that are not in the log exactly once."""
    logged: dict[tuple[str, int], list[Content]] = {}
    for change in changes:
        logged.setdefault((change.entity, change.entity_id), []).append(change.after or {})
    errors = []
    for write in written:
        contents = logged.get((write.entity, write.entity_id), [])
        count = sum(content.get(write.name) == write.value for content in contents)
        if count != 1:
            errors.append(f"{write}: {count} times in the log")
    return errors


def replay(changes: Iterable[Change]) -> tuple[dict[Key, State], list[str]]:
    """Return the states of all rows, and the changes that could not follow."""
    states: dict[Key, State] = {}
    errors = []
    for change in changes:
        key = key_of(change, change.after or change.before or {})
        try:
            states[key] = state_after(change, states.get(key))
        except UnexpectedChange as error:
            errors.append(f"{key}: {change.operation}: {error}")
    return states, errors


def key_of(row: Change | Row, content: Content) -> Key:
    return (
        row.owner_id,
        row.entity,
        row.entity_id,
        *(content[name] for name in KEYS[row.entity]),
    )


def state_after(change: Change, state: State) -> State:
    if change.operation == "create":
        expect(state is None, f"it is there already: {state}")
        return Forgotten.THERE if change.after is None else change.after
    expect(state is not None, "it is not there")
    if change.before is None:
        expect(change.after is None, "there is no `before`")
        return state_after_forgotten(change.operation, state)
    expect(not isinstance(state, Forgotten), "its creation was forgotten")
    if change.after is None:
        expect(change.operation == "delete", "there is no `after`")
        before = {name: value for name, value in change.before.items() if name != "version"}
        expect(before == state, f"{before} is deleted, and it was {state}")
        return None
    return state_after_update(change, state)


def state_after_forgotten(operation: str, state: State) -> State:
    """Return the state after a change without content."""
    if isinstance(state, Forgotten):
        expect(operation != "restore" or state is Forgotten.DELETED, "it was not deleted")
        return {"delete": Forgotten.DELETED, "restore": Forgotten.THERE}.get(operation, state)
    expect(operation == "delete" and "deletion_id" in state, f"it is not in the trash: {state}")
    return None


def state_after_update(change: Change, state: Content) -> State:
    expect(change.before.keys() == change.after.keys(), "`before` and `after` differ in their keys")
    for name, value in change.before.items():
        expect(state.get(name) == value, f"`before` has {name} {value}, and it was {state}")
    expect(change.operation == operation_of(change.before, change.after), f"{change.after}")
    merged = {**state, **change.after}
    return {name: value for name, value in merged.items() if value is not None}


def operation_of(before: Content, after: Content) -> str:
    if before.get("deletion_id") == after.get("deletion_id"):
        return "update"
    if before["deletion_id"] is None:
        return "delete"
    return "restore" if after["deletion_id"] is None else "update"


def expect(condition: object, message: str) -> None:
    if not condition:
        raise UnexpectedChange(message)
