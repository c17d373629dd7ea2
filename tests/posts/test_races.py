"""Concurrent actions, each on its own connection."""

import asyncio
from collections import Counter

import pytest
from sqlalchemy import text

from fast_zero.profiles import tallies
from tests.factories import PostFactory, UserFactory

AT_ONCE = 10


@pytest.fixture
async def client(live, commit):
    """A client of an application with its own pool and real commits."""
    async with live() as client:
        yield client


@pytest.fixture
async def pair(commit, log_in):
    """Two users and the headers of each."""
    users = await commit(UserFactory(), UserFactory())
    return [(user.id, await log_in(user)) for user in users]


async def rows(engine, statement: str) -> list[tuple]:
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(statement))]


@pytest.mark.parametrize("direction", ["of whom is blocked", "of who blocks"])
async def test_no_follow_survives_a_block(client, pair, engine, direction):
    (one, ones), (other, others) = pair
    follower, followed = ((others, one), (ones, other))[direction == "of who blocks"]
    for _ in range(AT_ONCE):
        answers = await asyncio.gather(
            *(client.put(f"/users/{followed}/follow", headers=follower) for _ in range(3)),
            client.put(f"/users/{other}/block", headers=ones),
            *(client.put(f"/users/{followed}/follow", headers=follower) for _ in range(3)),
        )

        assert {answer.status_code for answer in answers} <= {204, 404}
        assert answers[3].status_code == 204
        assert await rows(engine, "SELECT * FROM follows") == []
        await client.delete(f"/users/{other}/block", headers=ones)


async def test_a_follow_that_waits_for_a_block_is_not_created(client, pair, engine):
    (one, _), (other, others) = pair
    async with engine.begin() as connection:
        block = f"INSERT INTO blocks (blocker_id, blocked_id) VALUES ({one}, {other})"
        await connection.execute(text(block))
        following = asyncio.create_task(client.put(f"/users/{one}/follow", headers=others))
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while await rows(engine, waiting) == [(0,)]:  # noqa: ASYNC110  # a lock sets no event
            await asyncio.sleep(0.01)
        assert not following.done()

    await following
    assert await rows(engine, "SELECT * FROM follows") == []


async def test_concurrent_likes_are_one_like(client, pair):
    (_, ones), (_, others) = pair
    made = await client.post("/posts", json={"text": "Hello"}, headers=ones)
    url = f"/posts/{made.json()['id']}"
    answers = await asyncio.gather(
        *(client.put(f"{url}/like", headers=others) for _ in range(AT_ONCE))
    )

    assert {answer.status_code for answer in answers} == {204}
    assert (await client.get(url, headers=ones)).json()["likes"] == 1


async def test_a_reply_to_a_post_that_is_being_deleted_is_refused_or_stays(client, pair, engine):
    (_, ones), (_, others) = pair
    for _ in range(AT_ONCE):
        made = (await client.post("/posts", json={"text": "root"}, headers=ones)).json()
        reply = {"text": "reply", "reply_to": made["id"]}
        answers = await asyncio.gather(
            *(client.post("/posts", json=reply, headers=others) for _ in range(3)),
            client.delete(f"/posts/{made['id']}", headers=ones),
            *(client.post("/posts", json=reply, headers=others) for _ in range(3)),
        )

        statuses = Counter(answer.status_code for answer in answers)
        assert statuses.keys() <= {201, 204, 404}
        assert statuses[204] == 1
        for answer in answers:
            if answer.status_code == 201:
                url = f"/posts/{answer.json()['id']}"
                assert (await client.get(url, headers=others)).json()["parent_gone"] is True
                assert (await client.delete(url, headers=others)).status_code == 204
    assert await rows(engine, "SELECT * FROM posts") == []  # no empty place is left


async def test_concurrent_edits_keep_every_text(client, pair):
    (_, ones), _ = pair
    made = await client.post("/posts", json={"text": "0"}, headers=ones)
    url = f"/posts/{made.json()['id']}"
    texts = [str(number) for number in range(1, AT_ONCE + 1)]
    await asyncio.gather(*(client.patch(url, json={"text": text}, headers=ones) for text in texts))

    earlier = (await client.get(f"{url}/edits", headers=ones)).json()["texts"]
    last = (await client.get(url, headers=ones)).json()
    assert sorted([*(entry["text"] for entry in earlier), last["text"]]) == sorted(["0", *texts])
    assert last["version"] == AT_ONCE + 1


async def test_an_account_can_be_deleted_during_follows_and_replies(client, pair, commit, engine):
    (one, ones), (_, others) = pair
    [post] = await commit(PostFactory(author_id=one, text="root"))
    body = {"text": "reply", "reply_to": post.id}
    answers = await asyncio.gather(
        client.put(f"/users/{one}/follow", headers=others),
        client.post("/posts", json=body, headers=others),
        client.delete(f"/users/{one}", headers=ones),
        client.put(f"/posts/{post.id}/like", headers=others),
        client.post("/posts", json=body, headers=others),
    )

    assert {answer.status_code for answer in answers} <= {200, 201, 204, 404}
    assert await rows(engine, "SELECT * FROM follows") == []
    assert await rows(engine, "SELECT * FROM likes") == []
    assert await rows(engine, "SELECT * FROM posts WHERE text = 'root'") == []


async def test_follower_counts_are_exact_during_aggregation(client, commit, log_in, engine):
    famous, *people = await commit(*(UserFactory() for _ in range(AT_ONCE + 1)))
    tokens = [await log_in(person) for person in people]
    path = f"/users/{famous.id}"

    async def add_up():
        async with engine.begin() as connection:
            await tallies.add_up(connection)

    for method, expected in (("PUT", AT_ONCE), ("DELETE", 0), ("PUT", AT_ONCE)):
        doings = [client.request(method, f"{path}/follow", headers=token) for token in tokens]
        await asyncio.gather(*doings, *(add_up() for _ in range(3)))
        assert (await client.get(path)).json()["counts"]["followers"] == expected
    await add_up()
    assert (await client.get(path)).json()["counts"]["followers"] == AT_ONCE
    assert await rows(engine, "SELECT count(*) FROM tally_changes") == [(0,)]


async def test_count_changes_of_a_deleted_account_are_deleted(client, commit, log_in, engine):
    [user] = await commit(UserFactory())
    headers = await log_in(user)
    await client.post("/posts", json={"text": "Bread"}, headers=headers)
    assert (await client.delete(f"/users/{user.id}", headers=headers)).status_code == 200
    async with engine.begin() as connection:
        await tallies.add_up(connection)
    assert await rows(engine, "SELECT count(*) FROM tally_changes") == [(0,)]
