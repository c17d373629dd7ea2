"""Forms: what was sent, and what is wrong with it, beside each field."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from markupsafe import escape
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from fast_zero.core.errors import DomainError, Invalid
from fast_zero.web.texts import mark

SECRET_FIELDS = frozenset({"password", "current_password", "code"})
"""They are never sent back."""

FIELDS_OF_CODES = {
    "username_taken": "username",
    "email_taken": "email",
    "incorrect_credentials": "password",
    "otp_incorrect": "code",
    "current_password_required": "current_password",
    "label_exists": "name",
    "filter_exists": "name",
    "project_not_found": "parent_id",
    "project_cycle": "parent_id",
    "project_too_deep": "parent_id",
}
"""The fields that errors of the domain are shown beside. Others are shown above the form."""

CODES = {
    "incorrect_credentials": mark("Email or password is wrong. Check both and try again."),
    "otp_incorrect": mark("This code is wrong, or was used already. Enter the next one."),
    "not_authenticated": mark("Too much time has passed. Log in again."),
    "account_disabled": mark("This account is disabled. Write to whoever runs the server."),
    "username_taken": mark("Somebody has this username already. Choose another."),
    "email_taken": mark("There is an account with this email address. Use another, or log in."),
    "too_many_failed_attempts": mark("Too many failed attempts. Wait, then try again."),
    "too_many_registrations": mark(
        "Too many accounts were made from your address. Try again later."
    ),
    "too_many_emails": mark("Too many emails were asked for. Try again later."),
    "too_many_requests": mark("Too many attempts at once. Try again in a moment."),
    "registration_closed": mark("Nobody can register here at the moment."),
    "invitation_required": mark("You need an invitation to register here."),
    "invitation_not_valid": mark(
        "This invitation was used, has expired, or is for another email address."
    ),
    "current_password_required": mark("This is not your current password. Try again."),
    "otp_already_active": mark("The second factor is on already. Turn it off first."),
    "otp_not_found": mark("There is no second factor. Turn it on again."),
    "scope_not_allowed": mark("You may not give this access. Choose less."),
    "too_many_tokens": mark("You have as many tokens as you may have. Delete one first."),
    "precondition_failed": mark(
        "This was changed elsewhere meanwhile. What you wrote is below: save again to keep it."
    ),
    "import_unfinished": mark("Your last import has not ended yet. Wait until it has."),
    "label_exists": mark("You have a label with this name already. Choose another."),
    "filter_exists": mark("You have a filter with this name already. Choose another."),
    "too_many_filters": mark("You have as many filters as there can be. Delete one first."),
    "project_not_found": mark("This project does not exist any more. Choose another."),
    "project_cycle": mark("A project cannot be inside itself. Choose another."),
    "project_too_deep": mark("Projects can be nested three levels deep. Choose another."),
    "link_not_valid": mark("This link was used, has expired, or was followed by a newer one."),
}
FIELDS = {
    "text": mark("Write up to 500 characters."),
    "username": mark("Use 3 to 64 letters, digits or spaces, without invisible characters."),
    "email": mark("This is no email address. Write it like name@example.com."),
    "password": mark(
        "This password is too short, or one of the most common ones. Use %(least)d "
        "characters or more."
    ),
    "display_name": mark("This is too long. Use up to 100 characters."),
    "bio": mark("This is too long. Use up to 500 characters."),
    "time_zone": mark("There is no such time zone."),
    "default_reminder_time": mark("Write a time such as 09:00."),
    "digest_time": mark("Write a time such as 09:00."),
    "name": mark("This name is too long, or has characters that nobody can see. Shorten it."),
}
"""What is wrong with a field that breaks any of its rules."""

LONGEST_ID = 20

EMPTY = mark("Fill this in.")
OTHER = mark("This does not fit here. Check it.")

M = TypeVar("M", bound=BaseModel)


def id_of(text: str) -> int | str | None:
    """Return the id that a field names; None: it is empty. What is no id is refused by `parse`."""
    return (
        int(text)
        if text.isascii() and text.isdecimal() and len(text) < LONGEST_ID
        else text or None
    )


@dataclass
class Form:
    """The values of a form, and a text for each field that is wrong; `""` is the form itself."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    least: int = 8
    """How long a password has to be."""

    def value(self, name: str) -> str:
        return "" if name in SECRET_FIELDS else self.values.get(name, "")

    def given(self, name: str) -> str:
        """Return what was sent, also a secret."""
        return self.values.get(name, "")

    def require(self, *names: str) -> None:
        for name in names:
            if not self.given(name):
                self.errors[name] = EMPTY

    def parse(self, model: type[M], **more: object) -> M | None:
        """Validate the fields of a model; return None, and the errors in `errors`.

        A field that is empty counts as not sent.
        """
        names = model.model_fields.keys()
        given = {name: text for name, text in self.values.items() if name in names and text}
        try:
            return model.model_validate({**given, **more})
        except ValidationError as error:
            for item in error.errors(include_url=False, include_context=False):
                self.refuse_field(item)
            return None

    def refuse_field(self, item: ErrorDetails) -> None:
        name = str(item["loc"][0]) if item["loc"] else ""
        is_empty = item["type"] == "missing" or not self.values.get(name)
        self.errors.setdefault(name, EMPTY if is_empty else FIELDS.get(name, OTHER))

    def refuse(self, error: DomainError) -> None:
        """Show an error of the domain beside its field, or above the form."""
        if isinstance(error, Invalid) and error.field:
            self.errors[error.field] = FIELDS.get(error.field, OTHER)
        else:
            name = FIELDS_OF_CODES.get(error.code, "")
            # Templates take texts of the catalogue as they are, so others are escaped here.
            self.errors[name] = CODES.get(error.code) or escape(error.detail.replace("%", "%%"))
