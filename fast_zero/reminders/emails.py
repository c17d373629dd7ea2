"""Reminders and digests as emails, in each language."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from fast_zero.core.database import AnyRow
from fast_zero.core.email.sending import OutgoingEmail
from fast_zero.core.email.template import Block, Recipient
from fast_zero.notifications.emails import (
    fill,
    host,
    list_titles,
    shorten,
    with_delay,
    with_unsubscribe_link,
)

TWELVE_HOURS = 12

# Of two texts, the first is singular, the second plural.
TEXTS: dict[str, dict[str, str | tuple[str, str]]] = {
    "en": {
        "reminder": ("Reminder: $title", "$count reminders from $server"),
        "due on": "$title, due on $day",
        "due at": "$title, due on $day at $time",
        "digest": "Today at $server",
        "overdue": ("One todo is overdue:", "$count todos are overdue:"),
        "today": ("One todo is due today:", "$count todos are due today:"),
        "timed": "$time: $title",
    },
    "pt-BR": {
        "reminder": ("Lembrete: $title", "$count lembretes de $server"),
        "due on": "$title, para $day",
        "due at": "$title, para $day às $time",
        "digest": "Hoje em $server",
        "overdue": ("Uma tarefa está atrasada:", "$count tarefas estão atrasadas:"),
        "today": ("Uma tarefa é para hoje:", "$count tarefas são para hoje:"),
        "timed": "$time: $title",
    },
}


@dataclass(frozen=True)
class Envelope:
    """What an email has besides its content."""

    server: str
    unsubscribe: str
    message_id: str


def reminders_email(todos: Sequence[AnyRow], reader: AnyRow, envelope: Envelope) -> OutgoingEmail:
    server, title = host(envelope.server), shorten(todos[0].title)
    subject = translate(reader.language, "reminder", len(todos), title=title, server=server)
    items = [describe_late(todo, reader) for todo in todos]
    return addressed([items], reader, subject, envelope)


def digest_email(
    overdue: Sequence[AnyRow], later: Sequence[AnyRow], reader: AnyRow, envelope: Envelope
) -> OutgoingEmail:
    language = reader.language
    blocks: list[Block] = []
    for key, todos in (("overdue", overdue), ("today", later)):
        if todos:
            number = todos[0].number
            blocks.append(translate(language, key, number))
            blocks.append(list_titles(language, [describe(todo, reader) for todo in todos], number))
    subject = translate(language, "digest", server=host(envelope.server))
    return addressed(blocks, reader, subject, envelope)


def addressed(
    blocks: Sequence[Block], reader: AnyRow, subject: str, envelope: Envelope
) -> OutgoingEmail:
    to = Recipient(reader.email, reader.language)
    return with_unsubscribe_link(blocks, to, subject, envelope.unsubscribe, envelope.message_id)


def describe_late(todo: AnyRow, reader: AnyRow) -> str:
    """Return the title of a todo, when it is due, and how late the reminder is."""
    language, title = reader.language, shorten(todo.title)
    item = title
    if todo.due_at is not None:
        local = todo.due_at.astimezone(ZoneInfo(reader.time_zone))
        day, time = local.date().isoformat(), time_of(local, reader.clock)
        item = translate(language, "due at", title=title, day=day, time=time)
    elif todo.due_on is not None:
        item = translate(language, "due on", title=title, day=todo.due_on.isoformat())
    return with_delay(language, item, int(todo.minutes_late))


def describe(todo: AnyRow, reader: AnyRow) -> str:
    """Return the title of a todo of a digest, after its time of day if it has one."""
    if todo.due_at is None:
        return str(todo.title)
    time = time_of(todo.due_at.astimezone(ZoneInfo(reader.time_zone)), reader.clock)
    return translate(reader.language, "timed", time=time, title=todo.title)


def time_of(moment: datetime, clock: int) -> str:
    """Write a time of day as the user reads it, with 12 or 24 hours."""
    return f"{moment:%I:%M %p}".lstrip("0") if clock == TWELVE_HOURS else f"{moment:%H:%M}"


def translate(language: str, key: str, count: int = 1, **parts: str) -> str:
    return fill(TEXTS[language][key], count, **parts)
