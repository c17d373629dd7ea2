"""Asks for the letters that accounts need, within the statements that make them needed.

`jobs` writes them. Nothing here is a secret: a link's token is made from its seed and the
server's key when the letter is written.
"""

from typing import Any

from sqlalchemy import ColumnElement, func

from fast_zero.accounts.letters import Notice
from fast_zero.accounts.models import Purpose
from fast_zero.core import jobs, security

SEND_LINK = "accounts.send_link"
SEND_NOTICE = "accounts.send_notice"
SEND_INVITATION = "accounts.send_invitation"


def link(purpose: Purpose, email: object, user_id: object = None) -> ColumnElement[Any]:
    """Ask for a link. Whose it is, and whether it is anybody's, is found out when it is sent."""
    return jobs.deferral(
        SEND_LINK,
        purpose=purpose.value,
        email=email,
        user_id=user_id,
        seed=security.new_secret(),
        requested_at=func.clock_timestamp(),
    )


def invitation(seed: str) -> ColumnElement[Any]:
    """Ask for the email of an invitation, which is found by the digest of its token."""
    return jobs.deferral(SEND_INVITATION, seed=seed)


def notice(about: Notice, email: object, language: object) -> ColumnElement[Any]:
    """Ask for a letter that tells what was done."""
    return jobs.deferral(
        SEND_NOTICE,
        about=about.value,
        email=email,
        language=language,
        seed=security.new_secret(),
    )
