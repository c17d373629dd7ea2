"""Concurrent changes of relations, each on its own connection."""

import asyncio
import random
from collections import Counter
from itertools import cycle, permutations

import pytest

from tests.factories import TodoFactory, UserFactory


@pytest.fixture
async def user(commit):
    [user] = await commit(UserFactory())
    return user


@pytest.fixture
async def client(live, user, log_in):
    async with live(database_pool_size=20) as client:
        client.headers.update(await log_in(user))
        yield client


@pytest.fixture
async def todos(commit, user):
    saved = await commit(*TodoFactory.build_batch(10, owner_id=user.id, state="todo"))
    return [todo.id for todo in saved]


async def test_of_two_todos_that_block_each_other_at_once_one_wins(client, todos):
    pairs = list(zip(todos[::2], todos[1::2], strict=True))
    answers = await asyncio.gather(
        *(client.put(f"/todos/{a}/relations/blocks/{b}") for a, b in pairs),
        *(client.put(f"/todos/{b}/relations/blocks/{a}") for a, b in pairs),
    )

    assert Counter(answer.status_code for answer in answers) == {204: 5, 409: 5}
    codes = {answer.json()["code"] for answer in answers if answer.status_code == 409}
    assert codes == {"relation_cycle"}


async def test_no_cycle_of_many_todos_is_made_at_once(client, todos):
    some = todos[:5]
    answers = await asyncio.gather(
        *(client.put(f"/todos/{a}/relations/blocks/{b}") for a, b in permutations(some, 2))
    )

    assert Counter(answer.status_code for answer in answers) == {204: 10, 409: 10}
    for _ in some:  # in some order, each can be completed without force
        done = [await client.post(f"/todos/{todo}/complete") for todo in some]
    assert {answer.status_code for answer in done} == {200}


async def test_a_relation_to_a_todo_that_is_being_deleted_is_refused_or_hidden(client, todos):
    one, *others = todos
    answers = await asyncio.gather(
        *(client.put(f"/todos/{one}/relations/blocks/{other}") for other in others),
        client.delete(f"/todos/{one}"),
        *(client.put(f"/todos/{other}/relations/relates_to/{one}") for other in others),
    )

    assert {answer.status_code for answer in answers} <= {200, 204, 404}
    for other in others:
        shown = (await client.get(f"/todos/{other}/relations")).json()
        assert shown == {"relations": []}
        assert (await client.get(f"/todos/{other}")).json()["blocked"] is False


async def test_completing_trees_at_once_completes_each_once(client, commit, user):
    [root] = await commit(TodoFactory(owner_id=user.id, state="todo"))
    below = await commit(
        *TodoFactory.build_batch(9, owner_id=user.id, state="todo", parent_id=root.id)
    )
    await asyncio.gather(
        *(client.post(f"/todos/{root.id}/complete") for _ in range(10)),
        *(client.patch(f"/todos/{todo.id}", json={"state": "done"}) for todo in below),
    )

    shown = (await client.get("/todos")).json()["todos"]
    assert {todo["state"] for todo in shown} == {"done"}
    assert {todo["completed_at"] is None for todo in shown} == {False}


async def test_writes_of_trees_do_not_deadlock(client, commit, user):
    """Every kind of write at once, several times: each answer is 2xx, 404 or 409."""
    for _ in range(4):
        roots = await commit(*TodoFactory.build_batch(3, owner_id=user.id, state="todo"))
        below = [
            (await commit(TodoFactory(owner_id=user.id, state="todo", parent_id=root.id)))[0].id
            for _ in range(8)
            for root in roots
        ]
        requests = []
        for root in (root.id for root in roots):
            requests += [
                client.post(f"/todos/{root}/complete"),
                client.patch(f"/todos/{root}", json={"state": "done", "labels": ["home"]}),
                client.delete(f"/todos/{root}"),
                client.post(f"/todos/{root}/restore"),
                client.post("/todos", json={"title": "a", "parent_id": root, "labels": ["home"]}),
                client.put(f"/todos/{root}/relations/blocks/{below[-1]}"),
            ]
        requests += [
            client.patch(f"/todos/{todo}", json={"state": state})
            for todo, state in zip(below, cycle(("doing", "done")), strict=False)
        ]
        random.shuffle(requests)
        answers = await asyncio.gather(*requests)

        assert {answer.status_code for answer in answers} <= {200, 201, 204, 404, 409}


async def test_no_open_subtask_is_left_by_a_completion(client, commit, user):
    """A subtask is completed with its parent, or created below a todo that is done already."""
    [root] = await commit(TodoFactory(owner_id=user.id, state="todo"))
    new = {"title": "a", "parent_id": root.id}
    await client.post("/todos", json=new)
    creates = [client.post("/todos", json=new) for _ in range(20)]
    *_, completed = await asyncio.gather(*creates, client.post(f"/todos/{root.id}/complete"))

    moment = completed.json()["completed_at"]
    shown = (await client.get("/todos", params={"parent_id": root.id})).json()["todos"]
    assert len(shown) == 21
    assert {todo["completed_at"] for todo in shown} <= {moment, None}
    assert completed.json()["open_subtasks"] == 0
