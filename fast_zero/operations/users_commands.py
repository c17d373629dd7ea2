"""`fast-zero users`: manage accounts."""

import getpass
import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.markup import escape

from fast_zero.core.errors import Invalid
from fast_zero.core.terminal import messages, show, show_one
from fast_zero.operations.database_access import (
    AnyUser,
    AsJson,
    find_user,
    run_for_user,
    run_in_transaction,
    validate,
)

if TYPE_CHECKING:
    from fast_zero.core.database import Session
    from fast_zero.core.settings import Settings
    from fast_zero.identity.models import User

InvitedIn = Literal["en", "pt-BR"]

cli = typer.Typer(help="Manage accounts.", no_args_is_help=True)


@cli.command("list")
def list_users(
    *,
    as_json: AsJson = False,
) -> None:
    """List all accounts: a table on a terminal, tab-separated lines in a pipe."""
    columns = ("id", "username", "email")
    found = run_in_transaction(collect_users)
    show([{name: getattr(user, name) for name in columns} for user in found], as_json=as_json)


async def collect_users(session: "Session", _settings: "Settings") -> "list[User]":
    from fast_zero.accounts import queries
    from fast_zero.core.pagination import MAX_LIMIT, PageParams, encode_cursor

    found: list[User] = []
    page = PageParams(limit=MAX_LIMIT)
    while rows := await queries.select_users(session, page):
        found += rows
        page = PageParams.model_validate({"limit": MAX_LIMIT, "after": encode_cursor(rows[-1].id)})
    return found


@cli.command("show")
def show_user(
    user: AnyUser,
    *,
    as_json: AsJson = False,
) -> None:
    """Show an account as its owner sees it, with role and `disabled_at`."""
    from fast_zero.accounts.schemas import UserAdmin

    found = run_in_transaction(lambda session, _settings: find_user(session, user))
    show_one(UserAdmin.model_validate(found).model_dump(mode="json"), as_json=as_json)


@cli.command("audit")
def list_audit(
    user: AnyUser,
    *,
    as_json: AsJson = False,
) -> None:
    """List the security events of an account, newest first: log-ins, changes, tokens."""
    from fast_zero.core.pagination import MAX_LIMIT, PageParams
    from fast_zero.identity import queries as identity_queries
    from fast_zero.identity.schemas import AuditPublic

    page = PageParams(limit=MAX_LIMIT)
    select = identity_queries.select_audit
    rows = run_for_user(user, lambda session, _settings, owner: select(session, owner.id, page))
    found = [AuditPublic.model_validate(row).model_dump(mode="json") for row in rows]
    show(found, as_json=as_json)


@cli.command("create")
def create_user(username: str, email: str, *, as_json: AsJson = False) -> None:
    """Create an account and print its ID, or all of it with --json.

    The password is prompted for on a terminal; otherwise it is the first line of standard input.
    """
    from fast_zero.accounts import service
    from fast_zero.accounts.schemas import UserAdmin, UserCreate

    password = read_password()
    new = validate(UserCreate, username=username, email=email, password=password)
    user = run_in_transaction(lambda session, settings: service.register(session, new, settings))
    if as_json:
        show_one(UserAdmin.model_validate(user).model_dump(mode="json"), as_json=True)
    else:
        print(user.id)


@cli.command("invite")
def invite_user(
    email: str,
    *,
    language: Annotated[InvitedIn, typer.Option(help="Language of the email.")] = "en",
    as_json: AsJson = False,
) -> None:
    """Send an invitation to register. Its link works once, for a week.

    An older invitation to the same address becomes invalid.
    """
    from fast_zero.accounts import invitations
    from fast_zero.accounts.schemas import InvitationCreate, InvitationPublic

    new = validate(InvitationCreate, email=email, language=language)
    made = run_in_transaction(lambda session, settings: invitations.invite(session, settings, new))
    invitation = InvitationPublic.model_validate(made)
    if as_json:
        show_one(invitation.model_dump(mode="json"), as_json=True)
    else:
        until = f"{invitation.expires_at:%Y-%m-%d %H:%M} UTC"
        messages.print(f"{escape(invitation.email)} is invited. The link works until {until}.")


def read_password() -> str:
    """Prompt for a password on a terminal; otherwise read the first line of standard input."""
    return getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


@cli.command("reset-password")
def reset_password(user: AnyUser) -> None:
    """Set a new password, and end all sessions of the account. Its owner is notified by email.

    The password is prompted for on a terminal; otherwise it is the first line of standard input.
    """
    from fast_zero.accounts import account_status

    password = read_password()
    run_for_user(
        user,
        lambda session, settings, owner: account_status.set_password(
            session, settings, owner.id, password
        ),
    )
    messages.print(f"User {escape(user)} has a new password. All sessions have ended.")


@cli.command("disable")
def disable_user(user: AnyUser) -> None:
    """Disable an account: its sessions end at once, and log-ins are refused. Its posts stay."""
    from fast_zero.accounts import account_status

    run_for_user(user, lambda session, _settings, owner: account_status.disable(session, owner.id))
    messages.print(f"User {escape(user)} is disabled.")


@cli.command("enable")
def enable_user(user: AnyUser) -> None:
    """Enable a disabled account."""
    from fast_zero.accounts import account_status

    run_for_user(user, lambda session, _settings, owner: account_status.enable(session, owner.id))
    messages.print(f"User {escape(user)} is enabled.")


@cli.command("promote")
def promote_user(user: AnyUser) -> None:
    """Make a user an administrator, who can manage the accounts and posts of others."""
    from fast_zero.accounts import account_status
    from fast_zero.identity.models import Role

    give = account_status.give_role
    run_for_user(user, lambda session, _settings, owner: give(session, owner.id, Role.ADMIN))
    messages.print(f"User {escape(user)} is an administrator, from the next log-in on.")


@cli.command("demote")
def demote_user(user: AnyUser) -> None:
    """Make an administrator a member, and end sessions and tokens with the scope `admin`."""
    from fast_zero.accounts import account_status
    from fast_zero.identity.models import Role

    give = account_status.give_role
    run_for_user(user, lambda session, _settings, owner: give(session, owner.id, Role.MEMBER))
    messages.print(f"User {escape(user)} is a member.")


@cli.command("delete")
def delete_user(
    user: AnyUser,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
) -> None:
    """Delete an account and everything that it owns."""
    from fast_zero.accounts import queries

    if not yes and not (sys.stdin.isatty() and typer.confirm(f"Delete user {user} for good?")):
        raise Invalid("Nothing was deleted. Confirm with --yes.")
    run_for_user(user, lambda session, _settings, owner: queries.delete_user(session, owner.id))
    messages.print(f"User {escape(user)} is deleted.")
