"""The mapped classes of every room, for Alembic and the shell."""

from fast_zero.accounts.models import (
    AuditEvent,
    EndedSession,
    Invitation,
    LoginSession,
    MailedLink,
    PersonalToken,
    SpentRefreshToken,
    User,
)
from fast_zero.accounts.otp_models import RecoveryCode, SecondFactor
from fast_zero.core.database import Base
from fast_zero.core.http.idempotency_keys import KeptAnswer
from fast_zero.core.security.throttle import Throttle
from fast_zero.feed.models import (
    Block,
    Completion,
    EarlierText,
    Follow,
    Like,
    Post,
    Retraction,
    Tally,
    TallyChange,
)
from fast_zero.news.models import Notification, WeeklyReport
from fast_zero.todos.models import Todo

__all__ = [
    "AuditEvent",
    "Base",
    "Block",
    "Completion",
    "EarlierText",
    "EndedSession",
    "Follow",
    "Invitation",
    "KeptAnswer",
    "Like",
    "LoginSession",
    "MailedLink",
    "Notification",
    "PersonalToken",
    "Post",
    "RecoveryCode",
    "Retraction",
    "SecondFactor",
    "SpentRefreshToken",
    "Tally",
    "TallyChange",
    "Throttle",
    "Todo",
    "User",
    "WeeklyReport",
]
