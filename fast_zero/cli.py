"""The `fast-zero` command: the door for the person at the terminal.

A command imports what it needs when it runs, so that help and completion answer at once.
"""

import asyncio
import getpass
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer
from rich.markup import escape

import fast_zero
from fast_zero.core.errors import DomainError, Invalid, NotFound, StartError
from fast_zero.core.terminal import console, show, talk
from fast_zero.operations import commands

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from fast_zero.core.database import AnyRow
    from fast_zero.core.settings import Settings

MIGRATION_WAIT_SECONDS = 600

T = TypeVar("T")

cli = typer.Typer(
    help="fast_zero: a todo manager whose product is its API.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
users = typer.Typer(help="Look after accounts.", no_args_is_help=True)
cli.add_typer(users, name="users")
cli.add_typer(commands.cli)


def main() -> None:
    """Run the command line; what is wrong is said in a sentence, with exit status 1."""
    signal.signal(signal.SIGTERM, leave)
    try:
        cli(prog_name="fast-zero")
    except (StartError, DomainError) as error:
        talk.print(f"[bold red]error:[/] {escape(str(error))}")
        sys.exit(1)


def leave(_signal: int, _frame: object) -> NoReturn:
    """Unwind, so that whatever is held is let go of in good order."""
    sys.exit(0)


@cli.callback(invoke_without_command=True)
def options(
    *,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    if version:
        console.print(f"fast_zero {fast_zero.__version__}")
        raise typer.Exit


@cli.command()
def serve(
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on, or HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on, or PORT; 0 takes a free one.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes, or WORKERS.")] = None,
    reload: Annotated[bool, typer.Option("--reload", help="Restart when code changes.")] = False,
    migrate: Annotated[bool, typer.Option(help="Migrate the database first.")] = True,
) -> None:
    """Serve the API, on the PostgreSQL of DATABASE_URL or on an embedded one in DATA_DIR."""
    from fast_zero.app import create_app
    from fast_zero.core import server
    from fast_zero.core.settings import load_settings

    given = {"HOST": host, "PORT": port, "WORKERS": workers}
    # Workers read the environment, so what was typed goes there.
    os.environ.update({name: str(value) for name, value in given.items() if value is not None})
    settings = load_settings()
    listener = server.listen(settings.host, settings.port)
    with ready(migrate=migrate) as complete:
        app = create_app(complete)
        announce(settings, server.address_of(listener))
        server.run(app, complete, listener, reload=reload)


def announce(settings: "Settings", address: str) -> None:
    from fast_zero.core import embedded

    data = f"{settings.data_dir.absolute()} (PostgreSQL {embedded.MAJOR}, embedded)"
    if settings.database_url is not None:
        data = settings.database_url.render_as_string(hide_password=True)
    console.print(f"[bold green]fast_zero {fast_zero.__version__}[/] listens on [bold]{address}[/]")
    console.print(f"  data: {escape(data)}")
    console.print(f"  docs: {address}/docs")
    console.print("  next: register, log in and write a first todo, as the README shows")
    console.print("Stop it with Ctrl-C.", style="dim")


@cli.command("worker")
def run_worker() -> None:
    """Do the jobs, such as sending mail, without serving; `serve` does them unless told not to."""
    from fast_zero import worker
    from fast_zero.core.startup import traced

    with ready(migrate=False) as complete:
        talk.print("Doing jobs. Stop it with Ctrl-C.")
        with traced(complete):
            asyncio.run(worker.run_alone(complete))


@cli.command()
def migrate() -> None:
    """Bring the database to the newest revision."""
    with ready(migrate=True):
        talk.print("The database has the newest revision.")


@cli.command("openapi")
def write_openapi(
    file: Annotated[
        Path | None, typer.Argument(help="Where to write; without it, standard output.")
    ] = None,
) -> None:
    """Write the OpenAPI document, as JSON."""
    from fast_zero.app import create_app
    from fast_zero.core.settings import load_settings

    document = create_app(load_settings()).openapi()
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if file is None:
        sys.stdout.write(text)
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StartError(f"Cannot write {file}: {error.strerror}.") from error


@users.command("list")
def list_users(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """List all accounts: a table on a terminal, tab-separated lines in a pipe."""
    columns = ("id", "username", "email")
    found = act(collect_users)
    show([{name: getattr(user, name) for name in columns} for user in found], as_json=as_json)


async def collect_users(session: "AsyncSession", _settings: "Settings") -> "list[AnyRow]":
    from fast_zero.accounts import queries
    from fast_zero.core.pagination import MAX_LIMIT, PageParams, encode_cursor

    found: list[AnyRow] = []
    page = PageParams(limit=MAX_LIMIT)
    while rows := await queries.select_users(session, page):
        found += rows
        page = PageParams.model_validate({"limit": MAX_LIMIT, "after": encode_cursor(rows[-1].id)})
    return found


@users.command("audit")
def list_audit(
    user_id: int,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """List what happened to an account, newest first: log-ins, changes, tokens."""
    from fast_zero.accounts import session_queries
    from fast_zero.accounts.schemas import AuditPublic
    from fast_zero.core.pagination import MAX_LIMIT, PageParams

    page = PageParams(limit=MAX_LIMIT)
    rows = act(lambda session, _settings: session_queries.select_audit(session, user_id, page))
    found = [AuditPublic.model_validate(row).model_dump(mode="json") for row in rows]
    show(found, as_json=as_json)


@users.command("create")
def create_user(username: str, email: str) -> None:
    """Create an account and print its id.

    The password is asked for on a terminal, and is the first line of standard input elsewhere.
    """
    from pydantic import ValidationError

    from fast_zero.accounts import service
    from fast_zero.accounts.schemas import UserCreate

    terminal = sys.stdin.isatty()
    password = getpass.getpass() if terminal else sys.stdin.readline().rstrip("\n")
    try:
        new = UserCreate(username=username, email=email, password=password)
    except ValidationError as error:
        faults = [f"{item['loc'][0]}: {item['msg']}" for item in error.errors(include_input=False)]
        raise Invalid("; ".join(faults).replace("Value error, ", "")) from None
    user = act(lambda session, settings: service.register(session, new, settings))
    print(user.id)


@users.command("delete")
def delete_user(
    user_id: int,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete an account and everything that it owns, for good."""
    from fast_zero.accounts import queries

    if not yes and not (sys.stdin.isatty() and typer.confirm(f"Delete user {user_id} for good?")):
        raise Invalid("Nothing was deleted. Confirm with --yes.")
    if not act(lambda session, _settings: queries.delete_user(session, user_id)):
        raise NotFound(f"There is no user {user_id}.")
    talk.print(f"User {user_id} is deleted.")


@cli.command()
def shell() -> None:
    """Open a Python prompt with `await`, a session, and the models at hand."""
    from fast_zero.core import repl

    with ready(migrate=False) as settings, asyncio.Runner() as loop:
        repl.enable_history()
        names = prompt_names(settings)
        console = repl.AwaitingConsole(loop.run(names.__aenter__()), loop)
        try:
            console.interact("Try: await session.scalar(select(User).limit(1))", exitmsg="")
        finally:
            loop.run(names.__aexit__(None, None, None))


@asynccontextmanager
async def prompt_names(settings: "Settings") -> AsyncIterator[dict[str, object]]:
    import sqlalchemy
    from sqlalchemy.ext.asyncio import AsyncSession

    from fast_zero import models
    from fast_zero.core import database

    engine = database.create_engine(settings)
    async with AsyncSession(engine, expire_on_commit=False) as session:
        tools = {"select": sqlalchemy.select, "session": session, "settings": settings}
        yield {name: vars(models)[name] for name in models.__all__} | tools
    await engine.dispose()


def act(action: "Callable[[AsyncSession, Settings], Awaitable[T]]") -> T:
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
        schema = asyncio.run(database.wait_until_ready(url, complete.database_wait))
        if schema.is_too_new():
            raise StartError(schema.words(revisions.TOO_OLD))
        if schema.is_ahead():
            talk.print(f"[yellow]{schema.words(revisions.AHEAD)}[/]")
        elif migrate and not schema.is_newest():  # or Alembic would be loaded for nothing
            from fast_zero.core import migrations

            before, after = asyncio.run(migrations.upgrade(url, MIGRATION_WAIT_SECONDS))
            if before != after:
                talk.print(f"Migrated the database from {before or 'nothing'} to {after}.")
        yield complete
