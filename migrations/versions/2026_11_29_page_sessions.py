"""Log-in sessions of the page have a cookie instead of a refresh token, and accounts a theme.

What cannot run in a transaction comes first, and can run again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0035"
branch_labels = None
depends_on = None

kind = "expand"

INDEX = "uq_login_sessions_cookie_digest"
ONE_DIGEST = "num_nonnulls(refresh_digest, cookie_digest) = 1"
THEME = "theme IN ('auto', 'light', 'dark')"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE login_sessions ADD COLUMN IF NOT EXISTS cookie_digest bytea")
        has_constraint = op.get_bind().scalar(
            sa.text("SELECT EXISTS (SELECT FROM pg_constraint WHERE conname = :name)"),
            {"name": INDEX},
        )
        if not has_constraint:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
            op.execute(
                f"CREATE UNIQUE INDEX CONCURRENTLY {INDEX} ON login_sessions (cookie_digest)"
            )
            op.execute(
                f"ALTER TABLE login_sessions ADD CONSTRAINT {INDEX} UNIQUE USING INDEX {INDEX}"
            )
        op.execute("ALTER TABLE login_sessions ALTER COLUMN refresh_digest DROP NOT NULL")
        check("login_sessions", "one_secret", ONE_DIGEST)
        op.execute(
            "ALTER TABLE users ADD COLUMN IF NOT EXISTS theme text NOT NULL DEFAULT 'auto',"
            " ADD COLUMN IF NOT EXISTS keyboard_shortcuts boolean NOT NULL DEFAULT true"
        )
        check("users", "theme", THEME)


def check(table: str, name: str, condition: str) -> None:
    """Add a constraint that new rows keep at once, then look at the others without a long lock."""
    full = f"ck_{table}_{name}"
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {full}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {full} CHECK ({condition}) NOT VALID")
    op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {full}")


def downgrade() -> None:
    op.drop_column("users", "keyboard_shortcuts")
    op.drop_column("users", "theme")
    op.drop_constraint(op.f("ck_login_sessions_one_secret"), "login_sessions")
    op.execute("DELETE FROM login_sessions WHERE refresh_digest IS NULL")
    op.alter_column("login_sessions", "refresh_digest", nullable=False)
    op.drop_column("login_sessions", "cookie_digest")
