from datetime import datetime, timedelta

from fast_zero.core.database import PreparedRow, Session
from fast_zero.core.errors import Conflict, Invalid
from fast_zero.reminders.models import NOT_OPEN
from fast_zero.reminders.schemas import Snooze
from fast_zero.todos import queries, service

PAST = "It has to be in the future."


async def snooze_todo(
    session: Session, user_id: int, todo_id: int, snooze: Snooze, now: datetime
) -> PreparedRow:
    """Move the reminders of a todo that would go out before a moment to that moment."""
    until = snooze.until or now + timedelta(minutes=snooze.minutes or 0)
    if until <= now:
        raise Invalid(PAST, "until")
    todo = await queries.snooze_todo(session, user_id, todo_id, until)
    if todo is None:
        await service.read_todo(session, user_id, todo_id)
        raise Conflict(NOT_OPEN)
    return todo
