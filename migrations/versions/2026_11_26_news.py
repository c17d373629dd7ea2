"""Notifications, weekly reports, and which letters somebody wants."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

kind = "expand"

LETTERS = "letters <@ ARRAY['weekly_report', 'follow', 'reply', 'like']"
FUNCTIONS = {
    # Who causes one that is unread already writes nothing, and waits for nobody but who is
    # marking it as read just then; so none is lost, and a busy post holds nobody up. Where the
    # receiver's account is being deleted there is nobody to tell, and to wait would be a deadlock:
    # what deletes it waits for the post that was liked or replied to.
    "notify(receiver bigint, what text, about bigint, cause bigint) RETURNS void": """
BEGIN
    PERFORM FROM users WHERE id = receiver FOR KEY SHARE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM FROM notifications
    WHERE user_id = receiver AND kind = what AND coalesce(post_id, 0) = coalesce(about, 0)
        AND read_at IS NULL AND since <= cause
    FOR SHARE;
    IF FOUND THEN
        RETURN;
    END IF;
    INSERT INTO notifications AS known (user_id, kind, post_id, since)
    VALUES (receiver, what, about, cause)
    ON CONFLICT (user_id, kind, coalesce(post_id, 0)) DO UPDATE SET
        id = DEFAULT,
        since = CASE
            WHEN known.read_at IS NULL THEN least(known.since, excluded.since)
            ELSE excluded.since
        END,
        at = CASE WHEN known.read_at IS NULL THEN known.at ELSE excluded.at END,
        read_at = NULL;
END
""",
    "notify_of_follow() RETURNS trigger": """
BEGIN
    PERFORM notify(NEW.followed_id, 'follow', NULL, NEW.id);
    RETURN NULL;
END
""",
    "notify_of_reply() RETURNS trigger": """
BEGIN
    PERFORM notify(author_id, 'reply', id, NEW.id) FROM posts
    WHERE id = NEW.reply_to AND author_id <> NEW.author_id;
    RETURN NULL;
END
""",
    "notify_of_like() RETURNS trigger": """
BEGIN
    PERFORM notify(author_id, 'like', id, NEW.id) FROM posts
    WHERE id = NEW.post_id AND author_id <> NEW.user_id;
    RETURN NULL;
END
""",
}
TRIGGERS = {
    "notify_of_follow": ("follows", ""),
    "notify_of_reply": (
        "posts",
        "WHEN (NEW.reply_to IS NOT NULL AND NEW.visibility <> 'private') ",
    ),
    "notify_of_like": ("likes", ""),
}


def upgrade() -> None:
    op.add_column(
        "users",
        sa.Column("letters", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
    )
    op.create_check_constraint(op.f("ck_users_letters"), "users", LETTERS)
    op.create_table(
        "notifications",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("post_id", sa.BigInteger(), nullable=True),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('follow', 'reply', 'like')", name=op.f("ck_notifications_kind")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_notifications_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["post_id"],
            ["posts.id"],
            name=op.f("fk_notifications_post_id_posts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
    )
    op.create_index(op.f("ix_notifications_user_id_id"), "notifications", ["user_id", "id"])
    op.create_index(op.f("ix_notifications_post_id"), "notifications", ["post_id"])
    op.create_index(
        "uq_notifications_of",
        "notifications",
        ["user_id", "kind", sa.literal_column("coalesce(post_id, 0)")],
        unique=True,
    )
    op.create_table(
        "weekly_reports",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("monday", sa.Date(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_weekly_reports_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "monday", name=op.f("pk_weekly_reports")),
    )
    for head, body in FUNCTIONS.items():
        op.execute(f"CREATE FUNCTION {head} LANGUAGE plpgsql AS $${body}$$")
    for function, (table, condition) in TRIGGERS.items():
        op.execute(
            f"CREATE TRIGGER {function} AFTER INSERT ON {table} FOR EACH ROW "
            f"{condition}EXECUTE FUNCTION {function}()"
        )


def downgrade() -> None:
    for function, (table, _) in TRIGGERS.items():
        op.execute(f"DROP TRIGGER {function} ON {table}")
        op.execute(f"DROP FUNCTION {function}")
    op.execute("DROP FUNCTION notify")
    op.drop_table("weekly_reports")
    op.drop_table("notifications")
    op.drop_column("users", "letters")
