from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, Field, StringConstraints

from fast_zero.accounts.names import check_username
from fast_zero.core.pagination import Next
from fast_zero.core.types import Id, RawText

Username = Annotated[
    RawText,
    StringConstraints(min_length=3, max_length=64),
    AfterValidator(check_username),
    Field(description="Unique whatever its case. No invisible characters.", examples=["ana"]),
]
Email = Annotated[
    EmailStr,
    StringConstraints(max_length=254),
    Field(description="Unique whatever its case.", examples=["ana@example.com"]),
]
Password = Annotated[
    RawText,
    StringConstraints(min_length=8, max_length=256),
    Field(
        description="Counted as typed. The most common ones are refused.",
        examples=["a fine long sentence"],
        json_schema_extra={"format": "password", "writeOnly": True},
        repr=False,
    ),
]


class UserCreate(BaseModel):
    username: Username
    email: Email
    password: Password


class UserUpdate(UserCreate):
    """All of an account, as it shall be."""


class UserPublic(BaseModel):
    """What everybody may know of a user."""

    model_config = ConfigDict(from_attributes=True)

    id: Id
    username: str = Field(examples=["ana"])
    created_at: datetime


class UserPrivate(UserPublic):
    """What the user alone may know."""

    email: str = Field(examples=["ana@example.com"])
    updated_at: datetime


class UserPage(BaseModel):
    users: list[UserPublic]
    next: Next


class LoginForm(BaseModel):
    """The form of OAuth2's password grant (RFC 6749, section 4.3.2)."""

    grant_type: Literal["password"] = "password"
    username: Annotated[
        RawText,
        StringConstraints(max_length=1024),
        Field(description="The e-mail address, or the username.", examples=["ana@example.com"]),
    ]
    password: Annotated[
        RawText,
        StringConstraints(max_length=1024),
        Field(examples=["a fine long sentence"], json_schema_extra={"format": "password"}),
    ]


class Token(BaseModel):
    access_token: str = Field(description="Send it as `Authorization: Bearer …`.")
    token_type: Literal["bearer"] = "bearer"  # noqa: S105  # RFC 6750's word, not a secret
    expires_in: int = Field(description="Seconds that the token lives.", examples=[1800])
