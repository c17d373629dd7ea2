"""Projects and their sections."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

kind = "expand"

COLORS = (
    "color IN ('red', 'orange', 'amber', 'olive', 'green', 'teal', 'cyan', 'blue', 'violet',"
    " 'pink', 'brown', 'grey')"
)
POSITION = "coalesce(position, lpad(to_hex(id), 16, '0'))"
FUNCTIONS = {
    # Places change one after the other for each owner: two moves at once could make a cycle.
    "lock_lists(owner bigint) RETURNS void LANGUAGE sql": """
SELECT pg_advisory_xact_lock(hashtextextended('lists of ' || owner, 0))
""",
    "check_project_place() RETURNS trigger LANGUAGE plpgsql": """
DECLARE
    levels integer;
    is_cycle boolean;
BEGIN
    PERFORM lock_lists(NEW.owner_id);
    IF NOT EXISTS (
        SELECT FROM projects
        WHERE owner_id = NEW.owner_id AND id = NEW.parent_id AND deletion_id IS NULL
    ) THEN
        RAISE foreign_key_violation USING
            CONSTRAINT = 'fk_projects_owner_id_parent_id_projects',
            MESSAGE = 'the parent does not exist, or is in the trash';
    END IF;
    WITH RECURSIVE above AS (
        SELECT projects.parent_id, projects.id, 1 AS level FROM projects
        WHERE owner_id = NEW.owner_id AND id = NEW.parent_id
        UNION ALL
        SELECT next.parent_id, next.id, level + 1 FROM above
        JOIN projects AS next ON next.owner_id = NEW.owner_id AND next.id = above.parent_id
    ), below AS (
        SELECT NEW.id AS id, 1 AS level
        UNION ALL
        SELECT next.id, level + 1 FROM below
        JOIN projects AS next ON next.owner_id = NEW.owner_id AND next.parent_id = below.id
        WHERE level <= 3
    )
    SELECT (SELECT max(level) FROM above) + (SELECT max(level) FROM below),
        EXISTS (SELECT FROM above WHERE id = NEW.id)
    INTO levels, is_cycle;
    IF is_cycle THEN
        RAISE check_violation USING
            CONSTRAINT = 'project_cycle', MESSAGE = 'a project would be inside itself';
    ELSIF levels > 3 THEN
        RAISE check_violation USING
            CONSTRAINT = 'project_depth', MESSAGE = 'more than three levels of projects';
    END IF;
    RETURN NEW;
END
""",
}
TRIGGERS = [
    ("projects", "count_version", "count_version", "BEFORE UPDATE", ""),
    ("sections", "count_version", "count_version", "BEFORE UPDATE", ""),
    (
        "projects",
        "check_project_place",
        "check_new_place",
        "BEFORE INSERT",
        "WHEN (NEW.parent_id IS NOT NULL)",
    ),
    (
        "projects",
        "check_project_place",
        "check_place",
        "BEFORE UPDATE OF parent_id",
        "WHEN (NEW.parent_id IS NOT NULL AND NEW.parent_id IS DISTINCT FROM OLD.parent_id)",
    ),
]


def upgrade() -> None:
    create_projects()
    create_sections()
    for signature, body in FUNCTIONS.items():
        op.execute(f"CREATE FUNCTION {signature} AS $${body}$$")
    for table, function, name, moment, condition in TRIGGERS:
        op.execute(
            f"CREATE TRIGGER {name} {moment} ON {table}"
            f" FOR EACH ROW {condition} EXECUTE FUNCTION {function}()"
        )


def create_projects() -> None:
    op.create_table(
        "projects",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("color", sa.Text(), server_default="grey", nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("position", sa.Text(collation="C"), nullable=True),
        sa.Column("archived", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("deletion_id", sa.BigInteger(), nullable=True),
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
        sa.CheckConstraint(COLORS, name=op.f("ck_projects_color")),
        sa.CheckConstraint(
            "char_length(description) <= 5000", name=op.f("ck_projects_description_length")
        ),
        sa.CheckConstraint(
            "char_length(name) BETWEEN 1 AND 100", name=op.f("ck_projects_name_length")
        ),
        sa.ForeignKeyConstraint(
            ["deletion_id"],
            ["deletions.id"],
            name=op.f("fk_projects_deletion_id_deletions"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["owner_id", "parent_id"],
            ["projects.owner_id", "projects.id"],
            name=op.f("fk_projects_owner_id_parent_id_projects"),
            ondelete="SET NULL (parent_id)",
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"],
            ["users.id"],
            name=op.f("fk_projects_owner_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
        sa.UniqueConstraint("owner_id", "id", name=op.f("uq_projects_owner_id_id")),
    )
    op.create_index(
        op.f("ix_projects_deletion_id"),
        "projects",
        ["deletion_id"],
        postgresql_where=sa.text("deletion_id IS NOT NULL"),
    )
    op.create_index(
        "uq_projects_position",
        "projects",
        ["owner_id", "parent_id", sa.text(POSITION)],
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=sa.text("deletion_id IS NULL"),
    )


def create_sections() -> None:
    op.create_table(
        "sections",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
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
        sa.CheckConstraint(
            "char_length(name) BETWEEN 1 AND 100", name=op.f("ck_sections_name_length")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id", "project_id"],
            ["projects.owner_id", "projects.id"],
            name=op.f("fk_sections_owner_id_project_id_projects"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sections")),
        sa.UniqueConstraint(
            "owner_id", "project_id", "id", name=op.f("uq_sections_owner_id_project_id_id")
        ),
    )
    op.create_index(
        "uq_sections_position",
        "sections",
        ["owner_id", "project_id", sa.text(POSITION)],
        unique=True,
    )


def downgrade() -> None:
    op.drop_table("sections")
    op.drop_table("projects")
    op.execute("DROP FUNCTION check_project_place")
    op.execute("DROP FUNCTION lock_lists")
