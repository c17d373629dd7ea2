"""The mapped classes of all rooms, for Alembic and the shell."""

from fast_zero.accounts.models import Invitation
from fast_zero.calendar_feeds.models import CalendarFeed
from fast_zero.core.database import Base
from fast_zero.core.http.idempotency_keys import IdempotencyKey
from fast_zero.core.security.throttle import Throttle
from fast_zero.email_links.models import MailedLink
from fast_zero.identity.models import (
    AuditEvent,
    EndedSession,
    LoginSession,
    PersonalToken,
    SpentRefreshToken,
    User,
)
from fast_zero.imports.models import Import
from fast_zero.labels.models import Label, TodoLabel
from fast_zero.notifications.models import Notification, WeeklyReport
from fast_zero.people.models import Block, Follow
from fast_zero.posts.models import Completion, EarlierText, Like, Post
from fast_zero.profiles.models import Tally, TallyChange
from fast_zero.projects.models import Project, Section
from fast_zero.push.models import PushSubscription
from fast_zero.relations.models import Relation
from fast_zero.reminders.models import Digest, ScheduledReminder
from fast_zero.saved_filters.models import SavedFilter
from fast_zero.syndication.models import Retraction
from fast_zero.todos.models import Occurrence, Todo
from fast_zero.trash.models import Deletion
from fast_zero.two_factor.models import RecoveryCode, SecondFactor

__all__ = [
    "AuditEvent",
    "Base",
    "Block",
    "CalendarFeed",
    "Completion",
    "Deletion",
    "Digest",
    "EarlierText",
    "EndedSession",
    "Follow",
    "IdempotencyKey",
    "Import",
    "Invitation",
    "Label",
    "Like",
    "LoginSession",
    "MailedLink",
    "Notification",
    "Occurrence",
    "PersonalToken",
    "Post",
    "Project",
    "PushSubscription",
    "RecoveryCode",
    "Relation",
    "Retraction",
    "SavedFilter",
    "ScheduledReminder",
    "SecondFactor",
    "Section",
    "SpentRefreshToken",
    "Tally",
    "TallyChange",
    "Throttle",
    "Todo",
    "TodoLabel",
    "User",
    "WeeklyReport",
]
