"""Links to unsubscribe from emails without a log-in (RFC 8058), valid as long as the keys.

A link names the account and the kinds of emails, and contains a token derived from them with the
server's key. It allows nothing else, so it does not expire: emails are kept for years.
"""

from collections.abc import Sequence
from hmac import compare_digest
from urllib.parse import urlencode

from fast_zero.core import security
from fast_zero.core.settings import Settings

PATH = "/letters/unsubscribe"


def link(settings: Settings, user_id: int, kinds: Sequence[str], language: str) -> str:
    about = f"{user_id}.{'-'.join(kinds)}"
    token = f"{about}.{security.derived_token(settings, seed(about))}"
    return f"{settings.base_url()}{PATH}?{urlencode({'lang': language, 'token': token})}"


def read(settings: Settings, token: str) -> tuple[int, Sequence[str]] | None:
    """Return the user and the kinds of emails of a token, if the token is valid."""
    about, _, proof = token.rpartition(".")
    made = security.derived_tokens(settings, seed(about))
    if not any(compare_digest(proof.encode(), one.encode()) for one in made):
        return None
    user_id, _, kinds = about.partition(".")
    return int(user_id), kinds.split("-")


def seed(about: str) -> str:
    return f"unsubscribing {about}"
