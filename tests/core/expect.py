"""Assertions for all rooms: problem responses, and conditions that become true after a while."""

import asyncio
import re
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import unquote

CODE = re.compile("[a-z]+(_[a-z]+)*")
PATIENCE = 30  # seconds until a condition times out


def problem(response) -> tuple[int, object]:
    """Return the status and `detail` of a response that must be a problem (RFC 9457)."""
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
    """Return the headers that are equal in responses to equal requests: all but the request id."""
    return {name: value for name, value in response.headers.items() if name != "x-request-id"}


def invalid_fields(response) -> list[str]:
    """Return the fields that a 422 names as invalid, such as `body.title`."""
    status, detail = problem(response)
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert all(entry.keys() == {"type", "loc", "msg"} for entry in detail)
    assert not any(entry["msg"].startswith("Value error") for entry in detail)
    return [".".join(map(str, entry["loc"])) for entry in detail]


async def wait_until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110  # there is no event to wait for
            await asyncio.sleep(0)  # lets other tasks run


def connections_in_use(pool) -> int:
    """Count the connections of a pool that are in use."""
    stats = pool.get_stats()
    return stats["pool_size"] - stats["pool_available"]
