import re
from datetime import datetime, time
from typing import Annotated, Literal

from pydantic import (
    MISSING,
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictBool,
    StringConstraints,
    WithJsonSchema,
)

from fast_zero.core.languages import DEFAULT, Language
from fast_zero.core.pagination import Next
from fast_zero.core.types import Id, ResponseModel, Sharing, Text
from fast_zero.identity.models import Role
from fast_zero.identity.schemas import Email, Password, Secret, TimeZone, Username, UserPublic

DisplayName = Annotated[
    Text,
    StringConstraints(max_length=100),
    Field(
        description="The displayed name. If empty, the username is displayed.",
        examples=["Ana Lúcia"],
    ),
]
Bio = Annotated[
    Text,
    StringConstraints(max_length=500),
    Field(description="A few words about oneself.", examples=["Bakes on Sundays."]),
]
WeekStart = Annotated[
    Literal["monday", "saturday", "sunday"],
    Field(description="The first day of a week, in views of a week or month.", examples=["sunday"]),
]
Clock = Annotated[
    Literal[12, 24],
    Field(description="Whether times are shown with 12 or 24 hours.", examples=[12]),
]
Theme = Annotated[
    Literal["auto", "light", "dark"],
    Field(description="The colours of the page; `auto`: as the device.", examples=["auto"]),
]
KeyboardShortcuts = Annotated[
    StrictBool, Field(description="Whether keys are shortcuts on the page.", examples=[True])
]
MINUTE = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"


def parse_time(value: object) -> time:
    """Parse a time of day, to the minute. A stored one is returned as it is."""
    if isinstance(value, time):
        return value
    if not isinstance(value, str) or not re.fullmatch(MINUTE, value, re.ASCII):
        message = "this is no time of day; write hours and minutes, such as 09:00"
        raise ValueError(message)
    return time.fromisoformat(value)


TIME_OF_DAY = (
    BeforeValidator(parse_time),
    PlainSerializer(lambda value: f"{value:%H:%M}", return_type=str, when_used="json"),
)
ReminderTime = Annotated[
    time,
    *TIME_OF_DAY,
    WithJsonSchema(
        {
            "type": "string",
            "pattern": MINUTE,
            "description": "When to remind of a todo that is due on a day, in your time zone.",
            "examples": ["09:00"],
        }
    ),
]
DigestTime = Annotated[
    Annotated[time, *TIME_OF_DAY, WithJsonSchema({"type": "string", "pattern": MINUTE})] | None,
    Field(
        description="When to send you an email with what is overdue and due today, in your time "
        "zone and once your address is verified; none if there is nothing. `null`: never.",
        examples=["07:30"],
    ),
]
ShareTodos = Annotated[
    Sharing,
    Field(
        description="Who can see that a todo was finished, unless the todo has its own `share`. "
        "`off` also deletes what was shared by this setting."
    ),
]

Letters = Annotated[
    list[Literal["weekly_report", "follow", "reply", "like", "reminder"]],
    Field(
        max_length=10,
        description="Which emails you want, once your address is verified: a weekly report on "
        "Mondays, emails about unread new followers, replies or likes, and reminders of todos.",
        examples=[["weekly_report", "reply"]],
    ),
    AfterValidator(lambda wanted: sorted(set(wanted))),
]


class UserUpdate(BaseModel):
    """All fields of an account."""

    username: Username
    email: Email
    password: Password


class UserCreate(UserUpdate):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "username": "ana",
                    "email": "ana@example.com",
                    "password": "a fine long sentence",
                    "language": "pt-BR",
                    "time_zone": "America/Sao_Paulo",
                }
            ]
        }
    )

    language: Annotated[
        Language | MISSING,
        Field(description="The language of emails to you. Default: from `Accept-Language`."),
    ] = MISSING
    time_zone: Annotated[
        TimeZone | MISSING,
        Field(description="The IANA name of your time zone. Default: `UTC`."),
    ] = MISSING
    invitation: Annotated[
        Secret | MISSING,
        Field(
            description="The token of an invitation to this address, if registration needs one. "
            "It verifies the address.",
            examples=["q7rXcVn0Zb3hJt5mW8yKfA2eLpD9uGsR"],
        ),
    ] = MISSING


class InvitationCreate(BaseModel):
    email: Email
    language: Language = DEFAULT


class InvitationPublic(ResponseModel):
    """An invitation that was not used yet."""

    id: Id
    email: str = Field(examples=["ana@example.com"])
    language: Language
    created_at: datetime
    expires_at: datetime = Field(examples=["2026-12-02T08:00:00Z"])


class InvitationPage(ResponseModel):
    invitations: list[InvitationPublic]
    next: Next


class UserPrivate(UserPublic):
    """The account, as its owner sees it."""

    email: str = Field(examples=["ana@example.com"])
    email_verified: Annotated[
        bool,
        BeforeValidator(lambda moment: moment is not None),
        Field(
            validation_alias="email_verified_at",
            description="Whether the address was confirmed by its owner.",
            examples=[True],
        ),
    ]
    pending_email: str | None = Field(
        description="The new address, until it is confirmed.",
        examples=[None],
    )
    language: Language
    time_zone: str = Field(examples=["America/Sao_Paulo"])
    week_starts_on: WeekStart
    clock: Clock
    theme: Theme
    keyboard_shortcuts: KeyboardShortcuts
    default_reminder_time: ReminderTime
    digest_time: DigestTime
    share_todos: ShareTodos
    letters: Letters
    updated_at: datetime = Field(examples=["2026-11-26T18:30:00Z"])


class UserAdmin(UserPrivate):
    """The account, as an administrator sees it."""

    role: Role
    disabled_at: datetime | None = Field(
        description="When the account was disabled; `null`: it is not.", examples=[None]
    )


class MeUpdate(BaseModel):
    """Any subset of the fields. A new address or password requires the current password."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"display_name": "Ana Lúcia", "time_zone": "America/Sao_Paulo"}]
        }
    )

    username: Username | MISSING = MISSING
    email: Annotated[
        Email | MISSING,
        Field(description="Stays `pending_email` until you follow the link that is sent to it."),
    ] = MISSING
    password: Password | MISSING = MISSING
    language: Language | MISSING = MISSING
    display_name: DisplayName | MISSING = MISSING
    bio: Bio | MISSING = MISSING
    time_zone: TimeZone | MISSING = MISSING
    week_starts_on: WeekStart | MISSING = MISSING
    clock: Clock | MISSING = MISSING
    theme: Theme | MISSING = MISSING
    keyboard_shortcuts: KeyboardShortcuts | MISSING = MISSING
    default_reminder_time: ReminderTime | MISSING = MISSING
    digest_time: DigestTime | MISSING = MISSING
    share_todos: ShareTodos | MISSING = MISSING
    letters: Letters | MISSING = MISSING
    current_password: Annotated[
        Secret | MISSING,
        Field(
            examples=["a fine long sentence"],
            json_schema_extra={"format": "password", "writeOnly": True},
        ),
    ] = MISSING

    def changes_credentials(self) -> bool:
        """Whether the change includes email address or password."""
        return not self.model_fields_set.isdisjoint({"email", "password"})
