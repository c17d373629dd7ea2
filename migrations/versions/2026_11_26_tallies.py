"""Numbers of followers and posts, which would take too long to count."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

kind = "expand"

# Nobody waits for anybody: a change is a row of its own, and the numbers add them up later.
FUNCTIONS = {
    "tally_follow": """
BEGIN
    INSERT INTO tally_changes (user_id, kind, change)
    VALUES (
        coalesce(NEW.followed_id, OLD.followed_id), 'follows',
        CASE WHEN TG_OP = 'INSERT' THEN 1 ELSE -1 END
    );
    RETURN NULL;
END
""",
    "tally_post": """
BEGIN
    INSERT INTO tally_changes (user_id, kind, change)
    VALUES (
        CASE WHEN TG_OP = 'INSERT' THEN NEW.author_id ELSE OLD.author_id END,
        NEW.visibility,
        CASE WHEN TG_OP = 'INSERT' THEN 1 ELSE -1 END
    );
    RETURN NULL;
END
""",
}
TRIGGERS = [
    ("follows", "tally_follow", "made", "AFTER INSERT OR DELETE", ""),
    ("posts", "tally_post", "made", "AFTER INSERT", "WHEN (NEW.reply_to IS NULL)"),
    (
        "posts",
        "tally_post",
        "gone",
        "AFTER UPDATE",
        "WHEN (NEW.reply_to IS NULL AND NEW.author_id IS NULL AND OLD.author_id IS NOT NULL)",
    ),
]
COUNT = """
INSERT INTO tallies (user_id, kind, number)
SELECT followed_id, 'follows', count(*) FROM follows GROUP BY followed_id
UNION ALL
SELECT author_id, visibility, count(*) FROM posts
WHERE reply_to IS NULL AND author_id IS NOT NULL GROUP BY author_id, visibility
"""


def upgrade() -> None:
    op.create_table(
        "tallies",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_tallies_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "kind", name=op.f("pk_tallies")),
    )
    op.create_table(
        "tally_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tally_changes")),
    )
    op.create_index(op.f("ix_tally_changes_user_id_kind"), "tally_changes", ["user_id", "kind"])
    op.create_index(
        "ix_posts_replies",
        "posts",
        ["author_id"],
        postgresql_where=sa.text("reply_to IS NOT NULL"),
    )
    for name, body in FUNCTIONS.items():
        op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
    for table, function, name, moment, condition in TRIGGERS:
        op.execute(
            f"CREATE TRIGGER {function}_{name} {moment} ON {table}"
            f" FOR EACH ROW {condition} EXECUTE FUNCTION {function}()"
        )
    # The triggers hold back whoever would write meanwhile.
    op.execute(COUNT)


def downgrade() -> None:
    for table, function, name, *_ in TRIGGERS:
        op.execute(f"DROP TRIGGER {function}_{name} ON {table}")
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}")
    op.drop_index("ix_posts_replies", table_name="posts")
    op.drop_table("tally_changes")
    op.drop_table("tallies")
