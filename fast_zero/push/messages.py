"""The pushes that notifications become."""

import json
from dataclasses import dataclass

from fast_zero.core import security
from fast_zero.core.database import AnyRow
from fast_zero.core.settings import Settings
from fast_zero.notifications import emails
from fast_zero.notifications.models import Kind

TOPIC_LENGTH = 32  # RFC 8030, section 5.4
URGENCIES = {
    Kind.FOLLOW: "low",
    Kind.REPLY: "normal",
    Kind.LIKE: "low",
    Kind.REMINDER: "high",
}


@dataclass(frozen=True)
class Message:
    """What a browser receives, and what its push service is told (RFC 8030, sections 5.3, 5.4).

    A push replaces one with the same topic that was not delivered yet.
    """

    payload: bytes
    urgency: str
    topic: str


def compose(settings: Settings, user_id: int, language: str, notification: AnyRow) -> Message:
    url = url_of(notification)
    content = {
        "notification_id": notification.id,
        "kind": notification.kind,
        "title": emails.host(settings.base_url()),
        "text": emails.describe(notification, language),
        "url": url,
    }
    # Derived with the key, since the push service must not learn what happened.
    about = f"topic of {user_id} {notification.kind} {url}"
    topic = security.derived_token(settings, about)[:TOPIC_LENGTH]
    payload = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Message(payload, URGENCIES[Kind(notification.kind)], topic)


def url_of(notification: AnyRow) -> str:
    if notification.post:
        return f"/posts/{notification.post['id']}"
    return f"/todos/{notification.todo['id']}" if notification.todo else "/notifications"
