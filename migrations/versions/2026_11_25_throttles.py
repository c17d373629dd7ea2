"""Throttles."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

kind = "expand"


def upgrade() -> None:
    op.create_table(
        "throttles",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("free_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_throttles")),
        prefixes=["UNLOGGED"],
    )
    op.create_index(op.f("ix_throttles_expires_at"), "throttles", ["expires_at"], unique=False)


def downgrade() -> None:
    op.drop_table("throttles")
