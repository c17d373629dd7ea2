"""Languages, verified addresses, and the links in letters."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

kind = "expand"


def upgrade() -> None:
    op.add_column(
        "users", sa.Column("language", sa.Text(), server_default=sa.text("'en'"), nullable=False)
    )
    op.add_column(
        "users", sa.Column("email_verified_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("users", sa.Column("pending_email", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("ck_users_language"), "users", "language IN ('en', 'pt-BR')")
    op.create_check_constraint(
        op.f("ck_users_pending_length"), "users", "char_length(pending_email) BETWEEN 3 AND 254"
    )
    op.create_table(
        "mailed_links",
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "purpose IN ('verification', 'address', 'password')",
            name=op.f("ck_mailed_links_purpose"),
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"],
            ["users.id"],
            name=op.f("fk_mailed_links_owner_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("owner_id", "purpose", name=op.f("pk_mailed_links")),
        sa.UniqueConstraint("digest", name=op.f("uq_mailed_links_digest")),
    )
    op.create_index(
        op.f("ix_mailed_links_expires_at"), "mailed_links", ["expires_at"], unique=False
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_mailed_links_expires_at"), table_name="mailed_links")
    op.drop_table("mailed_links")
    op.drop_constraint(op.f("ck_users_pending_length"), "users", type_="check")
    op.drop_constraint(op.f("ck_users_language"), "users", type_="check")
    op.drop_column("users", "pending_email")
    op.drop_column("users", "email_verified_at")
    op.drop_column("users", "language")
