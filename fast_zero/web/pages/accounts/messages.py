"""Settings: which emails one gets and when, reminders, and the browsers that get notifications."""

from datetime import time
from http import HTTPStatus

from fastapi import APIRouter, Response

from fast_zero.accounts import service
from fast_zero.accounts.schemas import MeUpdate
from fast_zero.core.database import Session
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.core.pagination import PageParams
from fast_zero.push import queries as push
from fast_zero.web.attempts import answer, read_id
from fast_zero.web.dependencies import Fields, Page, UserPage
from fast_zero.web.forms import Form
from fast_zero.web.notices import Notice, Refused
from fast_zero.web.shell import read_shell
from fast_zero.web.texts import mark

PATH = "/app/settings/messages"
TEMPLATE = "messages/messages.html"
EMAILS = {
    "weekly_report": (
        mark("Weekly report"),
        mark("On Mondays: what you completed, and what has not been touched for a month."),
    ),
    "reminder": (mark("Reminders"), mark("At the time that a task says.")),
    "reply": (mark("Replies"), mark("Somebody replied to what you posted.")),
    "like": (mark("Likes"), mark("Somebody likes what you posted.")),
    "follow": (mark("New followers"), mark("Somebody follows you.")),
}
"""The kinds of emails, in their order, with what each is about."""

TIMES = ("digest_time", "default_reminder_time")

router = APIRouter()


@router.get(PATH)
async def show_messages(page: UserPage, session: CurrentSession) -> Response:
    return await render(page, session)


@router.post(PATH)
async def save_messages(page: UserPage, fields: Fields, session: CurrentSession) -> Response:
    # Only these: what else a form has is not part of this page.
    form = page.form({name: text for name, text in fields.items() if name in TIMES})
    wanted = [name for name in EMAILS if fields.get(f"email_{name}")]
    form.require("default_reminder_time")
    digest = {} if form.given("digest_time") else {"digest_time": None}
    change = None if form.errors else form.parse(MeUpdate, letters=wanted, **digest)
    if change is None:
        return await render(page, session, form, wanted)
    await service.change_account(session, page.reader.ids, change, page.settings)
    return page.redirect(PATH, Notice(code="messages_saved"))


async def render(
    page: Page, session: Session, form: Form | None = None, wanted: list[str] | None = None
) -> Response:
    """Render the page with what is stored, or with what was sent and is wrong."""
    shell = await read_shell(session, page.reader.id)
    account = await service.read_account(session, page.reader.id)
    browsers = await push.select_subscriptions(session, page.reader.id, PageParams())
    values = {name: minute(getattr(account, name)) for name in TIMES}
    return page.render(
        TEMPLATE,
        HTTPStatus.UNPROCESSABLE_ENTITY if form else HTTPStatus.OK,
        shell=shell,
        account=account,
        browsers=browsers,
        emails=EMAILS,
        form=form or page.form(values),
        wanted=account.letters if wanted is None else wanted,
    )


def minute(moment: time | None) -> str:
    return f"{moment:%H:%M}" if moment else ""


@router.post(f"{PATH}/browsers")
async def remove_browser(page: UserPage, fields: Fields, session: CurrentSession) -> Response:
    """Send nothing more to a browser."""

    async def remove() -> Notice:
        subscription_id = read_id(fields.get("remove", ""), "push_subscription_not_found")
        if not await push.delete_subscription(session, page.reader.id, subscription_id):
            raise Refused("push_subscription_not_found")
        return Notice(code="browser_removed")

    return await answer(page, session, PATH, remove)
