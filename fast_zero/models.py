"""Roll-call of every room's tables, for Alembic and for the prompt."""

from fast_zero.accounts.models import (
    audit_events,
    ended_sessions,
    invitations,
    login_sessions,
    mailed_links,
    personal_tokens,
    spent_refresh_tokens,
    users,
)
from fast_zero.accounts.otp_models import recovery_codes, second_factors
from fast_zero.core.kept_answers import kept_answers
from fast_zero.core.tables import metadata
from fast_zero.core.throttle import throttles
from fast_zero.feed.models import (
    blocks,
    completions,
    earlier_texts,
    follows,
    likes,
    posts,
    retractions,
    tallies,
    tally_changes,
)
from fast_zero.news.models import notifications, weekly_reports
from fast_zero.todos.models import todos

__all__ = [
    "audit_events",
    "blocks",
    "completions",
    "earlier_texts",
    "ended_sessions",
    "follows",
    "invitations",
    "kept_answers",
    "likes",
    "login_sessions",
    "mailed_links",
    "metadata",
    "notifications",
    "personal_tokens",
    "posts",
    "recovery_codes",
    "retractions",
    "second_factors",
    "spent_refresh_tokens",
    "tallies",
    "tally_changes",
    "throttles",
    "todos",
    "users",
    "weekly_reports",
]
