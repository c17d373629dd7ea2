"""The routes of a room, made so that the application can take them as they are.

`include_router` would keep the router beside them and look for a route in it twice, at each
request. Taken one by one they are met in one pass, in the order of the rooms.
"""

from fastapi import APIRouter

from fast_zero.core.budget import EXHAUSTED
from fast_zero.core.openapi import COMMON_RESPONSES, operation_id
from fast_zero.core.problems import Responses, responses


def room(
    prefix: str = "", *tags: str, answers: Responses | None = None, budgeted: bool = True
) -> APIRouter:
    """Make a room's router. `answers` are what all of its routes may answer."""
    return APIRouter(
        prefix=prefix,
        tags=list(tags),
        responses=COMMON_RESPONSES | (responses(EXHAUSTED) if budgeted else {}) | (answers or {}),
        generate_unique_id_function=operation_id,
    )
