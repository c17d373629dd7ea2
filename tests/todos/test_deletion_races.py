"""Deletions at the same time as other changes of the same todos."""

import asyncio
import random

import pytest
from sqlalchemy import text, update

from fast_zero.models import Todo
from fast_zero.todos.models import TodoState
from tests.factories import ProjectFactory, TodoFactory, UserFactory

WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")


async def test_a_todo_that_changes_while_its_deletion_waits_is_not_deleted(
    live, commit, log_in, committing
):
    [user] = await commit(UserFactory())
    [todo] = await commit(TodoFactory(owner_id=user.id))
    path = f"/todos/{todo.id}"
    async with live() as client, committing() as session, committing() as observer:
        client.headers.update(await log_in(user))
        await session.execute(update(Todo).where(Todo.id == todo.id).values(title="Changed"))
        deletion = asyncio.create_task(client.delete(path, headers={"If-Match": '"1"'}))
        async with asyncio.timeout(10):
            while not await observer.scalar(WAITING):
                await observer.rollback()
        await session.commit()
        response = await deletion

        assert (response.status_code, response.headers["etag"]) == (412, '"2"')
        assert (await client.get(path)).json()["title"] == "Changed"


@pytest.mark.parametrize("kind", ["todos", "projects"])
async def test_deleting_and_changing_the_same_todos_do_not_deadlock(live, commit, log_in, kind):
    [user] = await commit(UserFactory())
    [project] = await commit(ProjectFactory(owner_id=user.id))
    place = {"owner_id": user.id, "project_id": project.id}
    [parent] = await commit(TodoFactory(**place, state=TodoState.TODO))
    path = f"/todos/{parent.id}" if kind == "todos" else f"/projects/{project.id}"
    rows = TodoFactory.build_batch(100, owner_id=user.id, parent_id=parent.id)
    ids = [row.id for row in await commit(*rows)]
    mixed = random.Random(1)
    async with live() as client:
        client.headers.update(await log_in(user))

        async def change():
            for _ in range(10):
                items = [
                    {"op": "update", "id": todo_id, "title": f"t{mixed.random()}"}
                    for todo_id in mixed.sample(ids, 60)
                ]
                yield await client.post("/todos/batch", json={"items": items, "atomic": False})

        async def delete():
            for _ in range(10):
                yield await client.delete(path)
                yield await client.post(f"{path}/restore")

        async def statuses(answers):
            return [answer.status_code async for answer in answers]

        found = await asyncio.gather(statuses(change()), statuses(change()), statuses(delete()))

    assert {status for each in found for status in each} == {200}
