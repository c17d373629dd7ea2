"""Todos recur: their rules, their occurrences, and what occurrences announce and count.

What cannot run in a transaction comes first, and can run again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

kind = "expand"

COLUMNS = {
    "posts": {"occurrence": "date"},
    "completions": {"occurrence": "date"},
    "todos": {
        "recurrence_rule": "text",
        "recurrence_from": "text",
        "recurrence_start": "date",
        "recurrence_time": "time",
        "recurrence_number": "integer",
        "occurrence_on": "date",
    },
}
CHECKS = {
    "recurrence_from": "recurrence_from IN ('due', 'completion')",
    "recurrence": "num_nonnulls(recurrence_rule, recurrence_from, recurrence_start,"
    " recurrence_number, occurrence_on) IN (0, 5)",
    "recurrence_due": "recurrence_rule IS NULL OR num_nonnulls(due_on, due_at) = 1",
}
INDEXES = {
    "ix_posts_todo_id_occurrence": "ON posts (todo_id, occurrence) NULLS NOT DISTINCT"
    " WHERE author_id IS NOT NULL AND todo_id IS NOT NULL",
    "ix_completions_todo_id_occurrence": "ON completions (todo_id, occurrence) NULLS NOT DISTINCT"
    " WHERE todo_id IS NOT NULL",
}
FUNCTIONS = {
    # A new due moves the current occurrence. Those after it have the new time of day.
    "note_occurrence() RETURNS trigger": """
BEGIN
    NEW.recurrence_time := (NEW.due_at AT TIME ZONE NEW.time_zone)::time;
    NEW.occurrence_on := coalesce(NEW.due_on, (NEW.due_at AT TIME ZONE NEW.time_zone)::date);
    IF NEW.occurrence_on <> OLD.occurrence_on AND EXISTS (
        SELECT FROM occurrences
        WHERE owner_id = NEW.owner_id AND todo_id = NEW.id AND day = NEW.occurrence_on
    ) THEN
        RAISE check_violation USING
            CONSTRAINT = 'occurrence_recorded', MESSAGE = 'there was an occurrence on this day';
    END IF;
    RETURN NEW;
END
""",
    # Whether a todo above another one was completed at a moment: then that one is announced.
    "is_completed_above(owner bigint, parent bigint, moment timestamptz) RETURNS boolean": """
BEGIN
    RETURN parent IS NOT NULL AND EXISTS (
        WITH RECURSIVE above AS (
            SELECT parent_id, completed_at FROM todos WHERE owner_id = owner AND id = parent
            UNION ALL
            SELECT next.parent_id, next.completed_at FROM above
            JOIN todos AS next ON next.owner_id = owner AND next.id = above.parent_id
        )
        SELECT FROM above WHERE completed_at = moment
    );
END
""",
    # What was done of the checklist belongs to the occurrence from now on: then the items can be
    # opened again, and nothing is taken back.
    "announce_occurrence() RETURNS trigger": """
DECLARE
    todo todos;
    level text;
BEGIN
    UPDATE completions SET occurrence = NEW.day
    WHERE todo_id = ANY (NEW.checklist) AND occurrence IS NULL AND NOT EXISTS (
        SELECT FROM completions AS other
        WHERE other.todo_id = completions.todo_id AND other.occurrence = NEW.day
    );
    UPDATE posts SET occurrence = NEW.day
    WHERE todo_id = ANY (NEW.checklist) AND occurrence IS NULL AND author_id IS NOT NULL
        AND NOT EXISTS (
            SELECT FROM posts AS other WHERE other.todo_id = posts.todo_id
                AND other.occurrence = NEW.day AND other.author_id IS NOT NULL
        );
    IF NEW.status <> 'done' THEN
        RETURN NULL;
    END IF;
    INSERT INTO completions (owner_id, todo_id, occurrence, finished_at)
    VALUES (NEW.owner_id, NEW.todo_id, NEW.day, NEW.finished_at)
    ON CONFLICT (todo_id, occurrence) WHERE todo_id IS NOT NULL DO NOTHING;
    SELECT * INTO todo FROM todos WHERE owner_id = NEW.owner_id AND id = NEW.todo_id;
    SELECT coalesce(todo.share, share_todos) INTO level FROM users WHERE id = NEW.owner_id;
    IF level <> 'off' AND todo.deletion_id IS NULL
        AND NOT is_completed_above(todo.owner_id, todo.parent_id, now()) THEN
        INSERT INTO posts (author_id, text, visibility, circle, above, todo_id, occurrence)
        VALUES (
            NEW.owner_id, todo.title, level,
            CASE WHEN level = 'followers' THEN NEW.owner_id END, '{}', NEW.todo_id, NEW.day
        )
        ON CONFLICT (todo_id, occurrence) WHERE author_id IS NOT NULL AND todo_id IS NOT NULL
        DO NOTHING;
    END IF;
    RETURN NULL;
