"""What the routes of pages take: the reader, what they have sent, and how to answer."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from fastapi import Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from fast_zero.core import security
from fast_zero.core.database import Writer, current_writer, transaction
from fast_zero.core.errors import INVALID_TOKEN, Conflict, DomainError, Malformed, Unauthenticated
from fast_zero.core.http.middleware.rate_limit import RateLimitClient
from fast_zero.core.http.middleware.response_headers import SAFE_METHODS
from fast_zero.core.languages import KNOWN, Language
from fast_zero.core.observability.logs import current_request
from fast_zero.core.settings import Settings
from fast_zero.identity.dependencies import AuthenticatedUser
from fast_zero.identity.scopes import ALL_SCOPES
from fast_zero.sessions import queries as session_queries
from fast_zero.web import cookies, links, rendering
from fast_zero.web.forms import Form
from fast_zero.web.notices import SECONDS, Notice
from fast_zero.web.presentation.dates import Dates
from fast_zero.web.texts import locale_of, translations_of

MAX_FIELDS = 2000
OTHER_ACCOUNT = "Another account is logged in."
WRITTEN = (
    "text",
    "title",
    "description",
    "labels",
    "recurrence",
    "name",
    "filter",
    "display_name",
    "bio",
)
"""The fields in which people write more than a word: what of a form must not be lost."""


@dataclass(frozen=True)
class Reader:
    """Who reads the page: an account with its settings, or the language of a browser."""

    language: Language
    id: int = 0
    session_id: int = 0
    username: str = ""
    display_name: str = ""
    time_zone: str = "UTC"
    week_starts_on: str = "monday"
    clock: int = 24
    theme: str = "auto"
    keyboard_shortcuts: bool = True
    is_administrator: bool = False

    @property
    def is_known(self) -> bool:
        return bool(self.id)

    @property
    def ids(self) -> tuple[int, int]:
        """The user and the session, as services of accounts take them."""
        return self.id, self.session_id

    def account(self) -> AuthenticatedUser:
        return AuthenticatedUser(self.id, ALL_SCOPES, self.session_id)


@dataclass(frozen=True)
class RefusedForm:
    """A form of another account than the one that is logged in, for a page that says so."""

    username: str
    written: list[str]


class Page:
    """The request for a page, and the answers to it."""

    def __init__(self, request: Request, reader: Reader) -> None:
        self.request, self.reader = request, reader
        self.settings: Settings = request.state.settings
        self.catalogue = translations_of(reader.language)
        self.writer: Writer | None = None
        request.scope["state"]["language"] = reader.language  # for a page about an error

    @property
    def dates(self) -> Dates:
        now = datetime.now(UTC).astimezone(ZoneInfo(self.reader.time_zone))
        locale = locale_of(self.reader.language)
        return Dates(locale, self.catalogue.gettext, self.reader.clock, now)

    @property
    def change_set(self) -> UUID | None:
        """What this form changes, for Undo. None: the page writes nothing."""
        return self.writer.change_set_id if self.writer else None

    @property
    def address(self) -> str:
        """The path of this page with its query, to come back to."""
        path, query = self.request.url.path, self.request.url.query
        return f"{path}?{query}" if query else path

    @property
    def list_address(self) -> str:
        """The address of the list, without the todo that is open beside it."""
        return self.with_query("todo", "")

    def with_query(self, name: str, value: str) -> str:
        """Return the address of this page with another value of a parameter; empty: without it."""
        return links.with_query(self.address, **{name: value})

    def after_address(self, cursor: str) -> str:
        """Return the address of another page of this list; empty: of its first page."""
        return links.with_query(self.address, todo=None, after=cursor)

    @property
    def is_further(self) -> bool:
        """Whether this is a page of a list behind its first one."""
        return bool(self.request.query_params.get("after"))

    @cached_property
    def todo_address(self) -> str:
        """What the number of a todo is added to, to open it beside this list."""
        return links.before_todo(self.list_address)

    @cached_property
    def key(self) -> str:
        """The key of a form, with which it takes effect once, however often it is sent."""
        return str(uuid4())

    @property
    def is_selecting(self) -> bool:
        """Whether rows have checkboxes, for a reader without scripts."""
        return "select" in self.request.query_params

    @property
    def without_selecting(self) -> str:
        return self.with_query("select", "")

    def form(self, values: Mapping[str, str] | None = None) -> Form:
        return Form(values or {}, least=self.settings.password_min_length)

    def render(
        self, template: str, status: int = HTTPStatus.OK, /, **values: object
    ) -> HTMLResponse:
        """Render a template. It shows the notice of the form before, once."""
        cookie = cookies.read(self.request, cookies.NOTICE)
        notice = Notice.read(cookie) if cookie else None
        shown: dict[str, Any] = {"page": self, "reader": self.reader, "notice": notice, **values}
        response = HTMLResponse(rendering.render(self.reader.language, template, shown), status)
        if cookie:
            cookies.delete(response, self.request, cookies.NOTICE)
        if self.reader.is_known:
            self.keep_language(response)
        return response

    def keep_language(self, response: Response) -> None:
        """Keep the language of the account for pages that need no account, such as errors."""
        language = self.reader.language
        if cookies.read(self.request, cookies.LANGUAGE) != language:
            cookies.write(response, self.request, cookies.LANGUAGE, language, cookies.YEAR)

    def render_part(self, template: str, /, **values: object) -> HTMLResponse:
        """Render what a script adds to a page. A notice waits for the next page."""
        shown = {"page": self, "reader": self.reader, **values}
        return HTMLResponse(rendering.render(self.reader.language, template, shown))

    def show_errors(
        self, template: str, form: Form, error: DomainError | None = None, /, **values: object
    ) -> HTMLResponse:
        """Render a form again, with what was sent and what is wrong with it."""
        if error is not None:
            form.refuse(error)
        status = HTTPStatus.UNPROCESSABLE_ENTITY if error is None else error.status
        if status == HTTPStatus.UNAUTHORIZED:  # that is a challenge for other programs
            status = HTTPStatus.UNPROCESSABLE_ENTITY
        response = self.render(template, status, form=form, **values)
        if error is not None and "Retry-After" in error.headers:
            response.headers["Retry-After"] = error.headers["Retry-After"]
        return response

    def redirect(self, address: str, notice: Notice | None = None) -> RedirectResponse:
        """Go to another page, or the same again. `address` is one of the page's own."""
        response = RedirectResponse(address, HTTPStatus.SEE_OTHER)
        if notice:
            cookies.write(response, self.request, cookies.NOTICE, notice.written(), SECONDS)
        return response

    def log_in(self, address: str, secret: str, notice: Notice | None = None) -> RedirectResponse:
        """Set the cookie of a new session. It never has a value that the browser sent before."""
        response = self.redirect(address, notice)
        cookies.write(response, self.request, cookies.SESSION, secret, cookies.YEAR)
        cookies.delete(response, self.request, cookies.PENDING)
        return response

    def log_out(self, response: Response) -> None:
        cookies.delete(response, self.request, cookies.SESSION)


