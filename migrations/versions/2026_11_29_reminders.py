"""Todos have reminders, which go out as notifications, and accounts get a daily digest."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

kind = "expand"

# Each can be repeated, and none blocks writes for long: the table is scanned by the last one.
REMINDERS = """
ALTER TABLE todos ADD COLUMN IF NOT EXISTS reminders jsonb,
    ADD COLUMN IF NOT EXISTS snoozed_until timestamptz;
ALTER TABLE todos DROP CONSTRAINT IF EXISTS ck_todos_reminders;
ALTER TABLE todos ADD CONSTRAINT ck_todos_reminders CHECK (
    jsonb_typeof(reminders) = 'array' AND jsonb_array_length(reminders) BETWEEN 1 AND 10
) NOT VALID;
ALTER TABLE todos VALIDATE CONSTRAINT ck_todos_reminders
"""
# What the values of text columns are limited to, before and after.
LETTERS = "letters <@ ARRAY['weekly_report', 'follow', 'reply', 'like'{}]"
KINDS = "kind IN ('follow', 'reply', 'like'{})"
REMINDER = ", 'reminder'"

FUNCTIONS = {
    # A time that a clock change skips moves forward. Of one that comes twice, PostgreSQL would take
    # the second.
    "first_moment(local timestamp, zone text) RETURNS timestamptz LANGUAGE sql STABLE": """
SELECT min(moment) FROM (
    SELECT minutes, local AT TIME ZONE zone - make_interval(mins => minutes) AS moment
    FROM unnest(ARRAY[0, 30, 60, 120]) AS minutes
) AS moments
WHERE minutes = 0 OR moment AT TIME ZONE zone = local
""",
    "reminder_moments(todo todos) RETURNS SETOF timestamptz LANGUAGE sql STABLE": """
SELECT greatest(
    coalesce(
        CAST(reminder ->> 'at' AS timestamptz),
        coalesce(todo.due_at, first_moment(todo.due_on + default_reminder_time, users.time_zone))
            - make_interval(mins => CAST(reminder ->> 'minutes_before' AS integer))
    ),
    todo.snoozed_until
)
FROM users CROSS JOIN jsonb_array_elements(todo.reminders) AS reminder
WHERE users.id = todo.owner_id
UNION ALL SELECT todo.snoozed_until
""",
    # What is past when it is scheduled does not go out, except what is waiting for the worker; nor
    # does what went out already, although this transaction began before. No email that waits tells
    # of a due that has changed. To plan it again for each row would take four times as long.
    "schedule_reminder() RETURNS trigger LANGUAGE plpgsql"
    " SET plan_cache_mode = force_generic_plan": """
DECLARE
    next timestamptz;
    after timestamptz := now();
BEGIN
    SELECT least(greatest(after, reminded_for), fires_at - interval '1 microsecond') INTO after
    FROM scheduled_reminders
    WHERE owner_id = NEW.owner_id AND todo_id = NEW.id FOR UPDATE;
    IF NEW.deletion_id IS NULL AND NEW.state IN ('draft', 'todo', 'doing') THEN
        SELECT min(moment) INTO next FROM reminder_moments(NEW) AS moment
        WHERE moment > coalesce(after, now());
    END IF;
    INSERT INTO scheduled_reminders AS known (owner_id, todo_id, fires_at)
    VALUES (NEW.owner_id, NEW.id, next)
    ON CONFLICT (owner_id, todo_id) DO UPDATE SET
        fires_at = excluded.fires_at,
        reminded_at = CASE
            WHEN (OLD.due_on, OLD.due_at) IS NOT DISTINCT FROM (NEW.due_on, NEW.due_at)
            THEN known.reminded_at
        END;
    RETURN NULL;
END
""",
    "schedule_reminders() RETURNS trigger LANGUAGE plpgsql": """
BEGIN
    UPDATE scheduled_reminders AS known SET fires_at = (
        SELECT min(moment) FROM reminder_moments(todos) AS moment
        WHERE moment > least(
            greatest(now(), known.reminded_for), known.fires_at - interval '1 microsecond'
        )
    )
    FROM todos
    WHERE known.owner_id = NEW.id AND todos.owner_id = known.owner_id
        AND todos.id = known.todo_id AND todos.due_on IS NOT NULL
        AND todos.deletion_id IS NULL AND todos.state IN ('draft', 'todo', 'doing');
    RETURN NULL;
