"""Forms: what was sent, and what is wrong with it, beside each field."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

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
}
"""The fields that errors of the domain are shown beside. Others are shown above the form."""

CODES = {
    "incorrect_credentials": mark("Email or password is wrong. Check both and try again."),
    "otp_incorrect": mark("This code is wrong, or was used already. Enter the next one."),
    "not_authenticated": mark("Too much time has passed. Log in again."),
    "account_disabled": mark("This account is disabled. Write to whoever runs the server."),
    "username_taken": mark("Somebody has this username already. Choose another."),
    "email_taken": mark("There is an account with this email address. Log in instead."),
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
    "link_not_valid": mark("This link was used, has expired, or was followed by a newer one."),
}
FIELDS = {
    "username": mark("Use 3 to 64 letters, digits or spaces, without invisible characters."),
    "email": mark("This is no email address. Write it like name@example.com."),
    "password": mark(
        "This password is too short, or one of the most common ones. Use %(least)d "
        "characters or more."
    ),
    "time_zone": mark("There is no such time zone."),
}
"""What is wrong with a field that breaks any of its rules."""

EMPTY = mark("Fill this in.")
OTHER = mark("This does not fit here. Check it.")

M = TypeVar("M", bound=BaseModel)


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
            self.errors[name] = CODES.get(error.code) or error.detail.replace("%", "%%")
