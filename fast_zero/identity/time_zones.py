"""Names of time zones in the IANA database."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# Files that lie beside the time zones on some systems. PostgreSQL does not know them.
OTHER_FILES = ("posix/", "right/", "posixrules", "localtime")

ABBREVIATIONS = {
    "CET": "Europe/Brussels",
    "EET": "Europe/Athens",
    "MET": "Europe/Brussels",
    "WET": "Europe/Lisbon",
}
"""Names that PostgreSQL reads as abbreviations, without summer time, and what they are links to."""


def check_time_zone(name: str) -> str:
    """Return a name that PostgreSQL and Python both read alike."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # unknown, malformed, or a directory
        is_known = False
    else:
        is_known = not name.startswith(OTHER_FILES)
    if not is_known:
        message = "this is no time zone; write its IANA name, such as America/Sao_Paulo"
        raise ValueError(message)
    return ABBREVIATIONS.get(name, name)
