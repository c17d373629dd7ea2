"""Request and response of a log-in, in the terms of OAuth2."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
)

from fast_zero.core.pagination import Next
from fast_zero.core.types import Id, ResponseModel
from fast_zero.identity.schemas import Secret

NEEDED = {"password": ["username", "password"], "refresh_token": ["refresh_token"]}
"""The required fields of the log-in form, by grant."""


def describe_grants(schema: dict[str, Any]) -> None:
    """Add a schema for each grant, since the required fields depend on the grant.

    The common properties stay, since Swagger UI builds its form from them.
    """
    fields = schema["properties"]
    for field in fields.values():
        del field["default"]  # else generated clients would require it
    needed = {
        grant: {name: fields[name] | {"minLength": 1} for name in names}
        for grant, names in NEEDED.items()
    }
    grant_types = {
        grant: {"type": "string", "const": grant, "description": "The grant type."}
        for grant in NEEDED
    }
    schema["oneOf"] = [
        {
            "title": "PasswordGrant",
            "type": "object",
            "properties": {
                "grant_type": grant_types["password"],
                **needed["password"],
                "otp": fields["otp"],
                "scope": fields["scope"],
            },
            "required": NEEDED["password"],
            "examples": [{"username": "ana@example.com", "password": "a fine long sentence"}],
        },
        {
            "title": "RefreshGrant",
            "type": "object",
            "properties": {
                "grant_type": grant_types["refresh_token"],
                **needed["refresh_token"],
            },
            "required": ["grant_type", *NEEDED["refresh_token"]],
        },
    ]


class TokenForm(BaseModel):
    """The form of OAuth2's password grant (RFC 6749, 4.3.2) and refresh (section 6)."""

    model_config = ConfigDict(json_schema_extra=describe_grants)

    grant_type: Literal["password", "refresh_token"] = "password"
    username: Annotated[
        Secret,
        Field(description="The email address, or the username.", examples=["ana@example.com"]),
    ] = ""
    password: Annotated[
        Secret, Field(examples=["a fine long sentence"], json_schema_extra={"format": "password"})
    ] = ""
    refresh_token: Annotated[
        Secret,
        Field(
            description="For `grant_type=refresh_token`: the newest one. It works once.",
            examples=["q7rXcVn0Zb3hJt5mW8yKfA2eLpD9uGsR"],
        ),
    ] = ""
    otp: Annotated[
        Secret,
        Field(
            description="A one-time code or a recovery code, if the account has a second factor.",
        ),
    ] = ""
    scope: Annotated[
        Secret,
        Field(
            description="The scopes of the token, such as `todos:read todos:write`. Empty: all "
            "that your role may have.",
        ),
    ] = ""

    def missing(self) -> list[str]:
        """Return the fields that the grant requires and the request lacks."""
        return [name for name in NEEDED[self.grant_type] if not getattr(self, name)]


class Token(ResponseModel):
    access_token: str = Field(
        description="Send it as `Authorization: Bearer …`.",
        examples=["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIiwic2lkIjo3fQ.Yx0mC2vK"],
    )
    token_type: Literal["bearer"] = "bearer"  # noqa: S105  # RFC 6750's word, not a secret
    expires_in: int = Field(description="Seconds until the token expires.", examples=[900])
    refresh_token: str | None = Field(
        default=None,
        description="Exchange it once, at `POST /auth/token`, for new tokens.",
        examples=["q7rXcVn0Zb3hJt5mW8yKfA2eLpD9uGsR"],
    )
    scope: str = Field(
        description="The scopes of the token, separated by spaces.",
        examples=["todos:read todos:write"],
    )


class SessionPublic(ResponseModel):
    """A log-in: where and when."""

    id: Id
    user_agent: str = Field(examples=["curl/8.5.0"])
    address: str = Field(description="The client's IP address.", examples=["203.0.113.7"])
    created_at: datetime
    last_used_at: datetime = Field(
        description="When it last requested an access token, or opened a page."
    )
    expires_at: datetime = Field(examples=["2026-12-25T08:00:00Z"])


class SessionPage(ResponseModel):
    sessions: list[SessionPublic]
    current: Id | None = Field(
        description="The session of this request; `null` for a personal token."
    )
    next: Next
