"""Calendar feeds: the secret addresses of those who want their dues in a calendar app."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

kind = "expand"

AUDIT = """
CREATE FUNCTION audit_calendar_feeds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM note_audit_event(OLD.owner_id, 'calendar feed deleted', '{}');
    ELSE
        PERFORM note_audit_event(NEW.owner_id, 'calendar feed made', '{}');
    END IF;
    RETURN NULL;
END
$$
"""
TRIGGER = """
CREATE TRIGGER audit_changed AFTER INSERT OR UPDATE OF digest OR DELETE ON calendar_feeds
FOR EACH ROW EXECUTE FUNCTION audit_calendar_feeds()
"""


def upgrade() -> None:
    op.create_table(
        "calendar_feeds",
        sa.Column("owner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("last_read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["owner_id"],
            ["users.id"],
            name=op.f("fk_calendar_feeds_owner_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_calendar_feeds")),
        sa.UniqueConstraint("digest", name=op.f("uq_calendar_feeds_digest")),
    )
    op.execute(AUDIT)
    op.execute(TRIGGER)


def downgrade() -> None:
    op.drop_table("calendar_feeds")
    op.execute("DROP FUNCTION audit_calendar_feeds")
