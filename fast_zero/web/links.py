"""Addresses within the page."""

from collections.abc import Collection
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

APP = "/app/"
HOME = "/app/today"
LOG_IN = "/app/login"
CODE = "/app/login/code"
IMPORTS = "/app/settings/data/imports"
"""Takes files, so its forms may be as large as those of the API."""
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


def with_query(address: str, **values: str | None) -> str:
    """Return an address with other values of these parameters, without those that have none."""
    parts = urlsplit(address)
    query = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(name, value) for name, value in query if name not in values]
    given = [(name, value) for name, value in values.items() if value]
    return parts._replace(query=urlencode([*kept, *given])).geturl()


def before_todo(address: str) -> str:
    """Return what the number of a todo is added to, to open it beside the list of an address."""
    return f"{address}{'&' if '?' in address else '?'}todo="


def with_next(address: str, then: str) -> str:
    """Return an address that goes on to another one, unless that is where it leads anyway."""
    return address if then == HOME else f"{address}?next={quote(then, safe='/')}"


def without_todo(address: str, ids: Collection[str]) -> str:
    """Return the address of a list, without the todo beside it if that is one of these."""
    opened = dict(parse_qsl(urlsplit(address).query)).get("todo")
    return with_query(address, todo=None) if opened in ids else address


def referring_path(referer: str, host: str) -> str:
    """Return the path of the page that a form was sent from, if it is one of this server."""
    try:
        parts = urlsplit(referer)
    except ValueError:
        return HOME
    if parts.netloc != host:
        return HOME
    return own_path(parts._replace(scheme="", netloc="").geturl())
