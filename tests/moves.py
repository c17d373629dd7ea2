"""Fixtures for tests of the order of todos."""

import pytest


@pytest.fixture
def order(client):
    """Return the ids of a list of todos, in its order."""

    async def order(headers=None, **wanted) -> list[int]:
        params = {"sort": "position", "limit": 1000, **wanted}
        page = (await client.get("/todos", params=params, headers=headers)).json()
        return [todo["id"] for todo in page["todos"]]

    return order


@pytest.fixture
def move(client):
    """Move a todo; return the response."""

    async def move(todo_id: int, headers=None, **where):
        return await client.post(f"/todos/{todo_id}/move", json=where, headers=headers)

    return move
