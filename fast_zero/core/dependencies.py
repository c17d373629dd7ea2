"""What routes ask for. Apart from the database and the settings, which need no web framework."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from fast_zero.core import database
from fast_zero.core.settings import Settings


async def transaction(connection: HTTPConnection) -> AsyncIterator[database.Transaction]:
    async with connection.state.sessions() as session:
        yield session


async def autocommit(connection: HTTPConnection) -> database.Autocommit:
    found: database.Autocommit = connection.state.autocommit
    return found


async def reads(connection: HTTPConnection) -> database.Autocommit:
    found: database.Autocommit = connection.state.reads
    return found


# scope="function" commits before the response leaves, so a client may act on its own 201.
Session = Annotated[database.Transaction, Depends(transaction, scope="function")]
"""One transaction: for several statements that hold together. Three round trips and more."""

Autocommit = Annotated[database.Autocommit, Depends(autocommit)]
"""Each statement stands alone and costs one round trip: for a read, or a write of one statement."""

Reads = Annotated[database.Autocommit, Depends(reads)]
"""The same for reads alone, which go to the standby where there is one."""


# A plain `def` would be run in a worker thread, on every request.
async def current_settings(request: Request) -> Settings:
    settings: Settings = request.state.settings
    return settings


CurrentSettings = Annotated[Settings, Depends(current_settings)]