END
""",
    # With its todo, an occurrence is deleted for good; what was finished still counts.
    "take_back_occurrence() RETURNS trigger": """
BEGIN
    IF NOT EXISTS (SELECT FROM todos WHERE owner_id = OLD.owner_id AND id = OLD.todo_id) THEN
        RETURN NULL;
    END IF;
    DELETE FROM completions WHERE todo_id = OLD.todo_id AND occurrence = OLD.day;
    UPDATE posts SET author_id = NULL
    WHERE todo_id = OLD.todo_id AND occurrence = OLD.day AND author_id IS NOT NULL;
    DELETE FROM completions
    WHERE todo_id = ANY (OLD.checklist) AND occurrence IS NULL AND EXISTS (
        SELECT FROM completions AS other
        WHERE other.todo_id = completions.todo_id AND other.occurrence = OLD.day
    );
    UPDATE completions SET occurrence = NULL
    WHERE todo_id = ANY (OLD.checklist) AND occurrence = OLD.day;
    UPDATE posts SET author_id = NULL
    WHERE todo_id = ANY (OLD.checklist) AND occurrence IS NULL AND author_id IS NOT NULL
        AND EXISTS (
            SELECT FROM posts AS other WHERE other.todo_id = posts.todo_id
                AND other.occurrence = OLD.day AND other.author_id IS NOT NULL
        );
    UPDATE posts SET occurrence = NULL
    WHERE todo_id = ANY (OLD.checklist) AND occurrence = OLD.day AND author_id IS NOT NULL;
    RETURN NULL;
END
""",
    # As `share_todo` does for the post of a todo that is done, but none is written again.
    "share_occurrences() RETURNS trigger": """
DECLARE
    level text;
BEGIN
    SELECT coalesce(NEW.share, share_todos) INTO level FROM users WHERE id = NEW.owner_id;
    UPDATE posts SET author_id = NULL
    WHERE todo_id = NEW.id AND occurrence IS NOT NULL AND author_id IS NOT NULL
        AND visibility <> level;
    RETURN NULL;
