"""Personal tokens: access to the account for programs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Response

from fast_zero.core.database import Session
from fast_zero.core.errors import DomainError
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.core.pagination import MAX_LIMIT, PageParams
from fast_zero.identity import queries, service
from fast_zero.identity.models import PersonalToken
from fast_zero.identity.schemas import PersonalTokenCreate, StoredPersonalToken
from fast_zero.identity.scopes import Scope
from fast_zero.web.attempts import Once, answer, read_id
from fast_zero.web.dependencies import Fields, Page, UserPage
from fast_zero.web.forms import OTHER, Form
from fast_zero.web.notices import Notice
from fast_zero.web.shell import show, show_errors
from fast_zero.web.texts import mark

TOKENS = "tokens/list.html"
CREATED = "tokens/created.html"
ADDRESS = "/app/settings/tokens"
SCOPES = {
    Scope.TODOS_READ: mark("See your tasks, projects and labels."),
    Scope.TODOS_WRITE: mark("Create, change and delete your tasks, projects and labels."),
    Scope.FEED_READ: mark("See posts, and who follows whom."),
    Scope.FEED_WRITE: mark("Post, reply and like; follow and block."),
    Scope.ACCOUNT_READ: mark("See your account, your sessions and your tokens."),
    Scope.ACCOUNT_WRITE: mark("Change your account, end sessions, delete tokens."),
    Scope.ADMIN: mark("Administer the accounts and posts of others."),
}
LIFETIMES = {
    "7": mark("7 days"),
    "30": mark("30 days"),
    "90": mark("90 days"),
    "365": mark("1 year"),
}
NONE_CHOSEN = mark("Choose at least one.")

router = APIRouter()


@dataclass(frozen=True)
class ListedToken:
    id: int
    name: str
    scopes: list[str]
    created: str
    last_used: str
    expires: str
    is_expired: bool


def listed(token: PersonalToken, page: Page) -> ListedToken:
    dates = page.dates
    used = token.last_used_at
    return ListedToken(
        token.id,
        token.name,
        token.scopes,
        dates.day(dates.day_of(token.created_at)),
        dates.moment(used) if used else "",
        dates.day(dates.day_of(token.expires_at)),
        token.expires_at <= dates.now,
    )


def offered(page: Page) -> dict[Scope, str]:
    return {
        scope: text
        for scope, text in SCOPES.items()
        if scope is not Scope.ADMIN or page.reader.is_administrator
    }


async def values_of(page: Page, session: Session) -> dict[str, object]:
    wanted = PageParams(limit=MAX_LIMIT)
    found = await queries.select_personal_tokens(session, page.reader.id, wanted)
    tokens = [listed(token, page) for token in reversed(found)]
    lifetimes = [(days, page.catalogue.gettext(text)) for days, text in LIFETIMES.items()]
    return {"tokens": tokens, "scopes": offered(page), "lifetimes": lifetimes}


@router.get("/app/settings/tokens")
async def show_tokens(page: UserPage, session: CurrentSession) -> Response:
    form = page.form({"days": "90"})
    return await show(page, session, TOKENS, form=form, **await values_of(page, session))


@router.post("/app/settings/tokens")
async def create_token(
    page: UserPage, fields: Fields, session: CurrentSession, once: Once
) -> Response:
    """Create a token. It is shown in this response alone, and to the same form sent again."""
    form, now = page.form(fields), datetime.now(UTC)
    new = parse(form, [scope for scope in Scope if scope in fields], now)
    if new is None:
        return await show_errors(page, session, TOKENS, form, **await values_of(page, session))

    async def create() -> StoredPersonalToken:
        service.check_scopes(new.scopes, frozenset(offered(page)))
        return await service.create(session, page.settings, page.reader.ids, new, now)

    done = await once.attempt(page, session, create, StoredPersonalToken)
    if isinstance(done, DomainError):
        values = await values_of(page, session)
        return await show_errors(page, session, TOKENS, form, done, **values)
    made = service.show(page.settings, done)
    return await show(page, session, CREATED, name=made.name, token=made.token)


def parse(form: Form, scopes: Iterable[Scope], now: datetime) -> PersonalTokenCreate | None:
    form.require("name")
    scopes, days = list(scopes), form.given("days")
    if not scopes:
        form.errors["scopes"] = NONE_CHOSEN
    if days not in LIFETIMES:
        form.errors["days"] = OTHER
    if form.errors:
        return None
    expires_at = now + timedelta(days=int(days))
    return form.parse(PersonalTokenCreate, scopes=scopes, expires_at=expires_at)


@router.post("/app/settings/tokens/delete")
async def delete_token(page: UserPage, fields: Fields, session: CurrentSession) -> Response:
    """Delete a token. It is refused at once."""

    async def delete() -> Notice:
        token_id = read_id(fields.get("token", ""), "token_not_found")
        token = await queries.select_personal_token(session, page.reader.id, token_id)
        await service.revoke(session, page.reader.id, token_id, None)
        return Notice(code="token_deleted", title=token.name if token else "")

    return await answer(page, session, ADDRESS, delete)
