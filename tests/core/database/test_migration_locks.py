"""The effect of a running migration on concurrent writes.

`task migrations` runs this with a million todos; without it there are fewer.
"""

import ast
import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest
from alembic import command
from sqlalchemy import make_url

from fast_zero.core.database import conninfo, migrations, revisions
from tests.core.expect import wait_until
from tests.migrating import alembic, known_to_alembic, upgrade

ROWS = int(os.environ.get("MIGRATION_ROWS", "20000"))
FILES = sorted(revisions.folder().glob("versions/*.py"))
USERS = """
INSERT INTO users (username, email, password_hash)
SELECT 'user ' || n, 'user' || n || '@example.com', '' FROM generate_series(1, 100) AS n
"""
TODOS = f"""
INSERT INTO todos (owner_id, title, description, state)
SELECT 1 + n % 100, 'todo ' || n, 'the dark one', 'todo' FROM generate_series(1, {ROWS}) AS n
"""
OWN_TODOS = "SELECT id FROM todos WHERE owner_id = %s LIMIT 5"
WRITES = (
    "UPDATE users SET username = username WHERE id = %s",
    f"UPDATE todos SET title = 'written' WHERE id IN ({OWN_TODOS})",
)
DESTRUCTIVE = {"drop_table", "drop_column", "rename_table", "alter_column", "drop_constraint"}


async def connect(url) -> psycopg.AsyncConnection:
    connection = await psycopg.AsyncConnection.connect(conninfo(make_url(url)), autocommit=True)
    await connection.execute(f"SET lock_timeout = {migrations.LOCK_MILLISECONDS}")
    return connection


@asynccontextmanager
async def writing(url) -> AsyncIterator[list[int]]:
    """Write continuously. If a write waits for longer than a migration may, the block fails."""
    written: list[int] = []

    async def write(owner: int) -> None:
        async with await connect(url) as connection:
            while True:
                for statement in WRITES:
                    await connection.execute(statement.encode(), [owner])
                written.append(owner)

    async with asyncio.TaskGroup() as group:
        writers = [group.create_task(write(owner)) for owner in (1, 2, 3)]
        await wait_until(lambda: len(set(written)) == len(writers))
        yield written
        for writer in writers:
            writer.cancel()


async def test_no_statement_waits_long_for_a_migration(empty):
    *later, first = known_to_alembic()
    await alembic(empty, command.upgrade, first)
    async with await connect(empty) as connection:
        await connection.execute(USERS)
        await connection.execute(TODOS.encode())

    async with writing(empty) as written:
        for revision in reversed(later):
            before = len(written)
            await alembic(empty, command.upgrade, revision)
            await wait_until(lambda before=before: len(written) >= before + 3)


async def test_a_statement_that_waits_longer_is_detected(empty, monkeypatch):
    await upgrade(empty)
    async with await connect(empty) as connection:
        await connection.execute(USERS)
    monkeypatch.setattr(migrations, "LOCK_MILLISECONDS", 100)

    async def hold() -> None:
        async with writing(empty), await connect(empty) as connection, connection.transaction():
            await connection.execute("LOCK TABLE todos")
            await connection.execute("SELECT pg_sleep(1)")

    with pytest.raises(ExceptionGroup) as caught:
        await hold()

    assert caught.group_contains(psycopg.errors.LockNotAvailable)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_migration_declares_whether_it_only_adds(file):
    tree = ast.parse(file.read_text())
    [kind] = [
        node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "kind"
    ]
    [upgrade] = [
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "upgrade"
    ]
    called = {node.attr for node in ast.walk(upgrade) if isinstance(node, ast.Attribute)}

    assert kind in {"expand", "contract"}
    if kind == "contract":
        assert "COMMENT ON TABLE alembic_version IS" in ast.unparse(upgrade)
    else:
        assert not called & DESTRUCTIVE
