"""The job that imports a file, and the one that gives up those that did not end."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

from fast_zero.change_sets import service as change_sets
from fast_zero.core.database import AnyRow, Session, Writer, current_writer, lock_lists
from fast_zero.core.errors import DomainError, NotFound, Unavailable
from fast_zero.core.jobs import Context, JobError, Jobs
from fast_zero.imports import formats, plans, queries, service
from fast_zero.imports.models import Format, Status
from fast_zero.imports.plans import NewTodo, Report
from fast_zero.imports.service import RUN, UNDO
from fast_zero.todos import ledger, metrics

GIVEN_UP = timedelta(hours=6)
LATE = "It could not be done in time. Nothing was imported. Try again."
MISTAKES = "Nothing was imported: the file has mistakes. The report says which."
UNREADABLE = "Nothing was imported: the file cannot be read. This is our mistake."

logger = logging.getLogger(__name__)


async def run(context: Context, *, import_id: int) -> None:
    """Import a file in one transaction. Run again after a crash, it begins from the start."""
    async with context.sessions.begin() as session:
        started = await queries.start_import(session, import_id)
        if started is None:
            return
        zone = await ledger.select_time_zone(session, started.owner_id)
    try:
        todos, report = await asyncio.to_thread(read, started, zone)
    except Exception as error:  # noqa: BLE001  # whatever a file contains, its import ends
        logger.error("an import could not be read: %s", type(error).__name__)  # noqa: TRY400  # the stack trace may quote the file
        await fail(context, import_id, Report(), UNREADABLE)
        return
    if report.errors:
        await fail(context, import_id, report, MISTAKES)
        return
    writer = Writer(started.client, started.owner_id, started.change_set_id)
    with writing_as(writer):
        try:
            await write(context, started, todos, report)
        except Unavailable:
            raise
        except DomainError as error:
            await fail(context, import_id, report, f"Nothing was imported. {error.detail}")


@contextmanager
def writing_as(writer: Writer) -> Iterator[None]:
    token = current_writer.set(writer)
    try:
        yield
    finally:
        current_writer.reset(token)


def read(started: AnyRow, zone: str) -> tuple[list[NewTodo], Report]:
    now = datetime.now(UTC)
    form = Format(started.format)
    document = formats.read(form, started.content, started.project, zone, now)
    return plans.check(document, zone, now)


async def write(context: Context, started: AnyRow, todos: list[NewTodo], report: Report) -> None:
    """Create the todos that are not there yet; in a dry run, only count them."""
    user_id, import_id = started.owner_id, started.id
    await note(context, import_id, total=len(todos))
    async with context.sessions.begin() as session:
        await queries.allow_time(session)
        if not started.dry_run:
            await lock_lists(session, user_id)
        found = await queries.select_found(session, user_id, [todo.key for todo in todos])
        levels = await asyncio.to_thread(plans.arrange, todos, found, report.losses)
        new = sum(map(len, levels))
        if not started.dry_run:
            noted = partial(note_written, context, import_id, len(found))
            await service.write_todos(session, user_id, levels, noted)
        result = {
            "total": len(todos),
            "processed": len(todos),
            "created": new,
            "found": len(found),
            "report": report.entries(),
            **report.counts(),
        }
        if not await queries.finish_import(session, import_id, Status.DONE, result):
            raise JobError("the import was ended meanwhile")
    if not started.dry_run:
        metrics.CREATED.inc(new)


async def note_written(context: Context, import_id: int, found: int, written: int) -> None:
    await note(context, import_id, processed=found + written)


async def note(context: Context, import_id: int, **values: int) -> None:
    """Note progress in a transaction of its own, so that clients see it.

    It takes a second connection. If none is free, the import goes on without.
    """
    with suppress(Unavailable):
        async with context.sessions.begin() as session:
            await queries.note_progress(session, import_id, values)


async def fail(context: Context, import_id: int, report: Report, error: str) -> None:
    result = {"error": error, "report": report.entries(), **report.counts()}
    async with context.sessions.begin() as session:
        await queries.finish_import(session, import_id, Status.FAILED, result)


async def undo(context: Context, *, import_id: int, client: str, change_set_id: str) -> None:
    """Undo what an import created, as far as nobody has changed it since."""
    async with context.sessions.begin() as session:
        found = await queries.select_undone(session, import_id)
        if found is None:
            return
        await queries.allow_time(session)
        with writing_as(Writer(client, found.owner_id, UUID(change_set_id))):
            kept = await undo_change_set(session, found)
        await queries.note_undone(session, import_id, kept)


async def undo_change_set(session: Session, found: AnyRow) -> int:
    """Undo what an import created; return how many things stay."""
    try:
        result = await change_sets.undo_in_job(session, found.owner_id, found.change_set_id)
    except NotFound:  # it created nothing, or that is older than the log of changes
        created: int = found.created
        return created
    return len({(conflict.entity, conflict.id) for conflict in result.conflicts})


async def give_up(context: Context) -> None:
    """End the imports that did not end, so that their owners can try again."""
    async with context.sessions.begin() as session:
        await queries.fail_imports(session, datetime.now(UTC) - GIVEN_UP, LATE)


JOBS: Jobs = {RUN: run, UNDO: undo}
PERIODIC_JOBS: Jobs = {"imports.give_up": give_up}
