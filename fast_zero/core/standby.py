"""Reads from a standby, and from the primary while that one does not answer.

What was acknowledged is seen there at once, by whichever process it was written: where there is a
standby, a commit waits until it is applied (`synchronous_commit = remote_apply`). So it has to be
the synchronous one. A standby that has lost the primary may be waited for no longer and not know
it yet, so each read asks, in the same statement, whether it is still connected.
"""

import logging
import time
from asyncio import CancelledError
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any

from psycopg.errors import DivisionByZero
from sqlalchemy import Engine, Executable, Result, Select, text
from sqlalchemy.exc import TimeoutError as PoolTimeout

from fast_zero.core.database import Autocommit, Values, create_engine, dispose
from fast_zero.core.errors import Invalid, Unavailable
from fast_zero.core.metrics import STANDBY_READS
from fast_zero.core.settings import Settings

REST_SECONDS = 1
# Evaluated once, before any row is looked for; no condition can refuse but by an error.
IS_CONNECTED = text(
    "(SELECT 1 / count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming') = 1"
)

logger = logging.getLogger(__name__)


class Standby(Autocommit):
    """Sends reads to a standby. One that failed rests, and then a single read tries it."""

    def __init__(self, engine: Engine, primary: Autocommit, settings: Settings) -> None:
        super().__init__(engine, settings)
        self.primary = primary
        self.failed = False
        self.rests_until = 0.0

    async def execute(
        self, statement: Executable, values: Values | None = None
    ) -> Result[*tuple[Any, ...]]:
        if self.failed:
            if time.monotonic() < self.rests_until:
                return await self.ask_primary(statement, values)
            self.rest()
        try:
            found = await super().execute(guarded(statement), values)
        except (Unavailable, PoolTimeout):
            self.fail()
            return await self.ask_primary(statement, values)
        except Invalid as error:
            if isinstance(error.__cause__, DivisionByZero):
                self.fail()
            return await self.ask_primary(statement, values)
        except CancelledError:  # it is silent, and the request's time is over
            self.fail()
            raise
        if self.failed:
            self.failed = False
            logger.info("the standby answers again")
        STANDBY_READS.labels("standby").inc()
        return found

    async def ask_primary(
        self, statement: Executable, values: Values | None
    ) -> Result[*tuple[Any, ...]]:
        STANDBY_READS.labels("primary").inc()
        return await self.primary.execute(statement, values)

    def fail(self) -> None:
        if not self.failed:
            logger.warning("the standby does not answer; reads go to the primary meanwhile")
        self.failed = True
        self.rest()

    def rest(self) -> None:
        self.rests_until = time.monotonic() + REST_SECONDS


@lru_cache(maxsize=256)
def guarded(statement: Executable) -> Executable:
    """Make a read fail on a standby that has lost the primary. Those sent most are made once."""
    return statement.where(IS_CONNECTED) if isinstance(statement, Select) else statement


@asynccontextmanager
async def reading(settings: Settings, primary: Autocommit) -> AsyncIterator[Autocommit]:
    """Hold what reads are sent through: the primary itself, where there is no standby."""
    address = settings.read_address()
    if address is None:
        yield primary
        return
    engine = create_engine(settings, address)
    try:
        yield Standby(engine, primary, settings)
    finally:
        await dispose(engine)
