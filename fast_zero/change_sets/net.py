"""What a change set did to each row, in all."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

Values = dict[str, Any]
"""Columns of a row by their names, as JSON. What is null may be missing."""


class RowKey(NamedTuple):
    """A row of a table. Only the rows that link two todos, or a todo and a label, have `other`.

    `kind` is the kind of a relation, or the day of an occurrence.
    """

    table: str
    id: int
    other: int = 0
    kind: str = ""


class Change(Protocol):
    """A row of the log of changes."""

    entity: str
    entity_id: int
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


@dataclass
class Net:
    """All changes of a row by a change set, as one.

    `existed`: it was there before, and `exists`: afterwards; a row in the trash is. `before` and
    `after` have the columns that changed; all of them where the row is not there on the other side.
    """

    existed: bool
    exists: bool = True
    before: Values = field(default_factory=dict)
    after: Values = field(default_factory=dict)
    # It was deleted for good, and the log does not know any more what changed.
    forgotten: bool = False

    def add(self, change: Change) -> None:
        if change.before is None and change.after is None:
            self.forgotten = True
        elif change.after is None:
            self.before = {**(change.before or {}), **self.before}
            self.after, self.exists = {}, False
        elif change.before is None:
            self.after, self.exists = dict(change.after), True
        else:
            self.before = {**change.before, **self.before}
            self.after |= change.after

    def columns(self) -> list[str]:
        """Return the columns that are different in all."""
        names = {**self.before, **self.after}
        for name in ("version", "external_key"):  # which no user changes
            names.pop(name, None)
        return [name for name in names if self.before.get(name) != self.after.get(name)]


def key_of(change: Change) -> RowKey:
    values = change.after or change.before or {}
    if change.entity == "todo_labels":
        return RowKey(change.entity, change.entity_id, values["label_id"])
    if change.entity == "todo_relations":
        return RowKey(change.entity, change.entity_id, values["other_id"], values["kind"])
    if change.entity == "occurrences":
        return RowKey(change.entity, change.entity_id, kind=values["day"])
    return RowKey(change.entity, change.entity_id)


def collapse(changes: Iterable[Change]) -> dict[RowKey, Net]:
    """Return what changes did in all to each row. They are given oldest first."""
    nets: dict[RowKey, Net] = {}
    for change in changes:
        is_new = change.before is None and change.after is not None
        nets.setdefault(key_of(change), Net(existed=not is_new)).add(change)
    return nets
