"""The post of a todo is hidden while the todo is in the trash."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

kind = "expand"

# All posts of a deletion at once: who deletes a post has locked it before the author's retraction,
# and a transaction that holds the retraction must not wait for that post.
HIDE = """
CREATE FUNCTION hide_post() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.deletion_id IS NULL THEN
        UPDATE posts SET hidden = false
        WHERE todo_id = NEW.id AND author_id IS NOT NULL AND hidden;
    ELSIF EXISTS (
        SELECT FROM posts WHERE todo_id = NEW.id AND author_id IS NOT NULL AND NOT hidden
    ) THEN
        UPDATE posts SET hidden = true FROM todos
        WHERE todos.deletion_id = NEW.deletion_id AND posts.todo_id = todos.id
            AND posts.author_id IS NOT NULL AND NOT posts.hidden;
    END IF;
    RETURN NULL;
END
$$
"""
HIDE_TRIGGER = """
CREATE TRIGGER hide_post AFTER UPDATE OF deletion_id ON todos FOR EACH ROW
WHEN ('done' = NEW.state AND (NEW.deletion_id IS NULL) <> (OLD.deletion_id IS NULL))
EXECUTE FUNCTION hide_post()
"""
HIDE_DELETED = """
UPDATE posts SET hidden = true FROM todos
WHERE todos.deletion_id IS NOT NULL AND posts.todo_id = todos.id AND posts.author_id IS NOT NULL
"""
SHARE = """
CREATE OR REPLACE FUNCTION share_todo() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    level text := 'off';
BEGIN
    IF TG_OP <> 'DELETE' AND NEW.state = 'done' THEN
        SELECT coalesce(NEW.share, share_todos) INTO level FROM users WHERE id = NEW.owner_id;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        UPDATE posts SET author_id = NULL
        WHERE todo_id = OLD.id AND author_id IS NOT NULL AND visibility <> level;
    END IF;
    IF {condition} THEN
        INSERT INTO posts (author_id, text, visibility, circle, above, todo_id)
        VALUES (
            NEW.owner_id, NEW.title, level,
            CASE WHEN level = 'followers' THEN NEW.owner_id END, '{{}}', NEW.id
        )
        ON CONFLICT (todo_id) WHERE author_id IS NOT NULL DO NOTHING;
    END IF;
    RETURN NULL;
END
$$
"""
SHARED = "level <> 'off'"
# A subtask that was completed with a todo above it was so at the same moment: that of the
# transaction. Of both, only the upper one is announced. The release before can also complete a todo
# that is in the trash.
ALONE = """
level <> 'off' AND NEW.deletion_id IS NULL AND (
        TG_OP = 'INSERT' OR NEW.parent_id IS NULL OR NOT EXISTS (
            WITH RECURSIVE above AS (
                SELECT parent_id, completed_at FROM todos
                WHERE owner_id = NEW.owner_id AND id = NEW.parent_id
                UNION ALL
                SELECT next.parent_id, next.completed_at FROM above
                JOIN todos AS next ON next.owner_id = NEW.owner_id AND next.id = above.parent_id
            )
            SELECT FROM above WHERE completed_at = NEW.completed_at
        )
    )
""".strip()
TALLY = """
CREATE OR REPLACE FUNCTION tally_post() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tally_changes (user_id, kind, change)
    VALUES (
        CASE WHEN TG_OP = 'INSERT' THEN NEW.author_id ELSE OLD.author_id END,
        NEW.visibility,
        CASE WHEN {added} THEN 1 ELSE -1 END
    );
    RETURN NULL;
END
$$
"""
TAKEN_BACK = "NEW.author_id IS NULL AND OLD.author_id IS NOT NULL"
CHANGED = (
    "(NEW.author_id IS NOT NULL AND NOT NEW.hidden) <> (OLD.author_id IS NOT NULL AND"
    " NOT OLD.hidden)"
)
NOT_HIDDEN = "NEW.author_id IS NOT NULL AND NOT NEW.hidden"
TRIGGER = (
    "CREATE OR REPLACE TRIGGER {name} {moment} UPDATE ON posts FOR EACH ROW {condition}"
    " EXECUTE FUNCTION {function}()"
)


def upgrade() -> None:
    # Todos first, as in transactions that complete a todo.
    op.execute(HIDE)
    op.execute(HIDE_TRIGGER)
    op.add_column(
        "posts", sa.Column("hidden", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.execute(SHARE.format(condition=ALONE))
    op.execute(TALLY.format(added=NOT_HIDDEN))
    replace_triggers(CHANGED)
    # What comes back is as it was before, and so is its version.
    replace_trigger("count_version", "BEFORE", "count_version", "NEW.hidden = OLD.hidden")
    op.execute(HIDE_DELETED)


def replace_triggers(condition: str) -> None:
    """Let posts be counted, and retractions be noted, under a condition."""
    replace_trigger(
        "tally_post_gone", "AFTER", "tally_post", f"NEW.reply_to IS NULL AND {condition}"
    )
    replace_trigger(
        "note_retraction", "AFTER", "note_retraction", f"OLD.visibility = 'public' AND {condition}"
    )


def replace_trigger(name: str, moment: str, function: str, condition: str) -> None:
    when = f"WHEN ({condition})"
    op.execute(TRIGGER.format(name=name, moment=moment, function=function, condition=when))


def downgrade() -> None:
    op.execute("DROP TRIGGER hide_post ON todos")
    op.execute("DROP FUNCTION hide_post")
    op.execute("UPDATE posts SET hidden = false WHERE hidden")
    replace_trigger("count_version", "BEFORE", "count_version", "true")
    replace_triggers(TAKEN_BACK)
    op.execute(TALLY.format(added="TG_OP = 'INSERT'"))
    op.execute(SHARE.format(condition=SHARED))
    op.drop_column("posts", "hidden")
