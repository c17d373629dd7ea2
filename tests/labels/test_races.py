"""Concurrent changes of labels, each on its own connection."""

import asyncio
import random
from collections import Counter

import pytest
from sqlalchemy import text

from tests.factories import LabelFactory, TodoFactory, UserFactory

CONCURRENCY = 50
NAMES = ["errands", "home", "work", "garden", "school"]


@pytest.fixture
async def user(commit):
    [user] = await commit(UserFactory())
    return user


@pytest.fixture
async def client(live, user, log_in):
    async with live(database_pool_size=20) as client:
        client.headers.update(await log_in(user))
        yield client


async def all_labels(client) -> dict[str, int]:
    return {label["name"]: label["id"] for label in (await client.get("/labels")).json()["labels"]}


async def create(client, *labels: str) -> dict:
    response = await client.post("/todos", json={"title": "Buy bread", "labels": labels})
    assert response.status_code == 201, response.text
    return response.json()


def shuffled() -> list[str]:
    """Return the names in a random order and case."""
    names = [random.choice([name, name.upper(), name.title()]) for name in NAMES]
    return random.sample(names, len(names))


async def test_concurrent_creates_share_their_new_labels(client):
    answers = await asyncio.gather(
        *(
            client.post("/todos", json={"title": str(number), "labels": shuffled()})
            for number in range(CONCURRENCY)
        )
    )

    assert Counter(answer.status_code for answer in answers) == {201: CONCURRENCY}
    found = await all_labels(client)
    assert sorted(name.lower() for name in found) == sorted(NAMES)
    assert {frozenset(answer.json()["labels"]) for answer in answers} == {frozenset(found)}
    listed = (await client.get("/todos")).json()["todos"]
    assert all(set(todo["labels"]) == set(found) for todo in listed)
    assert {todo["version"] for todo in listed} == {1}
    shown = (await client.get("/labels")).json()["labels"]
    assert {label["version"] for label in shown} == {1}


async def test_concurrent_changes_share_their_new_labels(client, commit, user):
    todos = await commit(*TodoFactory.build_batch(CONCURRENCY // 2, owner_id=user.id))
    requests = [client.patch(f"/todos/{todo.id}", json={"labels": shuffled()}) for todo in todos]
    creates = [client.post("/todos", json={"title": "a", "labels": shuffled()}) for _ in todos]
    answers = await asyncio.gather(*requests, *creates)

    assert {answer.status_code for answer in answers} == {200, 201}
    assert sorted(name.lower() for name in await all_labels(client)) == sorted(NAMES)
    assert {len(answer.json()["labels"]) for answer in answers} == {len(NAMES)}


async def test_of_concurrent_creates_of_a_label_one_succeeds(client):
    answers = await asyncio.gather(
        *(client.post("/labels", json={"name": name}) for name in shuffled() for _ in range(5))
    )

    assert Counter(answer.status_code for answer in answers) == {201: 5, 409: 20}
    assert len(await all_labels(client)) == len(NAMES)


async def test_a_todo_with_a_label_that_is_being_deleted_gets_it(client, engine):
    [label_id] = (await create(client, "home") and await all_labels(client)).values()
    async with engine.begin() as connection:
        await connection.execute(text(f"DELETE FROM labels WHERE id = {label_id}"))
        creating = asyncio.create_task(create(client, "Home"))
        await wait_for_a_lock(engine)
        assert not creating.done()

    todo = await creating
    assert todo["labels"] == ["Home"]
    assert (await client.get(f"/todos/{todo['id']}")).json() == todo
    assert await all_labels(client) != {"home": label_id}


async def test_a_todo_with_a_label_that_is_being_renamed_gets_the_old_name(client, engine):
    await create(client, "home")
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE labels SET name = 'house'"))
        creating = asyncio.create_task(create(client, "home", "house"))
        await wait_for_a_lock(engine)

    assert (await creating)["labels"] == ["home", "house"]
    assert (await all_labels(client)).keys() == {"home", "house"}


async def wait_for_a_lock(engine) -> None:
    async with asyncio.timeout(30), engine.connect() as connection:
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        while not await connection.scalar(waiting):  # noqa: ASYNC110  # a lock sets no event
            await asyncio.sleep(0.01)


async def test_writes_of_labels_and_todos_do_not_deadlock(client):
    """Every kind of write at once, several times: each answer is 2xx, 404 or 409."""
    for _ in range(4):
        todos = [await create(client, *NAMES) for _ in range(6)]
        parents = [todo["id"] for todo in todos[:2]]
        one, other, third, *_ = (await all_labels(client)).values()
        requests = [
            client.delete(f"/labels/{third}"),
            client.post(f"/labels/{one}/merge", json={"into": other}),
            client.post(f"/labels/{other}/merge", json={"into": one}),
            client.patch(f"/labels/{other}", json={"name": "renamed"}),
        ]
        for todo in todos:
            url = f"/todos/{todo['id']}"
            new = {"title": "a", "labels": shuffled(), "parent_id": random.choice(parents)}
            requests += [
                client.patch(url, json={"labels": random.sample(NAMES, 2)}),
                client.patch(url, json={"labels": []}),
                client.patch(url, json={"title": "b"}),
                client.post(f"{url}/complete"),
                client.post("/todos", json=new),
            ]
        requests.append(client.delete(f"/todos/{todos[-1]['id']}"))
        random.shuffle(requests)
        answers = await asyncio.gather(*requests)

        assert {answer.status_code for answer in answers} <= {200, 201, 204, 404, 409}
        for label_id in (await all_labels(client)).values():
            await client.delete(f"/labels/{label_id}")


async def test_versions_rise_once_when_labels_change(client):
    first = await create(client, "errands", "home")
    second = await create(client, "errands")
    third = await create(client, "home")
    found = await all_labels(client)

    async def versions() -> list[int]:
        urls = [f"/todos/{todo['id']}" for todo in (first, second, third)]
        return [(await client.get(url)).json()["version"] for url in urls]

    await client.post(f"/labels/{found['errands']}/merge", json={"into": found["home"]})
    assert await versions() == [2, 2, 1]
    await client.patch(f"/labels/{found['home']}", json={"name": "house"})
    assert await versions() == [2, 2, 1]
    await client.delete(f"/labels/{found['home']}")
    assert await versions() == [3, 3, 2]
    await client.patch(f"/todos/{first['id']}", json={"labels": ["a", "b"]})
    assert await versions() == [4, 3, 2]


async def test_no_link_is_lost_by_a_merge_during_creates(client, commit, user):
    one, other = await commit(*LabelFactory.build_batch(2, owner_id=user.id))
    merge = client.post(f"/labels/{one.id}/merge", json={"into": other.id})
    creates = [create(client, one.name) for _ in range(20)]
    merged, *todos = await asyncio.gather(merge, *creates)

    assert merged.status_code == 200
    for todo in todos:
        [carried] = (await client.get(f"/todos/{todo['id']}")).json()["labels"]
        assert carried in {one.name, other.name}
