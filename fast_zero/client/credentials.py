"""Which server the commands use, and the token for it."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from fast_zero.client import private_files
from fast_zero.client.errors import ClientError
from fast_zero.core.addresses import is_loopback

URL = "FAST_ZERO_URL"
TOKEN = "FAST_ZERO_TOKEN"  # noqa: S105  # the name of a variable
ALLOW_HTTP = "FAST_ZERO_ALLOW_HTTP"
NOT_LOGGED_IN = "You are not logged in. Run: fast-zero login URL"


@dataclass(frozen=True)
class Credentials:
    url: str
    token: str = field(repr=False)
    token_id: int | None = None
    """The ID of the token, by which it is revoked. None: it was made elsewhere."""
    stored: bool = True


def path() -> Path:
    return private_files.folder() / "login.json"


def load() -> Credentials:
    """Return what the environment says, or else the stored log-in."""
    url, token = os.environ.get(URL), os.environ.get(TOKEN)
    if url and token:
        return Credentials(
            normalize(url, allow_http=bool(os.environ.get(ALLOW_HTTP))),
            usable(token.strip()),
            stored=False,
        )
    if url or token:  # the stored token must not be sent to another server
        raise ClientError(f"Set {URL} and {TOKEN} together, or neither of them.")
    found = load_stored()
    if found is None:
        raise ClientError(NOT_LOGGED_IN)
    return found


def load_stored() -> Credentials | None:
    content = private_files.read(path())
    if content is None:
        return None
    try:
        found = json.loads(content)
        return Credentials(str(found["url"]), str(found["token"]), found["token_id"])
    except (ValueError, TypeError, KeyError):
        raise ClientError(f"{path()} cannot be read. Log in again: fast-zero login URL") from None


def store(new: Credentials) -> None:
    """Store a log-in, and delete what was stored for the one before."""
    private_files.make_folder()
    values = asdict(new)
    del values["stored"]
    private_files.write(path(), json.dumps(values, indent=2) + "\n")
    forget("last-changes.json", "names.json")


def forget(*files: str) -> None:
    """Delete files of the configuration. Default: all of them."""
    for file in files or ("login.json", "last-changes.json", "names.json"):
        try:
            (private_files.folder() / file).unlink(missing_ok=True)
        except OSError as error:
            raise ClientError(f"Cannot delete {file}: {error.strerror}.") from None


def usable(token: str) -> str:
    """Return a token if it can stand in a header."""
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ClientError("That is not a token.")
    return token


def normalize(url: str, *, allow_http: bool) -> str:
    """Return the URL of a server without what it does not need.

    Without a scheme, it is https, or http for this machine. Passwords and tokens go over plain http
    only to this machine, unless that is allowed.
    """
    try:
        if not names_server(url if "://" in url else f"https://{url}"):
            raise ValueError  # noqa: TRY301  # what cannot be parsed is refused likewise
    except ValueError:
        shown = "That" if "@" in url else repr(url)  # a password may stand before an @
        raise ClientError(
            f"{shown} is not the URL of a server. Example: https://todo.example.com"
        ) from None
    if "://" not in url:
        named = urlsplit(f"//{url}").hostname or ""
        url = f"{'http' if is_loopback(named) else 'https'}://{url}"
    parts = urlsplit(url)
    if parts.scheme == "http" and not is_loopback(parts.hostname or "") and not allow_http:
        raise ClientError(
            "Over plain http, others on the network can read your password and token. Use https. "
            f"In a network that you trust: --allow-http ({ALLOW_HTTP}=1 with {URL})."
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def names_server(url: str) -> bool:
    """Return whether a URL has what that of a server has, and no more. Raises ValueError."""
    parts = urlsplit(url)
    extra = parts.username is not None or parts.query or parts.fragment
    # A port is parsed when it is read.
    host = bool(parts.hostname) and parts.port != 0 and parts.scheme in {"http", "https"}
    return host and not extra and url.isprintable() and " " not in url
