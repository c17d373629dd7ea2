from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    MISSING,
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    EmailStr,
    Field,
    StringConstraints,
)

from fast_zero.accounts.models import Role
from fast_zero.accounts.names import check_username
from fast_zero.accounts.scopes import Scope
from fast_zero.accounts.time_zones import check_time_zone
from fast_zero.core.languages import DEFAULT, Language
from fast_zero.core.pagination import Next
from fast_zero.core.types import ENCODED_WORD, Answer, Id, RawText, Sharing, Text

NEXT_YEAR = "2027-11-25T08:00:00Z"

Username = Annotated[
    RawText,
    StringConstraints(min_length=3, max_length=64),
    AfterValidator(check_username),
    Field(description="Unique whatever its case. No invisible characters.", examples=["ana"]),
]
Name = Annotated[RawText, StringConstraints(max_length=64), Field(examples=["ana"])]
"""A username that is looked for."""


def refuse_encoded_word(address: str) -> str:
    """Refuse an address that programs would decode to another one, or to several."""
    if ENCODED_WORD in address:
        message = "an email address holds no encoded word (=?…?=)"
        raise ValueError(message)
    return address


Email = Annotated[
    EmailStr,
    StringConstraints(max_length=254),
    AfterValidator(refuse_encoded_word),
    Field(description="Unique whatever its case.", examples=["ana@example.com"]),
]
Password = Annotated[
    RawText,
    StringConstraints(min_length=8, max_length=256),
    Field(
        description="Counted as typed. The most common ones are refused.",
        examples=["a fine long sentence"],
        json_schema_extra={"format": "password", "writeOnly": True},
    ),
]


DisplayName = Annotated[
    Text,
    StringConstraints(max_length=100),
    Field(description="The name that is shown; empty, the username is.", examples=["Ana Lúcia"]),
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
    Field(
        description="In which days begin and end; its IANA name.", examples=["America/Sao_Paulo"]
    ),
]


ShareTodos = Annotated[
    Sharing,
    Field(
        description="Who sees of a todo that it was finished, unless it says otherwise itself. "
        "`off` takes back what was shared by this."
    ),
]


Letters = Annotated[
    list[Literal["weekly_report", "follow", "reply", "like"]],
    Field(
        max_length=10,
        description="Which emails you want, once your address is verified: a report of the week "
        "on Mondays, and of new followers, replies or likes when they have waited unread.",
        examples=[["weekly_report", "reply"]],
    ),
    AfterValidator(lambda wanted: sorted(set(wanted))),
]


class UserUpdate(BaseModel):
    """All of an account, as it shall be."""

    username: Username
    email: Email
    password: Password


Secret = Annotated[RawText, StringConstraints(max_length=1024)]


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
        Field(description="Of emails to you. Otherwise, `Accept-Language` says it."),
    ] = MISSING
    invitation: Annotated[
        Secret | MISSING,
        Field(
            description="The token of an invitation to this address, where registering needs one. "
            "The address is verified by it.",
            examples=["q7rXcVn0Zb3hJt5mW8yKfA2eLpD9uGsR"],
        ),
    ] = MISSING


class InvitationCreate(BaseModel):
    email: Email
    language: Language = DEFAULT


class InvitationPublic(Answer):
    """An invitation that was not used yet."""

    id: Id
    email: str = Field(examples=["ana@example.com"])
    language: Language
    created_at: datetime
    expires_at: datetime = Field(examples=["2026-12-02T08:00:00Z"])


class InvitationPage(Answer):
    invitations: list[InvitationPublic]
    next: Next


PUBLIC = "-public"
"""The view that everyone has of an account. It shares the version, but not the bytes."""


class UserPublic(Answer):
    """What everybody may know of a user."""

    id: Id
    username: str = Field(examples=["ana"])
    display_name: str = Field(examples=["Ana Lúcia"])
    bio: str = Field(examples=["Bakes on Sundays."])
    created_at: datetime


