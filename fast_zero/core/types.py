"""Types that reject invalid characters in input, and the base classes of responses.

A constrained `str` rejects lone surrogates by itself. NUL, which PostgreSQL cannot store, is
rejected by the pattern.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema

from fast_zero.core.errors import CODES

RawText = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
"""Unchanged text that contains neither NUL nor lone surrogates."""

Text = Annotated[RawText, StringConstraints(strip_whitespace=True)]
"""Text without surrounding white space. Length limits apply to the stripped text."""

ENCODED_WORD = "=?"
"""The start of an encoded word. RFC 2047, section 5 forbids it in addresses; readers decode it."""

MAX_BIGINT = 2**63 - 1

# The OpenAPI document says `int64` instead of repeating the bound for every number.
Id = Annotated[
    int,
    Field(ge=1, le=MAX_BIGINT),
    WithJsonSchema({"type": "integer", "format": "int64", "minimum": 1, "examples": [1]}),
]
"""A `bigint` identity, for paths, queries and bodies."""

StrictId = Annotated[Id, Field(strict=True)]
"""An identity in a body, where text is not a number."""

Sharing = Literal["off", "followers", "public"]
"""With whom the finished todos of a user are shared."""

Version = Annotated[
    int,
    Field(description="Increases with each change. In quotes, it is the `ETag`.", examples=[7]),
]
"""The version of a row whose tag contains nothing else."""


class ResponseModel(BaseModel):
    """The base class of responses, which are built from rows or keyword arguments.

    pydantic builds each model on first use, and not all of them at each start.
    """

    model_config = ConfigDict(from_attributes=True, defer_build=True)


class Message(ResponseModel):
    """A confirmation message."""

    message: str = Field(description="What was done.", examples=["User deleted"])


class Problem(ResponseModel):
    """An error in the format of RFC 9457."""

    type: str = Field(description="`about:blank`: the status says what kind of problem it is.")
    title: str = Field(description="The status in words.")
    status: int = Field(description="The HTTP status code.")
    code: str = Field(
        description="What kind of problem it is, for programs: it never changes. Routes have more "
        "particular ones than these.",
        examples=list(CODES.values()),
    )
    detail: str = Field(description="What is wrong and, where it helps, what to do.")
    instance: str = Field(description="The path of the request.")


class InvalidField(ResponseModel):
    type: str = Field(description="The rule that was broken, in one word.")
    loc: list[str | int] = Field(description="Where: `body`, `query` or `path`, then the field.")
    msg: str = Field(description="What is wrong, in a sentence.")


class ValidationProblem(Problem):
    """A request whose fields break a rule."""

    code: str = Field(
        description="What kind of problem it is, for programs: it never changes.",
        examples=["validation_error", "idempotency_key_reused", "filter_invalid"],
    )
    detail: list[InvalidField] = Field(description="One entry for each thing that is wrong.")  # type: ignore[assignment]  # FastAPI's own form, which clients rely on
