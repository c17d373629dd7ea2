from typing import Annotated

from pydantic import (
    BaseModel,
    Field,
)

from fast_zero.identity.schemas import Email, Password, Secret


class ForgottenPassword(BaseModel):
    email: Email


class MailedToken(BaseModel):
    token: Annotated[
        Secret,
        Field(
            description="The part of the link after the `#`.",
            examples=["q7rXcVn0Zb3hJt5mW8yKfA2eLpD9uGsR"],
        ),
    ]


class PasswordReset(MailedToken):
    password: Password
