"""The log of changes has indexes for undo and activity, and nothing of what is deleted for good."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

kind = "expand"

INDEXES = {
    # Without the owner: it would be preferred for all changes of one, before a table is analyzed.
    "ix_changes_change_set_id": "(change_set_id)",
    "ix_changes_owner_id_entity_id": "(owner_id, entity_id, xid, position)",
    "ix_changes_owner_id_project_id": "(owner_id, project_id, xid, position)"
    " WHERE project_id IS NOT NULL",
    "ix_changes_owner_id_other_id": "(owner_id,"
    " (CAST(coalesce(after, before) ->> 'other_id' AS bigint)), xid, position)"
    " WHERE entity = 'todo_relations'",
}
LOG_CHANGE = """
CREATE OR REPLACE FUNCTION log_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    writer text := nullif(current_setting('fast_zero.writer', true), '');
    hidden text[] := TG_ARGV[2];
    old_row jsonb;
    new_row jsonb;
    found jsonb;
    key bigint;
    project bigint;
    owner bigint;
    operation text := CASE TG_OP
        WHEN 'INSERT' THEN 'create' WHEN 'UPDATE' THEN 'update' ELSE 'delete'
    END;
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF NOT EXISTS (SELECT FROM users WHERE id = OLD.owner_id) THEN
            RETURN NULL;  -- the account is deleted, and its changes with it
        END IF;
        found := to_jsonb(OLD);
    ELSE
        found := to_jsonb(NEW);
    END IF;
    key := found ->> TG_ARGV[0];
    project := found ->> TG_ARGV[1];
    owner := found ->> 'owner_id';
    IF TG_OP = 'INSERT' THEN
        new_row := jsonb_strip_nulls(found - hidden);
    ELSIF TG_OP = 'UPDATE' THEN
        new_row := found - hidden;
        old_row := to_jsonb(OLD) - hidden;
        IF new_row = old_row THEN
            RETURN NULL;
        END IF;
        SELECT jsonb_object_agg(changed.key, old_row -> changed.key),
            jsonb_object_agg(changed.key, changed.value)
        INTO old_row, new_row
        FROM jsonb_each(new_row) AS changed WHERE changed.value <> old_row -> changed.key;
        IF new_row ? 'deletion_id' THEN
            IF old_row ->> 'deletion_id' IS NULL THEN
                operation := 'delete';
            ELSIF new_row ->> 'deletion_id' IS NULL THEN
                operation := 'restore';
            END IF;
        END IF;
{deleted}    INSERT INTO changes (
        owner_id, project_id, entity, entity_id, operation, before, after,
        client, change_set_id, actor_id
    )
    VALUES (
        owner, project, TG_TABLE_NAME, key, operation, old_row, new_row,
        split_part(writer, ' ', 1), split_part(writer, ' ', 2)::uuid,
        nullif(split_part(writer, ' ', 3), '')::bigint
    );
    RETURN NULL;
END
$$
"""
KEPT = """
    ELSIF found ->> 'deletion_id' IS NULL THEN  -- else it was in the trash: nothing is kept of it
        old_row := jsonb_strip_nulls(found - hidden);
    END IF;
""".lstrip("\n")
# A row that returns must not have a version that it had before. Nothing is kept of what was in
# the trash, nor of the sections of a project. Their deletions are logged after that of the project:
# what a foreign key deletes fires its triggers at the end of the statement.
FORGOTTEN = """
    ELSIF TG_TABLE_NAME = 'sections' AND NOT EXISTS (
        SELECT FROM projects WHERE projects.owner_id = owner AND projects.id = project
    ) THEN
        old_row := NULL;
    ELSIF found ->> 'deletion_id' IS NULL THEN
        old_row := jsonb_strip_nulls(found - array_remove(hidden, 'version'));
    ELSE
        UPDATE changes SET before = NULL, after = NULL
        WHERE owner_id = owner AND entity = TG_TABLE_NAME AND entity_id = key;
        IF TG_TABLE_NAME = 'projects' THEN
            UPDATE changes SET before = NULL, after = NULL
            WHERE owner_id = owner AND entity = 'sections' AND project_id = key;
        END IF;
    END IF;
""".lstrip("\n")
# What undo restores has been completed before.
NOTE_COMPLETION = """
CREATE OR REPLACE FUNCTION note_completion() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'done' THEN
        NEW.completed_at := NULL;
    ELSIF TG_OP = 'INSERT' OR OLD.state <> 'done' THEN
        NEW.completed_at := {moment};
    END IF;
    RETURN NEW;
END
$$
"""
COUNT_COMPLETION = """
CREATE OR REPLACE FUNCTION count_completion() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        UPDATE completions SET todo_id = NULL WHERE todo_id = OLD.id;
    ELSIF NEW.state = 'done' THEN
        INSERT INTO completions (owner_id, todo_id, finished_at)
        VALUES (NEW.owner_id, NEW.id, {moment})
        ON CONFLICT (todo_id) DO NOTHING;
    ELSIF NEW.state <> 'trash' THEN
        DELETE FROM completions WHERE todo_id = NEW.id;
    END IF;
    RETURN NULL;
END
$$
"""


def upgrade() -> None:
    for name, columns in INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON changes {columns}")
    op.execute(LOG_CHANGE.format(deleted=FORGOTTEN))
    op.execute(NOTE_COMPLETION.format(moment="coalesce(NEW.completed_at, now())"))
    op.execute(COUNT_COMPLETION.format(moment="coalesce(NEW.completed_at, now())"))


def downgrade() -> None:
    op.execute(COUNT_COMPLETION.format(moment="now()"))
    op.execute(NOTE_COMPLETION.format(moment="now()"))
    op.execute(LOG_CHANGE.format(deleted=KEPT))
    for name in INDEXES:
        op.execute(f"DROP INDEX {name}")
