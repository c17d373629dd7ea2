"""Whether the process lives, and whether it can serve: for those who watch and route to it."""

import asyncio
from typing import Literal

from fastapi import Request
from pydantic import BaseModel, Field
from sqlalchemy import Text, column, select, table
from sqlalchemy.exc import TimeoutError as PoolTimeout

from fast_zero.core import revisions
from fast_zero.core.errors import Unavailable
from fast_zero.core.problems import responses
from fast_zero.core.routing import room

ANSWER_SECONDS = 2  # those who ask give up after five or so
AWAY = "The database does not answer."

router = room("", "health", budgeted=False)


class Alive(BaseModel):
    status: Literal["alive"] = Field("alive", description="The process answers.")


class Ready(BaseModel):
    status: Literal["ready"] = Field("ready", description="Requests can be served.")
    database: Literal["answers"] = Field("answers", description="What the database does.")
    revision: str = Field(description="The migration that the database has.")


@router.get("/livez")
async def check_life() -> Alive:
    """Tell that the process answers, without a look at the database."""
    return Alive()


@router.get("/readyz", responses=responses(Unavailable(AWAY), Unavailable(revisions.BEHIND)))
async def check_readiness(request: Request) -> Ready:
    """Tell whether requests can be served: the database answers and is migrated."""
    found = select(column("version_num", Text)).select_from(table("alembic_version"))
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            revision = (await request.state.autocommit.execute(found)).scalar()
    except (TimeoutError, PoolTimeout):
        raise Unavailable(AWAY) from None
    if revisions.is_behind(revision):
        raise Unavailable(revisions.BEHIND)
    return Ready(revision=revision)
