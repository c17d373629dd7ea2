from typing import Annotated

from pydantic import MISSING, Field

from fast_zero.core.pagination import Next
from fast_zero.core.types import ResponseModel
from fast_zero.todos.schemas import TodoPublic


class Range(ResponseModel):
    """A part of a text, in Unicode code points."""

    start: int = Field(description="The first code point.", examples=[4])
    end: int = Field(description="The first code point behind it.", examples=[9])


class Excerpt(ResponseModel):
    """The part of a description where a word was found first. It is plain text, not HTML."""

    text: str = Field(examples=["The dark bread, with seeds."])
    start: int = Field(description="Where it starts in the description.", examples=[0])
    ranges: Annotated[list[Range], Field(description="The words that were found, in the excerpt.")]


class Highlight(ResponseModel):
    """Where the words of `q` were found."""

    title: Annotated[list[Range], Field(description="The words that were found in the title.")]
    description: Annotated[
        Excerpt | None, Field(description="`null`: nothing was found in the description.")
    ]
    labels: list[str] = Field(description="The labels that match.", examples=[["errands"]])


class TodoListed(TodoPublic):
    """A todo of a list, and with `q`, where the words were found."""

    highlight: Annotated[
        Highlight | MISSING, Field(description="Only with `q`: where the words were found.")
    ] = MISSING


class TodoPage(ResponseModel):
    todos: list[TodoListed]
    next: Next
