"""What routes ask for. Apart from the database and the settings, which need no web framework."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Query, Request
from starlette.requests import HTTPConnection

from fast_zero.core.database import Session, transaction
from fast_zero.core.pagination import PageParams
from fast_zero.core.settings import Settings


async def current_session(connection: HTTPConnection) -> AsyncIterator[Session]:
    async with transaction(connection.state.sessions) as session:
        yield session


async def read_session(connection: HTTPConnection) -> AsyncIterator[Session]:
    async with transaction(connection.state.reads) as session:
        yield session


# scope="function" commits before the response leaves, so a client may act on its own 201.
CurrentSession = Annotated[Session, Depends(current_session, scope="function")]
"""The session of the request, committed when the route has returned."""

ReadSession = Annotated[Session, Depends(read_session, scope="function")]
"""A session for reads alone, which a standby answers where there is one."""

PageQuery = Annotated[PageParams, Query()]


# A plain `def` would be run in a worker thread, on every request.
async def current_settings(request: Request) -> Settings:
    settings: Settings = request.state.settings
    return settings


CurrentSettings = Annotated[Settings, Depends(current_settings)]
