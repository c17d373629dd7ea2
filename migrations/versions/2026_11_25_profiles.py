"""Profiles: what people tell of themselves, and where they are."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

kind = "expand"

COLUMNS = {"display_name": "", "bio": "", "time_zone": "UTC"}
LENGTHS = {
    "display_name_length": "char_length(display_name) <= 100",
    "bio_length": "char_length(bio) <= 500",
    "time_zone_length": "char_length(time_zone) BETWEEN 1 AND 64",
}


def upgrade() -> None:
    for name, default in COLUMNS.items():
        column = sa.Column(name, sa.Text(), server_default=sa.text(f"'{default}'"), nullable=False)
        op.add_column("users", column)
    for name, condition in LENGTHS.items():
        op.create_check_constraint(op.f(f"ck_users_{name}"), "users", condition)


def downgrade() -> None:
    for name in LENGTHS:
        op.drop_constraint(op.f(f"ck_users_{name}"), "users", type_="check")
    for name in COLUMNS:
        op.drop_column("users", name)
