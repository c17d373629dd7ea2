"""Names of time zones in the IANA database."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def check_time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # unknown, malformed, or a directory
        message = "this is no time zone; write its IANA name, such as America/Sao_Paulo"
        raise ValueError(message) from None
    return name