END
""",
}
TRIGGERS = {
    ("todos", "note_occurrence"): (
        "BEFORE UPDATE OF due_on, due_at, time_zone ON todos FOR EACH ROW WHEN ("
        "NEW.recurrence_rule IS NOT NULL AND num_nonnulls(NEW.due_on, NEW.due_at) = 1"
        " AND (NEW.due_on, NEW.due_at, NEW.time_zone)"
        " IS DISTINCT FROM (OLD.due_on, OLD.due_at, OLD.time_zone)"
        " AND (NEW.recurrence_rule, NEW.recurrence_time, NEW.occurrence_on)"
        " IS NOT DISTINCT FROM (OLD.recurrence_rule, OLD.recurrence_time, OLD.occurrence_on))"
        " EXECUTE FUNCTION note_occurrence()"
    ),
    ("todos", "share_occurrences"): (
        "AFTER UPDATE OF share ON todos FOR EACH ROW WHEN (NEW.share IS DISTINCT FROM OLD.share)"
        " EXECUTE FUNCTION share_occurrences()"
    ),
    ("occurrences", "announce_occurrence"): (
        "AFTER INSERT ON occurrences FOR EACH ROW WHEN ("
        "NEW.status = 'done' OR cardinality(NEW.checklist) > 0)"
        " EXECUTE FUNCTION announce_occurrence()"
    ),
    ("occurrences", "take_back_occurrence"): (
        "AFTER DELETE ON occurrences FOR EACH ROW WHEN ("
        "OLD.status = 'done' OR cardinality(OLD.checklist) > 0)"
        " EXECUTE FUNCTION take_back_occurrence()"
    ),
}
SHARE_TODO = """
CREATE OR REPLACE FUNCTION share_todo() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    level text := 'off';
BEGIN
    IF {is_done} THEN
        SELECT coalesce(NEW.share, share_todos) INTO level FROM users WHERE id = NEW.owner_id;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        UPDATE posts SET author_id = NULL
        WHERE todo_id = OLD.id AND author_id IS NOT NULL AND {is_withdrawn};
    END IF;
    IF {is_announced} THEN
        INSERT INTO posts (author_id, text, visibility, circle, above, todo_id)
        VALUES (
            NEW.owner_id, NEW.title, level,
            CASE WHEN level = 'followers' THEN NEW.owner_id END, '{{}}', NEW.id
        )
        ON CONFLICT {unique} DO NOTHING;
    END IF;
    RETURN NULL;
END
$$
"""
# A todo that recurs is announced and counted by its occurrences.
SHARE_ONCE = SHARE_TODO.format(
    is_done="TG_OP <> 'DELETE' AND NEW.state = 'done' AND NEW.recurrence_rule IS NULL",
    is_withdrawn="(TG_OP = 'DELETE' OR occurrence IS NULL AND visibility <> level)",
    is_announced="level <> 'off' AND NEW.deletion_id IS NULL AND ("
    "TG_OP = 'INSERT' OR NOT is_completed_above(NEW.owner_id, NEW.parent_id, NEW.completed_at))",
    unique="(todo_id, occurrence) WHERE author_id IS NOT NULL AND todo_id IS NOT NULL",
)
SHARED_BEFORE = SHARE_TODO.format(
    is_done="TG_OP <> 'DELETE' AND NEW.state = 'done'",
    is_withdrawn="visibility <> level",
    is_announced="""
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
""".strip(),
    unique="(todo_id) WHERE author_id IS NOT NULL",
)
COUNT_COMPLETION = """
CREATE OR REPLACE FUNCTION count_completion() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        UPDATE completions SET todo_id = NULL WHERE todo_id = OLD.id;
    ELSIF NEW.state = 'done' THEN
        INSERT INTO completions (owner_id, todo_id, finished_at)
        SELECT NEW.owner_id, NEW.id, coalesce(NEW.completed_at, now()) {counted}
        ON CONFLICT {unique} DO NOTHING;
    ELSIF NEW.state <> 'trash' THEN
        DELETE FROM completions WHERE todo_id = NEW.id {reopened};
    END IF;
    RETURN NULL;
