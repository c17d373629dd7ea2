"""Settings: exports, imports of files, and the calendar feed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import PurePath
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse
from starlette.datastructures import UploadFile

from fast_zero.calendar_feeds import queries as feeds
from fast_zero.calendar_feeds import service as feed_service
from fast_zero.calendar_feeds.models import NO_FEED
from fast_zero.core.database import AnyRow, Session
from fast_zero.core.errors import DomainError, NotFound
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.core.pagination import PageParams
from fast_zero.core.types import Id
from fast_zero.exports import files
from fast_zero.exports import service as exports
from fast_zero.imports import formats, queries, service
from fast_zero.imports.models import KEPT, Format, Status
from fast_zero.imports.schemas import ImportParams
from fast_zero.web.attempts import attempt
from fast_zero.web.dependencies import Page, UserPage, sent_form
from fast_zero.web.forms import Form
from fast_zero.web.links import IMPORTS
from fast_zero.web.notices import Notice, fault, fault_of
from fast_zero.web.presentation.import_messages import translate
from fast_zero.web.shell import read_shell
from fast_zero.web.texts import mark

PATH = "/app/settings/data"
TEMPLATE = "data/data.html"
REPORT = "data/import.html"
FEED = "data/feed.html"
FORMATS = {
    "csv": mark("CSV of fast_zero"),
    "icalendar": mark("Calendar (.ics)"),
    "todoist_csv": mark("CSV template of Todoist"),
    "todoist_json": mark("JSON backup of Todoist"),
}
MEDIA_TYPES = {".csv": "text/csv", ".ics": "text/calendar", ".json": "application/json"}
"""By the ending of a file, since browsers say what they like about them."""

ERRORS = (
    mark("Nothing was imported: the file has mistakes. The report says which."),
    mark("Nothing was imported: the file cannot be read. This is our mistake."),
    mark("It could not be done in time. Nothing was imported. Try again."),
)
"""Why an import has failed, as `imports.jobs` says it. Other errors stay in English."""

NO_FILE = mark("Choose a file.")
EMPTY = mark("This file is empty. Choose another.")
UNKNOWN = mark("Choose a .csv, .ics or .json file. Unpack a .zip file first.")
OTHER_FORMAT = mark("There is no such format. Choose one of the list.")
PROJECT = mark(
    "Leave this empty, or write up to 100 characters: only a CSV template of Todoist needs it."
)

router = APIRouter()


@dataclass(frozen=True)
class Upload:
    """A form with a file. `content` is None if no file was chosen."""

    fields: Mapping[str, str]
    name: str = ""
    content: bytes | None = None


async def uploaded(page: UserPage) -> Upload:
    """Return a form with a file, which was read once its user was known: it may be large."""
    form = await sent_form(page.request)
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    file = form.get("file")
    if not isinstance(file, UploadFile) or not (file.filename or file.size):
        return Upload(fields)
    return Upload(fields, file.filename or "", await file.read())


SentFile = Annotated[Upload, Depends(uploaded)]


@router.get(PATH)
async def show_data(page: UserPage, session: CurrentSession) -> Response:
    return page.render(TEMPLATE, form=page.form(), **await read_data(session, page))


@router.get(IMPORTS)
@router.get(f"{PATH}/feed")
async def go_back(page: UserPage) -> Response:
    """Go back from the addresses of forms, where their answers are shown."""
    return page.redirect(PATH)


async def read_data(session: Session, page: Page) -> dict[str, Any]:
    shell = await read_shell(session, page.reader.id)
    imports = await queries.select_imports(session, page.reader.id, PageParams(limit=KEPT))
    return {
        "shell": shell,
        "feed": await feeds.select_feed(session, page.reader.id),
        "imports": [(each, state_of(each)) for each in reversed(imports)],
        "formats": FORMATS,
    }


def state_of(found: AnyRow) -> str:
    """Return the status of an import, or what became of it after it was done."""
    if found.status != Status.DONE:
        return str(found.status)
    if found.undone_at:
        return "undone"
    asked = found.undo_requested_at
    if asked and datetime.now(UTC) - asked < queries.UNDO_AGAIN:
        return "undoing"
    return "checked" if found.dry_run else "done"


@router.get(f"{PATH}/export.json")
async def export_all(page: UserPage, session: CurrentSession, request: Request) -> Response:
    now = datetime.now(UTC)
    head = await exports.read_head(session, page.reader.id, now)
    written = exports.write(request.state.reads, page.reader.id, head)
    return StreamingResponse(written, 200, files.headers("export.json", now), "application/json")


@router.get(f"{PATH}/todos.csv")
async def export_csv(page: UserPage, request: Request) -> Response:
    written = files.write_csv(request.state.reads, page.reader.id)
    headers = files.headers("todos.csv", datetime.now(UTC))
    return StreamingResponse(written, 200, headers, "text/csv")


@router.get(f"{PATH}/todos.ics")
async def export_calendar(page: UserPage, session: CurrentSession, request: Request) -> Response:
    now = datetime.now(UTC)
    head = await files.read_head(session, page.reader.id)
    written = files.write_icalendar(request.state.reads, page.reader.id, head, now)
    return StreamingResponse(written, 200, files.headers("todos.ics", now), "text/calendar")


@router.post(IMPORTS)
async def import_file(page: UserPage, sent: SentFile, session: CurrentSession) -> Response:
    """Take a file for the job that imports it, or only checks it."""
    form = page.form(sent.fields)
    wanted = form.parse(ImportParams, dry_run="dry_run" in sent.fields)
    kind = media_type_of(sent, form)
    if wanted is None or form.errors or sent.content is None:
        return await refuse_file(page, session, form)
    work = service.accept_import(session, page.reader.id, kind, sent.content, wanted)
    made = await attempt(session, work)
    if isinstance(made, DomainError):
        return await refuse_file(page, session, form, made)
    return page.redirect(f"{IMPORTS}/{made.id}")


def media_type_of(sent: Upload, form: Form) -> str:
    """Return the media type of a file; of one that cannot be imported, note why in the form."""
    chosen = form.given("format")
    of_format = {each: kind for kind, some in formats.MEDIA_TYPES.items() for each in some}
    if sent.content is None:
        form.errors["file"] = NO_FILE
    elif not sent.content:
        form.errors["file"] = EMPTY
    elif chosen in FORMATS:
        return of_format[Format(chosen)]
    elif kind := MEDIA_TYPES.get(PurePath(sent.name).suffix.lower()):
        return kind
    else:
        form.errors["file"] = UNKNOWN
    return ""


async def refuse_file(
    page: Page, session: Session, form: Form, error: DomainError | None = None
) -> Response:
    if error is not None:
        form.refuse(error)
    for name, text in (("format", OTHER_FORMAT), ("project", PROJECT)):
        if name in form.errors:
            form.errors[name] = text
    status = HTTPStatus.UNPROCESSABLE_ENTITY if error is None else error.status
    return page.render(TEMPLATE, status, form=form, **await read_data(session, page))


@router.get(f"{IMPORTS}/{{import_id}}")
async def show_import(import_id: Id, page: UserPage, session: CurrentSession) -> Response:
    """Show how far an import is, or what became of it."""
    shell = await read_shell(session, page.reader.id)
    found = await service.read_import(session, page.reader.id, import_id)
    state, gettext = state_of(found), page.catalogue.gettext
    return page.render(
        REPORT,
        shell=shell,
        found=found,
        state=state,
        waits=state in {"queued", "running", "undoing"},
        formats=FORMATS,
        # Not translated in the template, which would fill in a "%" of the file.
        error=gettext(found.error) if found.error else "",
        report=[(entry, translate(entry["message"], gettext)) for entry in found.report],
    )


@router.post(f"{IMPORTS}/{{import_id}}/undo")
async def undo_import(import_id: Id, page: UserPage, session: CurrentSession) -> Response:
    """Let a job move what an import has created into the trash."""
    work = service.undo_import(session, page.reader.id, import_id)
    done = await attempt(session, work)
    return page.redirect(f"{IMPORTS}/{import_id}", refusal_of(done))


@router.post(f"{IMPORTS}/{{import_id}}/delete")
async def delete_import(import_id: Id, page: UserPage, session: CurrentSession) -> Response:
    """Forget an import, or cancel it before it begins. What it created stays."""
    done = await attempt(session, service.delete_import(session, page.reader.id, import_id))
    if refusal := refusal_of(done):
        return page.redirect(f"{IMPORTS}/{import_id}", refusal)
    return page.redirect(PATH, Notice(code="import_forgotten"))


def refusal_of(done: object) -> Notice | None:
    """Say why an import stays as it is. One that is not there has no page to go back to."""
    if isinstance(done, NotFound):
        raise done
    return fault_of(done) if isinstance(done, DomainError) else None


@router.post(f"{PATH}/feed")
async def renew_feed(page: UserPage, session: CurrentSession) -> Response:
    """Show a new secret address. It is in this response alone, and in no cookie or log."""
    made = await feed_service.renew_feed(session, page.settings, page.reader.id)
    shell = await read_shell(session, page.reader.id)
    return page.render(FEED, HTTPStatus.CREATED, shell=shell, address=made.url)


@router.post(f"{PATH}/feed/delete")
async def delete_feed(page: UserPage, session: CurrentSession) -> Response:
    is_gone = await feeds.delete_feed(session, page.reader.id)
    return page.redirect(PATH, Notice(code="feed_removed") if is_gone else fault(NO_FEED.code))
