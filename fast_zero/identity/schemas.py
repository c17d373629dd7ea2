from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    EmailStr,
    Field,
    StringConstraints,
)

from fast_zero.core.pagination import Next
from fast_zero.core.types import ENCODED_WORD, Id, RawText, ResponseModel, Text
from fast_zero.identity.names import check_username
from fast_zero.identity.scopes import Scope
from fast_zero.identity.time_zones import check_time_zone

NEXT_YEAR = "2027-11-25T08:00:00Z"

Username = Annotated[
    RawText,
    StringConstraints(min_length=3, max_length=64),
    AfterValidator(check_username),
    Field(description="Unique regardless of case. No invisible characters.", examples=["ana"]),
]

Name = Annotated[RawText, StringConstraints(max_length=64), Field(examples=["ana"])]
"""A username to search for."""


def refuse_encoded_word(address: str) -> str:
    """Refuse an address that mail programs would decode to another one, or to several."""
    if ENCODED_WORD in address:
        message = "an email address holds no encoded word (=?…?=)"
        raise ValueError(message)
    return address


Email = Annotated[
    EmailStr,
    StringConstraints(max_length=254),
    AfterValidator(refuse_encoded_word),
    Field(description="Unique regardless of case.", examples=["ana@example.com"]),
]

Password = Annotated[
    RawText,
    StringConstraints(min_length=8, max_length=256),
    Field(
        description="The most common passwords are refused.",
        examples=["a fine long sentence"],
        json_schema_extra={"format": "password", "writeOnly": True},
    ),
]

Secret = Annotated[RawText, StringConstraints(max_length=1024)]

PUBLIC = "-public"
"""Suffix of the ETag of a public profile: same version as the account, other content."""


TimeZone = Annotated[
    RawText,
    StringConstraints(min_length=1, max_length=64),
    AfterValidator(check_time_zone),
    Field(description="Its IANA name. Decides when days begin.", examples=["America/Sao_Paulo"]),
]


class UserPublic(ResponseModel):
    """The public profile of a user."""

    id: Id
    username: str = Field(examples=["ana"])
    display_name: str = Field(examples=["Ana Lúcia"])
    bio: str = Field(examples=["Bakes on Sundays."])
    created_at: datetime


class UserPage(ResponseModel):
    users: list[UserPublic]
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
        Field(description="In the future, and within a year.", examples=[NEXT_YEAR]),
    ]


class PersonalTokenPublic(ResponseModel):
    id: Id
    name: str = Field(examples=["Backup script"])
    scopes: list[Scope] = Field(examples=[["todos:read", "todos:write"]])
    created_at: datetime
    expires_at: datetime = Field(examples=[NEXT_YEAR])
    last_used_at: datetime | None = Field(
        description="To the minute; `null` before its first use.", examples=[None]
    )


class StoredPersonalToken(PersonalTokenPublic):
    """The stored response. It contains no token, but the seed and the digest to derive it again."""

    seed: str
    digest: str


class PersonalTokenCreated(PersonalTokenPublic):
    token: str = Field(description="Store it: it is not shown again.", examples=["fzp_…"])


class AuditPublic(ResponseModel):
    id: Id
    action: str = Field(
        description="`account made`, `session opened`, `session ended`, `log-in refused`, "
        "`password changed`, `address changed`, `renamed`, `token made`, `token revoked`, "
        "`second factor activated`, `second factor disabled`, `calendar feed made`, "
        "`calendar feed deleted`, `role changed`, `disabled` or `enabled`.",
        examples=["session opened"],
    )
    details: dict[str, Any] = Field(
        description="Depends on the action.",
        examples=[{"session_id": 7, "address": "192.0.2.1", "user_agent": "curl/8.5.0"}],
    )
    at: datetime


class AuditPage(ResponseModel):
    events: list[AuditPublic]
    next: Next


class PersonalTokenPage(ResponseModel):
    tokens: list[PersonalTokenPublic]
    next: Next
