"""What commands need to work on the database: one that answers, and a transaction on it."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import typer
from rich.markup import escape

from fast_zero.core.errors import Invalid, StartError
from fast_zero.core.terminal import talk

if TYPE_CHECKING:
    from fast_zero.core.database import Transaction
    from fast_zero.core.settings import Settings

MIGRATION_WAIT_SECONDS = 600

T = TypeVar("T")


def act(action: "Callable[[Transaction, Settings], Awaitable[T]]") -> T:
    """Run an action in one transaction."""
    from fast_zero.core import database

    async def run(settings: "Settings") -> T:
        async with database.connected(settings) as state, state["sessions"]() as session:
            return await action(session, settings)

    with ready(migrate=False) as settings:
        return asyncio.run(run(settings))


@contextmanager
def ready(*, migrate: bool) -> "Iterator[Settings]":
    """Hold a database that answers and, if wanted, has the newest revision."""
    from fast_zero.core import database, logs, revisions
    from fast_zero.core.settings import load_settings
    from fast_zero.core.startup import completed

    settings = load_settings()
    logs.configure(settings)
    with completed(settings) as complete:
        url = complete.direct_address()
        schema = database.wait_until_ready(url, complete.database_wait)
        if schema.is_too_new():
            raise StartError(schema.words(revisions.TOO_OLD))
        if schema.is_ahead():
            talk.print(f"[yellow]{schema.words(revisions.AHEAD)}[/]")
        elif migrate and not schema.is_newest():  # or Alembic would be loaded for nothing
            from fast_zero.core import migrations

            before, after = migrations.upgrade(url, MIGRATION_WAIT_SECONDS)
            if before != after:
                talk.print(f"Migrated the database from {before or 'nothing'} to {after}.")
        yield complete


def confirm(name: str, typed: str, becomes: str) -> None:
    """Ask for the database's name on a terminal; it may also have come with the command."""
    if not typed and sys.stdin.isatty():
        talk.print(f"Everything in the database [bold]{escape(name)}[/] will be {becomes}.")
        typed = typer.prompt("Its name, to confirm", err=True)
    if typed != name:
        raise Invalid(f"Nothing was changed. Confirm with --yes {name}.")
