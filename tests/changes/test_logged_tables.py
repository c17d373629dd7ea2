"""Which tables are logged."""

from sqlalchemy import text

NOT_LOGGED = {
    "audit_events": "data of their own",
    "calendar_feeds": "secret addresses; the audit has them",
    "changes": "it is the log itself",
    "completions": "triggers derive them from todos and occurrences, which are logged",
    "deletions": "the rows in the trash are logged",
    "idempotency_keys": "stored responses, which nobody changes",
    "imports": "what they create is logged",
    "login_sessions": "the audit has log-ins",
    "mailed_links": "secrets of links in emails",
    "personal_tokens": "the audit has them",
    "push_subscriptions": "secrets of browsers",
    "recovery_codes": "secrets of accounts",
    "scheduled_reminders": "triggers derive them from todos, which are logged",
    "second_factors": "secrets of accounts; the audit has them",
}
"""The tables with an owner whose changes are not in the log, and why."""

OWNED = text("""
SELECT relname, EXISTS (
    SELECT FROM pg_trigger WHERE tgrelid = pg_class.oid AND tgname = 'log_change'
) AS is_logged
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'owner_id'
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
""")


async def test_every_table_of_user_data_is_logged_or_has_a_reason_not_to_be(connection):
    found = {row.relname: row.is_logged for row in await connection.execute(OWNED)}

    logged = {"todos", "projects", "sections", "labels", "todo_labels", "todo_relations"}
    assert logged | {"occurrences", "saved_filters"} <= {
        name for name, is_logged in found.items() if is_logged
    }
    assert {name for name, is_logged in found.items() if not is_logged} == NOT_LOGGED.keys()