END
$$
"""
COUNT_ONCE = COUNT_COMPLETION.format(
    counted="WHERE NEW.recurrence_rule IS NULL",
    unique="(todo_id, occurrence) WHERE todo_id IS NOT NULL",
    reopened="AND occurrence IS NULL",
)
COUNTED_BEFORE = COUNT_COMPLETION.format(counted="", unique="(todo_id)", reopened="")
# A todo that is open has posts and completions, too, if it recurs or is in a checklist that does.
REPLACED = {
    "share_todo_delete AFTER DELETE ON todos FOR EACH ROW {} EXECUTE FUNCTION share_todo()": (
        "OLD.state = 'done'"
    ),
    "count_completion_delete AFTER DELETE ON todos FOR EACH ROW {}"
    " EXECUTE FUNCTION count_completion()": "OLD.state IN ('done', 'trash')",
    "hide_post AFTER UPDATE OF deletion_id ON todos FOR EACH ROW {} EXECUTE FUNCTION hide_post()": (
        "'done' = NEW.state AND (NEW.deletion_id IS NULL) <> (OLD.deletion_id IS NULL)"
    ),
}
DELETED_OR_RESTORED = "WHEN ((NEW.deletion_id IS NULL) <> (OLD.deletion_id IS NULL))"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for table, columns in COLUMNS.items():
            for name, of_type in columns.items():
                op.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {name} {of_type}")
        for name, condition in CHECKS.items():
            op.execute(f"ALTER TABLE todos DROP CONSTRAINT IF EXISTS ck_todos_{name}")
            op.execute(
                f"ALTER TABLE todos ADD CONSTRAINT ck_todos_{name} CHECK ({condition}) NOT VALID"
            )
            op.execute(f"ALTER TABLE todos VALIDATE CONSTRAINT ck_todos_{name}")
        for name, definition in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE UNIQUE INDEX CONCURRENTLY {name} {definition}")
    create_occurrences()
    for signature, body in FUNCTIONS.items():
        op.execute(f"CREATE FUNCTION {signature} LANGUAGE plpgsql AS $${body}$$")
    op.execute(SHARE_ONCE)
    op.execute(COUNT_ONCE)
    for (_, name), definition in TRIGGERS.items():
        op.execute(f"CREATE TRIGGER {name} {definition}")
    for definition in REPLACED:
        condition = DELETED_OR_RESTORED if definition.startswith("hide_post") else ""
        op.execute(f"CREATE OR REPLACE TRIGGER {definition.format(condition)}")
    # Only the functions that are replaced above relied on these.
    op.drop_index("ix_posts_todo_id", table_name="posts")
    op.execute("ALTER TABLE completions DROP CONSTRAINT uq_completions_todo_id")


def create_occurrences() -> None:
    op.create_table(
        "occurrences",
        sa.Column("owner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("todo_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("checklist", sa.ARRAY(sa.BigInteger()), server_default="{}", nullable=False),
        sa.CheckConstraint(
            "status IN ('done', 'missed', 'skipped')", name=op.f("ck_occurrences_status")
        ),
        sa.CheckConstraint(
            "(status = 'missed') = (finished_at IS NULL)", name=op.f("ck_occurrences_finished")
        ),
        sa.CheckConstraint("num_nonnulls(due_on, due_at) = 1", name=op.f("ck_occurrences_due")),
        sa.ForeignKeyConstraint(
            ["owner_id", "todo_id"],
            ["todos.owner_id", "todos.id"],
            name=op.f("fk_occurrences_owner_id_todo_id_todos"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("owner_id", "todo_id", "day", name=op.f("pk_occurrences")),
    )
    op.create_index(
        op.f("ix_occurrences_owner_id_day_todo_id"), "occurrences", ["owner_id", "day", "todo_id"]
    )
    op.execute("SELECT log_changes_of('occurrences', key => 'todo_id')")


def downgrade() -> None:
    # The release before knows one post and one completion of a todo.
    op.execute("UPDATE posts SET author_id = NULL WHERE occurrence IS NOT NULL")
    op.execute("UPDATE completions SET todo_id = NULL WHERE occurrence IS NOT NULL")
    op.create_index(
        "ix_posts_todo_id",
        "posts",
        ["todo_id"],
        unique=True,
        postgresql_where=sa.text("author_id IS NOT NULL"),
    )
    op.create_unique_constraint("uq_completions_todo_id", "completions", ["todo_id"])
    for definition, condition in REPLACED.items():
        op.execute(f"CREATE OR REPLACE TRIGGER {definition.format(f'WHEN ({condition})')}")
    for table, name in TRIGGERS:
        op.execute(f"DROP TRIGGER {name} ON {table}")
    op.execute(COUNTED_BEFORE)
    op.execute(SHARED_BEFORE)
    for signature in FUNCTIONS:
        op.execute(f"DROP FUNCTION {signature.partition('(')[0]}")
    op.drop_table("occurrences")
    for name in CHECKS:
        op.drop_constraint(f"ck_todos_{name}", "todos")
    for table, columns in COLUMNS.items():
        for name in columns:
            op.drop_column(table, name)
