from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, Field, StringConstraints

from fast_zero.core.types import Answer, Text
from fast_zero.identity.schemas import Secret


class PasswordGiven(BaseModel):
    current_password: Annotated[
        Secret,
        StringConstraints(min_length=1),
        Field(
            examples=["a fine long sentence"],
            json_schema_extra={"format": "password", "writeOnly": True},
        ),
    ]


class CodeGiven(BaseModel):
    code: Annotated[
        Text,
        StringConstraints(min_length=1, max_length=100),
        Field(description="What the authenticator shows now.", examples=["492039"]),
    ]


class OtpEnrolled(Answer):
    secret: str = Field(description="In base 32, to be typed in.", examples=["JBSWY3DPEHPK3PXP"])
    uri: str = Field(
        description="The same for a QR code.",
        examples=["otpauth://totp/fast_zero:ana%40example.com?secret=…&issuer=fast_zero"],
    )


class RecoveryCodes(Answer):
    recovery_codes: list[str] = Field(
        description="Keep them: each works once in place of a code, and they are not shown again.",
        examples=[["mzxw-6ytb-oi3t-4qzu"]],
    )


class OtpState(Answer):
    active: bool = Field(description="Whether a log-in asks for a code.", examples=[True])
    recovery_codes_left: int = Field(description="Recovery codes not used yet.", examples=[10])

    @classmethod
    def of(cls, found: tuple[str, datetime | None, int] | None) -> Self:
        """Shape what `otp_queries.select_state` gives."""
        _, confirmed_at, left = found or ("", None, 0)
        return cls(active=confirmed_at is not None, recovery_codes_left=left)
