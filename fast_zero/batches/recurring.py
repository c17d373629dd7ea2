"""Items of a batch that are about todos that recur."""

from collections.abc import Mapping, Sequence
from typing import Any

from fast_zero.batches.schemas import CompleteItem, CreateItem, UpdateItem
from fast_zero.core.database import Session
from fast_zero.core.errors import DomainError, Invalid
from fast_zero.todos import queries, recurring, trees
from fast_zero.todos.trees import LockedTodo

Columns = Mapping[str, Any]
Trees = Mapping[int, Sequence[LockedTodo]]
"""The locked todos that are completed with a todo, itself included, by its id."""


async def begin_series(
    session: Session,
    user_id: int,
    items: Mapping[int, CreateItem] | Mapping[int, UpdateItem],
    begun: dict[int, Columns],
) -> dict[int, DomainError]:
    """Add the columns of recurrences that begin to `begun`; return which never occur."""
    refusals: dict[int, DomainError] = {}
    for index, item in items.items():
        try:
            if isinstance(item, CreateItem):
                begun[index] = await recurring.begin_new(session, user_id, item)
            else:
                begun[index] = await recurring.begin_again(session, user_id, item.id, item)
        except Invalid as error:
            refusals[index] = error
    return refusals


def completes_occurrence(item: CompleteItem | UpdateItem, found: Trees) -> bool:
    """Whether an item completes a todo that recurs, or an occurrence that it names."""
    if isinstance(item, CompleteItem) and item.occurrence is not None:
        return True
    if isinstance(item, UpdateItem) and "recurrence" in item.model_fields_set:
        return item.new_recurrence() is not None
    return trees.root_of(found[item.id], item.id).recurs


def changes_due(item: UpdateItem, found: Trees) -> bool:
    """Whether an item changes the due of a todo that goes on to recur, which may be refused."""
    names = item.model_fields_set
    if names.isdisjoint({"due_on", "due_at"}) or "recurrence" in names:
        return False
    return trees.root_of(found[item.id], item.id).recurs


def is_alone(item: CompleteItem | UpdateItem, found: Trees) -> bool:
    """Whether an item is done in statements of its own."""
    if isinstance(item, UpdateItem):
        completes = item.completes() and completes_occurrence(item, found)
        return completes or changes_due(item, found)
    return completes_occurrence(item, found)


async def change(
    session: Session, user_id: int, item: CompleteItem | UpdateItem, found: Trees
) -> None:
    """Change the due of a todo that recurs, and complete its occurrence, if the item says so."""
    if isinstance(item, UpdateItem) and changes_due(item, found):
        values = item.columns()
        if item.completes():
            del values["state"]
        await queries.set_columns(session, user_id, item.id, values)
    tree = found[item.id]
    if isinstance(item, CompleteItem):
        await recurring.complete_named(session, user_id, item.id, tree, item.occurrence)
    elif item.completes():
        await recurring.complete_occurrence(session, user_id, item.id, tree)
