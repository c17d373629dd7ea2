"""`fast-zero login`, `logout` and `undo`."""

import getpass
import sys
from typing import Annotated

import typer

from fast_zero.client.errors import ClientError
from fast_zero.core.terminal import messages, print_json

cli = typer.Typer()


@cli.command("login")
def log_in(
    url: Annotated[
        str, typer.Argument(help="URL of the server, such as https://todo.example.com.")
    ],
    *,
    username: Annotated[
        str | None, typer.Option("--username", "-u", help="Username or email address.")
    ] = None,
    with_token: Annotated[
        bool,
        typer.Option("--token", help="Read a personal access token, instead of a password."),
    ] = False,
    allow_http: Annotated[
        bool,
        typer.Option("--allow-http", help="Send the password over plain http to other machines."),
    ] = False,
) -> None:
    """Log in to a server, and store a token for the commands below.

    What is not asked for on a terminal is read from standard input: the password or token in the
    first line, a one-time code in the second.
    """
    from fast_zero.client import credentials, login, text
    from fast_zero.client.api import Api
    from fast_zero.client.private_files import make_folder

    url = credentials.normalize(url, allow_http=allow_http)
    if url.startswith("http:") and allow_http:
        messages.print("[yellow]Others on the network can read what is sent over plain http.[/]")
    make_folder()  # before anything is made that could not be stored
    if with_token:
        access = login.use_token(url, read_secret("Token: "))
    else:
        name = username or prompt_for_username()
        password = read_secret("Password: ")
        access = login.log_in(url, name, password, lambda: read_secret("One-time code: "))
    with Api(access) as api:
        who = login.describe(api)
    messages.print(f"Logged in to {text.safe(url)} as [bold]{text.safe(who)}[/].")


def prompt_for_username() -> str:
    if not sys.stdin.isatty():
        raise ClientError("Give the username: --username NAME")
    return str(typer.prompt("Username or email", err=True))


def read_secret(label: str) -> str:
    """Prompt for a secret on a terminal; otherwise read a line of standard input."""
    if sys.stdin.isatty():
        return getpass.getpass(label)
    line = sys.stdin.readline()
    if not line:
        raise ClientError(
            f"Standard input has ended. It should have a line for: {label.lower()[:-2]}"
        )
    return line.rstrip("\r\n")


@cli.command("logout")
def log_out(
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Forget the token even if it cannot be revoked.")
    ] = False,
) -> None:
    """Revoke the stored token, and forget it."""
    from fast_zero.client import login

    if login.log_out(force=force):
        messages.print("Logged out. The token is revoked.")
    else:
        messages.print("Logged out. [yellow]The token is forgotten here, but not revoked.[/]")


@cli.command("undo")
def undo(
    change_set: Annotated[
        str | None,
        typer.Argument(help="ID of a change set. Default: what your last command changed."),
    ] = None,
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Also undo what was changed again since then.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Undo what your last command changed. Undo twice to redo."""
    from fast_zero.client import last_changes, text
    from fast_zero.client.api import Api

    with Api.open() as api, last_changes.remembered(api):
        found = last_changes.to_undo(api, change_set)
        results = [last_changes.undo(api, id_, force=force) for id_ in found]
    conflicts = [conflict for result in results for conflict in result["conflicts"]]
    if as_json:
        print_json(results)
    else:
        undone = sum(len(result["undone"]) for result in results)
        messages.print(f"Undone: {undone} {'change' if undone == 1 else 'changes'}.")
        for conflict in conflicts:
            messages.print(f"[yellow]{text.safe(in_words(conflict))}[/]")
    if conflicts:
        raise typer.Exit(1)


def in_words(conflict: dict[str, object]) -> str:
    what = f"{conflict['entity']} {conflict['id']}"
    field = f" ({conflict['field']})" if conflict["field"] else ""
    reason = str(conflict["code"]).replace("_", " ")
    return f"Left as it is: {what}{field}, {reason}."
