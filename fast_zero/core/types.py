"""Aliases that keep bad bytes out wherever something is typed in, and what responses are made of.

A constrained `str` refuses lone surrogates by itself; NUL, which PostgreSQL cannot store,
needs the pattern.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema

from fast_zero.core.errors import CODES

RawText = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
"""Text exactly as typed, without NUL and lone surrogates."""

Text = Annotated[RawText, StringConstraints(strip_whitespace=True)]
"""Text without the white space around it; lengths count what is left."""

ENCODED_WORD = "=?"
"""How an encoded word begins. RFC 2047, section 5 forbids it in an address; readers decode it."""

MAX_BIGINT = 2**63 - 1

# The document says `int64` instead of the bound, which would stand beside every number.
Id = Annotated[
    int,
    Field(ge=1, le=MAX_BIGINT),
    WithJsonSchema({"type": "integer", "format": "int64", "minimum": 1, "examples": [1]}),
]
"""A `bigint` identity, for paths, queries and bodies."""


Sharing = Literal["off", "followers", "public"]
"""With whom what one has finished is shared."""


class Answer(BaseModel):
    """What is returned, made from the columns of a row or from words.

    pydantic compiles one when it is first sent, and not all of them at each start.
    """

    model_config = ConfigDict(from_attributes=True, defer_build=True)


class Message(Answer):
    """A confirmation in words."""

    message: str = Field(description="What was done.", examples=["User deleted"])


class Problem(Answer):
    """An error as RFC 9457 shapes it."""

    type: str = Field(description="`about:blank`: the status says what kind of problem it is.")
    title: str = Field(description="The status in words.")
    status: int = Field(description="The HTTP status code.")
    code: str = Field(
        description="What kind of problem it is, for programs: it never changes. Routes have more "
        "particular ones than these.",
        examples=list(CODES.values()),
    )
    detail: str = Field(description="What is wrong and, where it helps, what to do.")
    instance: str = Field(description="The path that was asked for.")


class InvalidField(Answer):
    type: str = Field(description="The rule that was broken, in one word.")
    loc: list[str | int] = Field(description="Where: `body`, `query` or `path`, then the field.")
    msg: str = Field(description="What is wrong, in a sentence.")


class ValidationProblem(Problem):
    """A request whose fields break a rule."""

    code: str = Field(
        description="What kind of problem it is, for programs: it never changes.",
        examples=["validation_error", "idempotency_key_reused"],
    )
    detail: list[InvalidField] = Field(description="One entry for each thing that is wrong.")  # type: ignore[assignment]  # FastAPI's own form, which clients rely on
