"""Whether the process lives, and whether it can serve: for those who watch and route to it."""

import asyncio
from typing import Literal

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import text

import fast_zero
from fast_zero.core.database import revisions
from fast_zero.core.errors import Unavailable
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.core.http.problems import responses
from fast_zero.core.types import Answer

ANSWER_SECONDS = 2  # those who ask give up after five or so
AWAY = "The database does not answer."
STANDING = text("""
SELECT version_num AS revision, EXISTS (
    SELECT FROM procrastinate_workers WHERE last_heartbeat > now() - interval '30 seconds'
) AS worker_is_alive
FROM alembic_version
""")

router = APIRouter(tags=["health"])


class Alive(Answer):
    status: Literal["alive"] = Field("alive", description="The process answers.")


class Ready(Answer):
    status: Literal["ready"] = Field("ready", description="Requests can be served.")
    database: Literal["answers"] = Field("answers", description="What the database does.")
    revision: str = Field(description="The migration that the database has.", examples=["0007"])
    worker: Literal["alive", "absent"] = Field(
        description="Whether somebody does the jobs. Requests are served without: emails wait."
    )


class Version(Answer):
    version: str = Field(description="The release of fast_zero.", examples=["0.1.0"])
    revision: str = Field(description="The newest migration that it knows.", examples=["0007"])


@router.get("/livez")
async def check_life() -> Alive:
    """Tell that the process answers. The database is not asked."""
    return Alive()


@router.get("/readyz", responses=responses(Unavailable(AWAY), Unavailable(revisions.BEHIND)))
async def check_readiness(session: CurrentSession) -> Ready:
    """Tell whether requests can be served. The database has to answer and to be migrated."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            found = (await session.execute(STANDING)).one_or_none()
    except TimeoutError:
        raise Unavailable(AWAY) from None
    if found is None or revisions.is_behind(found.revision):
        raise Unavailable(revisions.BEHIND)
    return Ready(revision=found.revision, worker="alive" if found.worker_is_alive else "absent")


@router.get("/version")
async def read_version() -> Version:
    """Tell which release answers."""
    return Version(version=fast_zero.__version__, revision=revisions.known()[0])
