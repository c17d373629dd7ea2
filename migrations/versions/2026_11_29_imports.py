"""Imports, and the keys of todos in the files that they came from.

What cannot run in a transaction comes first, and can run again.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

kind = "expand"

KEY_LENGTH = "char_length(external_key) BETWEEN 1 AND 255"
INDEX = "uq_todos_external_key"
# What is in the trash does not count, so that its file can be imported again. When it comes back
# and its key is taken by then, it has none.
RELEASE_KEY = """
CREATE FUNCTION release_external_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM todos
        WHERE owner_id = NEW.owner_id AND external_key = NEW.external_key AND deletion_id IS NULL
    ) THEN
        NEW.external_key := NULL;
    END IF;
    RETURN NEW;
END
$$
"""
TRIGGER = """
CREATE TRIGGER release_external_key BEFORE UPDATE OF deletion_id ON todos FOR EACH ROW
WHEN (NEW.external_key IS NOT NULL AND OLD.deletion_id IS NOT NULL AND NEW.deletion_id IS NULL)
EXECUTE FUNCTION release_external_key()
"""
# It looks for a parent by its id. Without statistics, such as when the first todos of a database
# are imported, the planner takes the index of positions instead, whose condition is `IS NULL`, and
# reads all todos of the owner. In place, so that nothing else of the function changes.
REPLACE = """
DO $do$ BEGIN
    EXECUTE replace(pg_get_functiondef('check_todo_place'::regproc), '{old}', '{new}');
END $do$
"""
IS_NULL = "AND deletion_id IS NULL"
IS_ZERO = "AND coalesce(deletion_id, 0) = 0"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE todos ADD COLUMN IF NOT EXISTS external_key text")
        op.execute("ALTER TABLE todos DROP CONSTRAINT IF EXISTS ck_todos_external_key")
        op.execute(
            f"ALTER TABLE todos ADD CONSTRAINT ck_todos_external_key CHECK ({KEY_LENGTH}) NOT VALID"
        )
        op.execute("ALTER TABLE todos VALIDATE CONSTRAINT ck_todos_external_key")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
        op.execute(
            f"CREATE UNIQUE INDEX CONCURRENTLY {INDEX} ON todos (owner_id, external_key)"
            " WHERE external_key IS NOT NULL AND deletion_id IS NULL"
        )
    op.execute(RELEASE_KEY)
    op.execute(TRIGGER)
    op.execute(REPLACE.format(old=IS_NULL, new=IS_ZERO))
    create_imports()


def create_imports() -> None:
    op.create_table(
        "imports",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("project", sa.Text(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("change_set_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), server_default="queued", nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("processed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("found", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("losses", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("errors", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "report", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undo_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("kept", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "format IN ('csv', 'icalendar', 'todoist_csv', 'todoist_json')",
            name=op.f("ck_imports_format"),
        ),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'done', 'failed')", name=op.f("ck_imports_status")
        ),
        sa.CheckConstraint(
            "(status IN ('done', 'failed')) = (content IS NULL)", name=op.f("ck_imports_content")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"],
            ["users.id"],
            name=op.f("fk_imports_owner_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
    )
    op.create_index(op.f("ix_imports_owner_id_id"), "imports", ["owner_id", "id"])
    op.create_index(
        op.f("uq_imports_unfinished"),
        "imports",
        ["owner_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('queued', 'running')"),
    )


def downgrade() -> None:
    op.drop_table("imports")
    op.execute(REPLACE.format(old=IS_ZERO, new=IS_NULL))
    op.execute("DROP TRIGGER release_external_key ON todos")
    op.execute("DROP FUNCTION release_external_key")
    op.drop_index(INDEX, table_name="todos")
    op.drop_column("todos", "external_key")
