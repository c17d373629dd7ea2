"""Password, second factor and sessions of an account.

Secrets are shown in the response to the form that makes them, and nowhere else: in no address, no
notice, and not again when a code was wrong.
"""

import re
from dataclasses import dataclass

import segno
from fastapi import APIRouter, Response
from markupsafe import Markup

from fast_zero.accounts import service as accounts
from fast_zero.accounts.schemas import MeUpdate
from fast_zero.core import security
from fast_zero.core.database import Session
from fast_zero.core.errors import DomainError
from fast_zero.core.http.dependencies import CurrentSession, PageQuery
from fast_zero.core.pagination import split_page
from fast_zero.identity import queries as identity_queries
from fast_zero.identity.dependencies import CurrentRevocations
from fast_zero.identity.models import LoginSession
from fast_zero.sessions import cookies as cookie_sessions
from fast_zero.sessions import queries
from fast_zero.sessions.dependencies import client_of
from fast_zero.two_factor import queries as two_factor_queries
from fast_zero.two_factor import service as two_factor
from fast_zero.two_factor.schemas import CodeGiven, OtpState, PasswordGiven
from fast_zero.web import cookies
from fast_zero.web.attempts import answer, attempt, read_id
from fast_zero.web.dependencies import Fields, Page, UserPage
from fast_zero.web.forms import Form
from fast_zero.web.notices import Notice, Refused
from fast_zero.web.shell import show, show_errors

SECURITY = "security/overview.html"
PASSWORD = "security/password.html"  # noqa: S105  # a template
ENABLE = "security/enable.html"
CONFIRM = "security/confirm.html"
RECOVERY = "security/recovery.html"
CODES = "security/codes.html"
DISABLE = "security/disable.html"
ADDRESS = "/app/settings/security"
# Programs that name others as well stand before these.
BROWSERS = {
    "Edg": "Edge",
    "OPR": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "CriOS": "Chrome",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "CrOS": "ChromeOS",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "Linux": "Linux",
}
PROGRAM = re.compile(r"[A-Za-z][\w.+ -]{0,40}")
"""What a program calls itself, before its version."""

router = APIRouter()


@dataclass(frozen=True)
class OpenSession:
    id: int
    program: str
    system: str
    address: str
    last_used: str
    is_current: bool


def session_of(found: LoginSession, page: Page) -> OpenSession:
    program, system = device_of(found.user_agent)
    return OpenSession(
        found.id,
        program,
        system,
        found.address,
        page.dates.moment(found.last_used_at),
        found.id == page.reader.session_id,
    )


def device_of(user_agent: str) -> tuple[str, str]:
    """Return the program and the system that a client says it is; empty: unknown."""
    system = next((name for mark, name in SYSTEMS.items() if mark in user_agent), "")
    for mark, name in BROWSERS.items():
        if f"{mark}/" in user_agent or user_agent == mark:
            return name, system
    found = PROGRAM.match(user_agent)
    return (found[0].strip() if found else ""), ""


@router.get("/app/settings/security")
async def show_security(page: UserPage, session: CurrentSession, wanted: PageQuery) -> Response:
    otp = OtpState.of(await two_factor_queries.select_state(session, page.reader.id))
    found = await queries.select_sessions(session, page.reader.id, wanted)
    rows, cursor = split_page(found, wanted)
    latest = sorted(rows, key=lambda row: row.last_used_at, reverse=True)
    opened = [session_of(row, page) for row in latest]
    opened.sort(key=lambda each: not each.is_current)
    return await show(page, session, SECURITY, otp=otp, sessions=opened, after=cursor)


@router.post("/app/settings/security/sessions")
async def end_sessions(
    page: UserPage, fields: Fields, session: CurrentSession, revocations: CurrentRevocations
) -> Response:
    """End one session, or all except this one."""
    reader, wanted = page.reader, fields.get("end", "")
    if wanted == "others":
        ended = await identity_queries.delete_sessions(session, reader.id, but=reader.session_id)
        revocations.add_at_commit(session, *ended)
        return page.redirect(ADDRESS, Notice(code="other_sessions_ended"))

    async def end() -> Notice:
        session_id = read_id(wanted, "session_not_found")
        if not await queries.delete_session(session, reader.id, session_id):
            raise Refused("session_not_found")
        revocations.add_at_commit(session, session_id)
        return Notice(code="session_ended")

    return await answer(page, session, ADDRESS, end)


@router.get("/app/settings/security/password")
async def show_password(page: UserPage, session: CurrentSession) -> Response:
    return await show(page, session, PASSWORD, form=page.form())


@router.post("/app/settings/security/password")
async def change_password(
    page: UserPage, fields: Fields, session: CurrentSession, revocations: CurrentRevocations
) -> Response:
    """Change the password. It ends all sessions; this browser gets a new one."""
    form = only(page, fields, "current_password", "password")
    change = None if form.errors else form.parse(MeUpdate)
    if change is None:
        return await show_errors(page, session, PASSWORD, form)
    work = accounts.change_account(session, page.reader.ids, change, page.settings)
    done = await attempt(session, work)
    if isinstance(done, DomainError):
        return await show_errors(page, session, PASSWORD, form, done)
    client = client_of(page.request)
    secret = await cookie_sessions.log_in_new(session, page.settings, done[0], client)
    revocations.add_at_commit(session, page.reader.session_id)
    return page.log_in(ADDRESS, secret, Notice(code="password_saved"))


