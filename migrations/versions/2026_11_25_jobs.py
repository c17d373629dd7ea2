"""Jobs."""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

kind = "expand"

# The schema of procrastinate 3.10, as it came with it: a migration must not change when the
# package does.
SCHEMA = Path(__file__).parents[1] / "procrastinate_3_10.sql"
DROP_ALL = r"""
DO $$
DECLARE
    found regprocedure;
BEGIN
    DROP TABLE procrastinate_events, procrastinate_periodic_defers, procrastinate_jobs,
        procrastinate_workers CASCADE;
    FOR found IN
        SELECT oid FROM pg_proc
        WHERE proname LIKE 'procrastinate\_%' AND pronamespace = current_schema()::regnamespace
    LOOP
        EXECUTE 'DROP FUNCTION ' || found;
    END LOOP;
    DROP TYPE procrastinate_job_to_defer_v1, procrastinate_job_event_type,
        procrastinate_job_status;
END
$$
"""


def upgrade() -> None:
    # Many statements at once, which is possible without parameters only.
    options = {"no_parameters": True}
    op.get_bind().exec_driver_sql(SCHEMA.read_text(), execution_options=options)


def downgrade() -> None:
    op.execute(DROP_ALL)