class UserPrivate(UserPublic):
    """What the user alone may know."""

    email: str = Field(examples=["ana@example.com"])
    email_verified: Annotated[
        bool,
        BeforeValidator(lambda moment: moment is not None),
        Field(
            validation_alias="email_verified_at",
            description="Somebody has confirmed that it is theirs.",
            examples=[True],
        ),
    ]
    pending_email: str | None = Field(
        description="The address that takes its place once it is confirmed.",
        examples=[None],
    )
    language: Language
    time_zone: str = Field(examples=["America/Sao_Paulo"])
    share_todos: ShareTodos
    letters: Letters
    updated_at: datetime = Field(examples=["2026-11-26T18:30:00Z"])


class UserAdmin(UserPrivate):
    """What an administrator may know of a user."""

    role: Role
    disabled_at: datetime | None = Field(
        description="Since when nobody is let in.", examples=[None]
    )


class UserPage(Answer):
    users: list[UserPublic]
    next: Next


class MeUpdate(BaseModel):
    """Any subset of your account. A new address or password needs the current password."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"display_name": "Ana Lúcia", "time_zone": "America/Sao_Paulo"}]
        }
    )

    username: Username | MISSING = MISSING
    email: Annotated[
        Email | MISSING,
        Field(description="Waits as `pending_email` until a link that is sent to it is followed."),
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
        """Tell whether it changes what one logs in with, or recovers a password by."""
        return not self.model_fields_set.isdisjoint({"email", "password"})


class ForgottenPassword(BaseModel):
    email: Email


class MailedToken(BaseModel):
    token: Annotated[
        Secret,
        Field(
            description="The end of the link, behind the `#`.",
            examples=["q7rXcVn0Zb3hJt5mW8yKfA2eLpD9uGsR"],
        ),
    ]


class PasswordReset(MailedToken):
    password: Password


class SessionPublic(Answer):
    """Where and when you logged in."""

    id: Id
    user_agent: str = Field(examples=["curl/8.5.0"])
    address: str = Field(description="The client's IP address.", examples=["203.0.113.7"])
    created_at: datetime
    last_used_at: datetime = Field(description="When it last asked for an access token.")
    expires_at: datetime = Field(examples=["2026-12-25T08:00:00Z"])


class SessionPage(Answer):
    sessions: list[SessionPublic]
    current: Id | None = Field(
        description="The session of this request; `null` for a personal token."
    )
    next: Next


class PersonalTokenCreate(BaseModel):
    name: Annotated[
        Text, StringConstraints(min_length=1, max_length=100), Field(examples=["Backup script"])
    ]
    scopes: Annotated[
        list[Scope],
        Field(min_length=1, max_length=20, examples=[["todos:read", "todos:write"]]),
    ]
    expires_at: Annotated[
        AwareDatetime,
        Field(description="In the future, and a year away at most.", examples=[NEXT_YEAR]),
    ]


class PersonalTokenPublic(Answer):
    id: Id
    name: str = Field(examples=["Backup script"])
    scopes: list[Scope] = Field(examples=[["todos:read", "todos:write"]])
    created_at: datetime
    expires_at: datetime = Field(examples=[NEXT_YEAR])
    last_used_at: datetime | None = Field(
        description="To the minute; `null` before its first use.", examples=[None]
    )


class PersonalTokenKept(PersonalTokenPublic):
    """What is kept of a response: not the token, but what makes it again and tells that it does."""

    seed: str
    digest: str


class PersonalTokenCreated(PersonalTokenPublic):
    token: str = Field(description="Keep it: it is not shown again.", examples=["fzp_…"])


class AuditPublic(Answer):
    id: Id
    action: str = Field(
        description="`account made`, `session opened`, `session ended`, `log-in refused`, "
        "`password changed`, `address changed`, `renamed`, `token made`, `token revoked`, "
        "`second factor activated`, `second factor disabled`, `role changed`, `disabled` or "
        "`enabled`.",
        examples=["session opened"],
    )
    details: dict[str, Any] = Field(
        description="What belongs to it.",
        examples=[{"session_id": 7, "address": "192.0.2.1", "user_agent": "curl/8.5.0"}],
    )
    at: datetime


class AuditPage(Answer):
    events: list[AuditPublic]
    next: Next


class PersonalTokenPage(Answer):
    tokens: list[PersonalTokenPublic]
    next: Next
