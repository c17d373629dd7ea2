"""Saved filters."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

kind = "expand"

COLORS = (
    "color IN ('red', 'orange', 'amber', 'olive', 'green', 'teal', 'cyan', 'blue', 'violet',"
    " 'pink', 'brown', 'grey')"
)
FOLDED = "normalize(lower(upper(normalize(name, NFKC))), NFKC)"
POSITION = "coalesce(position, lpad(to_hex(id), 16, '0'))"
# One after the other for each owner, so that two at once are not counted without each other.
LIMIT = """
CREATE FUNCTION limit_saved_filters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM lock_lists(NEW.owner_id);
    IF (SELECT count(*) FROM saved_filters WHERE owner_id = NEW.owner_id) >= 100 THEN
        RAISE check_violation USING
            CONSTRAINT = 'too_many_filters', MESSAGE = 'more than 100 saved filters';
    END IF;
    RETURN NEW;
END
$$
"""
TRIGGERS = {
    "count_version": "BEFORE UPDATE",
    "limit_saved_filters": "BEFORE INSERT",
}


def upgrade() -> None:
    create_table()
    op.execute(LIMIT)
    for name, event in TRIGGERS.items():
        op.execute(
            f"CREATE TRIGGER {name} {event} ON saved_filters FOR EACH ROW EXECUTE FUNCTION {name}()"
        )
    op.execute("SELECT log_changes_of('saved_filters')")


def create_table() -> None:
    op.create_table(
        "saved_filters",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("filter", sa.Text(), nullable=False),
        sa.Column("color", sa.Text(), server_default="grey", nullable=False),
        sa.Column("sort", sa.Text(), nullable=True),
        sa.Column("position", sa.Text(collation="C"), nullable=True),
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
        sa.CheckConstraint(COLORS, name=op.f("ck_saved_filters_color")),
        sa.CheckConstraint(
            "char_length(name) BETWEEN 1 AND 100", name=op.f("ck_saved_filters_name_length")
        ),
        sa.CheckConstraint(
            "char_length(filter) BETWEEN 1 AND 1000", name=op.f("ck_saved_filters_filter_length")
        ),
        sa.CheckConstraint("char_length(sort) <= 100", name=op.f("ck_saved_filters_sort_length")),
        sa.ForeignKeyConstraint(
            ["owner_id"],
            ["users.id"],
            name=op.f("fk_saved_filters_owner_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_filters")),
        sa.UniqueConstraint("owner_id", "id", name=op.f("uq_saved_filters_owner_id_id")),
        sa.UniqueConstraint(
            "owner_id", "name_key", name=op.f("uq_saved_filters_owner_id_name_key")
        ),
    )
    op.create_index(
        "uq_saved_filters_position",
        "saved_filters",
        ["owner_id", sa.text(f"({POSITION})")],
        unique=True,
    )


def downgrade() -> None:
    op.drop_table("saved_filters")
    op.execute("DROP FUNCTION limit_saved_filters")
    # The release before does not know them.
    op.execute("DELETE FROM changes WHERE entity = 'saved_filters'")
