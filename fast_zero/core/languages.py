"""The languages of emails and pages."""

import re
from typing import Annotated, Literal, get_args

from pydantic import Field

Language = Annotated[
    Literal["en", "pt-BR"], Field(description="Of emails to you.", examples=["pt-BR"])
]
DEFAULT: Language = "en"
KNOWN: tuple[Language, ...] = get_args(get_args(Language)[0])
# One member of Accept-Language and its weight (RFC 9110, sections 12.4.2 and 12.5.4).
MEMBER = re.compile(
    r"([A-Za-z]{1,8})(?:-[A-Za-z0-9-]*)?(?:[ \t]*;[ \t]*q=([01](?:\.[0-9]{0,3})?))?"
)


def preferred(accepted: str) -> Language:
    """Choose a language by `Accept-Language`. The first of several with equal weight wins."""
    best, best_weight = DEFAULT, 0.0
    for member in accepted.split(","):
        found = MEMBER.fullmatch(member.strip(" \t"))
        weight = float(found[2] or 1) if found else 0
        known = [name for name in KNOWN if found and name.split("-")[0] == found[1].lower()]
        if known and weight > best_weight:
            best, best_weight = known[0], weight
    return best
