from collections.abc import Iterable, Sequence
from typing import get_args

from fast_zero.changes import queries
from fast_zero.changes.cursors import NO_KEY, Cursor
from fast_zero.changes.models import CURSOR_EXPIRED
from fast_zero.changes.queries import (
    FILTER,
    KINDS_OF_RELATIONS,
    LABEL,
    PROJECT,
    RELATION,
    SECTION,
    TODO,
    Changed,
    Thing,
)
from fast_zero.changes.schemas import ChangesPage, Entity, state_of
from fast_zero.core.database import AnyRow, Session
from fast_zero.core.errors import Gone

ENTITIES: tuple[Entity, ...] = get_args(Entity)
"""The kinds of things, by their numbers."""

KINDS = {
    "projects": PROJECT,
    "sections": SECTION,
    "labels": LABEL,
    "todos": TODO,
    "todo_labels": TODO,
    "todo_relations": RELATION,
    "occurrences": TODO,
    "saved_filters": FILTER,
}
"""The kind of thing that a change of a table is a change of."""

HIDES_OR_SHOWS = {"delete", "restore"}


async def read_changes(
    session: Session, user_id: int, since: Cursor | None, limit: int
) -> ChangesPage:
    """Return a page of what changed since a cursor, or of everything."""
    if since is None:
        found = await queries.begin(session, user_id)
        begun = Cursor(found.epoch, found.now, int(found.xid), found.position, PROJECT)
        return await list_page(session, user_id, begun, limit)
    if since.listed is not None:
        refuse_expired(since, await queries.check(session, since))
        return await list_page(session, user_id, since, limit)
    return await follow(session, user_id, since, limit)


async def read_newest(session: Session, user_id: int) -> Cursor:
    """Return the cursor behind the newest change, for those who want to know only if there is one.

    Of two cursors, `is_same_place` says whether something changed between them.
    """
    found = await queries.begin(session, user_id)
    return Cursor(found.epoch, found.now, int(found.xid), found.position)


def refuse_expired(cursor: Cursor, log: AnyRow) -> None:
    if log.is_too_old or log.epoch != cursor.epoch:
        raise Gone(CURSOR_EXPIRED)


async def list_page(session: Session, user_id: int, cursor: Cursor, limit: int) -> ChangesPage:
    """Return a page of everything. The last one is followed by what changed since the first."""
    after = (cursor.listed or PROJECT, cursor.key)
    things = await queries.select_all(session, user_id, after, limit + 1)
    shown = things[:limit]
    ends = len(things) <= limit
    behind = cursor.ended() if ends else cursor.behind(shown[-1].kind, shown[-1].key)
    return page(shown, behind, more=True)


async def follow(session: Session, user_id: int, since: Cursor, limit: int) -> ChangesPage:
    rows = await queries.read(session, user_id, since, limit + 1)
    refuse_expired(since, rows[0])
    changes = [row for row in rows[:limit] if row.position is not None]
    more = len(rows) > limit
    if not changes:
        return page([], Cursor(since.epoch, rows[0].now, since.xid, since.position), more=False)
    changed = keys_of(changes)
    found = {
        (thing.kind, thing.key): thing
        for thing in await queries.select_changed(session, user_id, changed)
    }
    gone = (Thing(kind, key, None) for kind, key in changed.keys - found.keys())
    last = changes[-1]
    behind = Cursor(since.epoch, last.at if more else last.now, int(last.xid), last.position)
    return page(sorted([*found.values(), *gone], key=lambda thing: thing[:2]), behind, more=more)


def keys_of(changes: Iterable[AnyRow]) -> Changed:
    changed = Changed()
    for change in changes:
        kind, key = KINDS[change.entity], (change.entity_id, *NO_KEY[1:])
        if kind == RELATION:
            number = KINDS_OF_RELATIONS.index(change.relation["kind"])
            key = (change.entity_id, change.relation["other_id"], number)
        changed.keys.add((kind, key))
        if change.operation in HIDES_OR_SHOWS and kind == PROJECT:
            changed.projects.add(change.entity_id)
        if change.operation in HIDES_OR_SHOWS and change.entity == "todos":
            changed.todos.add(change.entity_id)
    return changed


def page(things: Sequence[Thing], behind: Cursor, *, more: bool) -> ChangesPage:
    shown = [state_of(ENTITIES[thing.kind], id_of(thing), thing.value) for thing in things]
    # The things are validated. Again, as each kind in turn, they would take most of the time.
    return ChangesPage.model_construct(changes=shown, next=str(behind), more=more)


def id_of(thing: Thing) -> int | str:
    if thing.kind != RELATION:
        return thing.key[0]
    todo_id, other_id, number = thing.key
    return f"{todo_id}-{KINDS_OF_RELATIONS[number].value}-{other_id}"
