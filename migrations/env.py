"""Runs migrations on the connection that the caller passes, or on DATABASE_URL's."""

from collections.abc import Iterable, Sequence

from alembic import context
from alembic.operations.ops import MigrationScript
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from fast_zero.core.database.migrations import create_migration_engine
from fast_zero.core.settings import load_settings
from fast_zero.core.startup import complete_settings
from fast_zero.models import Base

NOT_OURS = ("procrastinate_", "change_log", "changes")


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Leave out procrastinate's tables, which it describes itself, and the log of changes.

    A job adds partitions to the log, and SQLAlchemy does not know the type `xid8`.
    """
    return not (kind == "table" and str(name).startswith(NOT_OURS))


def number(
    _context: MigrationContext,
    _heads: str | Iterable[str | None] | Iterable[str],
    directives: Sequence[MigrationScript],
) -> None:
    """Give a new revision the next number instead of a random id."""
    newest = context.script.get_current_head() or "0"
    for directive in directives:
        directive.rev_id = f"{int(newest) + 1:04}"


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_name=is_ours,
        transaction_per_migration=True,
        compare_server_default=True,
        process_revision_directives=number,
    )
    with context.begin_transaction():
        context.run_migrations()


def migrate_by_settings() -> None:
    with complete_settings(load_settings()) as settings:
        engine = create_migration_engine(settings.database_address())
        with engine.connect() as connection:
            migrate(connection)
            connection.commit()


passed = context.config.attributes.get("connection")
if passed is None:
    migrate_by_settings()
else:
    migrate(passed)