END
""",
    "end_snooze() RETURNS trigger LANGUAGE plpgsql": """
BEGIN
    NEW.snoozed_until := NULL;
    RETURN NEW;
END
""",
    "notify_of_reminder() RETURNS trigger LANGUAGE plpgsql": """
BEGIN
    INSERT INTO notifications AS known (user_id, kind, todo_id, since, at, minutes_late)
    VALUES (
        NEW.owner_id, 'reminder', NEW.todo_id, 0, NEW.reminded_at,
        floor(extract(epoch FROM NEW.reminded_at - NEW.reminded_for) / 60)
    )
    ON CONFLICT (user_id, kind, coalesce(post_id, todo_id, 0)) DO UPDATE SET
        id = DEFAULT, at = excluded.at, minutes_late = excluded.minutes_late, read_at = NULL;
    RETURN NULL;
END
""",
    "next_digest(hour time, zone text, after timestamptz) RETURNS timestamptz"
    " LANGUAGE sql STABLE": """
SELECT min(moment)
FROM generate_series(0, 2) AS days
CROSS JOIN first_moment(CAST(after AT TIME ZONE zone AS date) + days + hour, zone) AS moment
WHERE moment > after
""",
    "schedule_digest() RETURNS trigger LANGUAGE plpgsql": """
BEGIN
    IF NEW.digest_time IS NULL THEN
        DELETE FROM digests WHERE user_id = NEW.id;
        RETURN NULL;
    END IF;
    INSERT INTO digests (user_id, fires_at)
    VALUES (NEW.id, next_digest(NEW.digest_time, NEW.time_zone, now()))
    ON CONFLICT (user_id) DO UPDATE SET fires_at = excluded.fires_at;
    RETURN NULL;
END
""",
}
# As it was, except for what tells notifications apart.
NOTIFY = """
CREATE OR REPLACE FUNCTION notify(receiver bigint, what text, about bigint, cause bigint)
RETURNS void LANGUAGE plpgsql AS $$
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
    ON CONFLICT {unique} DO UPDATE SET
        id = DEFAULT,
        since = CASE
            WHEN known.read_at IS NULL THEN least(known.since, excluded.since)
            ELSE excluded.since
        END,
        at = CASE WHEN known.read_at IS NULL THEN known.at ELSE excluded.at END,
        read_at = NULL;
