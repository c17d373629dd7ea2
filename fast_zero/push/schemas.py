from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from fast_zero.core.pagination import Next
from fast_zero.core.types import Id, ResponseModel
from fast_zero.push import networks, vapid

AUTH_BYTES = 16  # RFC 8291, section 3.2
ENDPOINT = "https://push.example.com/v1/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV"
# From RFC 8291, section 5.
PUBLIC_KEY = (
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
)
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"


def check_endpoint(text: str) -> str:
    if not networks.is_url(text):
        message = "not a URL of a push service; take it from the browser's PushSubscription"
        raise ValueError(message)
    return text


def check_public_key(text: str) -> str:
    key = vapid.decode(text)
    if not vapid.is_point(key):
        message = "not an uncompressed point of the curve P-256"
        raise ValueError(message)
    return vapid.encode(key)


def check_auth(text: str) -> str:
    key = vapid.decode(text)
    if len(key) != AUTH_BYTES:
        message = f"{len(key)} bytes, but the secret has {AUTH_BYTES}"
        raise ValueError(message)
    return vapid.encode(key)


Base64Url = Annotated[
    str, StringConstraints(min_length=2, max_length=100, pattern=r"^[A-Za-z0-9_-]+={0,2}$")
]


class PushKeys(BaseModel):
    p256dh: Annotated[
        Base64Url,
        AfterValidator(check_public_key),
        Field(
            description="The public key of the browser, in base64url.",
            examples=[PUBLIC_KEY],
        ),
    ]
    auth: Annotated[
        Base64Url,
        AfterValidator(check_auth),
        Field(
            description="The secret of the browser, in base64url.",
            examples=[AUTH],
        ),
    ]


class PushSubscriptionCreate(BaseModel):
    """The browser's `PushSubscription` as JSON. Other members of it are ignored."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "endpoint": ENDPOINT,
                    "expirationTime": None,
                    "keys": {"p256dh": PUBLIC_KEY, "auth": AUTH},
                }
            ]
        }
    )

    endpoint: Annotated[
        str,
        StringConstraints(max_length=2000),
        AfterValidator(check_endpoint),
        Field(
            description="Where the push service receives pushes for the browser.",
            examples=[ENDPOINT],
        ),
    ]
    keys: PushKeys


class PushSubscriptionPublic(ResponseModel):
    """A subscription without its endpoint and keys, which are secrets."""

    id: Id
    push_service: str = Field(
        description="The host of the push service.", examples=["push.example.com"]
    )
    created_at: datetime = Field(description="When the browser registered last.")
    last_success_at: datetime | None = Field(
        description="When the push service last accepted a push."
    )
    last_failure_at: datetime | None = Field(
        description="When a push last failed. It is retried for an hour.", examples=[None]
    )


class PushSubscriptionPage(ResponseModel):
    push_subscriptions: list[PushSubscriptionPublic]
    next: Next


class PushKeyPublic(ResponseModel):
    public_key: str = Field(
        description="The `applicationServerKey` for `PushManager.subscribe()`.",
        examples=[
            "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"
        ],
    )
