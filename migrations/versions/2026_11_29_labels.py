"""Labels, and which todos carry which labels."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

kind = "expand"

COLORS = (
    "color IN ('red', 'orange', 'amber', 'olive', 'green', 'teal', 'cyan', 'blue', 'violet',"
    " 'pink', 'brown', 'grey')"
)
FOLDED = "normalize(lower(upper(normalize(name, NFKC))), NFKC)"
# A todo that the same transaction has written has its new version already. Todos are locked in the
# order of ids, as by all statements about several todos, so that two of them cannot deadlock.
TOUCH = """
CREATE FUNCTION touch_labelled_todos() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM todos JOIN changed
        ON todos.owner_id = changed.owner_id AND todos.id = changed.todo_id
    WHERE todos.updated_at <> now() ORDER BY todos.id FOR NO KEY UPDATE OF todos;
    UPDATE todos SET updated_at = now() FROM changed
    WHERE todos.owner_id = changed.owner_id AND todos.id = changed.todo_id
        AND todos.updated_at <> now();
    RETURN NULL;
END
$$
"""
TRIGGERS = {
    "INSERT": "REFERENCING NEW TABLE AS changed",
    "DELETE": "REFERENCING OLD TABLE AS changed",
}


def upgrade() -> None:
    op.create_table(
        "labels",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("color", sa.Text(), server_default="grey", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("name_key", sa.Text(), sa.Computed(FOLDED, persisted=True), nullable=False),
        sa.CheckConstraint(COLORS, name=op.f("ck_labels_color")),
        sa.CheckConstraint(
            "char_length(name) BETWEEN 1 AND 50", name=op.f("ck_labels_name_length")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name=op.f("fk_labels_owner_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_labels")),
        sa.UniqueConstraint("owner_id", "id", name=op.f("uq_labels_owner_id_id")),
        sa.UniqueConstraint("owner_id", "name_key", name=op.f("uq_labels_owner_id_name_key")),
    )
    op.create_table(
        "todo_labels",
        sa.Column("owner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("todo_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("label_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id", "label_id"],
            ["labels.owner_id", "labels.id"],
            name=op.f("fk_todo_labels_owner_id_label_id_labels"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["owner_id", "todo_id"],
            ["todos.owner_id", "todos.id"],
            name=op.f("fk_todo_labels_owner_id_todo_id_todos"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("owner_id", "todo_id", "label_id", name=op.f("pk_todo_labels")),
    )
    op.create_index(
        op.f("ix_todo_labels_owner_id_label_id_todo_id"),
        "todo_labels",
        ["owner_id", "label_id", "todo_id"],
    )
    # An insert that finds the label of a concurrent one updates it, in order to return it.
    op.execute(
        "CREATE TRIGGER count_version BEFORE UPDATE ON labels FOR EACH ROW"
        " WHEN ((NEW.name, NEW.color, NEW.updated_at)"
        " IS DISTINCT FROM (OLD.name, OLD.color, OLD.updated_at))"
        " EXECUTE FUNCTION count_version()"
    )
    op.execute(TOUCH)
    for event, rows in TRIGGERS.items():
        op.execute(
            f"CREATE TRIGGER touch_todos_{event.lower()} AFTER {event} ON todo_labels {rows}"
            " FOR EACH STATEMENT EXECUTE FUNCTION touch_labelled_todos()"
        )


def downgrade() -> None:
    op.drop_table("todo_labels")
    op.drop_table("labels")
    op.execute("DROP FUNCTION touch_labelled_todos")
