"""The pages that links in emails lead to, and the request for one to a new password.

A link has its secret in the fragment, which no server and no log sees. A script puts it into the
form; without one, it can be pasted.
"""

from collections.abc import Sequence

from fastapi import APIRouter, Response

from fast_zero.core.addresses import network
from fast_zero.core.database import retry_transaction
from fast_zero.core.errors import DomainError, NotFound
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.core.languages import Language
from fast_zero.core.security import password_queue
from fast_zero.email_links import service
from fast_zero.email_links.schemas import ForgottenPassword, MailedToken, PasswordReset
from fast_zero.identity.dependencies import CurrentRevocations, address_of
from fast_zero.web import cookies, links
from fast_zero.web.attempts import attempt
from fast_zero.web.dependencies import AnyPage, Fields
from fast_zero.web.notices import Notice

FORGOTTEN = "email_links/forgotten.html"
PASSWORD = "email_links/password.html"  # noqa: S105  # a template
CONFIRM = "email_links/confirm.html"
PAGES = {"confirm": "/app/confirm", "password": "/app/password", "register": "/app/register"}

router = APIRouter()


@router.get("/account/{name}")
async def open_link(page: AnyPage, name: str, lang: Language | None = None) -> Response:
    """Go on to the page. A browser takes the fragment of the address along."""
    if name not in PAGES:
        raise NotFound("There is no such page.")
    response = page.redirect(PAGES[name])
    if lang:
        cookies.write(response, page.request, cookies.LANGUAGE, lang, cookies.YEAR)
    return response


@router.get("/app/forgotten")
async def show_forgotten(page: AnyPage, email: str = "") -> Response:
    return page.render(FORGOTTEN, form=page.form({"email": email}), sent=False)


@router.post("/app/forgotten")
async def request_link(page: AnyPage, fields: Fields, session: CurrentSession) -> Response:
    """Send a link to choose a new password. The answer is the same for an unknown address."""
    form = page.form(fields)
    forgotten = form.parse(ForgottenPassword)
    if forgotten is None:
        return page.show_errors(FORGOTTEN, form, None, sent=False)
    requester = network(address_of(page.request))
    work = service.request_password_reset(session, page.settings, forgotten.email, requester)
    refused = await attempt(session, work)
    if refused is not None:
        return page.show_errors(FORGOTTEN, form, refused, sent=False)
    return page.render(FORGOTTEN, form=form, sent=True)


@router.get("/app/password")
async def show_new_password(page: AnyPage) -> Response:
    return page.render(PASSWORD, form=page.form())


@router.post("/app/password")
async def set_password(
    page: AnyPage, fields: Fields, session: CurrentSession, revocations: CurrentRevocations
) -> Response:
    """Set a new password. It ends all sessions."""
    form, settings = page.form(fields), page.settings
    reset = form.parse(PasswordReset)
    if reset is None:
        return page.show_errors(PASSWORD, form)
    caller = password_queue.address(settings, address_of(page.request))

    async def change() -> Sequence[int]:
        password_hash = await service.hash_password_for_link(
            session, settings, reset.token, reset.password, caller
        )

        async def write() -> Sequence[int]:
            return await service.reset_password(session, reset.token, password_hash)

        return await retry_transaction(session, write)

    ended = await attempt(session, change())
    if isinstance(ended, DomainError):
        return page.show_errors(PASSWORD, form, ended)
    revocations.add_at_commit(session, *ended)
    return page.redirect(links.LOG_IN, Notice(code="password_changed"))


@router.get("/app/confirm")
async def show_confirmation(page: AnyPage) -> Response:
    return page.render(CONFIRM, form=page.form())


@router.post("/app/confirm")
async def confirm_email(
    page: AnyPage, fields: Fields, session: CurrentSession, revocations: CurrentRevocations
) -> Response:
    """Confirm an email address. A new one ends all sessions."""
    form = page.form(fields)
    mailed = form.parse(MailedToken)
    if mailed is None:
        return page.show_errors(CONFIRM, form)

    async def confirm() -> Sequence[int]:
        return await service.confirm_address(session, mailed.token)

    ended = await attempt(session, retry_transaction(session, confirm))
    if isinstance(ended, DomainError):
        return page.show_errors(CONFIRM, form, ended)
    revocations.add_at_commit(session, *ended)
    is_logged_in = page.reader.is_known and page.reader.session_id not in ended
    address = links.HOME if is_logged_in else links.LOG_IN
    return page.redirect(address, Notice(code="email_confirmed"))
