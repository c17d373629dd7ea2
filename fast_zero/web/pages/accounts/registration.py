"""Register, with or without an invitation."""

from fastapi import APIRouter, Response

from fast_zero.accounts import invitations, service
from fast_zero.accounts.schemas import UserCreate
from fast_zero.core.errors import DomainError
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.identity.dependencies import address_of
from fast_zero.sessions import cookies as cookie_sessions
from fast_zero.sessions.dependencies import client_of
from fast_zero.web import links
from fast_zero.web.attempts import attempt
from fast_zero.web.dependencies import AnyPage, Fields
from fast_zero.web.pages.accounts.auth import replace_session

REGISTER = "registration/register.html"

router = APIRouter()


@router.get("/app/register")
async def show_registration(page: AnyPage) -> Response:
    if page.reader.is_known:
        return page.redirect(links.HOME)
    return page.render(REGISTER, form=page.form(), registration=page.settings.registration)


@router.post("/app/register")
async def register(page: AnyPage, fields: Fields, session: CurrentSession) -> Response:
    """Create an account, and log in."""
    form, settings = page.form(fields), page.settings
    new = form.parse(UserCreate, language=page.reader.language)
    more = {"registration": settings.registration}
    if new is None:
        return page.show_errors(REGISTER, form, None, **more)

    async def create() -> str:
        invitations.check_registration(settings, new)
        password_hash = await service.hash_for_registration(
            session, settings, new.password, address_of(page.request)
        )
        await session.begin()
        language = page.reader.language
        user = await service.insert_account(session, new, password_hash, language)
        client = client_of(page.request)
        return await cookie_sessions.log_in_new(session, settings, user, client)

    secret = await attempt(session, create())
    if isinstance(secret, DomainError):
        return page.show_errors(REGISTER, form, secret, **more)
    return await replace_session(page, session, links.HOME, secret)
