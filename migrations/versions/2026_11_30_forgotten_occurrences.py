"""Of the occurrences of a todo that is deleted for good, the log keeps the days and what they were.

These tell the rows apart, and are what activity shows.
"""

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

kind = "expand"

# In place, so that nothing else of the function changes.
REPLACE = """
DO $do$ BEGIN
    EXECUTE replace(pg_get_functiondef('log_change'::regproc), $old${old}$old$, $new${new}$new$);
END $do$
"""
FORGOTTEN = "'{number,due_on,due_at,time_zone,finished_at,actor_id,state,checklist}'::text[]"
FORGET = """
        UPDATE changes SET before = NULL, after = NULL
        WHERE owner_id = owner AND entity = TG_TABLE_NAME AND entity_id = key;
"""
FORGET_WITH_OCCURRENCES = f"""
        UPDATE changes SET
            before = CASE WHEN entity <> TG_TABLE_NAME THEN before - {FORGOTTEN} END,
            after = CASE WHEN entity <> TG_TABLE_NAME THEN after - {FORGOTTEN} END
        WHERE owner_id = owner AND entity_id = key AND (
            entity = TG_TABLE_NAME OR entity = 'occurrences' AND TG_TABLE_NAME = 'todos'
        );
"""  # noqa: S608  # constants
KEEP = """
    ELSIF found ->> 'deletion_id' IS NULL THEN
        old_row :="""
# Its todo is deleted before: what a foreign key deletes fires its triggers at the end.
KEEP_WITHOUT_OCCURRENCES = f"""
    ELSIF TG_TABLE_NAME = 'occurrences' AND NOT EXISTS (
        SELECT FROM todos WHERE todos.owner_id = owner AND todos.id = key
    ) THEN
        old_row := jsonb_strip_nulls(found - hidden - {FORGOTTEN});{KEEP}"""
CHANGES = ((FORGET, FORGET_WITH_OCCURRENCES), (KEEP, KEEP_WITHOUT_OCCURRENCES))


def upgrade() -> None:
    for old, new in CHANGES:
        op.execute(REPLACE.format(old=old, new=new))


def downgrade() -> None:
    for old, new in reversed(CHANGES):
        op.execute(REPLACE.format(old=new, new=old))
