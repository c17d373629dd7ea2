"""Imports files as clients do, and waits for them."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent
CSV = "text/csv"
JSON = "application/json"


@pytest.fixture
def import_file(client, do_jobs) -> Callable[..., Awaitable[dict[str, Any]]]:
    """Import a file, and return its import as it is at the end."""

    async def import_file(content: str | bytes, media_type: str = CSV, **params):
        body = content.encode() if isinstance(content, str) else content
        response = await client.post(
            "/imports", content=body, headers={"Content-Type": media_type}, params=params
        )
        assert response.status_code == 202, response.text
        await do_jobs()
        return (await client.get(response.headers["location"])).json()

    return import_file


@pytest.fixture
def listed(client) -> Callable[..., Awaitable[list[dict[str, Any]]]]:
    """Return all things of a list, whatever its name."""

    async def listed(path: str, name: str, **params):
        things: list[dict[str, Any]] = []
        after: dict[str, str] = {}
        while True:
            page = (await client.get(path, params={"limit": 1000, **params, **after})).json()
            things += page[name]
            if page["next"] is None:
                return things
            after = {"after": page["next"]}

    return listed
