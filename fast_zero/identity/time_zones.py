"""Names of time zones in the IANA database."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# Files that lie beside the time zones on some systems. PostgreSQL does not know them.
OTHER_FILES = ("posix/", "right/", "posixrules", "localtime")


def check_time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # unknown, malformed, or a directory
        is_known = False
    else:
        is_known = not name.startswith(OTHER_FILES)
    if not is_known:
        message = "this is no time zone; write its IANA name, such as America/Sao_Paulo"
        raise ValueError(message)
    return name
