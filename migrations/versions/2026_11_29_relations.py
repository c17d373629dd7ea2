"""Relations between todos: which blocks which, and which belong together."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

kind = "expand"

CHECK = """
CREATE FUNCTION check_relation_cycle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM lock_lists(NEW.owner_id);
    IF EXISTS (
        WITH RECURSIVE waiting AS (
            SELECT NEW.other_id AS id
            UNION
            SELECT next.other_id FROM waiting
            JOIN todo_relations AS next ON next.owner_id = NEW.owner_id
                AND next.todo_id = waiting.id AND next.kind = 'blocks'
        )
        SELECT FROM waiting WHERE id = NEW.todo_id
    ) THEN
        RAISE check_violation USING
            CONSTRAINT = 'relation_cycle', MESSAGE = 'these todos would wait for one another';
    END IF;
    RETURN NEW;
END
$$
"""


def upgrade() -> None:
    op.create_table(
        "todo_relations",
        sa.Column("owner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("todo_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("other_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "kind = 'blocks' OR todo_id < other_id", name=op.f("ck_todo_relations_once")
        ),
        sa.CheckConstraint("kind IN ('blocks', 'relates_to')", name=op.f("ck_todo_relations_kind")),
        sa.CheckConstraint("todo_id <> other_id", name=op.f("ck_todo_relations_itself")),
        sa.ForeignKeyConstraint(
            ["owner_id", "other_id"],
            ["todos.owner_id", "todos.id"],
            name=op.f("fk_todo_relations_owner_id_other_id_todos"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["owner_id", "todo_id"],
            ["todos.owner_id", "todos.id"],
            name=op.f("fk_todo_relations_owner_id_todo_id_todos"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "owner_id", "todo_id", "other_id", "kind", name=op.f("pk_todo_relations")
        ),
    )
    op.create_index(
        op.f("ix_todo_relations_owner_id_other_id_kind"),
        "todo_relations",
        ["owner_id", "other_id", "kind"],
    )
    op.execute(CHECK)
    op.execute(
        "CREATE TRIGGER check_cycle BEFORE INSERT ON todo_relations"
        " FOR EACH ROW WHEN (NEW.kind = 'blocks') EXECUTE FUNCTION check_relation_cycle()"
    )


def downgrade() -> None:
    op.drop_table("todo_relations")
    op.execute("DROP FUNCTION check_relation_cycle")
