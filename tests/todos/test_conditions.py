"""ETag, If-Match and If-None-Match on todos."""

import asyncio
from collections import Counter

import pytest
from sqlalchemy import text

from fast_zero.models import Todo
from tests.core.expect import problem
from tests.factories import TodoFactory, UserFactory

STALE = (412, "It has changed since you read it. Read it again, then send your change.")


@pytest.fixture
async def todo(save, user) -> Todo:
    [todo] = await save(TodoFactory(owner_id=user.id, title="Buy bread"))
    return todo


@pytest.fixture
def url(todo) -> str:
    return f"/todos/{todo.id}"


async def test_every_response_with_a_todo_has_its_etag(client):
    created = await client.post("/todos", json={"title": "Buy bread"})
    url = created.headers["location"]
    read = await client.get(url)
    changed = await client.patch(url, json={"title": "Sell bread"})
    same = await client.patch(url, json={})

    assert url == f"/todos/{created.json()['id']}"
    tags = [answer.headers["etag"] for answer in (created, read, changed, same)]
    assert tags[0] == tags[1] != tags[2] == tags[3]
    assert [tag[:3] for tag in tags] == ['"1.', '"1.', '"2.', '"2.']
    assert [answer.json()["version"] for answer in (created, read, changed, same)] == [1, 1, 2, 2]


async def test_the_database_counts_versions(client, url, todo, connection):
    await connection.execute(text(f"UPDATE todos SET title = 'raw' WHERE id = {todo.id}"))
    await connection.execute(text(f"UPDATE todos SET version = 99 WHERE id = {todo.id}"))

    assert (await client.get(url)).headers["etag"].startswith('"3.')


@pytest.mark.parametrize("header", ["{}", "W/{}", '"7", {}', "*"])
async def test_a_matching_if_none_match_gets_304(client, url, statements, header):
    tag = (await client.get(url)).headers["etag"]
    with statements() as sent:
        response = await client.get(url, headers={"If-None-Match": header.format(tag)})

    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["etag"] == tag
    assert response.headers["cache-control"] == "private, no-cache"
    assert response.headers["vary"] == "Authorization"
    assert "content-type" not in response.headers
    assert (len(sent), sent.transactions) == (1, 0)


async def test_an_outdated_if_none_match_gets_the_new_version(client, url):
    await client.patch(url, json={"title": "Sell bread"})

    response = await client.get(url, headers={"If-None-Match": '"1"'})

    assert (response.status_code, response.json()["title"]) == (200, "Sell bread")


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
@pytest.mark.parametrize("header", ['"1"', '"9", "1"', "*"])
async def test_a_write_whose_condition_holds_needs_no_read(client, url, statements, method, header):
    body = {"title": "Sell bread"} if method == "PATCH" else None
    with statements() as sent:
        response = await client.request(method, url, json=body, headers={"If-Match": header})

    assert response.status_code == 200
    assert (len(sent), sent.transactions) == ((2, 1) if method == "DELETE" else (1, 0))


@pytest.mark.parametrize("write", [("PATCH", {"title": "a"}), ("PATCH", {}), ("DELETE", None)])
@pytest.mark.parametrize("header", ['"2"', 'W/"1"', '"1-public"', '"', ""])
async def test_a_write_whose_condition_fails_changes_nothing(
    client, url, statements, write, header
):
    method, body = write
    with statements() as sent:
        response = await client.request(method, url, json=body, headers={"If-Match": header})

    if header == '"':
        assert problem(response)[0] == 400
        assert "If-Match" in problem(response)[1]
    else:
        assert problem(response) == STALE
        assert response.headers["etag"] == '"1"'
        assert len(sent) == (3 if method == "DELETE" else 2)
    assert (await client.get(url)).json()["title"] == "Buy bread"


async def test_a_condition_in_two_lines_is_one_list(client, url):
    headers = [("If-Match", '"9"'), ("If-Match", '"1"')]

    assert (await client.patch(url, json={"title": "a"}, headers=headers)).status_code == 200


@pytest.mark.parametrize("write", [("PATCH", {"title": "a"}), ("DELETE", None)])
@pytest.mark.parametrize("header", ['"1"', '"5"', "*"])
async def test_the_todo_of_another_does_not_exist_under_conditions_either(
    client, save, stranger, write, header
):
    method, body = write
    [hidden] = await save(TodoFactory(owner_id=stranger.id))

    for todo_id in (hidden.id, 2**63 - 1):
        response = await client.request(
            method, f"/todos/{todo_id}", json=body, headers={"If-Match": header}
        )
        assert problem(response) == (404, "Task not found.")
        assert "etag" not in response.headers


async def test_of_a_hundred_concurrent_changes_to_a_version_one_succeeds(live, commit, log_in):
    [user] = await commit(UserFactory())
    [todo] = await commit(TodoFactory(owner_id=user.id))
    token = await log_in(user)
    headers = token | {"If-Match": '"1"'}
    async with live() as client:
        answers = await asyncio.gather(
            *(
                client.patch(f"/todos/{todo.id}", json={"title": f"t{number}"}, headers=headers)
                for number in range(100)
            )
        )
        kept = await client.get(f"/todos/{todo.id}", headers=token)

    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: 99}
    assert {answer.headers["etag"][:2] for answer in answers} == {'"2'}
    [winner] = [answer.json() for answer in answers if answer.status_code == 200]
    assert kept.json() == winner


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/todos"), ("GET", "/todos/9"), ("PATCH", "/todos/0"), ("GET", "/users/me")],
)
async def test_private_responses_are_not_cached_by_others(client, method, path):
    response = await client.request(method, path)

    assert response.headers["cache-control"] == "private, no-cache"
    assert response.headers["vary"] == "Authorization"


async def test_a_401_varies_by_token(anonymous):
    response = await anonymous.get("/todos")

    assert (response.status_code, response.headers["vary"]) == (401, "Authorization")


async def test_public_responses_are_not_marked_private(anonymous, user):
    for path in ("/", "/users", f"/users/{user.id}"):
        assert "private" not in (await anonymous.get(path)).headers.get("cache-control", "")
