"""Versions and idempotency keys."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

kind = "expand"

VERSIONED = ("users", "todos")


def upgrade() -> None:
    op.execute(
        """
        CREATE FUNCTION count_version() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.version := OLD.version + 1;
            RETURN NEW;
        END
        $$
        """
    )
    for table in VERSIONED:
        op.add_column(
            table,
            sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        )
        op.execute(
            f"CREATE TRIGGER count_version BEFORE UPDATE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION count_version()"
        )
    op.create_table(
        "idempotency_keys",
        sa.Column("actor_id", sa.BigInteger(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"],
            ["users.id"],
            name=op.f("fk_idempotency_keys_owner_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("actor_id", "route", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(op.f("ix_idempotency_keys_owner_id"), "idempotency_keys", ["owner_id"])
    op.create_index(op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"])


def downgrade() -> None:
    op.drop_table("idempotency_keys")
    for table in VERSIONED:
        op.execute(f"DROP TRIGGER count_version ON {table}")
        op.drop_column(table, "version")
    op.execute("DROP FUNCTION count_version")
