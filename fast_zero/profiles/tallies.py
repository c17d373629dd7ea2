"""Numbers that would take too long to count: of followers, and of posts that are no replies.

Each follow and post writes down that there is one more or less, in a row of its own, so that
nobody waits for those who follow the same person just then. A number is what was added up, and
the rows since; `add_up` makes one of the two, now and then.
"""

from sqlalchemy import ColumnElement, func, select, text

from fast_zero.core.database import Session
from fast_zero.profiles.models import Tally, TallyChange

FOLLOWERS = "follows"
"""The kind under which followers are counted. Posts are counted under their visibility."""

ADDED_UP = 10_000
"""Accounts whose changes are added up at once."""

tallies = Tally.__table__.c
changes = TallyChange.__table__.c

# An account that is just being deleted is left alone, and what it leaves behind is deleted.
ADD_UP = text(f"""
WITH counted AS MATERIALIZED (
    SELECT id FROM users
    WHERE id IN (SELECT user_id FROM tally_changes GROUP BY user_id LIMIT {ADDED_UP})
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
FORGET = text("""
DELETE FROM tally_changes
WHERE NOT EXISTS (SELECT FROM users WHERE users.id = tally_changes.user_id)
""")


def tally(user_id: ColumnElement[int], kind: ColumnElement[str]) -> ColumnElement[int]:
    """Tell how many there are of a kind."""
    of = (tallies.user_id == user_id, tallies.kind == kind)
    since = (changes.user_id == user_id, changes.kind == kind)
    return func.coalesce(select(tallies.number).where(*of).scalar_subquery(), 0) + func.coalesce(
        select(func.sum(changes.change)).where(*since).scalar_subquery(), 0
    )


async def add_up(session: Session) -> None:
    """Add up what has changed since. Any number of processes may do it at once."""
    await session.execute(ADD_UP)
    await session.execute(FORGET)
