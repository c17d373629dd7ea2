"""`fast-zero import` and `export`."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.markup import escape

from fast_zero.client.completion import complete_project
from fast_zero.core.terminal import messages, print_json, show

if TYPE_CHECKING:
    from rich.progress import Progress

ImportFormat = Literal["csv", "icalendar", "todoist_csv", "todoist_json"]
ExportFormat = Literal["json", "csv", "icalendar"]

cli = typer.Typer()


@cli.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="A file .csv, .ics or .json.")],
    *,
    form: Annotated[
        ImportFormat | None,
        typer.Option("--format", help="What it is. Default: what its ending and content say."),
    ] = None,
    project: Annotated[
        str | None,
        typer.Option(
            "--project",
            "-p",
            help="Name of the project for a file that does not say one.",
            autocompletion=complete_project,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be imported, and change nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Import the todos of a file: all of them, or none if the file has errors.

    The same file again adds only what is new.
    """
    from fast_zero.client import imports, last_changes
    from fast_zero.client.api import Api

    given = {"format": form, "project": project, "dry_run": dry_run}
    params = {name: value for name, value in given.items() if value is not None}
    with Api.open() as api:
        started = imports.start(api, file, params)
        with progress_bar() as bar:
            task = bar.add_task("Importing…", total=None)

            def report(current: Any) -> None:  # noqa: ANN401  # as JSON
                bar.update(task, total=current["total"], completed=current["processed"])

            ended = imports.wait_for_end(api, started, report)
        if ended["created"] and not dry_run:
            last_changes.remember(api, [ended["change_set_id"]])
    if as_json:
        print_json(ended)
    else:
        report_end(ended)
    if ended["status"] == "failed":
        raise typer.Exit(1)


def progress_bar() -> "AbstractContextManager[Progress]":
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=messages, transient=True)


def report_end(ended: dict[str, Any]) -> None:
    """Show the entries of a report, and the result in a sentence."""
    from fast_zero.client import text

    if ended["report"]:
        show(
            [
                {
                    "level": {"loss": "warning"}.get(entry["kind"], entry["kind"]),
                    "line": entry["line"],
                    "column": entry["column"],
                    "message": text.plain(entry["message"]),
                }
                for entry in ended["report"]
            ],
            as_json=False,
        )
    if ended["status"] == "failed":
        error = text.safe(ended["error"] or "Nothing was imported.")
        messages.print(f"[bold red]error:[/] {error}")
        return
    would = "Would import" if ended["dry_run"] else "Imported"
    created = f"{ended['created']:,} {'todo' if ended['created'] == 1 else 'todos'}"
    messages.print(
        f"{would} {created}. Imported before: {ended['found']:,}. "
        f"Details that are lost: {ended['losses']:,}."
    )


@cli.command("export")
def export(
    file: Annotated[
        Path | None, typer.Argument(help="File to write. Default, and with -: standard output.")
    ] = None,
    *,
    form: Annotated[
        ExportFormat | None,
        typer.Option(
            "--format",
            help="json: all of your account; csv or icalendar: your todos. Default: what the "
            "ending of FILE says, or json.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
) -> None:
    """Write all of your account as JSON, or your todos as CSV or iCalendar."""
    from fast_zero.client import exports
    from fast_zero.client.api import Api

    file = None if str(file) == "-" else file
    # Without a file, the text of the export itself shows that something happens.
    status = messages.status("Exporting…") if file else nullcontext()
    with Api.open() as api, status:
        size = exports.export(api, form or exports.format_of(file), file, force=force)
    if file is not None:
        messages.print(f"Wrote {escape(str(file))}: {size:,} bytes.")
