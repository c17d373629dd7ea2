"""Log in, the second factor, log out, and the language of this browser."""

from fastapi import APIRouter, Response

from fast_zero.core import security
from fast_zero.core.database import Session
from fast_zero.core.errors import DomainError, TooManyRequests, Unauthenticated, Unavailable
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.core.languages import KNOWN
from fast_zero.identity.dependencies import CurrentRevocations
from fast_zero.sessions import cookies as cookie_sessions
from fast_zero.sessions import metrics, queries
from fast_zero.sessions.dependencies import client_of
from fast_zero.sessions.schemas import TokenForm
from fast_zero.sessions.service import CodeNeeded
from fast_zero.web import cookies, links
from fast_zero.web.dependencies import AnyPage, Fields, KnownPage, NextAddress, Page
from fast_zero.web.notices import Notice

LOG_IN = "auth/log_in.html"
CODE = "auth/code.html"

router = APIRouter()


@router.get("/app")
async def open_app(page: AnyPage) -> Response:
    return page.redirect(links.HOME if page.reader.is_known else links.LOG_IN)


@router.get("/app/login")
async def show_log_in(page: AnyPage, next: str = "") -> Response:  # noqa: A002  # the parameter's name
    address = links.own_path(next)
    if page.reader.is_known:
        return page.redirect(address)
    return page.render(LOG_IN, form=page.form(), next=address)


@router.post("/app/login")
async def log_in(
    page: AnyPage, fields: Fields, address: NextAddress, session: CurrentSession
) -> Response:
    form = page.form(fields)
    form.require("username", "password")
    wanted = None if form.errors else form.parse(TokenForm, grant_type="password", scope="", otp="")
    if wanted is None:
        return page.show_errors(LOG_IN, form, next=address)
    try:
        with metrics.count_log_in():
            secret = await cookie_sessions.log_in(
                session, page.settings, wanted, client_of(page.request)
            )
    except CodeNeeded as needed:
        token = cookie_sessions.pending_token(page.settings, wanted.username, needed.account)
        response: Response = page.redirect(links.with_next(links.CODE, address))
        seconds = cookie_sessions.PENDING_SECONDS
        cookies.write(response, page.request, cookies.PENDING, token, seconds)
        return response
    except Unavailable:
        raise
    except DomainError as error:
        return page.show_errors(LOG_IN, form, error, next=address)
    return await replace_session(page, session, address, secret)


@router.get("/app/login/code")
async def show_code(page: AnyPage, next: str = "") -> Response:  # noqa: A002  # the parameter's name
    if not cookies.read(page.request, cookies.PENDING):
        return page.redirect(links.LOG_IN)
    return page.render(CODE, form=page.form(), next=links.own_path(next))


@router.post("/app/login/code")
async def log_in_with_code(
    page: AnyPage, fields: Fields, address: NextAddress, session: CurrentSession
) -> Response:
    form = page.form(fields)
    form.require("code")
    if form.errors or form.parse(TokenForm, otp=form.given("code")) is None:
        return page.show_errors(CODE, form, next=address)
    token = cookies.read(page.request, cookies.PENDING)
    client = client_of(page.request)
    try:
        with metrics.count_log_in():
            secret = await cookie_sessions.log_in_with_code(
                session, page.settings, token, form.given("code"), client
            )
    except (Unauthenticated, TooManyRequests) as error:
        template = LOG_IN if isinstance(error, cookie_sessions.LogInAgain) else CODE
        return page.show_errors(template, form, error, next=address)
    return await replace_session(page, session, address, secret)


async def replace_session(page: Page, session: Session, address: str, secret: str) -> Response:
    """Go on with a new session. The one that the browser had ends."""
    if old := cookies.read(page.request, cookies.SESSION):
        await queries.delete_session_of_cookie(session, security.digest(old))
    return page.log_in(address, secret)


@router.post("/app/logout")
async def log_out(
    page: KnownPage, session: CurrentSession, revocations: CurrentRevocations
) -> Response:
    """Log out whoever is logged in, also from an old page of another account."""
    reader = page.reader
    await queries.delete_session(session, reader.id, reader.session_id)
    revocations.add_at_commit(session, reader.session_id)
    response = page.redirect(links.LOG_IN, Notice(code="logged_out"))
    page.log_out(response)
    return response


@router.post("/app/language")
async def choose_language(page: AnyPage, fields: Fields, address: NextAddress) -> Response:
    """Choose the language of this browser. That of the account is one of its settings."""
    response = page.redirect(address)
    if fields.get("language") in KNOWN:
        cookies.write(response, page.request, cookies.LANGUAGE, fields["language"], cookies.YEAR)
    return response
