"""`fast-zero seed` and `fast-zero reset-db`: demo data, and an empty database."""

import secrets
from typing import TYPE_CHECKING, Annotated

import typer

from fast_zero.core.addresses import is_loopback
from fast_zero.core.errors import Invalid
from fast_zero.core.terminal import messages, show, show_one
from fast_zero.operations.database_access import AsJson, confirm, ready, run_in_transaction

if TYPE_CHECKING:
    from sqlalchemy import URL

    from fast_zero.core.database import Session
    from fast_zero.core.settings import Settings

cli = typer.Typer()


@cli.command()
def seed(
    *,
    people: Annotated[int, typer.Option(min=2, max=1000, help="Number of users.")] = 20,
    todos: Annotated[int, typer.Option(min=0, max=1000, help="Number of todos of each user.")] = 40,
    as_json: AsJson = False,
) -> None:
    """Create demo data: users, projects, todos of months, follows, posts, replies, likes.

    All users have the same generated password, which is printed at the end.
    """
    from rich.progress import Progress

    from fast_zero.core import security
    from fast_zero.core.security.password_queue import OPERATOR
    from fast_zero.operations.seed import usernames, write_demo

    password = secrets.token_urlsafe(12)
    with Progress(console=messages, transient=True) as bar:
        task = bar.add_task("Writing…", total=None)

        async def write(session: "Session", _settings: "Settings") -> dict[str, int]:
            password_hash = await security.hash_password(session, password, OPERATOR)
            return await write_demo(
                session,
                password_hash,
                people=people,
                todos=todos,
                progress=lambda done, all_: bar.update(task, completed=done, total=all_),
            )

        counts = run_in_transaction(write)
    names = usernames(people)
    if as_json:
        made = {"usernames": names, "password": password, "written": counts}
        show_one(made, as_json=True)
        return
    show([{"written": name, "count": count} for name, count in counts.items()], as_json=False)
    messages.print(f"Log in as [bold]{names[0]}[/], or another user, with the password {password}")


@cli.command("reset-db")
def reset_database(
    *,
    yes: Annotated[
        str, typer.Option(help="Name of the database, to confirm that its content is deleted.")
    ] = "",
    force: Annotated[
        bool, typer.Option("--force", help="Allow a database on another machine.")
    ] = False,
) -> None:
    """Delete everything in the database, and migrate it again. Stop servers and workers first."""
    from fast_zero.core.database import migrations
    from fast_zero.operations.database_access import MIGRATION_WAIT_SECONDS

    with ready(migrate=False) as settings:
        url = settings.direct_address()
        if not (force or is_here(url)):
            raise Invalid(
                f"Nothing was changed: the database is on {url.host}, and may be in production. "
                "Confirm with --force."
            )
        confirm(url.database or "", yes, "deleted")
        with messages.status("Deleting and migrating…"):
            migrations.empty(url)
            _, revision = migrations.upgrade(url, MIGRATION_WAIT_SECONDS)
    messages.print(f"The database is empty, and has the revision {revision}.")


def is_here(url: "URL") -> bool:
    """Whether a database is on this machine: a Unix socket, or a loopback address."""
    host = str(url.host or url.query.get("host") or "localhost")
    return host.startswith("/") or is_loopback(host)
