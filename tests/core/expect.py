"""What tests of all rooms expect: errors of one shape, and things that come true in a while."""

import asyncio
import re
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import unquote

CODE = re.compile("[a-z]+(_[a-z]+)*")
PATIENCE = 30  # seconds until something that never happens is given up


def problem(response) -> tuple[int, object]:
    """Give the status and `detail` of a response that must be a problem (RFC 9457)."""
    body = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert body.keys() == {"type", "title", "status", "code", "detail", "instance"}
    assert body["type"] == "about:blank"
    assert body["title"] == HTTPStatus(response.status_code).phrase
    assert body["status"] == response.status_code
    assert CODE.fullmatch(body["code"])
    assert body["instance"].isascii()
    assert unquote(body["instance"]) == (response.request.url.path.rstrip("/") or "/")
    return response.status_code, body["detail"]


def same_headers(response) -> dict[str, str]:
    """Give the headers that two answers to the same question share: all but the request's id."""
    return {name: value for name, value in response.headers.items() if name != "x-request-id"}


def faults(response) -> list[str]:
    """Give the places that a 422 complains about, such as `body.title`."""
    status, detail = problem(response)
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert all(entry.keys() == {"type", "loc", "msg"} for entry in detail)
    assert not any(entry["msg"].startswith("Value error") for entry in detail)
    return [".".join(map(str, entry["loc"])) for entry in detail]


async def comes_true(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110  # nobody sets an event for it
            await asyncio.sleep(0)  # gives way to the others


def lent(pool) -> int:
    """Count the connections of a pool that are in use."""
    stats = pool.get_stats()
    return stats["pool_size"] - stats["pool_available"]
