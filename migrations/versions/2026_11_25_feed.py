"""The feed: who follows and blocks whom, posts, their earlier texts, and likes."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

kind = "expand"

# A follow and a block of the same two people meet at one lock, so neither misses the other.
# What is looked for after the lock was taken is seen as it is then.
FUNCTIONS = {
    "lock_pair(one bigint, other bigint) RETURNS void": """
BEGIN
    PERFORM pg_advisory_xact_lock(
        hashtextextended('follow or block ' || least(one, other) || ' ' || greatest(one, other), 0)
    );
END
""",
    "respect_block() RETURNS trigger": """
BEGIN
    PERFORM lock_pair(NEW.follower_id, NEW.followed_id);
    IF EXISTS (
        SELECT FROM blocks
        WHERE (blocker_id, blocked_id) = (NEW.follower_id, NEW.followed_id)
            OR (blocker_id, blocked_id) = (NEW.followed_id, NEW.follower_id)
    ) THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END
""",
    "end_follows() RETURNS trigger": """
BEGIN
    PERFORM lock_pair(NEW.blocker_id, NEW.blocked_id);
    DELETE FROM follows
    WHERE (follower_id, followed_id) = (NEW.blocker_id, NEW.blocked_id)
        OR (follower_id, followed_id) = (NEW.blocked_id, NEW.blocker_id);
    RETURN NULL;
END
""",
    "keep_earlier_text() RETURNS trigger": """
BEGIN
    IF NEW.author_id IS NULL THEN
        NEW.text := '';
    ELSE
        INSERT INTO earlier_texts (post_id, text, written_at)
        VALUES (OLD.id, OLD.text, coalesce(OLD.edited_at, OLD.created_at));
        NEW.edited_at := now();
    END IF;
    RETURN NEW;
END
""",
    # A post that a reply has just been written to cannot go, and stays as an empty place.
    "forget_empty_place(place bigint) RETURNS void": """
BEGIN
    DELETE FROM posts
    WHERE id = place AND author_id IS NULL
        AND NOT EXISTS (SELECT FROM posts AS reply WHERE reply.reply_to = place);
EXCEPTION WHEN foreign_key_violation THEN
    NULL;
END
""",
    "empty_post() RETURNS trigger": """
BEGIN
    DELETE FROM likes WHERE post_id = NEW.id;
    DELETE FROM earlier_texts WHERE post_id = NEW.id;
    PERFORM forget_empty_place(NEW.id);
    RETURN NULL;
END
""",
    "forget_parent() RETURNS trigger": """
BEGIN
    PERFORM forget_empty_place(OLD.reply_to);
    RETURN NULL;
END
""",
}
TRIGGERS = [
    ("follows", "respect_block", "BEFORE INSERT", ""),
    ("blocks", "end_follows", "AFTER INSERT", ""),
    ("posts", "count_version", "BEFORE UPDATE", ""),
    (
        "posts",
        "keep_earlier_text",
        "BEFORE UPDATE",
        "WHEN (NEW.text <> OLD.text OR NEW.author_id IS NULL)",
    ),
    (
        "posts",
        "empty_post",
        "AFTER UPDATE",
        "WHEN (NEW.author_id IS NULL AND OLD.author_id IS NOT NULL)",
    ),
    ("posts", "forget_parent", "AFTER DELETE", "WHEN (OLD.reply_to IS NOT NULL)"),
]


def identity() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False)


def moment(name: str) -> sa.Column[datetime]:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )


def refers(table: str, column: str, other: str, ondelete: str | None) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete=ondelete)


def create_pairs(table: str, one: str, other: str) -> None:
    """Create a table of what one person does to another."""
    op.create_table(
        table,
        identity(),
        sa.Column(one, sa.BigInteger(), nullable=False),
        sa.Column(other, sa.BigInteger(), nullable=False),
        moment("created_at"),
        sa.CheckConstraint(f"{one} <> {other}", name=op.f(f"ck_{table}_not_oneself")),
        refers(table, one, "users", "CASCADE"),
        refers(table, other, "users", "CASCADE"),
        sa.PrimaryKeyConstraint(one, other, name=op.f(f"pk_{table}")),
    )
    for column in (one, other):
        op.create_index(op.f(f"ix_{table}_{column}_id"), table, [column, "id"])


def upgrade() -> None:
    create_pairs("follows", "follower_id", "followed_id")
    create_pairs("blocks", "blocker_id", "blocked_id")
    op.create_table(
        "posts",
        identity(),
        sa.Column("author_id", sa.BigInteger(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("visibility", sa.Text(), nullable=False),
        sa.Column("reply_to", sa.BigInteger(), nullable=True),
        sa.Column("circle", sa.BigInteger(), nullable=True),
        sa.Column("above", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        moment("created_at"),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint(
            "visibility IN ('public', 'followers', 'private')", name=op.f("ck_posts_visibility")
        ),
        sa.CheckConstraint(
            "author_id IS NULL OR char_length(text) BETWEEN 1 AND 500",
            name=op.f("ck_posts_text_length"),
        ),
        sa.CheckConstraint(
            "visibility = 'private' OR (visibility = 'followers') = (circle IS NOT NULL)",
            name=op.f("ck_posts_circle"),
        ),
        refers("posts", "author_id", "users", "SET NULL"),
        refers("posts", "reply_to", "posts", None),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posts")),
    )
    op.create_index(op.f("ix_posts_author_id_id"), "posts", ["author_id", "id"])
    op.create_index(op.f("ix_posts_reply_to_id"), "posts", ["reply_to", "id"])
    op.create_index(
        op.f("ix_posts_home"),
        "posts",
        ["id"],
        postgresql_where=sa.text(
            "visibility = 'public' AND reply_to IS NULL AND author_id IS NOT NULL"
        ),
    )
    op.create_table(
        "earlier_texts",
        identity(),
        sa.Column("post_id", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        refers("earlier_texts", "post_id", "posts", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_earlier_texts")),
    )
    op.create_index(op.f("ix_earlier_texts_post_id_id"), "earlier_texts", ["post_id", "id"])
    op.create_table(
        "likes",
        identity(),
        sa.Column("post_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        moment("created_at"),
        refers("likes", "post_id", "posts", "CASCADE"),
        refers("likes", "user_id", "users", "CASCADE"),
        sa.PrimaryKeyConstraint("post_id", "user_id", name=op.f("pk_likes")),
    )
    for column in ("post_id", "user_id"):
        op.create_index(op.f(f"ix_likes_{column}_id"), "likes", [column, "id"])
    for declaration, body in FUNCTIONS.items():
        op.execute(f"CREATE FUNCTION {declaration} LANGUAGE plpgsql AS $${body}$$")
    for table, function, moment_, condition in TRIGGERS:
        op.execute(
            f"CREATE TRIGGER {function} {moment_} ON {table}"
            f" FOR EACH ROW {condition} EXECUTE FUNCTION {function}()"
        )


def downgrade() -> None:
    for table in ("likes", "earlier_texts", "posts", "blocks", "follows"):
        op.drop_table(table)
    for declaration in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {declaration.split('(')[0]}")
