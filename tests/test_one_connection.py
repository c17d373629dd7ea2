"""No request holds two connections, so all succeed with a pool of one."""

import asyncio

import pytest

from tests.factories import (
    PASSWORD,
    PersonalTokenFactory,
    PostFactory,
    TodoFactory,
    UserFactory,
    new_token,
)


@pytest.fixture
async def people(commit, log_in):
    """Return three users, each with a todo and a post, and the headers of their tokens."""
    users = await commit(*UserFactory.build_batch(3))
    await commit(*(TodoFactory(owner_id=user.id) for user in users))
    await commit(*(PostFactory(author_id=user.id) for user in users))
    return [(user, await log_in(user)) for user in users]


async def test_every_kind_of_request_takes_one_connection_at_a_time(live, people, commit):
    [(user, headers), (other, other_headers), (third, third_headers)] = people
    token = new_token()
    await commit(PersonalTokenFactory(token=token, owner_id=user.id))
    personal, key = {"Authorization": f"Bearer {token}"}, {"Idempotency-Key": "a-key-of-one"}
    ana = {"username": "ana", "email": "ana@example.com", "password": PASSWORD}
    form = {"username": other.email, "password": PASSWORD}
    items = [{"op": "create", "title": "one"}, {"op": "create", "title": "two"}]
    async with live(database_pool_size=1, database_pool_wait=2, request_timeout=30) as client:
        responses = await asyncio.gather(
            client.post("/users", json=ana),
            client.post("/auth/token", data=form),
            client.post("/auth/password/forgotten", json={"email": other.email}),
            client.put(
                f"/users/{third.id}",
                json=ana | {"username": "zoe", "email": "zoe@example.com"},
                headers=third_headers,
            ),
            client.get("/todos", headers=personal),
            client.post("/todos", json={"title": "new"}, headers=personal),
            client.post("/todos", json={"title": "once"}, headers=headers | key),
            client.post("/todos/batch", json={"items": items}, headers=headers),
            client.get("/users/me/export", headers=headers),
            client.get("/users/me/audit", headers=other_headers),
            client.get("/timeline", headers=other_headers),
            client.post("/posts", json={"text": "new"}, headers=headers),
            client.put(f"/users/{user.id}/follow", headers=other_headers),
            client.get(f"/users/{user.id}", headers=other_headers),
            client.get(f"/users/{user.username}/feed.atom"),
            client.get("/notifications", headers=headers),
            client.get("/readyz"),
        )

    assert [response.status_code for response in responses if not response.is_success] == []
