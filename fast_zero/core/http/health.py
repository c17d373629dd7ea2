"""Liveness, readiness and version, for monitoring and load balancers."""

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
from fast_zero.core.types import ResponseModel

TIMEOUT_SECONDS = 2  # probes usually time out after five seconds
AWAY = "The database does not answer."
DATABASE_STATUS = text("""
SELECT version_num AS revision, EXISTS (
    SELECT FROM procrastinate_workers WHERE last_heartbeat > now() - interval '30 seconds'
) AS worker_is_alive
FROM alembic_version
""")

router = APIRouter(tags=["health"])


class Alive(ResponseModel):
    status: Literal["alive"] = Field("alive", description="The process is alive.")


class Ready(ResponseModel):
    status: Literal["ready"] = Field("ready", description="Requests can be served.")
    database: Literal["answers"] = Field("answers", description="What the database does.")
    revision: str = Field(description="The migration that the database has.", examples=["0007"])
    worker: Literal["alive", "absent"] = Field(
        description="Whether a worker runs the jobs. Requests need none, but emails wait for one."
    )


class Version(ResponseModel):
    version: str = Field(description="The release of fast_zero.", examples=["0.1.0"])
    revision: str = Field(description="The newest migration that it knows.", examples=["0007"])


@router.get("/livez")
async def check_life() -> Alive:
    """Check that the process is alive. The database is not used."""
    return Alive()


@router.get("/readyz", responses=responses(Unavailable(AWAY), Unavailable(revisions.BEHIND)))
async def check_readiness(session: CurrentSession) -> Ready:
    """Check that requests can be served. The database has to be available and migrated."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            found = (await session.execute(DATABASE_STATUS)).one_or_none()
    except TimeoutError:
        raise Unavailable(AWAY) from None
    if found is None or revisions.is_behind(found.revision):
        raise Unavailable(revisions.BEHIND)
    return Ready(revision=found.revision, worker="alive" if found.worker_is_alive else "absent")


@router.get("/version")
async def read_version() -> Version:
    """Return the release of the server."""
    return Version(version=fast_zero.__version__, revision=revisions.known()[0])
