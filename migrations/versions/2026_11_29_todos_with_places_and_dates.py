"""Todos have a place, a priority, dates and a position, and can be in the trash."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

kind = "expand"

PRIORITY = sa.Enum("none", "low", "medium", "high", "urgent", name="todo_priority")
COLUMNS: list[sa.Column[Any]] = [
    sa.Column("project_id", sa.BigInteger(), nullable=True),
    sa.Column("section_id", sa.BigInteger(), nullable=True),
    sa.Column("parent_id", sa.BigInteger(), nullable=True),
    sa.Column("priority", PRIORITY, server_default="none", nullable=False),
    sa.Column("due_on", sa.Date(), nullable=True),
    sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("time_zone", sa.Text(), nullable=True),
    sa.Column("starts_on", sa.Date(), nullable=True),
    sa.Column("deadline_on", sa.Date(), nullable=True),
    sa.Column("duration_minutes", sa.Integer(), nullable=True),
    sa.Column("position", sa.Text(collation="C"), nullable=True),
    sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("deletion_id", sa.BigInteger(), nullable=True),
]
CHECKS = {
    "one_due": "due_on IS NULL OR due_at IS NULL",
    "due_time_zone": "(due_at IS NULL) = (time_zone IS NULL)",
    "duration": "duration_minutes BETWEEN 1 AND 527040",
    "section": "section_id IS NULL OR project_id IS NOT NULL",
}
FUNCTIONS = {
    # By a trigger, since processes of the release before write todos, too.
    "note_completion": """
BEGIN
    IF NEW.state <> 'done' THEN
        NEW.completed_at := NULL;
    ELSIF TG_OP = 'INSERT' OR OLD.state <> 'done' THEN
        NEW.completed_at := now();
    END IF;
    RETURN NEW;
END
""",
    # The project is locked, so that it is not moved into the trash meanwhile.
    "check_todo_place": """
DECLARE
    levels integer;
    is_cycle boolean;
BEGIN
    IF NEW.deletion_id IS NOT NULL THEN  -- its project or parent is deleted for good
        IF NEW.project_id IS NULL OR NEW.parent_id IS NULL AND OLD.parent_id IS NOT NULL THEN
            NEW.project_id := NULL;  -- it will be restored into the inbox
            NEW.section_id := NULL;
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.parent_id IS NULL THEN
        IF NEW.project_id IS NULL THEN
            SELECT project_id INTO NEW.project_id FROM sections
            WHERE owner_id = NEW.owner_id AND id = NEW.section_id;
            IF NOT FOUND THEN
                RAISE foreign_key_violation USING
                    CONSTRAINT = 'fk_todos_owner_id_project_id_section_id_sections',
                    MESSAGE = 'the section does not exist';
            END IF;
        END IF;
        PERFORM FROM projects
        WHERE owner_id = NEW.owner_id AND id = NEW.project_id AND deletion_id IS NULL FOR SHARE;
        IF NOT FOUND THEN
            RAISE foreign_key_violation USING
                CONSTRAINT = 'fk_todos_owner_id_project_id_projects',
                MESSAGE = 'the project does not exist, or is in the trash';
        END IF;
        RETURN NEW;
    END IF;
    PERFORM lock_lists(NEW.owner_id);
    SELECT project_id, section_id INTO NEW.project_id, NEW.section_id FROM todos
    WHERE owner_id = NEW.owner_id AND id = NEW.parent_id AND deletion_id IS NULL;
    IF NOT FOUND THEN
        RAISE foreign_key_violation USING
            CONSTRAINT = 'fk_todos_owner_id_parent_id_todos',
            MESSAGE = 'the parent does not exist, or is in the trash';
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.parent_id = OLD.parent_id THEN  -- it moves with its parent
        RETURN NEW;
    END IF;
    -- LIMIT and OFFSET prevent a join of all todos of the owner, which the planner prefers while
    -- it believes that they are few.
    WITH RECURSIVE above AS (
        SELECT todos.parent_id, todos.id, 1 AS level FROM todos
        WHERE owner_id = NEW.owner_id AND id = NEW.parent_id
        UNION ALL
        SELECT next.parent_id, next.id, level + 1 FROM above CROSS JOIN LATERAL (
            SELECT todos.parent_id, todos.id FROM todos
            WHERE owner_id = NEW.owner_id AND id = above.parent_id LIMIT 1
        ) AS next
    ), below AS (
        SELECT NEW.id AS id, 1 AS level
        UNION ALL
        SELECT next.id, level + 1 FROM below CROSS JOIN LATERAL (
            SELECT todos.id FROM todos
            WHERE owner_id = NEW.owner_id AND todos.parent_id = below.id OFFSET 0
        ) AS next
        WHERE level <= 6 AND TG_OP = 'UPDATE'
    )
    SELECT (SELECT max(level) FROM above) + (SELECT max(level) FROM below),
        EXISTS (SELECT FROM above WHERE id = NEW.id)
    INTO levels, is_cycle;
    IF is_cycle THEN
        RAISE check_violation USING
            CONSTRAINT = 'todo_cycle', MESSAGE = 'a todo would be below itself';
    ELSIF levels > 6 THEN
        RAISE check_violation USING
            CONSTRAINT = 'todo_depth', MESSAGE = 'more than six levels of todos';
    END IF;
    RETURN NEW;
