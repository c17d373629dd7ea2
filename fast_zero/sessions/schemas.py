"""The request and the response of a log-in, as OAuth2 names it."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
)

from fast_zero.core.pagination import Next
from fast_zero.core.types import Answer, Id
from fast_zero.identity.schemas import Secret

NEEDED = {"password": ["username", "password"], "refresh_token": ["refresh_token"]}
"""The fields of a log-in form that each grant needs."""


def describe_grants(schema: dict[str, Any]) -> None:
    """Tell of each grant alone, too, since which fields are needed depends on it.

    The fields of both stay beside them, since Swagger UI makes its form of those.
    """
    fields = schema["properties"]
    for field in fields.values():
        del field["default"]  # or generated clients would have to send it
    needed = {
        grant: {name: fields[name] | {"minLength": 1} for name in names}
        for grant, names in NEEDED.items()
    }
    grant_types = {
        grant: {"type": "string", "const": grant, "description": "What is exchanged for a token."}
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
            description="For `grant_type=refresh_token`: the last one; it works once.",
            examples=["q7rXcVn0Zb3hJt5mW8yKfA2eLpD9uGsR"],
        ),
    ] = ""
    otp: Annotated[
        Secret,
        Field(
            description="A one-time code, or a recovery code, where there is a second factor.",
        ),
    ] = ""
    scope: Annotated[
        Secret,
        Field(
            description="What the token shall be allowed, such as `todos:read todos:write`; empty: "
            "everything.",
        ),
    ] = ""

    def missing(self) -> list[str]:
        """Name the fields that this grant needs and that were not sent."""
        return [name for name in NEEDED[self.grant_type] if not getattr(self, name)]


class Token(Answer):
    access_token: str = Field(
        description="Send it as `Authorization: Bearer …`.",
        examples=["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIiwic2lkIjo3fQ.Yx0mC2vK"],
    )
    token_type: Literal["bearer"] = "bearer"  # noqa: S105  # RFC 6750's word, not a secret
    expires_in: int = Field(description="Seconds that the token lives.", examples=[900])
    refresh_token: str | None = Field(
        default=None,
        description="Exchange it once, at `POST /auth/token`, for new tokens.",
        examples=["q7rXcVn0Zb3hJt5mW8yKfA2eLpD9uGsR"],
    )
    scope: str = Field(
        description="What the token allows, separated by spaces.",
        examples=["todos:read todos:write"],
    )


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