async def any_page(request: Request) -> Page:
    """Return the page of anybody. One statement, if the browser has a session."""
    reader = Reader(cookies.language_of(request))
    if secret := cookies.read(request, cookies.SESSION):
        reader = await find_reader(request, secret) or reader
    return Page(request, reader)


async def known_page(page: Annotated[Page, Depends(any_page)]) -> Page:
    """Return the page of somebody who is logged in. Others are sent to the log-in."""
    if not page.reader.is_known:
        raise Unauthenticated(INVALID_TOKEN)
    return page


async def user_page(page: Annotated[Page, Depends(known_page)]) -> AsyncIterator[Page]:
    """Return the page of somebody who is logged in, who may write.

    A form names the account that its page was rendered for. The cookie is of another one, if
    somebody else has logged in meanwhile, in another tab or before the service worker sends it.
    """
    if page.request.method in SAFE_METHODS:
        yield page
        return
    form = await sent_form(page.request, max_files=1)
    try:
        refuse_other_account(page, form)
        page.writer = Writer(page.reader.account().client(), page.reader.id)
        current_writer.set(page.writer)
        yield page
    finally:
        await form.close()


def refuse_other_account(page: Page, form: FormData) -> None:
    """Raise an error if a form was rendered for another account. What was written is kept."""
    if form.get("account", str(page.reader.id)) != str(page.reader.id):
        written = [form.get(name) for name in WRITTEN]
        page.request.scope["state"]["refused"] = RefusedForm(
            page.reader.username, [text for text in written if isinstance(text, str) and text]
        )
        raise Conflict(OTHER_ACCOUNT)


async def find_reader(request: Request, secret: str) -> Reader | None:
    settings: Settings = request.state.settings
    async with transaction(request.state.sessions) as session:
        digest, days = security.digest(secret), settings.refresh_token_days
        found = await session_queries.use_cookie(session, digest, days)
    client: RateLimitClient | None = request.scope["state"].get("rate_limit")
    if found is None:
        return None
    if client:
        client.charge_user(found["owner_id"])
    if request_known := current_request.get():
        request_known.user_id = found["owner_id"]
    return Reader(
        language=next(known for known in KNOWN if known == found["language"]),
        id=found["owner_id"],
        session_id=found["id"],
        username=found["username"],
        display_name=found["display_name"],
        time_zone=found["time_zone"],
        week_starts_on=found["week_starts_on"],
        clock=found["clock"],
        theme=found["theme"],
        keyboard_shortcuts=found["keyboard_shortcuts"],
        is_administrator=found["role"] == "admin",
    )


async def sent_form(request: Request, max_fields: int = MAX_FIELDS, max_files: int = 0) -> FormData:
    """Return a form. A client may name any charset, of which some decode to what is no text."""
    try:
        form: FormData = await request.form(max_fields=max_fields, max_files=max_files)
        for name, value in form.multi_items():
            f"{name}{value if isinstance(value, str) else value.filename}".encode()
    except UnicodeError:
        raise Malformed("The form is not UTF-8.") from None
    return form


async def sent_fields(request: Request) -> dict[str, str]:
    """Return the fields of a form that are text; of several with the same name, the last."""
    form = await sent_form(request)
    return {name: value for name, value in form.items() if isinstance(value, str)}


async def selected_rows(request: Request) -> list[str]:
    """Return the values of all fields that are named `selected`."""
    form = await sent_form(request)
    return [value for value in form.getlist("selected") if isinstance(value, str)]


async def next_address(fields: Annotated[dict[str, str], Depends(sent_fields)]) -> str:
    return links.own_path(fields.get("next", ""))


AnyPage = Annotated[Page, Depends(any_page)]
"""The page of anybody."""

KnownPage = Annotated[Page, Depends(known_page)]
"""The page of somebody who is logged in, whatever account its form was rendered for."""

UserPage = Annotated[Page, Depends(user_page)]
"""The page of somebody who is logged in."""

Fields = Annotated[dict[str, str], Depends(sent_fields)]
"""What a form has sent."""

Selected = Annotated[list[str], Depends(selected_rows)]
"""The rows that were selected: see `row_acts.Target`."""

NextAddress = Annotated[str, Depends(next_address)]
"""Where to go after a form: its field `next`, if that is a page of ours."""