END
""",
    # Its parent was deleted for good, and a todo of its new list may have its position.
    "forget_position": """
BEGIN
    NEW.position := NULL;
    RETURN NEW;
END
""",
    # Level by level, and not by this trigger on each subtask, so that it is one statement for each.
    "move_subtasks": """
DECLARE
    level bigint[] := ARRAY[NEW.id];
BEGIN
    WHILE level IS NOT NULL LOOP
        WITH moved AS (
            UPDATE todos
            SET project_id = NEW.project_id, section_id = NEW.section_id, updated_at = now()
            WHERE owner_id = NEW.owner_id AND parent_id = ANY (level)
            RETURNING id
        )
        SELECT array_agg(id) INTO level FROM moved;
    END LOOP;
    RETURN NULL;
END
""",
    # In the order of ids, as all statements lock todos.
    "delete_todos_of_project": """
BEGIN
    PERFORM FROM todos WHERE owner_id = NEW.owner_id AND project_id = NEW.id
    ORDER BY id FOR NO KEY UPDATE;
    IF NEW.deletion_id IS NOT NULL THEN
        UPDATE todos SET deletion_id = NEW.deletion_id, updated_at = now()
        WHERE owner_id = NEW.owner_id AND project_id = NEW.id AND deletion_id IS NULL;
    ELSE
        UPDATE todos SET deletion_id = NULL, updated_at = now()
        WHERE owner_id = NEW.owner_id AND project_id = NEW.id AND deletion_id = OLD.deletion_id;
    END IF;
    RETURN NULL;
END
""",
    # Behind the todos of the project that are in no section, in the order that they have.
    "keep_todos_of_section": """
DECLARE
    last text;
    head text;
    tail bigint;
