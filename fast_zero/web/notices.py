"""What has just happened, said once on the next page.

A notice is kept in a cookie between a form and the page that follows it. Somebody else may have
written it, so it names one of our texts, and what it quotes is shown as text.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ValidationError

from fast_zero.web.texts import mark

SECONDS = 60

TEXTS = {
    "added": mark("Added: “%(title)s”"),
    "completed": mark("Completed: “%(title)s”"),
    "reopened": mark("Reopened: “%(title)s”"),
    "moved_to_today": mark("Moved to today: %(title)s"),
    "undone": mark("Undone"),
    "logged_out": mark("You are logged out."),
    "password_changed": mark("Your password is changed. Log in with it."),
    "email_confirmed": mark("Your email address is confirmed."),
}
FAULTS = {
    "todo_not_found": mark("This task does not exist any more."),
    "todo_blocked": mark("Another task has to be completed first."),
    "occurrence_not_current": mark("This repetition is over already."),
    "changed_since": mark("It has been changed since, so it stays as it is."),
    "change_set_not_found": mark("There is nothing to undo any more."),
    "validation_error": mark("This text cannot be a task. Use up to 200 characters."),
}


class Notice(BaseModel):
    """`fault`: something was refused. `focus`: the id of the element to focus."""

    code: str
    title: str = ""
    undo: UUID | None = None
    focus: str = ""
    fault: bool = False

    @classmethod
    def read(cls, cookie: str) -> Self | None:
        try:
            notice = cls.model_validate(json.loads(urlsafe_b64decode(cookie)))
        except (ValueError, ValidationError):
            return None
        return notice if notice.code in (FAULTS if notice.fault else TEXTS) else None

    def written(self) -> str:
        return urlsafe_b64encode(self.model_dump_json(exclude_defaults=True).encode()).decode()

    def text(self) -> str:
        return (FAULTS if self.fault else TEXTS)[self.code]
