"""Push subscriptions of browsers, and a job for each of them and each new notification."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

kind = "expand"

# The queue of a job has its name. Other jobs come first, since a push service may be slow. A
# notification that was read gets a new id with its next event.
DEFER_PUSHES = """
CREATE FUNCTION defer_pushes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args)
    SELECT 'push.send', 'push.send', -1, jsonb_build_object(
        'subscription_id', id, 'notification_id', NEW.id, 'deferred_at', now()
    )
    FROM push_subscriptions WHERE owner_id = NEW.user_id;
    RETURN NULL;
END
$$
"""
TRIGGER = """
CREATE TRIGGER defer_pushes AFTER INSERT OR UPDATE OF id ON notifications
FOR EACH ROW EXECUTE FUNCTION defer_pushes()
"""


def upgrade() -> None:
    op.create_table(
        "push_subscriptions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("p256dh", sa.Text(), nullable=False),
        sa.Column("auth", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("last_success_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_failure_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["owner_id"],
            ["users.id"],
            name=op.f("fk_push_subscriptions_owner_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_subscriptions")),
        sa.UniqueConstraint("endpoint", name=op.f("uq_push_subscriptions_endpoint")),
    )
    op.create_index(
        op.f("ix_push_subscriptions_owner_id_id"), "push_subscriptions", ["owner_id", "id"]
    )
    op.execute(DEFER_PUSHES)
    op.execute(TRIGGER)


def downgrade() -> None:
    op.execute("DROP TRIGGER defer_pushes ON notifications")
    op.execute("DROP FUNCTION defer_pushes")
    op.drop_table("push_subscriptions")