BEGIN
    PERFORM FROM projects WHERE owner_id = OLD.owner_id AND id = OLD.project_id;
    IF NOT FOUND THEN  -- the project is deleted for good, and its todos with it
        RETURN OLD;
    END IF;
    PERFORM lock_lists(OLD.owner_id);
    SELECT coalesce(
        max(coalesce(position, lpad(to_hex(id), 16, '0')) COLLATE "C"), repeat('0', 16)
    ) INTO last FROM todos
    WHERE owner_id = OLD.owner_id AND project_id = OLD.project_id AND section_id IS NULL
        AND parent_id IS NULL AND deletion_id IS NULL;
    head := left(last, 16);
    tail := ('x' || rpad(substr(last, 17, 8), 8, '0'))::bit(32)::bigint;
    IF tail > 4000000000 THEN  -- there may be fewer positions than todos before the next id
        head := last;
        tail := 0;
    END IF;
    UPDATE todos SET section_id = NULL, updated_at = now(),
        position = head || lpad(to_hex(tail + place), 8, '0') || '8'
    FROM (
        SELECT id AS moved, row_number() OVER (
            ORDER BY coalesce(position, lpad(to_hex(id), 16, '0')) COLLATE "C"
        ) AS place
        FROM todos
        WHERE owner_id = OLD.owner_id AND project_id = OLD.project_id AND section_id = OLD.id
            AND parent_id IS NULL AND deletion_id IS NULL
    ) AS places
    WHERE owner_id = OLD.owner_id AND id = moved;
    RETURN OLD;
END
""",
}
TRIGGERS = [
    ("todos", "note_completion", "note_new_completion", "BEFORE INSERT", "NEW.state = 'done'"),
    (
        "todos",
        "note_completion",
        "note_completion",
        "BEFORE UPDATE OF state",
        "NEW.state <> OLD.state",
    ),
    (
        "todos",
        "check_todo_place",
        "check_new_place",
        "BEFORE INSERT",
        "num_nonnulls(NEW.parent_id, NEW.project_id, NEW.section_id) > 0",
    ),
    (
        "todos",
        "check_todo_place",
        "check_place",
        "BEFORE UPDATE OF project_id, section_id, parent_id",
        (
            "num_nonnulls(NEW.parent_id, NEW.project_id, NEW.section_id) > 0"
            " AND (NEW.project_id, NEW.section_id, NEW.parent_id)"
            " IS DISTINCT FROM (OLD.project_id, OLD.section_id, OLD.parent_id)"
        ),
    ),
    (
        "todos",
        "forget_position",
        "forget_position",
        "BEFORE UPDATE OF parent_id",
        (
            "NEW.parent_id IS NULL AND OLD.parent_id IS NOT NULL AND NEW.position = OLD.position"
            " AND NEW.updated_at = OLD.updated_at"
        ),
    ),
    (
        "todos",
        "move_subtasks",
        "move_subtasks",
        "AFTER UPDATE OF project_id, section_id, parent_id",
        (
            "(NEW.project_id, NEW.section_id) IS DISTINCT FROM (OLD.project_id, OLD.section_id)"
            " AND (NEW.parent_id IS NULL OR NEW.parent_id IS DISTINCT FROM OLD.parent_id)"
        ),
    ),
    (
        "projects",
        "delete_todos_of_project",
        "delete_todos",
        "AFTER UPDATE OF deletion_id",
        "NEW.deletion_id IS DISTINCT FROM OLD.deletion_id",
    ),
    ("sections", "keep_todos_of_section", "keep_todos", "BEFORE DELETE", "true"),
]


def upgrade() -> None:
    PRIORITY.create(op.get_bind())
    for column in COLUMNS:
        op.add_column("todos", column)
    for name, condition in CHECKS.items():
        op.create_check_constraint(
            op.f(f"ck_todos_{name}"), "todos", condition, postgresql_not_valid=True
        )
    for name, body in FUNCTIONS.items():
        op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
    for table, function, name, moment, condition in TRIGGERS:
        op.execute(
            f"CREATE TRIGGER {name} {moment} ON {table}"
            f" FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION {function}()"
        )


def downgrade() -> None:
    op.execute("DROP TRIGGER keep_todos ON sections")
    op.execute("DROP TRIGGER delete_todos ON projects")
    for table, _, name, *_ in TRIGGERS:
        if table == "todos":
            op.execute(f"DROP TRIGGER {name} ON todos")
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}")
    for column in reversed(COLUMNS):
        op.drop_column("todos", column.name)
    PRIORITY.drop(op.get_bind())
