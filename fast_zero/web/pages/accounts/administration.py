"""Accounts and invitations, for administrators. For others there are no such pages."""

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from fast_zero.accounts import account_status, invitations
from fast_zero.accounts import queries as accounts
from fast_zero.accounts.schemas import InvitationCreate
from fast_zero.administration import queries
from fast_zero.core.database import Session
from fast_zero.core.errors import DomainError, Invalid, NotFound
from fast_zero.core.http.dependencies import CurrentSession, PageQuery
from fast_zero.core.pagination import PageParams, split_page
from fast_zero.core.types import Id, Text
from fast_zero.identity import limits
from fast_zero.identity import queries as identity
from fast_zero.identity.dependencies import CurrentRevocations
from fast_zero.web.attempts import Done, Once, answer, read_id
from fast_zero.web.dependencies import Fields, NextAddress, Page, UserPage
from fast_zero.web.forms import Form
from fast_zero.web.notices import Notice, Refused
from fast_zero.web.shell import read_shell
from fast_zero.web.texts import mark

PATH = "/app/administration"
INVITATIONS = f"{PATH}/invitations"
ACCOUNTS_TEMPLATE = "administration/accounts.html"
ACCOUNT_TEMPLATE = "administration/account.html"
INVITATIONS_TEMPLATE = "administration/invitations.html"
TAKEN = mark("There is an account with this email address already.")
EVENTS = {
    "account made": mark("Account created"),
    "session opened": mark("Logged in"),
    "session ended": mark("Session ended"),
    "log-in refused": mark("Log-in refused"),
    "password changed": mark("Password changed"),
    "address changed": mark("Email address changed"),
    "renamed": mark("Username changed"),
    "token made": mark("Access for a program created"),
    "token revoked": mark("Access for a program revoked"),
    "second factor activated": mark("Second factor switched on"),
    "second factor disabled": mark("Second factor switched off"),
    "calendar feed made": mark("Address of the calendar created"),
    "calendar feed deleted": mark("Address of the calendar removed"),
    "role changed": mark("Role changed"),
    "disabled": mark("Account disabled"),
    "enabled": mark("Account enabled"),
}
"""What the security audit of an account says."""


async def admin_page(page: UserPage) -> Page:
    if not page.reader.is_administrator:
        raise NotFound("There is no such page.")
    return page


AdminPage = Annotated[Page, Depends(admin_page)]

router = APIRouter(dependencies=[Depends(admin_page)])


class AccountParams(PageParams):
    q: Annotated[Text, Field(max_length=254)] = ""


@router.get(PATH)
async def show_accounts(
    page: AdminPage, wanted: Annotated[AccountParams, Query()], session: CurrentSession
) -> Response:
    shell = await read_shell(session, page.reader.id)
    found = await queries.search_accounts(session, wanted.q, wanted)
    rows, cursor = split_page(found, wanted)
    return page.render(
        ACCOUNTS_TEMPLATE, tab="accounts", shell=shell, accounts=rows, q=wanted.q, after=cursor
    )


@router.get(f"{PATH}/accounts/{{user_id}}")
async def show_account(
    user_id: Id, page: AdminPage, wanted: PageQuery, session: CurrentSession
) -> Response:
    """Show an account with its security events, newest first."""
    shell = await read_shell(session, page.reader.id)
    account = await account_status.read_user(session, user_id)
    events, cursor = split_page(await identity.select_audit(session, user_id, wanted), wanted)
    return page.render(
        ACCOUNT_TEMPLATE,
        tab="accounts",
        shell=shell,
        account=account,
        events=events,
        names=EVENTS,
        after=cursor,
    )


async def disable(session: Session, page: Page, user_id: int) -> Sequence[int]:
    try:
        return await account_status.disable_other(session, page.reader.id, user_id)
    except Invalid:
        raise Refused("not_yourself") from None


async def enable(session: Session, _page: Page, user_id: int) -> Sequence[int]:
    await account_status.enable(session, user_id)
    return ()


Act = Callable[[Session, Page, int], Awaitable[Sequence[int]]]
ACTS: dict[str, tuple[str, Act]] = {
    "disable": ("account_was_disabled", disable),
    "enable": ("account_was_enabled", enable),
}
"""What a button does that is named `act`; its value is `disable/41`."""


@router.post(f"{PATH}/accounts")
async def act(
    page: AdminPage,
    fields: Fields,
    address: NextAddress,
    session: CurrentSession,
    revocations: CurrentRevocations,
) -> Response:
    """Disable or enable an account, and go back to where the button is."""
    name, _, given = fields.get("act", "").partition("/")
    if name not in ACTS:
        return page.redirect(address)
    code, do = ACTS[name]

    async def change() -> Notice:
        user_id = read_id(given, "user_not_found")
        title = (await account_status.read_user(session, user_id)).username
        revocations.add_at_commit(session, *await do(session, page, user_id))
        return Notice(code=code, title=title, focus=f"a{user_id}")

    return await answer(page, session, address, change)


@router.get(INVITATIONS)
async def show_invitations(page: AdminPage, wanted: PageQuery, session: CurrentSession) -> Response:
    form = page.form({"language": page.reader.language})
    return page.render(
        INVITATIONS_TEMPLATE, form=form, **await read_invitations(session, page, wanted)
    )


async def read_invitations(session: Session, page: Page, wanted: PageParams) -> dict[str, Any]:
    shell = await read_shell(session, page.reader.id)
    rows, cursor = split_page(await accounts.select_invitations(session, wanted), wanted)
    return {
        "tab": "invitations",
        "shell": shell,
        "invitations": rows,
        "after": cursor,
        "registration": page.settings.registration,
    }


@router.post(INVITATIONS)
async def invite(page: AdminPage, fields: Fields, session: CurrentSession, once: Once) -> Response:
    """Send an invitation by email. An older one to the same address becomes invalid."""
    form = page.form(fields)
    new = form.parse(InvitationCreate)
    if new is None:
        return await show_again(page, session, form)

    async def send() -> Done:
        requester = f"user {page.reader.id}"
        await limits.spend_emails(session, page.settings, requester, new.email)
        await invitations.invite(session, page.settings, new)
        return Done(address=INVITATIONS, notice=Notice(code="invited", title=new.email))

    done = await once.attempt(page, session, send, Done)
    if isinstance(done, DomainError):
        return await show_again(page, session, form, done)
    return page.redirect(done.address, done.notice)


async def show_again(
    page: Page, session: Session, form: Form, error: DomainError | None = None
) -> Response:
    if error is not None:
        form.refuse(error)
        if error.code == "email_taken":
            form.errors["email"] = TAKEN
    status = HTTPStatus.UNPROCESSABLE_ENTITY if error is None else error.status
    values = await read_invitations(session, page, PageParams())
    return page.render(INVITATIONS_TEMPLATE, status, form=form, **values)


@router.post(f"{INVITATIONS}/revoke")
async def revoke(page: AdminPage, fields: Fields, session: CurrentSession) -> Response:
    """Revoke an invitation. Its link stops working."""

    async def delete() -> Notice:
        invitation_id = read_id(fields.get("revoke", ""), "invitation_not_found")
        if not await accounts.delete_invitation(session, invitation_id):
            raise Refused("invitation_not_found")
        return Notice(code="invitation_revoked")

    return await answer(page, session, INVITATIONS, delete)
