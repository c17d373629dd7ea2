"""Indexes and foreign keys of the new columns of todos, and when todos were completed.

Separate from the columns: what cannot run in a transaction comes first, and can run again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

kind = "expand"

CHECKS = ("one_due", "due_time_zone", "duration", "section")
POSITION = "coalesce(position, lpad(to_hex(id), 16, '0'))"
INDEXES = {
    "uq_todos_owner_id_id": "UNIQUE INDEX CONCURRENTLY uq_todos_owner_id_id"
    " ON todos (owner_id, id)",
    "uq_todos_position": "UNIQUE INDEX CONCURRENTLY uq_todos_position ON todos"
    f" (owner_id, project_id, section_id, parent_id, ({POSITION}))"
    " NULLS NOT DISTINCT WHERE deletion_id IS NULL",
    "ix_todos_owner_id_parent_id": "INDEX CONCURRENTLY ix_todos_owner_id_parent_id"
    " ON todos (owner_id, parent_id) WHERE parent_id IS NOT NULL",
    "ix_todos_deletion_id": "INDEX CONCURRENTLY ix_todos_deletion_id"
    " ON todos (deletion_id) WHERE deletion_id IS NOT NULL",
}
# The columns and their action of each foreign key, and what it refers to.
FOREIGN_KEYS = {
    "fk_todos_owner_id_project_id_projects": (
        "(owner_id, project_id) REFERENCES projects (owner_id, id) ON DELETE SET NULL (project_id)"
    ),
    "fk_todos_owner_id_project_id_section_id_sections": (
        "(owner_id, project_id, section_id) REFERENCES sections (owner_id, project_id, id)"
        " ON DELETE SET NULL (section_id)"
    ),
    "fk_todos_owner_id_parent_id_todos": (
        "(owner_id, parent_id) REFERENCES todos (owner_id, id) ON DELETE SET NULL (parent_id)"
    ),
    "fk_todos_deletion_id_deletions": ("(deletion_id) REFERENCES deletions (id) ON DELETE CASCADE"),
}
# In parts, so that no transaction locks many rows for long.
PART = 10_000
COMPLETED = """
UPDATE todos SET completed_at = coalesce(
    (SELECT finished_at FROM completions WHERE completions.todo_id = todos.id), updated_at
)
WHERE id > {after} AND id <= {after} + {part} AND state = 'done' AND completed_at IS NULL
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, definition in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE {definition}")
        for name in CHECKS:
            op.execute(f"ALTER TABLE todos VALIDATE CONSTRAINT ck_todos_{name}")
        last = op.get_bind().scalar(sa.text("SELECT coalesce(max(id), 0) FROM todos")) or 0
        for after in range(0, last, PART):
            op.execute(COMPLETED.format(after=after, part=PART))
    op.execute(
        "ALTER TABLE todos ADD CONSTRAINT uq_todos_owner_id_id"
        " UNIQUE USING INDEX uq_todos_owner_id_id"
    )
    for name, definition in FOREIGN_KEYS.items():
        op.execute(f"ALTER TABLE todos ADD CONSTRAINT {name} FOREIGN KEY {definition}")
    op.drop_index("ix_todos_owner_id_id", table_name="todos")


def downgrade() -> None:
    # The release before would show what is in the trash. Here, since a foreign key deletes it.
    op.execute("DELETE FROM deletions")
    op.create_index("ix_todos_owner_id_id", "todos", ["owner_id", "id"])
    for name in (*FOREIGN_KEYS, "uq_todos_owner_id_id"):
        op.drop_constraint(name, "todos")
    for name in list(INDEXES)[1:]:
        op.drop_index(name, table_name="todos")