END
$$
"""
REMINDS = "reminders IS NOT NULL"
SNOOZED = "snoozed_until IS NOT NULL"
EITHER = " OR ".join(f"{row}.{each}" for row in ("OLD", "NEW") for each in (REMINDS, SNOOZED))
HAS_DIGEST = "digest_time IS NOT NULL"
EITHER_DIGEST = f"OLD.{HAS_DIGEST} OR NEW.{HAS_DIGEST}"
DUE = "{row}.due_on, {row}.due_at"
SCHEDULED = f"({DUE}, {{row}}.reminders, {{row}}.snoozed_until, {{row}}.state, {{row}}.deletion_id)"


def changed(columns: str) -> str:
    return f"{columns.format(row='OLD')} IS DISTINCT FROM {columns.format(row='NEW')}"


# The event and the condition of each trigger, and its function. A write of a todo without
# reminders fires none of them.
TRIGGERS = {
    ("todos", "schedule_new_reminder"): (
        "AFTER INSERT",
        f"NEW.{REMINDS} OR NEW.{SNOOZED}",
        "schedule_reminder",
    ),
    ("todos", "schedule_reminder"): (
        "AFTER UPDATE",
        f"({EITHER}) AND {changed(SCHEDULED)}",
        "schedule_reminder",
    ),
    ("todos", "end_snooze"): (
        "BEFORE UPDATE",
        f"NEW.snoozed_until = OLD.snoozed_until AND {changed(f'({DUE})')}",
        "end_snooze",
    ),
    ("users", "schedule_reminders"): (
        "AFTER UPDATE",
        changed("({row}.time_zone, {row}.default_reminder_time)"),
        "schedule_reminders",
    ),
    ("users", "schedule_new_digest"): (
        "AFTER INSERT",
        f"NEW.{HAS_DIGEST}",
        "schedule_digest",
    ),
    ("users", "schedule_digest"): (
        "AFTER UPDATE",
        f"({EITHER_DIGEST}) AND {changed('({row}.time_zone, {row}.digest_time)')}",
        "schedule_digest",
    ),
    ("scheduled_reminders", "notify_of_reminder"): (
        "AFTER UPDATE",
        "NEW.reminded_at IS DISTINCT FROM OLD.reminded_at AND NEW.reminded_at IS NOT NULL",
        "notify_of_reminder",
    ),
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for statement in REMINDERS.split(";"):
            op.execute(statement)
    op.add_column("users", sa.Column("digest_time", sa.Time(), nullable=True))
    limit("users", "letters", LETTERS.format(REMINDER))
    create_tables()
    extend_notifications()
    for head, body in FUNCTIONS.items():
        op.execute(f"CREATE FUNCTION {head} AS $${body}$$")
    for (table, name), (event, condition, function) in TRIGGERS.items():
        op.execute(
            f"CREATE TRIGGER {name} {event} ON {table} FOR EACH ROW WHEN ({condition})"
            f" EXECUTE FUNCTION {function}()"
        )


def create_tables() -> None:
    op.create_table(
        "scheduled_reminders",
        sa.Column("owner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("todo_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminded_for", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["owner_id", "todo_id"],
            ["todos.owner_id", "todos.id"],
            name=op.f("fk_scheduled_reminders_owner_id_todo_id_todos"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("owner_id", "todo_id", name=op.f("pk_scheduled_reminders")),
    )
    op.create_index(
        op.f("ix_scheduled_reminders_fires_at_owner_id"),
        "scheduled_reminders",
        ["fires_at", "owner_id"],
        postgresql_where=sa.text("fires_at IS NOT NULL"),
    )
    op.create_table(
        "digests",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deferred_on", sa.Date(), nullable=True),
        sa.Column("sent_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_digests_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_digests")),
    )
    op.create_index(op.f("ix_digests_fires_at"), "digests", ["fires_at"])


def extend_notifications() -> None:
    op.add_column("notifications", sa.Column("todo_id", sa.BigInteger(), nullable=True))
    op.add_column("notifications", sa.Column("minutes_late", sa.Integer(), nullable=True))
    limit("notifications", "kind", KINDS.format(REMINDER))
    identify_notifications("coalesce(post_id, todo_id, 0)")
    op.create_foreign_key(
        op.f("fk_notifications_todo_id_todos"),
        "notifications",
        "todos",
        ["todo_id"],
        ["id"],
        ondelete="CASCADE",
    )
    op.create_index(
        op.f("ix_notifications_todo_id"),
        "notifications",
        ["todo_id"],
        postgresql_where=sa.text("todo_id IS NOT NULL"),
    )


def identify_notifications(identity: str) -> None:
    """Replace what tells the notifications of a user and a kind apart."""
    op.execute("DROP INDEX uq_notifications_of")
    columns = f"user_id, kind, {identity}"
    op.execute(f"CREATE UNIQUE INDEX uq_notifications_of ON notifications ({columns})")
    op.execute(NOTIFY.format(unique=f"({columns})"))


def limit(table: str, name: str, condition: str) -> None:
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_{name}")
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)


def downgrade() -> None:
    for table, name in TRIGGERS:
        op.execute(f"DROP TRIGGER {name} ON {table}")
    for head in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {head.partition('(')[0]}")
    op.execute("DELETE FROM notifications WHERE kind = 'reminder'")
    identify_notifications("coalesce(post_id, 0)")
    limit("notifications", "kind", KINDS.format(""))
    op.drop_column("notifications", "minutes_late")
    op.drop_column("notifications", "todo_id")
    op.drop_table("digests")
    op.drop_table("scheduled_reminders")
    op.execute("UPDATE users SET letters = array_remove(letters, 'reminder')")
    limit("users", "letters", LETTERS.format(""))
    op.drop_column("users", "digest_time")
    op.drop_column("todos", "snoozed_until")
    op.drop_column("todos", "reminders")
