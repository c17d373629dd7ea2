"""Versions of personal tokens, and none for a hash that is upgraded."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

kind = "expand"

TRIGGER = """
CREATE OR REPLACE TRIGGER count_version BEFORE UPDATE ON {table}
FOR EACH ROW {when} EXECUTE FUNCTION count_version()
"""
# Nobody sees that a hash is another one of the same password.
SEEN = """
WHEN (NEW.password_hash = OLD.password_hash OR NEW.updated_at IS DISTINCT FROM OLD.updated_at)
"""


def upgrade() -> None:
    op.add_column(
        "personal_tokens",
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
    )
    op.execute(TRIGGER.format(table="personal_tokens", when=""))
    op.execute(TRIGGER.format(table="users", when=SEEN))


def downgrade() -> None:
    op.execute(TRIGGER.format(table="users", when=""))
    op.execute("DROP TRIGGER count_version ON personal_tokens")
    op.drop_column("personal_tokens", "version")
