"""When the public part of a profile was changed."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

kind = "expand"

FUNCTION = """
CREATE FUNCTION note_profile_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.profile_updated_at := now();
    RETURN NEW;
END
$$
"""
TRIGGER = """
CREATE TRIGGER note_profile_update BEFORE UPDATE ON users FOR EACH ROW
WHEN ((NEW.username, NEW.display_name, NEW.bio)
    IS DISTINCT FROM (OLD.username, OLD.display_name, OLD.bio))
EXECUTE FUNCTION note_profile_update()
"""


def upgrade() -> None:
    op.add_column(
        "users",
        sa.Column(
            "profile_updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
    )
    op.execute(FUNCTION)
    op.execute(TRIGGER)


def downgrade() -> None:
    op.execute("DROP TRIGGER note_profile_update ON users")
    op.execute("DROP FUNCTION note_profile_update")
    op.drop_column("users", "profile_updated_at")
