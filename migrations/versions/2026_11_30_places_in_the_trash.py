"""What is in the trash may be inside of something in the trash, but not of itself.

Undo moves things back into the trash, with the places that they had there.
"""

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

kind = "expand"

# In place, so that nothing else of the functions changes.
REPLACE = """
DO $do$ BEGIN
    EXECUTE replace(pg_get_functiondef('{function}'::regproc), '{old}', '{new}');
END $do$
"""
TRASHED = "IF NEW.deletion_id IS NOT NULL"
UNMOVED = "(NEW.parent_id IS NULL OR NEW.parent_id IS NOT DISTINCT FROM OLD.parent_id)"
PARENT = "id = NEW.parent_id AND"
VISIBLE_TODO = "coalesce(deletion_id, 0) = 0"
VISIBLE_PROJECT = "deletion_id IS NULL"
CHANGES = (
    ("check_todo_place", f"{TRASHED} THEN", f"{TRASHED} AND {UNMOVED} THEN"),
    *(
        (
            function,
            f"{PARENT} {visible}",
            f"{PARENT} ({visible} OR NEW.deletion_id IS NOT NULL)",
        )
        for function, visible in (
            ("check_todo_place", VISIBLE_TODO),
            ("check_project_place", VISIBLE_PROJECT),
        )
    ),
)


def upgrade() -> None:
    for function, old, new in CHANGES:
        op.execute(REPLACE.format(function=function, old=old, new=new))


def downgrade() -> None:
    for function, old, new in CHANGES:
        op.execute(REPLACE.format(function=function, old=new, new=old))
