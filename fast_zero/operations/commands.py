"""The commands backup, restore, smoke and doctor. Each imports what it needs when it runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from fast_zero.core.terminal import messages, show
from fast_zero.operations.database_access import confirm

if TYPE_CHECKING:
    from fast_zero.operations.backup import Database

cli = typer.Typer()

Programs = Annotated[
    Path | None, typer.Option(help="Directory of pg_dump and pg_restore, if they are not found.")
]


@cli.command("backup")
def make_backup(
    file: Path,
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
    programs: Programs = None,
) -> None:
    """Write a backup of the database to FILE. Servers and workers may be running."""
    from fast_zero.operations import backup

    with database_for_backup(programs) as database, messages.status("Backing up…"):
        size = backup.back_up(database, file.absolute(), force=force)
    messages.print(f"Wrote {escape(str(file))}: {size:,} bytes.")


@cli.command("restore")
def restore_backup(
    file: Path,
    *,
    yes: Annotated[
        str, typer.Option(help="Name of the database, to confirm that its content is replaced.")
    ] = "",
    force: Annotated[
        bool, typer.Option("--force", help="Disconnect servers, workers and all other clients.")
    ] = False,
    allow_server_programs: Annotated[
        bool,
        typer.Option(
            "--allow-server-programs",
            help="Restore as a superuser: FILE can then run programs on the database server.",
        ),
    ] = False,
    programs: Programs = None,
) -> None:
    """Replace everything in the database with a backup. Stop servers and workers first."""
    from fast_zero.core.database import revisions
    from fast_zero.operations import restore

    with database_for_backup(programs) as database:
        revision = restore.revision_in(database, file)
        if not allow_server_programs:
            restore.refuse_powerful_role(database)
        name = database.url.database or ""
        if restore.holds_tables(database):
            confirm(name, yes, "replaced")
        with messages.status("Restoring…"):
            restore.restore(database, file, force=force)
    messages.print(f"Restored {escape(str(file))}, which has the revision {revision}.")
    if revision != revisions.known()[0]:
        messages.print("Migrate it to the newest revision with: fast-zero migrate")


@contextmanager
def database_for_backup(programs: Path | None) -> "Iterator[Database]":
    from fast_zero.core.settings import load_settings
    from fast_zero.core.startup import complete_settings
    from fast_zero.operations import backup

    settings = load_settings()
    with complete_settings(settings) as complete:
        yield backup.find_client_programs(
            complete, programs, is_embedded=settings.database_url is None
        )


@cli.command()
def smoke(
    url: Annotated[
        str, typer.Argument(help="URL of the deployment, such as https://todo.example.com.")
    ],
    *,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for a response.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Test a deployment: register, log in, create, read, update, delete, and clean up."""
    from fast_zero.operations.smoke import run

    try:
        steps = run(url, timeout)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="URL") from None
    show([asdict(step) for step in steps], as_json=as_json)
    if any(step.problem for step in steps):
        raise typer.Exit(1)


@cli.command()
def doctor(*, as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False) -> None:
    """Check settings, database, email, jobs and clocks, and recommend fixes."""
    from fast_zero.core.settings import load_settings
    from fast_zero.core.startup import complete_settings
    from fast_zero.operations.doctor import examine

    with complete_settings(load_settings()) as complete:
        findings = list(examine(complete))
    show([asdict(finding) for finding in findings], as_json=as_json)
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(1)
