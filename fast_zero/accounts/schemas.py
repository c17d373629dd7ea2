from datetime import datetime
from typing import Annotated, Literal

from pydantic import (
    MISSING,
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from fast_zero.core.languages import DEFAULT, Language
from fast_zero.core.pagination import Next
from fast_zero.core.types import Id, RawText, ResponseModel, Sharing, Text
from fast_zero.identity.models import Role
from fast_zero.identity.schemas import Email, Password, Secret, Username, UserPublic
from fast_zero.identity.time_zones import check_time_zone

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
TimeZone = Annotated[
    RawText,
    StringConstraints(min_length=1, max_length=64),
    AfterValidator(check_time_zone),
    Field(description="Its IANA name. Decides when days begin.", examples=["America/Sao_Paulo"]),
]

ShareTodos = Annotated[
    Sharing,
    Field(
        description="Who can see that a todo was finished, unless the todo has its own `share`. "
        "`off` also deletes what was shared by this setting."
    ),
]

Letters = Annotated[
    list[Literal["weekly_report", "follow", "reply", "like"]],
    Field(
        max_length=10,
        description="Which emails you want, once your address is verified: a weekly report on "
        "Mondays, and emails about unread new followers, replies or likes.",
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
                }
            ]
        }
    )

    language: Annotated[
        Language | MISSING,
        Field(description="The language of emails to you. Default: from `Accept-Language`."),
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
