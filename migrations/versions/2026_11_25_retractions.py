"""When somebody last took back a public post, for those who subscribe."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

kind = "expand"

# Where the account itself is being deleted there is nobody to note it for.
NOTE = """
CREATE FUNCTION note_retraction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO retractions (author_id, at)
    SELECT id, now() FROM users WHERE id = OLD.author_id
    ON CONFLICT (author_id) DO UPDATE SET at = excluded.at;
    RETURN NULL;
END
$$
"""
TRIGGER = """
CREATE TRIGGER note_retraction AFTER UPDATE ON posts FOR EACH ROW
WHEN (NEW.author_id IS NULL AND OLD.author_id IS NOT NULL AND OLD.visibility = 'public')
EXECUTE FUNCTION note_retraction()
"""


def upgrade() -> None:
    op.create_table(
        "retractions",
        sa.Column("author_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["users.id"],
            name=op.f("fk_retractions_author_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("author_id", name=op.f("pk_retractions")),
    )
    op.execute(NOTE)
    op.execute(TRIGGER)


def downgrade() -> None:
    op.execute("DROP TRIGGER note_retraction ON posts")
    op.execute("DROP FUNCTION note_retraction")
    op.drop_table("retractions")
