"""Addresses within the page."""

from urllib.parse import quote, unquote, urlsplit

APP = "/app/"
HOME = "/app/today"
LOG_IN = "/app/login"
CODE = "/app/login/code"
LONGEST = 2000  # characters


def own_path(address: str, default: str = HOME) -> str:
    """Return a path of the page with its query, or the default for any other address.

    Browsers read a backslash as a slash and leave out control characters, so neither is allowed.
    """
    if len(address) > LONGEST or not address.isascii() or not address.isprintable():
        return default
    if "\\" in address or " " in address:
        return default
    try:
        parts = urlsplit(address)
    except ValueError:
        return default
    if parts.scheme or parts.netloc or not parts.path.startswith("/app/"):
        return default
    if any(unquote(segment) in {".", ".."} for segment in parts.path.split("/")):
        return default
    return parts._replace(fragment="").geturl()


def with_next(address: str, then: str) -> str:
    """Return an address that goes on to another one, unless that is where it leads anyway."""
    return address if then == HOME else f"{address}?next={quote(then, safe='/')}"


def referring_path(referer: str, host: str) -> str:
    """Return the path of the page that a form was sent from, if it is one of this server."""
    try:
        parts = urlsplit(referer)
    except ValueError:
        return HOME
    if parts.netloc != host:
        return HOME
    return own_path(parts._replace(scheme="", netloc="").geturl())
