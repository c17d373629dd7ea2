from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, Field, StringConstraints

from fast_zero.core.types import ResponseModel, Text
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
        Field(description="The code that the authenticator shows.", examples=["492039"]),
    ]


class OtpEnrolled(ResponseModel):
    secret: str = Field(description="In base 32, to enter by hand.", examples=["JBSWY3DPEHPK3PXP"])
    uri: str = Field(
        description="The same as a URI, for a QR code.",
        examples=["otpauth://totp/fast_zero:ana%40example.com?secret=…&issuer=fast_zero"],
    )


class RecoveryCodes(ResponseModel):
    recovery_codes: list[str] = Field(
        description="Store them: each replaces a code once, and they are not shown again.",
        examples=[["mzxw-6ytb-oi3t-4qzu"]],
    )


class OtpState(ResponseModel):
    active: bool = Field(description="Whether a log-in needs a code.", examples=[True])
    recovery_codes_left: int = Field(description="Unused recovery codes.", examples=[10])

    @classmethod
    def of(cls, found: tuple[str, datetime | None, int] | None) -> Self:
        """Convert the result of `queries.select_state`."""
        _, confirmed_at, left = found or ("", None, 0)
        return cls(active=confirmed_at is not None, recovery_codes_left=left)
