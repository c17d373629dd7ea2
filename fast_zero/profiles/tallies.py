"""Counts that would take too long to compute: followers, and posts that are not replies.

Triggers write each change of a count as a row of its own, so that transactions that follow the same
user do not wait for one another. A count is the aggregated number plus the rows since; the job
`add_up` aggregates them periodically.
"""

from sqlalchemy import ColumnElement, func, select, text

from fast_zero.core.database import Session
from fast_zero.profiles.models import Tally, TallyChange

FOLLOWERS = "follows"
"""The kind for followers. For posts, the kind is their visibility."""

BATCH_SIZE = 10_000
"""Maximum number of accounts that one statement aggregates."""

tallies = Tally.__table__.c
changes = TallyChange.__table__.c

# Accounts that are being deleted are skipped; their remaining rows are deleted afterwards.
ADD_UP = text(f"""
WITH counted AS MATERIALIZED (
    SELECT id FROM users
    WHERE id IN (SELECT user_id FROM tally_changes GROUP BY user_id LIMIT {BATCH_SIZE})
    ORDER BY id FOR KEY SHARE SKIP LOCKED
),
taken AS (
    DELETE FROM tally_changes USING counted WHERE tally_changes.user_id = counted.id
    RETURNING user_id, kind, change
)
INSERT INTO tallies (user_id, kind, number)
SELECT user_id, kind, sum(change) FROM taken GROUP BY user_id, kind ORDER BY user_id, kind
ON CONFLICT (user_id, kind) DO UPDATE SET number = tallies.number + excluded.number
""")  # noqa: S608  # a number of our own
DELETE_ORPHANS = text("""
DELETE FROM tally_changes
WHERE NOT EXISTS (SELECT FROM users WHERE users.id = tally_changes.user_id)
""")


def tally(user_id: ColumnElement[int], kind: ColumnElement[str]) -> ColumnElement[int]:
    """Return the count of a kind for a user, as an expression."""
    of = (tallies.user_id == user_id, tallies.kind == kind)
    since = (changes.user_id == user_id, changes.kind == kind)
    return func.coalesce(select(tallies.number).where(*of).scalar_subquery(), 0) + func.coalesce(
        select(func.sum(changes.change)).where(*since).scalar_subquery(), 0
    )


async def add_up(session: Session) -> None:
    """Aggregate the changes. Several processes may do it at once."""
    await session.execute(ADD_UP)
    await session.execute(DELETE_ORPHANS)
