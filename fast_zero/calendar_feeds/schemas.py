from datetime import datetime

from pydantic import Field

from fast_zero.core.types import ResponseModel


class CalendarFeedPublic(ResponseModel):
    """The feed without its address."""

    created_at: datetime = Field(description="When it got its address.")
    last_read_at: datetime | None = Field(
        description="When a calendar app last read it, to the hour.", examples=[None]
    )


class CalendarFeedCreated(ResponseModel):
    url: str = Field(
        description="The address for calendar apps. Whoever has it can read your dues.",
        examples=[
            "https://todo.example.com/calendars/Yp0H8uG2mJ4iWcXnQ7vT1bRkZsLdE6fAoU3yPqM9NhI.ics"
        ],
    )
    created_at: datetime
