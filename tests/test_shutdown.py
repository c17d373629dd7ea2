"""SIGTERM while many connections are busy."""

import asyncio
import itertools
import signal

import httpx2
import pytest

from tests.processes import PATIENCE, serving

ACCOUNT = {"username": "ana", "email": "ana@example.com", "password": "a fine long sentence"}
CLIENTS = 12


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_sigterm_under_load_aborts_no_request(data_dir, workers):
    acknowledged: set[str] = set()
    statuses: set[int] = set()

    async def write(url: str, headers: dict[str, str], writer: int) -> None:
        """Write on one connection until the server refuses new ones. An abort would raise."""
        async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE) as client:
            for number in itertools.count():
                title = f"{writer}-{number}"
                try:
                    response = await client.post("/todos", json={"title": title})
                except httpx2.ConnectError:
                    return
                statuses.add(response.status_code)
                acknowledged.add(title)

    with serving(data_dir, "--workers", workers) as server:
        headers = await log_in(server.url)
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
            for writer in range(CLIENTS):
                group.create_task(write(server.url, headers, writer))
            while len(acknowledged) < 10 * CLIENTS:  # noqa: ASYNC110  # a plain count
                await asyncio.sleep(0.01)
            server.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(server.process.wait, PATIENCE) == 0
        assert "Traceback" not in server.log.read_text()

    assert statuses == {201}
    with serving(data_dir) as server:
        async with httpx2.AsyncClient(base_url=server.url, headers=headers) as client:
            page = (await client.get("/todos", params={"limit": 1000})).json()
    assert {todo["title"] for todo in page["todos"]} == acknowledged


async def test_an_idle_connection_may_send_one_more_request_during_shutdown(data_dir):
    with serving(data_dir) as server:
        async with httpx2.AsyncClient(base_url=server.url, timeout=PATIENCE) as client:
            await client.get("/livez")
            server.process.send_signal(signal.SIGTERM)
            response = await client.get("/livez")  # arrives during the shutdown
        assert await asyncio.to_thread(server.process.wait, PATIENCE) == 0

    assert response.status_code == 200


async def log_in(url: str) -> dict[str, str]:
    async with httpx2.AsyncClient(base_url=url, timeout=PATIENCE) as client:
        await client.post("/users", json=ACCOUNT)
        form = {"username": ACCOUNT["email"], "password": ACCOUNT["password"]}
        token = (await client.post("/auth/token", data=form)).json()["access_token"]
    return {"Authorization": f"Bearer {token}"}
