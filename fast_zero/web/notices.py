"""What has just happened, said once on the next page.

A notice is kept in a cookie between a form and the page that follows it. Somebody else may have
written it, so it names one of our texts, and what it quotes is shown as text.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from http import HTTPStatus
from typing import Self
from uuid import UUID

from pydantic import BaseModel

from fast_zero.core.errors import DomainError
from fast_zero.web import links
from fast_zero.web.texts import mark

SECONDS = 60

CHANGED_SINCE = mark("It has been changed since, so it stays as it is.")
NO_TODO = mark("This task does not exist any more.")
NOT_IN_TRASH = mark("This is not in the trash any more.")
TEXTS = {
    "added": mark("Added: “%(title)s”"),
    "completed": mark("Completed: “%(title)s”"),
    "reopened": mark("Reopened: “%(title)s”"),
    "skipped": mark("Skipped: “%(title)s”"),
    "snoozed": mark("Snoozed: “%(title)s”"),
    "taken_back": mark("Taken back: “%(title)s”"),
    "todo_deleted": mark("Task moved to the trash: “%(title)s”"),
    "due": mark("Due %(place)s: “%(title)s”"),
    "undated": mark("Without a date: “%(title)s”"),
    "todo_moved": mark("Moved to %(place)s: “%(title)s”"),
    "placed": mark("“%(title)s” is %(count)d of %(total)d"),
    "labelled": mark("Labelled %(place)s: “%(title)s”"),
    "prioritized": mark("Priority %(place)s: “%(title)s”"),
    "undone": mark("Undone"),
    "post_created": mark("Posted: “%(title)s”"),
    "post_changed": mark("Changed: “%(title)s”"),
    "post_deleted": mark("Post deleted: “%(title)s”"),
    "replied": mark("Replied: “%(title)s”"),
    "followed": mark("You follow %(title)s."),
    "unfollowed": mark("You do not follow %(title)s any more."),
    "person_blocked": mark("Blocked: %(title)s"),
    "person_unblocked": mark("Unblocked: %(title)s"),
    "notifications_read": mark("All notifications are marked as read."),
    "project_created": mark("Project created: “%(title)s”"),
    "section_created": mark("Section created: “%(title)s”"),
    "label_created": mark("Label created: “%(title)s”"),
    "filter_created": mark("Filter created: “%(title)s”"),
    "saved": mark("Saved: “%(title)s”"),
    "reordered": mark("Moved: “%(title)s”"),
    "archived": mark("Archived: “%(title)s”"),
    "unarchived": mark("Back from the archive: “%(title)s”"),
    "section_deleted": mark("Section deleted: “%(title)s”"),
    "label_deleted": mark("Label deleted: “%(title)s”"),
    "filter_deleted": mark("Filter deleted: “%(title)s”"),
    "moved_to_trash": mark("Moved to the trash: “%(title)s”"),
    "restored": mark("Restored: “%(title)s”"),
    "purged": mark("Deleted for good: “%(title)s”"),
    "trash_emptied": mark("The trash is empty now."),
    "logged_out": mark("You are logged out."),
    "password_changed": mark("Your password is changed. Log in with it."),
    "email_confirmed": mark("Your email address is confirmed."),
    "settings_saved": mark("Your settings are saved."),
    "email_asked": mark("A link is on its way to the new address. Follow it to confirm."),
    "email_kept": mark("Your email address stays as it is."),
    "verification_sent": mark("A link is on its way to your address. Follow it to confirm."),
    "password_saved": mark("Your password is changed. All other sessions are ended."),
    "session_ended": mark("The session is ended."),
    "other_sessions_ended": mark("All other sessions are ended."),
    "otp_disabled": mark("The second factor is off."),
    "token_deleted": mark("Token deleted: “%(title)s”"),
    "account_deleted": mark("Your account is deleted, with everything in it."),
    "messages_saved": mark("Saved: emails and reminders"),
    "browser_removed": mark("Removed: this browser gets no more notifications."),
    "import_forgotten": mark("Removed from the list. What it created stays."),
    "feed_removed": mark("The address of your calendar is removed."),
    "account_was_disabled": mark("Disabled: “%(title)s”"),
    "account_was_enabled": mark("Enabled: “%(title)s”"),
    "invited": mark("Invitation on its way to %(title)s"),
    "invitation_revoked": mark("Revoked: the link of this invitation no longer works."),
}
MANY = {
    "completed": mark("Completed: %(count)d tasks"),
    "reopened": mark("Reopened: %(count)d tasks"),
    "todo_deleted": mark("Moved to the trash: %(count)d tasks"),
    "due": mark("Due %(place)s: %(count)d tasks"),
    "undated": mark("Without a date: %(count)d tasks"),
    "todo_moved": mark("Moved to %(place)s: %(count)d tasks"),
    "labelled": mark("Labelled %(place)s: %(count)d tasks"),
    "prioritized": mark("Priority %(place)s: %(count)d tasks"),
}
"""Of several todos."""
FAULTS = {
    "todo_not_found": NO_TODO,
    "parent_not_found": NO_TODO,
    "todo_blocked": mark("Another task has to be completed first."),
    "occurrence_not_current": mark("This repetition is over already."),
    "project_not_found": mark("This project does not exist any more."),
    "section_not_found": mark("This section does not exist any more."),
    "label_not_found": mark("This label does not exist any more."),
    "filter_not_found": mark("This filter does not exist any more."),
    "deletion_not_found": NOT_IN_TRASH,
    "todo_not_in_trash": NOT_IN_TRASH,
    "project_not_in_trash": NOT_IN_TRASH,
    "change_set_too_large": mark("This changed too much to be undone here. Look in the trash."),
    "occurrence_not_newest": mark("Only the newest time can be taken back."),
    "occurrence_not_found": mark("This time was taken back already."),
    "todo_not_recurring": mark("This task does not repeat any more."),
    "todo_not_open": mark("This task is completed. There is nothing to remind of."),
    "todo_too_deep": mark("Tasks can be nested six levels deep. Add it to a task above."),
    "relation_cycle": mark("These tasks would wait for one another. Choose another one."),
    "too_many_relations": mark("A task can have 100 relations. Remove one first."),
    "relation_not_found": mark("This relation was removed already."),
    "changed_since": CHANGED_SINCE,
    "precondition_failed": CHANGED_SINCE,
    "email_already_verified": mark("Your email address is confirmed already."),
    "too_many_emails": mark("Too many emails were asked for. Try again later."),
    "session_not_found": mark("This session has ended already."),
    "token_not_found": mark("This token is deleted already."),
    "change_set_not_found": mark("There is nothing to undo any more."),
    "post_not_found": mark("This post does not exist any more."),
    "user_not_found": mark("This account does not exist any more."),
    "notification_not_found": mark("There is no such notification any more."),
    "push_subscription_not_found": mark("This browser is removed already."),
    "import_running": mark("It is running. Wait until it has ended."),
    "import_not_done": mark("This import cannot be undone: it is not done, or undone already."),
    "calendar_feed_not_found": mark("There is no address of your calendar any more."),
    "not_yourself": mark("You cannot disable yourself."),
    "invitation_not_found": mark("This invitation is used, revoked or expired already."),
    "bad_characters": mark("This text cannot be a task. It has characters that are not allowed."),
    "no_title": mark(
        "Nothing is left for a title. Say what is to be done, or use quotation marks."
    ),
    "long_title": mark("This title is too long. Use up to 200 characters."),
    "long_line": mark("This line is too long. Use up to 500 characters."),
    "idempotency_key_reused": mark(
        "This was added already, as it was written first. See the list, or add it again."
    ),
    "not_added": mark("This could not be added. Open the list again, then send it once more."),
    "not_understood": mark("This was not understood. Check it, and try again."),
    "occurrence_recorded": mark("It has been done on this day already."),
    "recurrence_without_due": mark("What repeats needs a date. Remove the repetition first."),
    "not_a_sibling": mark("The list has changed meanwhile. Try again."),
    "nothing_selected": mark("Nothing is selected. Select tasks first."),
    "too_many_selected": mark("These are too many. Select at most 200 tasks."),
    "label_refused": mark("This cannot be a label. Write up to 50 characters."),
    "no_place": mark("Choose where to move it."),
    "no_priority": mark("Choose a priority."),
}


def shortened(text: str, most: int) -> str:
    """Return a text that fits into a cookie, which has about four thousand bytes."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


