from typing import Any

from fast_zero.activity import queries
from fast_zero.activity.codes import Logged, describe
from fast_zero.activity.queries import Subject
from fast_zero.activity.schemas import (
    ActivityChange,
    ActivityClient,
    ActivityEntry,
    ActivityPage,
    ActivityParams,
    ClientKind,
    OtherThing,
    ValueChange,
)
from fast_zero.changes.schemas import ENTITIES, Entity
from fast_zero.core.database import AnyRow, Session
from fast_zero.core.errors import NotFound
from fast_zero.core.pagination import encode_cursor
from fast_zero.projects.models import NO_PROJECT
from fast_zero.relations.models import NO_TODO

OTHERS: dict[str, Entity] = {"todo_labels": "label", "todo_relations": "todo"}
CLIENTS = {kind.value for kind in ClientKind}
MISSING = {"project": NO_PROJECT, "todo": NO_TODO}


async def read_activity(
    session: Session, user_id: int, of: tuple[Subject, int], wanted: ActivityParams
) -> ActivityPage:
    """Return a page of what happened in an account, or to something that is or was in it."""
    rows = await queries.select_activity(session, user_id, of, wanted)
    subject, _ = of
    if not rows and subject in MISSING and not await queries.is_stored(session, user_id, of):
        raise NotFound(MISSING[subject])
    shown = rows[: wanted.limit]
    following = encode_cursor(shown[-1].xid) if len(rows) > len(shown) else None
    return ActivityPage(activity=[entry_of(row) for row in shown], next=following)


def entry_of(row: AnyRow) -> ActivityEntry:
    changes = [change_of(thing) for thing in row.things]
    known = {(change.entity, change.id): change.title for change in changes}
    for other in (change.other for change in changes):
        if other is not None and other.title is None:  # deleted in this entry, perhaps
            other.title = known.get((other.entity, other.id))
    return ActivityEntry(
        change_set_id=row.change_set_id,
        at=row.at,
        actor_id=row.actor_id,
        client=client_of(row.client),
        count=row.count,
        changes=changes,
    )


def client_of(stored: str | None) -> ActivityClient | None:
    """Parse a client as the log stores it: `session:7`, `job`, or nothing.

    A later release may have written one that this one does not know.
    """
    kind, _, id_ = (stored or "").partition(":")
    if kind not in CLIENTS:
        return None
    return ActivityClient(kind=ClientKind(kind), id=int(id_) if id_ else None)


def change_of(thing: dict[str, Any]) -> ActivityChange:
    table = thing["entity"]
    rows = [Logged(*row) for row in thing["rows"]]
    described = describe(table, rows, is_last=thing["is_last"])
    return ActivityChange(
        code=described.code,
        entity=ENTITIES[table],
        id=id_of(thing),
        title=thing["title"] if described.title is None else described.title,
        other=other_of(thing),
        values={
            name: ValueChange(before=before, after=after)
            for name, (before, after) in described.values.items()
        },
    )


def id_of(thing: dict[str, Any]) -> int | str:
    if thing["entity"] != "todo_relations":
        return int(thing["entity_id"])
    return f"{thing['entity_id']}-{thing['kind']}-{thing['other_id']}"


def other_of(thing: dict[str, Any]) -> OtherThing | None:
    entity = OTHERS.get(thing["entity"])
    if entity is None:
        return None
    return OtherThing(entity=entity, id=thing["other_id"], title=thing["other_title"])
