"""The log of changes, which triggers write."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

kind = "expand"

MONTHS_AHEAD = 2
# Not an identity column: before PostgreSQL 17, partitioned tables cannot have one. Without a
# foreign key to users, whose check would cost each write more than the row itself.
TABLES = """
CREATE SEQUENCE changes_position_seq;
CREATE TABLE changes (
    position bigint DEFAULT nextval('changes_position_seq') NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    owner_id bigint NOT NULL,
    project_id bigint,
    entity text NOT NULL,
    entity_id bigint NOT NULL,
    operation text NOT NULL,
    before jsonb,
    after jsonb,
    actor_id bigint,
    client text,
    change_set_id uuid,
    CONSTRAINT pk_changes PRIMARY KEY (owner_id, xid, position, at)
) PARTITION BY RANGE (at);
ALTER SEQUENCE changes_position_seq OWNED BY changes.position;
CREATE TABLE changes_default PARTITION OF changes DEFAULT;
CREATE TABLE change_log (
    epoch uuid DEFAULT gen_random_uuid() NOT NULL,
    kept_since timestamp with time zone,
    is_one boolean DEFAULT true NOT NULL,
    CONSTRAINT ck_change_log_is_one CHECK (is_one),
    CONSTRAINT pk_change_log PRIMARY KEY (is_one)
);
INSERT INTO change_log DEFAULT VALUES;
"""
FUNCTIONS = {
    # Its arguments are the columns of `entity_id` and of `project_id`, and those not logged.
    "log_change() RETURNS trigger": """
DECLARE
    writer text := nullif(current_setting('fast_zero.writer', true), '');
    hidden text[] := TG_ARGV[2];
    old_row jsonb;
    new_row jsonb;
    found jsonb;
    key bigint;
    project bigint;
    owner bigint;
    operation text := CASE TG_OP
        WHEN 'INSERT' THEN 'create' WHEN 'UPDATE' THEN 'update' ELSE 'delete'
    END;
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF NOT EXISTS (SELECT FROM users WHERE id = OLD.owner_id) THEN
            RETURN NULL;  -- the account is deleted, and its changes with it
        END IF;
        found := to_jsonb(OLD);
    ELSE
        found := to_jsonb(NEW);
    END IF;
    key := found ->> TG_ARGV[0];
    project := found ->> TG_ARGV[1];
    owner := found ->> 'owner_id';
    IF TG_OP = 'INSERT' THEN
        new_row := jsonb_strip_nulls(found - hidden);
    ELSIF TG_OP = 'UPDATE' THEN
        new_row := found - hidden;
        old_row := to_jsonb(OLD) - hidden;
        IF new_row = old_row THEN
            RETURN NULL;
        END IF;
        SELECT jsonb_object_agg(changed.key, old_row -> changed.key),
            jsonb_object_agg(changed.key, changed.value)
        INTO old_row, new_row
        FROM jsonb_each(new_row) AS changed WHERE changed.value <> old_row -> changed.key;
        IF new_row ? 'deletion_id' THEN
            IF old_row ->> 'deletion_id' IS NULL THEN
                operation := 'delete';
            ELSIF new_row ->> 'deletion_id' IS NULL THEN
                operation := 'restore';
            END IF;
        END IF;
    ELSIF found ->> 'deletion_id' IS NULL THEN  -- else it was in the trash: nothing is kept of it
        old_row := jsonb_strip_nulls(found - hidden);
    END IF;
    INSERT INTO changes (
        owner_id, project_id, entity, entity_id, operation, before, after,
        client, change_set_id, actor_id
    )
    VALUES (
        owner, project, TG_TABLE_NAME, key, operation, old_row, new_row,
        split_part(writer, ' ', 1), split_part(writer, ' ', 2)::uuid,
        nullif(split_part(writer, ' ', 3), '')::bigint
    );
    RETURN NULL;
END
""",
    "log_changes_of(logged regclass, key text = 'id', project text = 'project_id')"
    " RETURNS void": """
