"""What commands need to work on the database: valid arguments, and a transaction."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.markup import escape

from fast_zero.core.errors import Invalid, NotFound, StartError
from fast_zero.core.terminal import messages

if TYPE_CHECKING:
    from pydantic import BaseModel

    from fast_zero.core.database import Session
    from fast_zero.core.settings import Settings
    from fast_zero.identity.models import User

MIGRATION_WAIT_SECONDS = 600
LONGEST_NAME = 254  # an email address

T = TypeVar("T")
Validated = TypeVar("Validated", bound="BaseModel")

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]
AnyUser = Annotated[
    str,
    typer.Argument(
        metavar="USER",
        help="ID, username or email address. A number is an ID: if a username is a number, use ID "
        "or email address.",
    ),
]


def run_in_transaction(action: "Callable[[Session, Settings], Awaitable[T]]") -> T:
    """Run an action in one transaction."""
    from fast_zero.core import database

    async def run(settings: "Settings") -> T:
        database.current_writer.set(database.Writer("command"))
        async with (
            database.connected(settings) as state,
            database.transaction(state["sessions"]) as session,
        ):
            return await action(session, settings)

    with ready(migrate=False) as settings:
        return asyncio.run(run(settings))


def run_for_user(user: str, action: "Callable[[Session, Settings, User], Awaitable[T]]") -> T:
    """Run an action on a user in one transaction."""

    async def run(session: "Session", settings: "Settings") -> T:
        return await action(session, settings, await find_user(session, user))

    return run_in_transaction(run)


async def find_user(session: "Session", user: str) -> "User":
    from fast_zero.identity import queries as identity_queries

    # No username or address is longer, or contains unprintable characters.
    possible = len(user) <= LONGEST_NAME and user.isprintable()
    found = await identity_queries.find_user(session, user) if possible else None
    if found is None:
        raise NotFound(f"There is no user {user}.")
    return found


def validate(model: "type[Validated]", **values: object) -> "Validated":
    """Validate arguments with a schema; raise an error in one sentence."""
    from pydantic import ValidationError

    try:
        return model.model_validate(values)
    except ValidationError as error:
        faults = [f"{item['loc'][0]}: {item['msg']}" for item in error.errors(include_input=False)]
        raise Invalid("; ".join(faults).replace("Value error, ", "")) from None


@contextmanager
def ready(*, migrate: bool) -> "Iterator[Settings]":
    """Wait for the database; if wanted, migrate it to the newest revision."""
    from fast_zero.core import database
    from fast_zero.core.database import revisions
    from fast_zero.core.observability import logs
    from fast_zero.core.settings import load_settings
    from fast_zero.core.startup import complete_settings

    settings = load_settings()
    logs.configure(settings)
    with complete_settings(settings) as complete:
        url = complete.direct_address()
        schema = database.wait_until_ready(url, complete.database_wait)
        if schema.is_too_new():
            raise StartError(schema.words(revisions.TOO_OLD))
        if schema.is_ahead():
            messages.print(f"[yellow]{schema.words(revisions.AHEAD)}[/]")
        elif migrate and not schema.is_newest():  # Alembic is slow to import
            from fast_zero.core.database import migrations

            before, after = migrations.upgrade(url, MIGRATION_WAIT_SECONDS)
            if before != after:
                messages.print(f"Migrated the database from {before or 'nothing'} to {after}.")
        yield complete


def confirm(name: str, typed: str, becomes: str) -> None:
    """Ask for the name of the database on a terminal, unless the command has it already."""
    if not typed and sys.stdin.isatty():
        messages.print(f"Everything in the database [bold]{escape(name)}[/] will be {becomes}.")
        typed = typer.prompt("Enter the name of the database to confirm", err=True)
    if typed != name:
        raise Invalid(f"Nothing was changed. Confirm with --yes {name}.")
