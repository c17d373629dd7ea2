"""Audit."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

kind = "expand"

# Where the account itself is being deleted there is nobody to note it for.
NOTE = """
CREATE FUNCTION note_audit_event(owner bigint, action text, details jsonb)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO audit_events (owner_id, action, details)
    SELECT id, action, details FROM users WHERE id = owner
$$
"""
FUNCTIONS = {
    "audit_login_sessions": """
    IF TG_OP = 'INSERT' THEN
        PERFORM note_audit_event(NEW.owner_id, 'session opened', jsonb_build_object(
            'session_id', NEW.id, 'address', NEW.address, 'user_agent', NEW.user_agent));
    ELSE
        PERFORM note_audit_event(OLD.owner_id, 'session ended', jsonb_build_object(
            'session_id', OLD.id));
    END IF;
    """,
    "audit_personal_tokens": """
    IF TG_OP = 'INSERT' THEN
        PERFORM note_audit_event(NEW.owner_id, 'token made', jsonb_build_object(
            'token_id', NEW.id, 'name', NEW.name, 'scopes', NEW.scopes));
    ELSE
        PERFORM note_audit_event(OLD.owner_id, 'token revoked', jsonb_build_object(
            'token_id', OLD.id, 'name', OLD.name));
    END IF;
    """,
    "audit_users": """
    IF TG_OP = 'INSERT' THEN
        PERFORM note_audit_event(NEW.id, 'account made', '{}');
        RETURN NULL;
    END IF;
    IF NEW.password_hash <> OLD.password_hash AND NEW.updated_at IS DISTINCT FROM OLD.updated_at
    THEN
        PERFORM note_audit_event(NEW.id, 'password changed', '{}');
    END IF;
    IF NEW.email <> OLD.email THEN
        PERFORM note_audit_event(NEW.id, 'address changed', '{}');
    END IF;
    IF NEW.username <> OLD.username THEN
        PERFORM note_audit_event(NEW.id, 'renamed', jsonb_build_object(
            'before', OLD.username, 'after', NEW.username));
    END IF;
    """,
    "audit_second_factors": """
    IF TG_OP = 'DELETE' THEN
        PERFORM note_audit_event(OLD.owner_id, 'second factor disabled', '{}');
    ELSE
        PERFORM note_audit_event(NEW.owner_id, 'second factor activated', '{}');
    END IF;
    """,
}
# What has expired ends in silence.
TRIGGERS = [
    ("login_sessions", "AFTER INSERT", "", "opened"),
    ("login_sessions", "AFTER DELETE", "WHEN (OLD.expires_at > now())", "ended"),
    ("personal_tokens", "AFTER INSERT OR DELETE", "", "changed"),
    ("users", "AFTER INSERT OR UPDATE", "", "changed"),
    (
        "second_factors",
        "AFTER UPDATE",
        "WHEN (OLD.confirmed_at IS NULL AND NEW.confirmed_at IS NOT NULL)",
        "activated",
    ),
    ("second_factors", "AFTER DELETE", "WHEN (OLD.confirmed_at IS NOT NULL)", "disabled"),
]


def upgrade() -> None:
    op.create_table(
        "audit_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"],
            ["users.id"],
            name=op.f("fk_audit_events_owner_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
    )
    op.create_index(op.f("ix_audit_events_owner_id_id"), "audit_events", ["owner_id", "id"])
    op.create_index(op.f("ix_audit_events_at"), "audit_events", ["at"])
    op.execute(NOTE)
    for name, body in FUNCTIONS.items():
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN {body} RETURN NULL; END $$"
        )
    for table, moment, condition, name in TRIGGERS:
        op.execute(
            f"CREATE TRIGGER audit_{name} {moment} ON {table}"
            f" FOR EACH ROW {condition} EXECUTE FUNCTION audit_{table}()"
        )


def downgrade() -> None:
    for table, _, _, name in TRIGGERS:
        op.execute(f"DROP TRIGGER audit_{name} ON {table}")
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}")
    op.execute("DROP FUNCTION note_audit_event")
    op.drop_table("audit_events")
