"""Reads from a standby, and from the primary while that one does not answer.

What was acknowledged is seen there at once, by whichever process it was written: where there is a
standby, a commit waits until it is applied (`synchronous_commit = remote_apply`). So it has to be
the synchronous one. A standby that has lost the primary may be waited for no longer and not know
it yet, so each read asks, in the same statement, whether it is still connected.
"""

import logging
import time
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from psycopg.errors import DivisionByZero
from sqlalchemy import Executable, Select, text

from fast_zero.core.database.prepared import Prepared, prepare
from fast_zero.core.database.session import PreparedRow, Session, Sessions, transaction
from fast_zero.core.errors import Invalid, Unavailable
from fast_zero.core.observability.metrics import STANDBY_READS

REST_SECONDS = 1
# Evaluated once, before any row is looked for; no condition can refuse but by an error.
RECEIVES_FROM_PRIMARY = text(
    "(SELECT 1 / count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming') = 1"
)

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Standby:
    """A standby that reads are sent to. One that failed rests, and then a single read tries it."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.failed = False
        self.rests_until = 0.0

    async def read(
        self, ask: Callable[[Session], Awaitable[T]], ask_primary: Callable[[], Awaitable[T]]
    ) -> T:
        """Read what `ask` gives by a session on the standby, or else what `ask_primary` gives."""
        if self.failed:
            if time.monotonic() < self.rests_until:
                return await self.fall_back(ask_primary)
            self.rest()
        try:
            async with transaction(self.sessions) as session:
                found = await ask(session)
        except Unavailable:
            self.fail()
            return await self.fall_back(ask_primary)
        except Invalid as error:
            if isinstance(error.__cause__, DivisionByZero):
                self.fail()
            return await self.fall_back(ask_primary)
        except CancelledError:  # it is silent, and the request's time is over
            self.fail()
            raise
        if self.failed:
            self.failed = False
            logger.info("the standby answers again")
        STANDBY_READS.labels("standby").inc()
        return found

    async def fall_back(self, ask_primary: Callable[[], Awaitable[T]]) -> T:
        STANDBY_READS.labels("primary").inc()
        return await ask_primary()

    def fail(self) -> None:
        if not self.failed:
            logger.warning("the standby does not answer; reads go to the primary meanwhile")
        self.failed = True
        self.rest()

    def rest(self) -> None:
        self.rests_until = time.monotonic() + REST_SECONDS


class StandbySession(Session):
    """A session of the primary whose statements, all of them reads, go to the standby first."""

    async def execute(self, statement: Executable, params: Any = None, **options: Any) -> Any:  # noqa: ANN401  # SQLAlchemy's overloads
        async def ask(session: Session) -> Any:  # noqa: ANN401  # as above
            return await session.execute(without_stale_reads(statement), params, **options)

        async def ask_primary() -> Any:  # noqa: ANN401  # as above
            return await super(StandbySession, self).execute(statement, params, **options)

        standby: Standby = self.info["standby"]
        return await standby.read(ask, ask_primary)

    async def scalar(self, statement: Executable, params: Any = None, **options: Any) -> Any:  # noqa: ANN401  # as above
        return (await self.execute(statement, params, **options)).scalar()

    async def fetch_all(self, prepared: Prepared, values: Mapping[str, Any]) -> list[PreparedRow]:
        async def ask(session: Session) -> list[PreparedRow]:
            return await session.fetch_all(prepared_without_stale_reads(prepared), values)

        async def ask_primary() -> list[PreparedRow]:
            return await super(StandbySession, self).fetch_all(prepared, values)

        standby: Standby = self.info["standby"]
        return await standby.read(ask, ask_primary)


def without_stale_reads(statement: Executable) -> Select[*tuple[Any, ...]]:
    """Make a read fail on a standby that has lost the primary."""
    if not isinstance(statement, Select):
        message = "only a select() can be read from a standby"
        raise TypeError(message)
    return statement.where(RECEIVES_FROM_PRIMARY)


@lru_cache(maxsize=256)
def prepared_without_stale_reads(prepared: Prepared) -> Prepared:
    return prepare(without_stale_reads(prepared.statement))
