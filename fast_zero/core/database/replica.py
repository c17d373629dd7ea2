"""Reads from a standby, with a fallback to the primary.

A committed change is visible on the standby at once, in every process: a commit waits until the
standby has applied it (`synchronous_commit = remote_apply`). So it has to be a synchronous standby.
If a standby loses its primary, commits may no longer wait for it before it notices. So each read
checks, in the same statement, whether the standby still receives from the primary.
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

RETRY_SECONDS = 1
# Evaluated once, before any row is read. A condition can fail a statement only by an error.
RECEIVES_FROM_PRIMARY = text(
    "(SELECT 1 / count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming') = 1"
)

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Standby:
    """The standby for reads. After a failure, one read tries it again every `RETRY_SECONDS`."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.failed = False
        self.retry_at = 0.0

    async def read(
        self, ask: Callable[[Session], Awaitable[T]], ask_primary: Callable[[], Awaitable[T]]
    ) -> T:
        """Return the result of `ask` on the standby, or else that of `ask_primary`."""
        if self.failed:
            if time.monotonic() < self.retry_at:
                return await self.fall_back(ask_primary)
            self.delay_retry()
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
        except CancelledError:  # it does not respond, and the deadline of the request has passed
            self.fail()
            raise
        if self.failed:
            self.failed = False
            logger.info("the standby is available again")
        STANDBY_READS.labels("standby").inc()
        return found

    async def fall_back(self, ask_primary: Callable[[], Awaitable[T]]) -> T:
        STANDBY_READS.labels("primary").inc()
        return await ask_primary()

    def fail(self) -> None:
        if not self.failed:
            logger.warning("the standby is not available; reads fall back to the primary")
        self.failed = True
        self.delay_retry()

    def delay_retry(self) -> None:
        self.retry_at = time.monotonic() + RETRY_SECONDS


class StandbySession(Session):
    """A read-only session on the primary whose statements are sent to the standby first."""

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
    """Add a condition that fails on a standby that has lost its primary."""
    if not isinstance(statement, Select):
        message = "only a select() can be read from a standby"
        raise TypeError(message)
    return statement.where(RECEIVES_FROM_PRIMARY)


@lru_cache(maxsize=256)
def prepared_without_stale_reads(prepared: Prepared) -> Prepared:
    return prepare(without_stale_reads(prepared.statement))
