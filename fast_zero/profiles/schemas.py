from datetime import date

from pydantic import Field, field_validator

from fast_zero.core.types import Answer
from fast_zero.identity.schemas import UserPublic


class Counts(Answer):
    """As many as the reader may see."""

    posts: int = Field(examples=[12])
    followers: int = Field(examples=[34])
    following: int = Field(examples=[5])


class Profile(UserPublic):
    """What everybody may know of a user, and what is between that user and the reader."""

    counts: Counts
    following: bool | None = Field(
        description="You follow this user; `null` to a stranger.", examples=[True]
    )
    followed_by: bool | None = Field(
        description="This user follows you; `null` to a stranger.", examples=[False]
    )


class DayStats(Answer):
    day: date
    finished: int = Field(description="Todos that were finished on it.", examples=[3])


class UserStats(Answer):
    """What was finished, in days of that user's own time zone, as far as the reader may see it."""

    today: date = Field(description="The day that it is there.")
    days: list[DayStats] = Field(
        description="The days of the last year, 366 with today, on which something was finished."
    )
    current_streak: int = Field(
        description="Days in a row, up to today or yesterday.", examples=[4]
    )
    best_streak: int = Field(description="Most days in a row, ever.", examples=[21])

    @field_validator("days", mode="before")
    @classmethod
    def none_is_no_day(cls, days: object) -> object:
        return days or []
