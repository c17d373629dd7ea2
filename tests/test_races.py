"""Concurrent requests on separate connections."""

import asyncio
from collections import Counter

import pytest

AT_ONCE = 10
PASSWORD = "a fine long sentence"


@pytest.fixture
async def client(live, commit):
    """Return a client of an application with its own pool and real commits."""
    async with live() as client:
        yield client


async def register(client) -> tuple[int, dict[str, str]]:
    account = {"username": "racer", "email": "racer@example.com", "password": PASSWORD}
    user_id = (await client.post("/users", json=account)).json()["id"]
    form = {"username": "racer", "password": PASSWORD}
    token = (await client.post("/auth/token", data=form)).json()["access_token"]
    return user_id, {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    ("username", "email", "sentence"),
    [
        ("Ana {}", "ana{}@example.com", "Username already exists"),
        ("ana {}", "Ana@example.com", "Email already exists"),
    ],
)
async def test_one_of_many_identical_registrations_succeeds(client, username, email, sentence):
    """The accounts differ in the other field, and only in the case of the unique field."""

    def account(number: int) -> dict[str, str]:
        if sentence.startswith("Username"):
            name, address = ("ANA" if number % 2 else "ana"), email.format(number)
        else:
            name, address = username.format(number), email.swapcase() if number % 2 else email
        return {"username": name, "email": address, "password": PASSWORD}

    responses = await asyncio.gather(
        *(client.post("/users", json=account(number)) for number in range(AT_ONCE))
    )

    assert Counter(response.status_code for response in responses) == {201: 1, 409: AT_ONCE - 1}
    details = {response.json()["detail"] for response in responses if response.status_code == 409}
    assert details == {sentence}


async def test_patches_of_different_fields_both_survive(client):
    _, headers = await register(client)
    todo = (await client.post("/todos", json={"title": "a"}, headers=headers)).json()
    url = f"/todos/{todo['id']}"

    for number in range(AT_ONCE):
        title, description = f"title {number}", f"description {number}"
        await asyncio.gather(
            client.patch(url, json={"title": title}, headers=headers),
            client.patch(url, json={"description": description}, headers=headers),
        )
        current = (await client.get(url, headers=headers)).json()
        assert (current["title"], current["description"]) == (title, description)


async def test_writes_during_an_account_deletion_succeed_or_are_refused(client):
    user_id, headers = await register(client)

    async def write(number: int) -> int:
        body = {"title": f"todo {number}"}
        return (await client.post("/todos", json=body, headers=headers)).status_code

    writes = [write(number) for number in range(AT_ONCE)]
    deletion = client.delete(f"/users/{user_id}", headers=headers)
    deleted, *written = await asyncio.gather(deletion, *writes)

    assert deleted.status_code == 200
    assert set(written) <= {201, 401}
    assert (await client.get("/todos", headers=headers)).status_code == 401


async def test_a_todo_is_deleted_once(client):
    _, headers = await register(client)
    todo = (await client.post("/todos", json={"title": "a"}, headers=headers)).json()

    responses = await asyncio.gather(
        *(client.delete(f"/todos/{todo['id']}", headers=headers) for _ in range(AT_ONCE))
    )

    assert Counter(response.status_code for response in responses) == {200: 1, 404: AT_ONCE - 1}
