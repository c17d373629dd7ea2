"""Days and moments that PostgreSQL and Python both can store, in any time zone."""

from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(9999, 12, 30)
FIRST_MOMENT = datetime(1900, 1, 2, tzinfo=UTC)
END = datetime(9999, 12, 30, tzinfo=UTC)


def check_moment(moment: datetime) -> datetime:
    """Return a moment in UTC. Its day is one of those between also in every other time zone."""
    if not FIRST_MOMENT <= moment < END:
        message = f"it has to be between {FIRST_DAY} and {LAST_DAY}, in UTC"
        raise ValueError(message)
    return moment.astimezone(UTC)


Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]
Moment = Annotated[AwareDatetime, AfterValidator(check_moment)]
