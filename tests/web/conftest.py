"""A browser without scripts: it keeps cookies, and says where a form comes from."""

import re
import secrets
from html import unescape

import pytest

from fast_zero.core import security
from fast_zero.web import cookies
from tests.factories import LoginSessionFactory

HOST = "test.local"  # how a cookie jar names a host without dots
OWN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def visitor(anonymous):
    """Return a browser of somebody who is not logged in."""
    anonymous.headers.update(OWN)
    return anonymous


@pytest.fixture
def log_in_page(visitor, save):
    """Give the browser a session of a user; return the session."""

    async def log_in_page(user, scheme="http"):
        secret = secrets.token_urlsafe(32)
        [opened] = await save(
            LoginSessionFactory(
                owner_id=user.id, refresh_digest=None, cookie_digest=security.digest(secret)
            )
        )
        prefix = "__Host-" if scheme == "https" else ""
        visitor.cookies.set(prefix + cookies.SESSION, secret, domain=HOST, path="/")
        return opened

    return log_in_page


@pytest.fixture
async def reader(visitor, user, log_in_page):
    """Return a browser of `user`, who is logged in."""
    await log_in_page(user)
    return visitor


def titles(response) -> list[str]:
    """Return the titles of the rows of a list."""
    found = re.findall(r'<p class="title"><span>(.*?)</span>', response.text, re.DOTALL)
    return [unescape(title) for title in found]


def errors(response) -> dict[str, str]:
    """Return what a form says is wrong with each field, and above it."""
    fields = re.findall(r'id="([\w-]+)-error">.*?</svg>(.*?)</p>', response.text, re.DOTALL)
    above = re.findall(r'id="form-fault">.*?<span>(.*?)</span>', response.text, re.DOTALL)
    return {name: unescape(text) for name, text in fields} | ({"": above[0]} if above else {})


def heading(response) -> str:
    [found] = re.findall(r"<h1[^>]*>(.*?)</h1>", response.text)
    return unescape(found)
