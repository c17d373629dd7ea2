"""Names of time zones, as IANA gives them."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def check_time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # no such name, no name, or a folder
        message = "this is no time zone; write its IANA name, such as America/Sao_Paulo"
        raise ValueError(message) from None
    return name
