"""Finished todos become posts where they are shared, and are counted."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

kind = "expand"

CONSTRAINTS = {
    "users": "share_todos IN ('off', 'followers', 'public')",
    "todos": "share IN ('off', 'followers', 'public')",
}
FUNCTIONS = {
    # In the transaction of the change itself, so that no process can be killed in between.
    "share_todo": """
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
    IF level <> 'off' THEN
        INSERT INTO posts (author_id, text, visibility, circle, above, todo_id)
        VALUES (
            NEW.owner_id, NEW.title, level,
            CASE WHEN level = 'followers' THEN NEW.owner_id END, '{}', NEW.id
        )
        ON CONFLICT (todo_id) WHERE author_id IS NOT NULL DO NOTHING;
    END IF;
    RETURN NULL;
END
""",
    # Done and then thrown away is still done; opened again it is not.
    "count_completion": """
BEGIN
    IF TG_OP = 'DELETE' THEN
        UPDATE completions SET todo_id = NULL WHERE todo_id = OLD.id;
    ELSIF NEW.state = 'done' THEN
        INSERT INTO completions (owner_id, todo_id) VALUES (NEW.owner_id, NEW.id)
        ON CONFLICT (todo_id) DO NOTHING;
    ELSIF NEW.state <> 'trash' THEN
        DELETE FROM completions WHERE todo_id = NEW.id;
    END IF;
    RETURN NULL;
END
""",
    "share_no_more": """
BEGIN
    UPDATE posts SET author_id = NULL
    FROM todos
    WHERE posts.todo_id = todos.id AND posts.author_id = NEW.id AND todos.share IS NULL;
    RETURN NULL;
END
""",
}
CHANGED = "(NEW.state, NEW.share) IS DISTINCT FROM (OLD.state, OLD.share)"
TRIGGERS = [
    ("todos", "share_todo", "insert", "AFTER INSERT", "NEW.state = 'done'"),
    (
        "todos",
        "share_todo",
        "update",
        "AFTER UPDATE",
        f"'done' IN (NEW.state, OLD.state) AND {CHANGED}",
    ),
    ("todos", "share_todo", "delete", "AFTER DELETE", "OLD.state = 'done'"),
    ("todos", "count_completion", "insert", "AFTER INSERT", "NEW.state = 'done'"),
    ("todos", "count_completion", "update", "AFTER UPDATE", "NEW.state <> OLD.state"),
    ("todos", "count_completion", "delete", "AFTER DELETE", "OLD.state IN ('done', 'trash')"),
    (
        "users",
        "share_no_more",
        "update",
        "AFTER UPDATE",
        "NEW.share_todos = 'off' AND OLD.share_todos <> 'off'",
    ),
]


def upgrade() -> None:
    op.add_column(
        "users", sa.Column("share_todos", sa.Text(), server_default="off", nullable=False)
    )
    op.add_column("todos", sa.Column("share", sa.Text(), nullable=True))
    for table, condition in CONSTRAINTS.items():
        op.create_check_constraint(op.f(f"ck_{table}_share"), table, condition)
    op.add_column("posts", sa.Column("todo_id", sa.BigInteger(), nullable=True))
    op.create_index(
        op.f("ix_posts_todo_id"),
        "posts",
        ["todo_id"],
        unique=True,
        postgresql_where=sa.text("author_id IS NOT NULL"),
    )
    op.create_table(
        "completions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("todo_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "finished_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"],
            ["users.id"],
            name=op.f("fk_completions_owner_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_completions")),
        sa.UniqueConstraint("todo_id", name=op.f("uq_completions_todo_id")),
    )
    op.create_index(
        op.f("ix_completions_owner_id_finished_at"), "completions", ["owner_id", "finished_at"]
    )
    for name, body in FUNCTIONS.items():
        op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
    for table, function, name, moment, condition in TRIGGERS:
        op.execute(
            f"CREATE TRIGGER {function}_{name} {moment} ON {table}"
            f" FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION {function}()"
        )


def downgrade() -> None:
    for table, function, name, *_ in TRIGGERS:
        op.execute(f"DROP TRIGGER {function}_{name} ON {table}")
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}")
    op.drop_table("completions")
    op.drop_column("posts", "todo_id")
    op.drop_column("todos", "share")
    op.drop_column("users", "share_todos")
