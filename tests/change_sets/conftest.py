"""Fixtures for tests of undo, on servers that commit: each request is a transaction of its own."""

from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from fast_zero.core.database import Sessions
from tests.factories import UserFactory

VISIBLE = {
    "projects": "deletion_id IS NULL",
    "todos": "deletion_id IS NULL",
    "sections": "project_id IN (SELECT id FROM projects WHERE deletion_id IS NULL)",
    "labels": "true",
    "saved_filters": "true",
    "todo_labels": "todo_id IN (SELECT id FROM todos WHERE deletion_id IS NULL)",
    "occurrences": "todo_id IN (SELECT id FROM todos WHERE deletion_id IS NULL)",
    "todo_relations": "todo_id IN (SELECT id FROM todos WHERE deletion_id IS NULL)"
    " AND other_id IN (SELECT id FROM todos WHERE deletion_id IS NULL)",
}
NEVER_RESTORED = {"version", "updated_at"}


@dataclass
class Account:
    """A user and what they have."""

    client: httpx2.AsyncClient
    sessions: Sessions
    user_id: int
    last: str = ""  # the newest change set

    async def send(self, method: str, path: str, **options: Any) -> Any:
        """Send a request that succeeds; return what it answers."""
        response = await self.client.request(method, path, **options)
        assert response.status_code < 300, (method, path, response.text)
        self.last = response.headers.get("x-change-set", self.last)
        return response.json() if response.content else None

    async def create(self, path: str, **body: Any) -> int:
        return (await self.send("POST", path, json=body))["id"]

    async def undo(self, change_set: str | None = None, **params: Any) -> dict:
        return await self.send(
            "POST", f"/change-sets/{change_set or self.last}/undo", params=params
        )

    async def rows(self) -> dict[str, list[dict]]:
        """Return all rows that are not in the trash."""
        found = {}
        async with self.sessions.begin() as session:
            for table, visible in VISIBLE.items():
                rows = await session.scalars(
                    text(
                        f"SELECT to_jsonb(t) FROM {table} AS t"
                        f" WHERE owner_id = :user_id AND {visible}"
                    ),
                    {"user_id": self.user_id},
                )
                found[table] = sorted(map(comparable, rows), key=str)
        return found


def comparable(row: dict) -> dict:
    values = {name: value for name, value in row.items() if name not in NEVER_RESTORED}
    return dict(sorted(values.items()))


@pytest.fixture
async def account(live, commit, log_in, committing):
    [user] = await commit(UserFactory())
    async with live() as client:
        client.headers.update(await log_in(user))
        yield Account(client, committing, user.id)


@pytest.fixture
async def todo_id(account) -> int:
    return await account.create("/todos", title="Bread")


@pytest.fixture
async def project_id(account) -> int:
    return await account.create("/projects", name="Home")