class Notice(BaseModel):
    """`fault`: something was refused. `focus`: the id of the element to focus.

    `details` is what follows the text, in the language of the reader; `link` is where it is now,
    `line` what was refused.
    `count`: how many todos were changed, or which one it is of `total`. `failed`: how many could
    not be. `more`: there are others, and the same button changes them.
    """

    code: str
    title: str = ""
    details: str = ""
    link: str = ""
    line: str = ""
    place: str = ""
    count: int = 0
    total: int = 0
    failed: int = 0
    more: bool = False
    undo: UUID | None = None
    focus: str = ""
    fault: bool = False

    @classmethod
    def read(cls, cookie: str) -> Self | None:
        try:
            notice = cls.model_validate_json(urlsafe_b64decode(cookie))
        except ValueError:
            return None
        if notice.link and links.own_path(notice.link, "") != notice.link:
            return None
        return notice if notice.code in notice.texts else None

    def written(self) -> str:
        return urlsafe_b64encode(self.model_dump_json(exclude_defaults=True).encode()).decode()

    @property
    def texts(self) -> Mapping[str, str]:
        if self.fault:
            return FAULTS
        return TEXTS if self.count <= 1 or self.total else MANY

    def text(self) -> str:
        return self.texts[self.code]


class Refused(DomainError):
    """A form that cannot be done. `code` is one of `FAULTS`."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, code: str) -> None:
        super().__init__(FAULTS[code])
        self.code = code


def fault(code: str) -> Notice:
    """Say why a form was refused."""
    return Notice(code=code if code in FAULTS else "not_understood", fault=True)


def fault_of(error: DomainError) -> Notice:
    return fault(error.code)
