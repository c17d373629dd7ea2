"""Moves at the same time, each on its own connection."""

import asyncio
import random
from itertools import pairwise

import pytest

from tests.factories import ProjectFactory, SectionFactory, TodoFactory, UserFactory

CLIENTS = 50


@pytest.fixture
async def client(live, commit):
    """Return a client of an application with its own pool and real commits."""
    async with live() as client:
        yield client


@pytest.fixture
async def owner(commit):
    [owner] = await commit(UserFactory())
    return owner


@pytest.fixture
async def headers(owner, log_in):
    return await log_in(owner)


async def listed(client, headers) -> list[tuple[int, str]]:
    page = await client.get("/todos?sort=position&limit=1000", headers=headers)
    return [(todo["id"], todo["position"]) for todo in page.json()["todos"]]


async def test_fifty_moves_at_once_end_in_one_order_that_all_see(
    client, move, owner, headers, commit
):
    todos = [todo.id for todo in await commit(*TodoFactory.build_batch(20, owner_id=owner.id))]
    chance = random.Random(20)

    def any_move():
        todo, sibling = chance.sample(todos, 2)
        return move(todo, headers, **{chance.choice(["before", "after"]): sibling})

    def create():
        return client.post("/todos", json={"title": "new"}, headers=headers)

    moved, created = await asyncio.gather(
        asyncio.gather(*(any_move() for _ in range(CLIENTS))),
        asyncio.gather(*(create() for _ in range(10))),
    )

    assert [response.status_code for response in moved] == [200] * CLIENTS
    assert [response.status_code for response in created] == [201] * 10
    orders = await asyncio.gather(*(listed(client, headers) for _ in range(10)))
    assert len(orders[0]) == 30
    assert orders == [orders[0]] * 10
    positions = [position for _, position in orders[0]]
    assert positions == sorted(set(positions))
    new = sorted(response.json()["id"] for response in created)
    assert [todo for todo, _ in orders[0]][20:] == new


async def test_fifty_moves_into_one_gap_at_once_all_succeed(client, move, owner, headers, commit):
    todos = await commit(*TodoFactory.build_batch(CLIENTS + 2, owner_id=owner.id))
    first, *others, last = [todo.id for todo in todos]
    for round_ in range(4):
        responses = await asyncio.gather(
            *(
                move(todo, headers, **({"after": first} if round_ % 2 else {"before": last}))
                for todo in others
            )
        )

        assert {response.status_code for response in responses} == {200}
        order = await listed(client, headers)
        assert (order[0][0], order[-1][0]) == (first, last)
        assert {todo for todo, _ in order} == {first, *others, last}
        assert len({position for _, position in order}) == len(order)


async def test_two_todos_that_are_moved_below_each_other_at_once_make_no_cycle(
    move, owner, headers, commit
):
    for _ in range(10):
        one, other = [
            todo.id for todo in await commit(*TodoFactory.build_batch(2, owner_id=owner.id))
        ]
        responses = await asyncio.gather(
            move(one, headers, parent_id=other), move(other, headers, parent_id=one)
        )

        assert sorted(response.status_code for response in responses) == [200, 409]


async def test_moves_and_changes_and_completions_at_once_all_succeed(
    client, move, owner, headers, commit
):
    [parent] = await commit(TodoFactory(owner_id=owner.id, state="todo"))
    below = [TodoFactory(owner_id=owner.id, state="todo", parent_id=parent.id) for _ in range(10)]
    todos = [todo.id for todo in await commit(*below)]
    requests = []
    for todo, sibling in pairwise(todos):
        requests += [
            move(todo, headers, after=sibling),
            client.patch(f"/todos/{sibling}", json={"title": "new"}, headers=headers),
        ]
    requests += [
        client.post(f"/todos/{parent.id}/complete", headers=headers),
        move(parent.id, headers, project_id=None),
    ]

    responses = await asyncio.gather(*requests)

    assert {response.status_code for response in responses} == {200}


async def test_moves_into_what_is_being_deleted_are_done_or_refused(
    client, move, owner, headers, commit
):
    for _ in range(5):
        [project] = await commit(ProjectFactory(owner_id=owner.id))
        [section] = await commit(SectionFactory(owner_id=owner.id, project_id=project.id))
        saved = await commit(*TodoFactory.build_batch(9, owner_id=owner.id))
        parent, *todos = [todo.id for todo in saved]
        path = f"/projects/{project.id}"
        places = [{"project_id": project.id}, {"section_id": section.id}, {"parent_id": parent}]
        moves = [move(todo, headers, **places[todo % 3]) for todo in todos]
        responses = await asyncio.gather(
            *moves[:2],
            client.delete(f"{path}/sections/{section.id}", headers=headers),
            *moves[2:4],
            client.delete(f"/todos/{parent}", headers=headers),
            *moves[4:6],
            client.delete(path, headers=headers),
            *moves[6:],
        )

        assert {response.status_code for response in responses} <= {200, 204, 404}
        listed_ids = {todo for todo, _ in await listed(client, headers)}
        for response in responses:
            if response.status_code == 404 and response.request.method == "POST":
                assert int(response.request.url.path.split("/")[2]) in listed_ids
