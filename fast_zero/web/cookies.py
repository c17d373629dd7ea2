"""The cookies of the page."""

from typing import Final

from starlette.requests import HTTPConnection
from starlette.responses import Response

from fast_zero.core.languages import KNOWN, Language, preferred

SESSION: Final = "fast_zero_session"
PENDING: Final = "fast_zero_pending"
"""A log-in that waits for a code."""
LANGUAGE: Final = "fast_zero_language"
NOTICE: Final = "fast_zero_notice"

YEAR = 31_536_000
"""The server decides when a session ends; no browser keeps a cookie much longer than a year."""


def name_of(connection: HTTPConnection, name: str) -> str:
    """Return the full name. Over HTTPS, no subdomain and no plain page can set this cookie."""
    return f"__Host-{name}" if connection.url.scheme == "https" else name


def read(connection: HTTPConnection, name: str) -> str:
    return connection.cookies.get(name_of(connection, name), "")


def write(
    response: Response, connection: HTTPConnection, name: str, value: str, seconds: int
) -> None:
    response.set_cookie(
        name_of(connection, name),
        value,
        max_age=seconds,
        path="/",
        secure=connection.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )


def delete(response: Response, connection: HTTPConnection, name: str) -> None:
    write(response, connection, name, "", 0)


def language_of(connection: HTTPConnection) -> Language:
    """Return the language that was chosen in this browser, or else that of its settings."""
    chosen = read(connection, LANGUAGE)
    for known in KNOWN:
        if known == chosen:
            return known
    return preferred(connection.headers.get("accept-language", ""))
