"""Accepts imports, and writes what they bring."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from fast_zero.core import jobs
from fast_zero.core.database import AnyRow, Session, Writer, current_writer
from fast_zero.core.errors import Conflict, Invalid, NotFound
from fast_zero.core.jobs import Deferral
from fast_zero.imports import formats, queries
from fast_zero.imports.models import NO_IMPORT, NOT_DONE, RUNNING, UNFINISHED, Format
from fast_zero.imports.plans import NewTodo, Place, Placed
from fast_zero.imports.schemas import ImportParams
from fast_zero.labels import queries as label_queries

RUN = "imports.run"
UNDO = "imports.undo"
BATCH = 500
"""How many todos one statement writes: a tenth of a second."""

EMPTY = "The file is empty."
OTHER_MEDIA_TYPE = "A file of this format has another media type."
NAMES_PROJECTS = "A file of this format says itself which projects its todos are in."

Note = Callable[[int], Awaitable[None]]
"""Notes how many todos are done."""


async def accept_import(
    session: Session, user_id: int, media_type: str, content: bytes, wanted: ImportParams
) -> AnyRow:
    """Keep a file for the job that imports it. What it writes is the change set of the request."""
    if not content:
        raise Invalid(EMPTY)
    form = wanted.format or formats.format_of(media_type, content)
    if form not in formats.MEDIA_TYPES[media_type]:
        raise Invalid(OTHER_MEDIA_TYPE, "format", "query")
    if wanted.project is not None and form is not Format.TODOIST_CSV:
        raise Invalid(NAMES_PROJECTS, "project", "query")
    writer = writing()
    values = {
        "owner_id": user_id,
        "format": form.value,
        "dry_run": wanted.dry_run,
        "project": wanted.project,
        "content": content,
        "client": writer.client,
        "change_set_id": writer.change_set_id,
    }
    accepted = await queries.insert_import(session, values)
    if accepted is None:
        raise Conflict(UNFINISHED)
    await queries.delete_oldest(session, user_id)
    await jobs.defer(session, Deferral(RUN, {"import_id": accepted.id}))
    return accepted


async def read_import(session: Session, user_id: int, import_id: int) -> AnyRow:
    found = await queries.select_import(session, user_id, import_id)
    if found is None:
        raise NotFound(NO_IMPORT)
    return found


async def delete_import(session: Session, user_id: int, import_id: int) -> None:
    if not await queries.delete_import(session, user_id, import_id):
        await read_import(session, user_id, import_id)
        raise Conflict(RUNNING)


async def undo_import(session: Session, user_id: int, import_id: int) -> AnyRow:
    """Let a job undo an import, since it may take longer than a request. It is a change set."""
    found = await queries.request_undo(session, user_id, import_id)
    if found is None:
        await read_import(session, user_id, import_id)
        raise Conflict(NOT_DONE)
    writer = writing()
    values = {"client": writer.client, "change_set_id": str(writer.change_set_id)}
    await jobs.defer(session, Deferral(UNDO, {"import_id": import_id, **values}))
    return found


def writing() -> Writer:
    """Return who writes in this request, for the job that writes later."""
    writer = current_writer.get()
    if writer is None:
        message = "a request that writes todos has a change set"
        raise RuntimeError(message)
    return writer


async def write_todos(
    session: Session, user_id: int, levels: Sequence[Sequence[Placed]], note: Note
) -> None:
    """Create todos and what they are in. The caller has locked the lists."""
    new = [placed for level in levels for placed in level]
    tops = [placed.todo.place for placed in new if is_top(placed)]
    places = await create_places(session, user_id, tops)
    ids: dict[str, int] = {}
    for level in levels:
        for start in range(0, len(level), BATCH):
            batch = level[start : start + BATCH]
            rows = [queries.row_of(each, ids, places.get(each.todo.place, {})) for each in batch]
            ids |= await queries.insert_todos(session, user_id, rows)
            await set_labels(session, user_id, [each.todo for each in batch], ids)
            await note(len(ids))


def is_top(placed: Placed) -> bool:
    return placed.parent_key is None and placed.parent_id is None


async def set_labels(
    session: Session, user_id: int, todos: Iterable[NewTodo], ids: Mapping[str, int]
) -> None:
    if names := {ids[todo.key]: todo.labels for todo in todos if todo.labels}:
        await label_queries.set_labels(session, user_id, names)


async def create_places(
    session: Session, user_id: int, places: Sequence[Place]
) -> Mapping[Place, Mapping[str, Any]]:
    """Return the columns of each place. Missing projects and sections are created."""
    projects = await create_projects(session, user_id, [place.project for place in places])
    sections = await create_sections(session, user_id, places, projects)
    return {
        place: {
            "project_id": projects[place.project],
            "section_id": sections.get((projects[place.project], place.section)),
        }
        for place in places
        if place.project
    }


async def create_projects(
    session: Session, user_id: int, paths: Sequence[tuple[str, ...]]
) -> Mapping[tuple[str, ...], int]:
    """Return the ids of projects by the names of those around them and their own, last."""
    wanted = list(dict.fromkeys(path[:end] for path in paths for end in range(1, len(path) + 1)))
    if not wanted:
        return {}
    names = {path[-1] for path in wanted}
    known = {
        (row.parent_id, row.name): row.id
        for row in await queries.select_projects(session, user_id, names)
    }
    ids: dict[tuple[str, ...], int] = {}
    while level := [path for path in wanted if path not in ids and is_next(path, ids)]:
        keys = [(ids.get(path[:-1]), path[-1]) for path in level]
        if missing := [key for key in keys if key not in known]:
            made = await queries.insert_projects(session, user_id, missing)
            known |= {(row.parent_id, row.name): row.id for row in made}
        ids |= {path: known[key] for path, key in zip(level, keys, strict=True)}
    return ids


def is_next(path: tuple[str, ...], ids: Mapping[tuple[str, ...], int]) -> bool:
    """Whether a project can be created: that around it is there."""
    return len(path) == 1 or path[:-1] in ids


async def create_sections(
    session: Session,
    user_id: int,
    places: Sequence[Place],
    projects: Mapping[tuple[str, ...], int],
) -> Mapping[tuple[int, str | None], int]:
    """Return the ids of sections by the ids of their projects and their names."""
    wanted = list(
        dict.fromkeys((projects[place.project], place.section) for place in places if place.section)
    )
    if not wanted:
        return {}
    found = await queries.select_sections(session, user_id, {project for project, _ in wanted})
    known: dict[tuple[int, str | None], int] = {(row.project_id, row.name): row.id for row in found}
    if missing := [key for key in wanted if key not in known]:
        made = await queries.insert_sections(session, user_id, missing)
        known |= {(row.project_id, row.name): row.id for row in made}
    return known
