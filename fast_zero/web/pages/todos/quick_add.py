"""The line at the top of lists: shows what it understands of a sentence, and adds it, once."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Self
from urllib.parse import urlencode

from fastapi import APIRouter, Response
from pydantic import BaseModel, ValidationError

from fast_zero.core.database import PreparedRow, Session
from fast_zero.core.errors import DomainError, InProgress, Invalid, Unavailable
from fast_zero.core.http.dependencies import CurrentSession, ReadSession
from fast_zero.core.http.idempotency import Idempotent
from fast_zero.core.types import Id
from fast_zero.labels import service as label_service
from fast_zero.quick_add import service
from fast_zero.quick_add.parsing import LONGEST
from fast_zero.quick_add.schemas import QuickAdd
from fast_zero.quick_add.service import Answer
from fast_zero.quick_add.tags import MAX_LABELS
from fast_zero.web.dependencies import Fields, NextAddress, Page, UserPage
from fast_zero.web.notices import FAULTS, Notice, shortened
from fast_zero.web.presentation.dates import Dates
from fast_zero.web.presentation.rows import INBOX, due_day
from fast_zero.web.presentation.sentences import WHERE, Chip, Words
from fast_zero.web.texts import mark

UNDERSTOOD = "quick_add/understood.html"
REFUSED = "quick_add/refused.html"
WAITED = "X-Waited"
"""The header of a line that waited for a connection. No form waits for the answer."""

REFUSALS = {
    service.NO_TITLE: "no_title",
    service.LONG_TITLE: "long_title",
    "validation_error": "bad_characters",
    "string_too_short": "no_title",
    "string_too_long": "long_line",
}
"""The notice for a sentence that was refused, by what was said of it."""

NOT_FOUND = {
    "project_id": "project_not_found",
    "section_id": "section_not_found",
    "label_id": "label_not_found",
}

PLACES = {"inbox": INBOX, "today": mark("Today"), "upcoming": mark("Upcoming")}

router = APIRouter()


class Line(BaseModel):
    """The fields of the form: a sentence, and the list that says what the sentence does not."""

    text: str = ""
    list: str = ""
    project_id: Id | None = None
    section_id: Id | None = None
    label_id: Id | None = None

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> Self:
        given = {name: fields[name] for name in cls.model_fields if fields.get(name)}
        return cls.model_validate(given)

    def content(self) -> bytes:
        given = self.model_dump(exclude_none=True)
        return urlencode(given, errors="surrogatepass").encode()

    def complete(self, answer: Answer, dates: Dates, label: str) -> Answer:
        """Add what the list means: its day, its project or its label, if it has one."""
        new, more = answer.new, dict[str, Any]()
        if new.due_on is None and new.due_at is None and self.list in DAYS:
            more["due_on"] = dates.today + timedelta(days=DAYS[self.list])
        if new.project_id is None and self.project_id is not None:
            more |= {"project_id": self.project_id, "section_id": self.section_id}
        if label:
            more["labels"] = list_with(new.labels, label)
        return Answer(new.model_copy(update=more), answer.understood, answer.zone, answer.project)

    def shows(self, todo: PreparedRow, dates: Dates) -> bool:
        """Return whether the list that was added to shows the todo."""
        match self.list:
            case "today" | "upcoming":
                return place_of_day(todo, dates) == self.list
            case "inbox":
                return todo["project_id"] is None
            case "project":
                return bool(todo["project_id"] == self.project_id)
            case "label":
                return self.label_id is not None
        return False


MOST_DETAILS = 200
DAYS = {"today": 0, "upcoming": 1}
"""The day that lists of days mean, from today."""


class Added(BaseModel):
    """What is stored for the key of a form that was sent: the answer to each repetition."""

    notice: Notice


def list_with(names: list[str], name: str) -> list[str]:
    known = {each.casefold() for each in names}
    return names if name.casefold() in known else [*names[: MAX_LABELS - 1], name]


def place_of_day(todo: PreparedRow, dates: Dates) -> str:
    """Return the list of days that shows a todo; empty if it has no day."""
    if todo["due_on"] is None and todo["due_at"] is None:
        return ""
    return "today" if due_day(todo, dates) <= dates.today else "upcoming"


def words_of(page: Page) -> Words:
    return Words(page.dates, page.catalogue, page.reader.language == "en")


@router.get("/app/quick-add")
async def show_understood(page: UserPage, session: ReadSession, text: str = "") -> Response:
    """Show what is understood of a sentence so far. The script asks for it."""
    try:
        given = QuickAdd(text=text)
        answer = await service.understand(session, page.reader.id, given.text)
    except (ValidationError, Invalid) as error:
        return page.render_part(UNDERSTOOD, fault=FAULTS[code_of(error)])
    return page.render_part(UNDERSTOOD, title=answer.new.title, chips=words_of(page).chips(answer))


def code_of(error: ValidationError | DomainError) -> str:
    """Return the notice that says why a sentence was refused."""
    if isinstance(error, ValidationError):
        [first, *_] = error.errors(include_url=False, include_context=False)
        name = first["loc"][0]
        if name != "text":
            return NOT_FOUND.get(str(name), "not_added")
        return REFUSALS.get(first["type"], "bad_characters")
    code = REFUSALS.get(error.detail) or REFUSALS.get(error.code, error.code)
    return code if code in FAULTS else "not_added"


@router.post("/app/todos")
async def add(
    page: UserPage,
    fields: Fields,
    address: NextAddress,
    session: CurrentSession,
    idempotent: Idempotent,
) -> Response:
    """Add what the line says to the list that it belongs to. With the same key again: once."""
    try:
        line = Line.of(fields)
        once = idempotent.of_form(fields.get("key", ""), line.content())
        found = await once(session, page.reader.id, lambda: add_line(session, page, line))
    except (Unavailable, InProgress):  # it may be sent again
        raise
    except (ValidationError, DomainError) as error:
        await session.rollback()
        written = shortened(fields.get("text", ""), LONGEST)
        refused = Notice(code=code_of(error), fault=True, line=written)
        if WAITED in page.request.headers:
            return page.render_part(REFUSED, notice=refused)
        return page.redirect(address, refused)
    if isinstance(found, Response):
        found = Added.model_validate_json(bytes(found.body))
    return page.redirect(address, Added.model_validate(found).notice)


async def add_line(session: Session, page: Page, line: Line) -> Added:
    user_id, dates = page.reader.id, page.dates
    said = await service.understand(session, user_id, QuickAdd(text=line.text).text)
    label = ""
    if line.label_id is not None:
        label = (await label_service.read_label(session, user_id, line.label_id)).name
    todo = await service.create_todo(session, user_id, line.complete(said, dates, label))
    chips = words_of(page).chips(said)
    link = "" if line.shows(todo, dates) else f"{list_of(todo, dates)}?todo={todo['id']}"
    if link and not any(chip.kind in WHERE for chip in chips):
        chips.append(Chip("project", page.catalogue.gettext(name_of_list(todo, dates))))
    return Added(
        notice=Notice(
            code="added",
            title=todo["title"],
            details=shortened(" · ".join(chip.text for chip in chips), MOST_DETAILS),
            link=link,
            undo=page.change_set,
        )
    )


def list_of(todo: PreparedRow, dates: Dates) -> str:
    """Return the address of a list that shows a todo."""
    if todo["project_id"] is not None:
        return f"/app/projects/{todo['project_id']}"
    return f"/app/{place_of_day(todo, dates) or 'inbox'}"


def name_of_list(todo: PreparedRow, dates: Dates) -> str:
    return PLACES[place_of_day(todo, dates) or "inbox"]
