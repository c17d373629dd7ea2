"""Administrators, and accounts that are disabled."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

kind = "expand"

AUDIT = """
CREATE FUNCTION audit_standing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.role <> OLD.role THEN
        PERFORM note_audit_event(NEW.id, 'role changed', jsonb_build_object('role', NEW.role));
    END IF;
    IF (NEW.disabled_at IS NULL) <> (OLD.disabled_at IS NULL) THEN
        PERFORM note_audit_event(
            NEW.id, CASE WHEN NEW.disabled_at IS NULL THEN 'enabled' ELSE 'disabled' END, '{}');
    END IF;
    RETURN NULL;
END
$$
"""
TRIGGER = """
CREATE TRIGGER audit_standing AFTER UPDATE ON users FOR EACH ROW
WHEN ((NEW.role, NEW.disabled_at) IS DISTINCT FROM (OLD.role, OLD.disabled_at))
EXECUTE FUNCTION audit_standing()
"""


def upgrade() -> None:
    op.add_column("users", sa.Column("role", sa.Text(), server_default="member", nullable=False))
    op.create_check_constraint(op.f("ck_users_role"), "users", "role IN ('member', 'admin')")
    op.add_column("users", sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(AUDIT)
    op.execute(TRIGGER)


def downgrade() -> None:
    op.execute("DROP TRIGGER audit_standing ON users")
    op.execute("DROP FUNCTION audit_standing")
    op.drop_column("users", "disabled_at")
    op.drop_column("users", "role")
