from datetime import date

from pydantic import Field, field_validator

from fast_zero.core.types import ResponseModel
from fast_zero.identity.schemas import UserPublic


class Counts(ResponseModel):
    """Counts of what the reader can see."""

    posts: int = Field(examples=[12])
    followers: int = Field(examples=[34])
    following: int = Field(examples=[5])


class Profile(UserPublic):
    """The public profile of a user, and the relation between that user and the reader."""

    counts: Counts
    following: bool | None = Field(
        description="Whether you follow this user; `null` without a token.", examples=[True]
    )
    followed_by: bool | None = Field(
        description="Whether this user follows you; `null` without a token.", examples=[False]
    )


class DayStats(ResponseModel):
    day: date
    finished: int = Field(description="Number of todos finished on this day.", examples=[3])


class UserStats(ResponseModel):
    """Finished todos by day, in the user's time zone, as far as the reader can see them."""

    today: date = Field(description="The current day in the user's time zone.")
    days: list[DayStats] = Field(
        description="The days on which todos were finished, among the last 366 including today."
    )
    current_streak: int = Field(
        description="Consecutive days, up to today or yesterday.", examples=[4]
    )
    best_streak: int = Field(description="The longest run of consecutive days.", examples=[21])

    @field_validator("days", mode="before")
    @classmethod
    def none_is_no_day(cls, days: object) -> object:
        return days or []
