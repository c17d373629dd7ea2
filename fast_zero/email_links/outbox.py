"""Defers the emails of accounts as jobs; the module `jobs` writes and sends them.

The arguments are no secrets: the token of a link is derived from its seed and the server's key when
the email is written.
"""

from datetime import UTC, datetime
from typing import TypedDict

from fast_zero.core import security
from fast_zero.core.jobs import Deferral
from fast_zero.email_links.emails import Notice
from fast_zero.email_links.models import Purpose

SEND_LINK = "accounts.send_link"
SEND_NOTICE = "accounts.send_notice"
SEND_INVITATION = "accounts.send_invitation"
FORGET_BROWSERS = "push.forget_browsers"
"""A job of a room above."""


class LinkRequest(TypedDict):
    """The arguments of `SEND_LINK`."""

    purpose: str
    email: str
    user_id: int | None
    seed: str
    requested_at: str


def link(purpose: Purpose, email: str, user_id: int | None = None) -> Deferral:
    """Defer a link. When it is sent, the job finds out whether there is a recipient."""
    arguments: LinkRequest = {
        "purpose": purpose.value,
        "email": email,
        "user_id": user_id,
        "seed": security.new_secret(),
        "requested_at": datetime.now(UTC).isoformat(),
    }
    return Deferral(SEND_LINK, arguments)


def invitation(seed: str) -> Deferral:
    """Defer the email of an invitation, which is found by the digest of its token."""
    return Deferral(SEND_INVITATION, {"seed": seed})


def notice(about: Notice, email: str, language: str) -> Deferral:
    """Defer an email that reports a change."""
    seed = security.new_secret()
    arguments = {"about": about.value, "email": email, "language": language, "seed": seed}
    return Deferral(SEND_NOTICE, arguments)


def forgetting_browsers(user_id: int) -> Deferral:
    """Defer that no browser receives pushes of a user any more."""
    return Deferral(FORGET_BROWSERS, {"user_id": user_id})