BEGIN
    EXECUTE format(
        'CREATE TRIGGER log_change AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW'
        ' EXECUTE FUNCTION log_change(%L, %L, %L)',
        logged, key, project, (
            SELECT array_agg(attname) FROM pg_attribute
            WHERE attrelid = logged AND attnum > 0 AND NOT attisdropped AND (
                attname IN ('id', 'owner_id', 'version', 'updated_at') OR attgenerated <> ''
            )
        )
    );
END
""",
    # After the rows that depend on the user, since cascades are triggers whose names sort before.
    "forget_changes() RETURNS trigger": """
BEGIN
    DELETE FROM changes WHERE owner_id = OLD.id;
    RETURN NULL;
END
""",
    # Attached and not created as partitions, which would lock all of them: writes go on. What came
    # while there was no partition for it is moved out of the default one.
    "add_partitions_of_changes(months integer) RETURNS void": """
DECLARE
    month timestamp;
    partition text;
    begins text;
    ends text;
BEGIN
    FOR ahead IN 0..months LOOP
        month := date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => ahead);
        partition := 'changes_' || to_char(month, 'YYYY_MM');
        CONTINUE WHEN to_regclass(partition) IS NOT NULL;
        LOCK TABLE changes_default;
        begins := month || '+00';
        ends := month + interval '1 month' || '+00';
        EXECUTE format('CREATE TABLE %I (LIKE changes INCLUDING DEFAULTS)', partition);
        EXECUTE format(
            'WITH moved AS ('
            '    DELETE FROM changes_default WHERE at >= %L AND at < %L RETURNING *'
            ') INSERT INTO %I SELECT * FROM moved',
            begins, ends, partition
        );
        EXECUTE format(
            'ALTER TABLE changes ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
            partition, begins, ends
        );
    END LOOP;
END
""",
    "drop_partitions_of_changes(days integer) RETURNS void": """
DECLARE
    oldest timestamp with time zone := now() - make_interval(days => days);
    partition record;
    kept timestamp with time zone;
BEGIN
    FOR partition IN
        SELECT relname, to_timestamp(right(relname, 7) || '+00', 'YYYY_MMTZH')
            + interval '1 month' AS ends
        FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = 'changes'::regclass AND relname <> 'changes_default'
    LOOP
        CONTINUE WHEN partition.ends > oldest;
        EXECUTE format('DROP TABLE %I', partition.relname);
        kept := greatest(kept, partition.ends);
    END LOOP;
    WITH gone AS (DELETE FROM changes_default WHERE at < oldest RETURNING at)
    SELECT greatest(kept, max(at)) INTO kept FROM gone;
    UPDATE change_log SET kept_since = greatest(kept_since, kept) WHERE kept IS NOT NULL;
END
""",
}
LOGGED = (
    "'todos'",
    "'projects', project => 'id'",
    "'sections'",
    "'labels'",
    "'todo_labels', key => 'todo_id'",
    "'todo_relations', key => 'todo_id'",
)


def upgrade() -> None:
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    for signature, body in FUNCTIONS.items():
        op.execute(f"CREATE FUNCTION {signature} LANGUAGE plpgsql AS $${body}$$")
    op.execute(f"SELECT add_partitions_of_changes({MONTHS_AHEAD})")
    op.execute(
        "CREATE TRIGGER forget_changes AFTER DELETE ON users"
        " FOR EACH ROW EXECUTE FUNCTION forget_changes()"
    )
    for arguments in LOGGED:
        op.execute(f"SELECT log_changes_of({arguments})")


def downgrade() -> None:
    op.execute("DROP TRIGGER forget_changes ON users")
    op.execute("DROP FUNCTION log_change CASCADE")
    for name in ("log_changes_of", "forget_changes"):
        op.execute(f"DROP FUNCTION {name}")
    for name in ("add", "drop"):
        op.execute(f"DROP FUNCTION {name}_partitions_of_changes")
    op.execute("DROP TABLE changes")
    op.execute("DROP TABLE change_log")
