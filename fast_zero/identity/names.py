"""Which usernames can be told apart by eye."""

import unicodedata

# Controls, formats, surrogates, private use, unassigned, line and paragraph separators.
INVISIBLE_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
# Letters and marks that render nothing: fillers, joiners, selectors, blank Braille.
INVISIBLE = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0}
INVISIBLE |= {*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}


def is_invisible(character: str) -> bool:
    category = unicodedata.category(character)
    return (
        category in INVISIBLE_CATEGORIES
        or ord(character) in INVISIBLE
        or (category == "Zs" and character != " ")
    )


def check_username(username: str) -> str:
    """Return the username, or raise `ValueError` for Pydantic."""
    if username != username.strip():
        message = "a username neither starts nor ends with a space"
        raise ValueError(message)
    if any(map(is_invisible, username)):
        message = "a username holds no control characters and no invisible ones"
        raise ValueError(message)
    return username
