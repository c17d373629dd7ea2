"""How users read days and times, and when they are reminded."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

kind = "expand"

COLUMNS: list[sa.Column[Any]] = [
    sa.Column("week_starts_on", sa.Text(), server_default="monday", nullable=False),
    sa.Column("clock", sa.SmallInteger(), server_default="24", nullable=False),
    sa.Column("default_reminder_time", sa.Time(), server_default="09:00:00", nullable=False),
]
CHECKS = {
    "week_starts_on": "week_starts_on IN ('monday', 'saturday', 'sunday')",
    "clock": "clock IN (12, 24)",
}


def upgrade() -> None:
    for column in COLUMNS:
        op.add_column("users", column)
    for name, condition in CHECKS.items():
        op.create_check_constraint(op.f(f"ck_users_{name}"), "users", condition)


def downgrade() -> None:
    for column in reversed(COLUMNS):
        op.drop_column("users", column.name)
