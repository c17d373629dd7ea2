"""Content negotiation by `Accept` (RFC 9110, section 12.5.1)."""

import re

WEIGHT = re.compile(r"[ \t]*q[ \t]*=[ \t]*([01](?:\.[0-9]{0,3})?)[ \t]*", re.IGNORECASE)


def weight(accept: str, media_type: str) -> float:
    """Return the weight of a media type in `Accept`, from 0 to 1. A missing type has 0."""
    for member in accept.split(","):
        name, *parameters = member.split(";")
        if name.strip(" \t").lower() == media_type:
            found = next(filter(None, map(WEIGHT.fullmatch, parameters)), None)
            return float(found[1]) if found else 1
    return 0


def prefers_html(accept: str) -> bool:
    """Return whether the client prefers HTML to JSON, as browsers do. `*/*` does not count."""
    return weight(accept, "text/html") > weight(accept, "application/json")
