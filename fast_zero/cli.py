"""The `fast-zero` command line.

A command imports what it needs when it runs, so that help and completion respond at once.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn
from urllib.parse import urlsplit

import typer
from rich.markup import escape

import fast_zero
from fast_zero.client import (
    account_commands,
    edit_commands,
    file_commands,
    list_commands,
    todo_commands,
)
from fast_zero.client.errors import ClientError
from fast_zero.core.errors import DomainError, StartError
from fast_zero.core.garbage_collection import gc_disabled
from fast_zero.core.terminal import console, messages
from fast_zero.operations import (
    commands,
    demo_commands,
    jobs_commands,
    posts_commands,
    todos_commands,
    users_commands,
)
from fast_zero.operations.database_access import ready

if TYPE_CHECKING:
    from fast_zero.core.settings import Settings

cli = typer.Typer(
    help="fast_zero: a todo manager whose product is its API.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help is readable on any terminal and in a pipe
    context_settings={"help_option_names": ["-h", "--help"]},
)
for part in (account_commands, list_commands, todo_commands, edit_commands, file_commands):
    cli.add_typer(part.cli)
cli.add_typer(users_commands.cli, name="users")
cli.add_typer(posts_commands.cli, name="posts")
cli.add_typer(todos_commands.cli, name="todos")
cli.add_typer(jobs_commands.cli, name="jobs")
cli.add_typer(commands.cli)
cli.add_typer(demo_commands.cli)


def main() -> None:
    """Run the command line. An error is printed as one sentence, with exit status 1."""
    signal.signal(signal.SIGTERM, leave)
    try:
        cli(prog_name="fast-zero")
    except (StartError, DomainError, ClientError) as error:
        messages.print(f"[bold red]error:[/] {escape(str(error))}")
        sys.exit(1)


def leave(_signal: int, _frame: object) -> NoReturn:
    """Exit through the stack, so that context managers release what they hold."""
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
        int | None, typer.Option(help="Port to listen on, or PORT. 0: any free port.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Number of processes, or WORKERS.")] = None,
    reload: Annotated[bool, typer.Option("--reload", help="Restart when code changes.")] = False,
    migrate: Annotated[bool, typer.Option(help="Migrate the database first.")] = True,
) -> None:
    """Serve the API, on the PostgreSQL of DATABASE_URL or on an embedded one in DATA_DIR."""
    with gc_disabled():
        from fast_zero.app import create_app
        from fast_zero.core import server
        from fast_zero.core.settings import load_settings

    given = {"HOST": host, "PORT": port, "WORKERS": workers}
    # Worker processes read the environment, so the options are written to it.
    os.environ.update({name: str(value) for name, value in given.items() if value is not None})
    settings = load_settings()
    listener = server.listen(settings.host, settings.port)
    os.environ["PORT"] = str(listener.getsockname()[1])  # links contain it; it may have been 0
    with ready(migrate=migrate) as complete:
        app = create_app(complete)
        announce(load_settings(), server.address_of(listener))
        server.run(app, complete, listener, reload=reload)


def announce(settings: "Settings", address: str) -> None:
    from fast_zero.core.addresses import is_loopback, is_wildcard
    from fast_zero.core.database import embedded

    data = f"{settings.data_dir.absolute()} (PostgreSQL {embedded.MAJOR}, embedded)"
    if settings.database_url is not None:
        data = settings.database_url.render_as_string(hide_password=True)
    console.print(f"[bold green]fast_zero {fast_zero.__version__}[/] listens on [bold]{address}[/]")
    console.print(f"  data: {escape(data)}")
    console.print(f"  docs: {address}/docs")
    if settings.registration == "open":
        console.print("  next: register, log in and create a todo, as the README shows")
    if is_wildcard(settings.host):
        console.print("  open: on all interfaces, so other machines can connect", style="yellow")
    base = settings.base_url()
    host = urlsplit(base).hostname or ""
    if is_loopback(host) or is_wildcard(host):
        console.print(
            f"  links: in emails and feeds they begin with {base}, which works on this machine "
            "only; set PUBLIC_URL to the public address",
            style="yellow",
        )
    console.print("Stop it with Ctrl-C.", style="dim")


@cli.command("worker")
def run_worker() -> None:
    """Run the jobs, such as sending email, without the API. By default, `serve` runs them too."""
    from fast_zero import worker
    from fast_zero.core.startup import exporting_traces

    with ready(migrate=False) as complete:
        messages.print("Running jobs. Stop it with Ctrl-C.")
        with exporting_traces(complete):
            asyncio.run(worker.run_alone(complete))


@cli.command()
def migrate() -> None:
    """Migrate the database to the newest revision."""
    with ready(migrate=True):
        messages.print("The database has the newest revision.")


@cli.command("openapi")
def write_openapi(
    file: Annotated[
        Path | None, typer.Argument(help="File to write. Default: standard output.")
    ] = None,
) -> None:
    """Write the OpenAPI document as JSON."""
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


@cli.command()
def shell() -> None:
    """Open a Python prompt with `await`, a session, the mapped classes and SQLAlchemy's functions.

    The session begins a transaction with the first statement. `await session.commit()` commits it;
    `await session.rollback()` and the end of the prompt roll it back.
    """
    from fast_zero.operations import repl

    with ready(migrate=False) as settings, asyncio.Runner() as loop:
        repl.enable_history()
        names = prompt_names(settings)
        console = repl.AwaitingConsole(loop.run(names.__aenter__()), loop)
        try:
            console.interact(
                "Try: (await session.scalars(select(User).limit(1))).first()\n"
                "To keep changes: await session.commit()",
                exitmsg="",
            )
        finally:
            loop.run(names.__aexit__(None, None, None))


@asynccontextmanager
async def prompt_names(settings: "Settings") -> AsyncIterator[dict[str, object]]:
    import sqlalchemy

    from fast_zero import models
    from fast_zero.core import database

    verbs = ("select", "insert", "update", "delete", "func", "text")
    tools = {name: getattr(sqlalchemy, name) for name in verbs}
    tables = {name: vars(models)[name] for name in models.__all__}
    # Pauses at a prompt are longer than those within a request.
    patient = settings.model_copy(update={"database_idle_transaction_timeout": 0})
    async with database.connected(patient) as state, state["sessions"]() as session:
        yield tables | tools | {"session": session, "settings": settings}
