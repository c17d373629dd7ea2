"""A browser without scripts: it keeps cookies, and says where a form comes from."""

import re
import secrets
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from html import unescape

import pytest
from sqlalchemy import select

from fast_zero.core import security
from fast_zero.models import Todo
from fast_zero.web import cookies
from tests.factories import LoginSessionFactory, TodoFactory

HOST = "test.local"  # how a cookie jar names a host without dots
OWN = {"Sec-Fetch-Site": "same-origin"}
NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}",
    "%(title)s",
    "%s",
    "\u202e",
    "&amp;",
    "'",
]
"""Texts that would do harm in HTML, templates or formats."""


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
def open_live(live, commit):
    """Return a context with a browser of somebody whose changes are committed."""

    @asynccontextmanager
    async def open_live(owner):
        secret = secrets.token_urlsafe(32)
        digest = security.digest(secret)
        await commit(
            LoginSessionFactory(owner_id=owner.id, refresh_digest=None, cookie_digest=digest)
        )
        async with live() as browser:
            browser.headers.update(OWN)
            browser.cookies.set(cookies.SESSION, secret, domain=HOST, path="/")
            yield browser

    return open_live


@pytest.fixture
async def reader(visitor, user, log_in_page):
    """Return a browser of `user`, who is logged in."""
    await log_in_page(user)
    return visitor


@pytest.fixture
def todo(save, user):
    async def todo(title="Bread", owner=user, **values):
        values = {"state": "todo", "due_on": datetime.now(UTC).date()} | values
        [row] = await save(TodoFactory(owner_id=owner.id, title=title, **values))
        return row

    return todo


@pytest.fixture
def stored_todo(sessions):
    async def stored_todo(todo_id):
        async with sessions() as session:
            return await session.scalar(select(Todo).where(Todo.id == todo_id))

    return stored_todo


@pytest.fixture
def api(visitor, user, bearer):
    """Call the API as the user."""

    async def api(method, path, **options):
        response = await visitor.request(method, path, headers=bearer(user), **options)
        assert response.status_code < 300, response.text
        return response.json() if response.content else None

    return api


def titles(response) -> list[str]:
    """Return the titles of the rows of a list."""
    found = re.findall(r'<a class="title"[^>]*><span>(.*?)</span>', response.text, re.DOTALL)
    return [unescape(title) for title in found]


def errors(response) -> dict[str, str]:
    """Return what a form says is wrong with each field, and above it."""
    fields = re.findall(r'id="([\w-]+)-error">.*?</svg>(.*?)</p>', response.text, re.DOTALL)
    above = re.findall(r'id="form-fault">.*?<span>(.*?)</span>', response.text, re.DOTALL)
    return {name: unescape(text) for name, text in fields} | ({"": above[0]} if above else {})


def heading(response) -> str:
    [found] = re.findall(r"<h1[^>]*>(.*?)</h1>", response.text)
    return unescape(found)


def counts(response) -> dict[str, str]:
    """Return the headings of the groups of rows, with how many todos they say to have."""
    head = r"<(?:h2 [^>]*|summary)>(?:<svg.*?</svg>)?([^<]+)(?:</h2>)?<span class=\"num\">([^<]*)<"
    return {unescape(title): number for title, number in re.findall(head, response.text)}


def more(response) -> str | None:
    """Return the address of the next page of a list."""
    found = re.search(r'<a class="btn" href="([^"]+)">Show more', response.text)
    return found and unescape(found[1])


def toast(response) -> str | None:
    """Return what the page says was done."""
    found = re.search(r'<div class="toasts".*?<p>(.*?)</p>', response.text, re.DOTALL)
    return found and unescape(found[1])


def fault(response) -> str | None:
    """Return what the page says was refused."""
    [faults] = re.findall(r'<div id="faults"[^>]*>(.*?)</div>', response.text, re.DOTALL)
    found = re.search(r"<span>(.*?)</span>", faults, re.DOTALL)
    return found and unescape(found[1])


async def follow(client, response):
    assert response.status_code == 303, response.text
    return await client.get(response.headers["location"])


async def send(client, path, /, **fields):
    """Send a form, and return the page that it leads to."""
    return await follow(client, await client.post(path, data=fields))


async def undo(client, page, address="/app/today"):
    [*_, change_set] = re.findall(r'name="change_set" value="([\w-]+)"', page.text)
    return await send(client, "/app/undo", change_set=change_set, next=address)
