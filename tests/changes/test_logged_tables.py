"""Which tables are logged."""

from sqlalchemy import text

LOGGED = {
    "todos",
    "projects",
    "sections",
    "labels",
    "todo_labels",
    "todo_relations",
    "occurrences",
    "saved_filters",
}
NOT_LOGGED = {
    "alembic_version": "the revision of the schema",
    "audit_events": "data of their own",
    "blocks": "nobody but their owner may learn of them, and the page of people has them",
    "calendar_feeds": "secret addresses; the audit has them",
    "change_log": "the epoch of the log",
    "changes": "it is the log itself",
    "completions": "triggers derive them from todos and occurrences, which are logged",
    "deletions": "the rows in the trash are logged",
    "digests": "when the digest of a day was sent",
    "earlier_texts": "the edits of posts, data of their own",
    "ended_sessions": "revocations of sessions; the audit has log-outs",
    "follows": "links between two people, whose lists are read from there",
    "idempotency_keys": "stored responses, which nobody changes",
    "imports": "what they create is logged",
    "invitations": "the operator's",
    "likes": "links of people to the posts of others",
    "login_sessions": "the audit has log-ins",
    "mailed_links": "secrets of links in emails",
    "notifications": "they tell of what happened, and are deleted when they are old",
    "personal_tokens": "the audit has them",
    "posts": "a ledger of their own, with their edits; those of todos follow the todos",
    "push_subscriptions": "secrets of browsers",
    "recovery_codes": "secrets of accounts",
    "retractions": "when somebody last took back a post, for subscribers",
    "scheduled_reminders": "triggers derive them from todos, which are logged",
    "second_factors": "secrets of accounts; the audit has them",
    "spent_refresh_tokens": "secrets of sessions",
    "tallies": "numbers of follows and posts",
    "tally_changes": "numbers of follows and posts",
    "throttles": "failed log-ins",
    "users": "settings and secrets of accounts; the audit has the changes that matter",
    "weekly_reports": "when reports were sent",
}
"""The tables whose changes are not in the log, and why."""

# Except those of the library that runs the jobs.
TABLES = text("""
SELECT relname, EXISTS (
    SELECT FROM pg_trigger WHERE tgrelid = pg_class.oid AND tgname = 'log_change'
) AS is_logged
FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
    AND NOT starts_with(relname, 'procrastinate_')
""")


async def test_every_table_is_logged_or_has_a_reason_not_to_be(connection):
    found = {row.relname: row.is_logged for row in await connection.execute(TABLES)}

    assert {name for name, is_logged in found.items() if is_logged} == LOGGED
    assert {name for name, is_logged in found.items() if not is_logged} == NOT_LOGGED.keys()
