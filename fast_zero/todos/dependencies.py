"""What the routers of all rooms that return a todo share."""

from datetime import date

from fastapi import Response

from fast_zero.core.database import PreparedRow
from fast_zero.core.http import conditions
from fast_zero.core.http.etags import Tags
from fast_zero.todos.schemas import TodoFinished, TodoPublic


def tagged(response: Response, row: PreparedRow, seen: Tags = None) -> TodoPublic:
    """Set the `ETag` of a todo: its version, and a digest of what comes from other rows."""
    todo = TodoPublic.model_validate(row)
    conditions.set_tag(response, conditions.digest_tag(todo, todo.version), seen)
    return todo


def created(response: Response, row: PreparedRow) -> TodoPublic:
    """Set the `Location` and `ETag` headers for a new todo."""
    todo = TodoPublic.model_validate(row)
    tag = conditions.digest_tag(todo, todo.version)
    conditions.set_created(response, tag, f"/todos/{todo.id}")
    return todo


def finished(response: Response, row: PreparedRow, day: date | None) -> TodoFinished:
    """Set the `ETag` of a todo of which an occurrence is done or skipped."""
    todo = tagged(response, row)
    return TodoFinished(**dict(todo), completed_occurrence=day)