@router.get("/app/settings/security/otp")
async def show_enabling(page: UserPage, session: CurrentSession) -> Response:
    return await show(page, session, ENABLE, form=page.form())


@router.post("/app/settings/security/otp")
async def enable_otp(page: UserPage, fields: Fields, session: CurrentSession) -> Response:
    """Show a secret for an authenticator. Log-ins need a code once it is confirmed."""
    form = only(page, fields, "current_password")
    given = None if form.errors else form.parse(PasswordGiven)
    if given is None:
        return await show_errors(page, session, ENABLE, form)
    work = two_factor.enrol(session, page.settings, page.reader.ids, given.current_password)
    done = await attempt(session, work)
    if isinstance(done, DomainError):
        return await show_errors(page, session, ENABLE, form, done)
    secret, uri = done
    return await show(
        page, session, CONFIRM, form=page.form(), secret=in_groups(secret), qr=qr_of(uri)
    )


@router.get("/app/settings/security/otp/confirm")
async def show_confirmation(page: UserPage, session: CurrentSession) -> Response:
    """Ask for the code again. The secret is not shown again, as it needs the password."""
    return await show(page, session, CONFIRM, form=page.form(), secret="", qr="")


@router.post("/app/settings/security/otp/confirm")
async def confirm_otp(page: UserPage, fields: Fields, session: CurrentSession) -> Response:
    """Turn the second factor on, and give the session of this browser another secret."""
    form = only(page, fields, "code")
    given = None if form.errors else form.parse(CodeGiven)
    if given is None:
        return await show_errors(page, session, CONFIRM, form, secret="", qr="")
    done = await attempt(
        session, two_factor.confirm(session, page.settings, page.reader.ids, given.code)
    )
    if isinstance(done, DomainError):
        return await show_errors(page, session, CONFIRM, form, done, secret="", qr="")
    secret = security.new_secret()
    await queries.replace_cookie(session, *page.reader.ids, security.digest(secret))
    response = await show(page, session, CODES, codes=done, are_first=True)
    cookies.write(response, page.request, cookies.SESSION, secret, cookies.YEAR)
    return response


@router.get("/app/settings/security/recovery")
async def show_recovery(page: UserPage, session: CurrentSession) -> Response:
    return await show(page, session, RECOVERY, form=page.form())


@router.post("/app/settings/security/recovery")
async def replace_recovery_codes(
    page: UserPage, fields: Fields, session: CurrentSession
) -> Response:
    """Show new recovery codes. The old ones stop working."""
    form = only(page, fields, "current_password")
    given = None if form.errors else form.parse(PasswordGiven)
    if given is None:
        return await show_errors(page, session, RECOVERY, form)
    password = given.current_password
    work = two_factor.replace_recovery_codes(session, page.settings, page.reader.ids, password)
    done = await attempt(session, work)
    if isinstance(done, DomainError):
        return await show_errors(page, session, RECOVERY, form, done)
    return await show(page, session, CODES, codes=done, are_first=False)


@router.get("/app/settings/security/otp/disable")
async def show_disabling(page: UserPage, session: CurrentSession) -> Response:
    return await show(page, session, DISABLE, form=page.form())


@router.post("/app/settings/security/otp/disable")
async def disable_otp(page: UserPage, fields: Fields, session: CurrentSession) -> Response:
    form = only(page, fields, "current_password", "code")
    given = None if form.errors else form.parse(PasswordGiven)
    code = None if form.errors else form.parse(CodeGiven)
    if given is None or code is None:
        return await show_errors(page, session, DISABLE, form)
    error = await disable(session, page, given, code)
    if error is not None:
        return await show_errors(page, session, DISABLE, form, error)
    return page.redirect(ADDRESS, Notice(code="otp_disabled"))


async def disable(
    session: Session, page: Page, given: PasswordGiven, code: CodeGiven
) -> DomainError | None:
    password = given.current_password
    work = two_factor.disable_with_code(
        session, page.settings, page.reader.ids, password, code.code
    )
    return await attempt(session, work)


def only(page: Page, fields: dict[str, str], *names: str) -> Form:
    """Return a form with these fields alone. Each has to be filled in."""
    form = page.form({name: fields.get(name, "") for name in names})
    form.require(*names)
    return form


def in_groups(secret: str) -> str:
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def qr_of(uri: str) -> Markup:
    """Draw a QR code as an element, since the Content-Security-Policy forbids `data:`."""
    drawn = segno.make_qr(uri, error="m").svg_inline(omitsize=True, svgclass=None, lineclass=None)
    return Markup(drawn)  # noqa: S704  # numbers of segno's own, nothing of the URI
