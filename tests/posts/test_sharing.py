"""Posts that announce finished todos that are shared."""

import asyncio

import pytest

from tests.core.expect import invalid_fields
from tests.factories import TodoFactory, UserFactory, follow


@pytest.fixture
def shared_posts(client, user):
    """Return the posts that announce finished todos of the user."""

    async def shared_posts(headers=None) -> list[tuple[str, str]]:
        page = await client.get(f"/users/{user.id}/posts", headers=headers)
        return [(post["text"], post["visibility"]) for post in page.json()["posts"]]

    return shared_posts


@pytest.fixture
def todo(client):
    async def todo(**given) -> str:
        response = await client.post("/todos", json={"title": "Bake bread", **given})
        assert response.status_code == 201, response.text
        return f"/todos/{response.json()['id']}"

    return todo


async def test_a_shared_todo_is_posted_when_it_is_done(client, todo, shared_posts, statements):
    url = await todo(share="public")
    assert await shared_posts() == []
    with statements() as sent:
        changed = await client.patch(url, json={"state": "done"})
    assert (changed.json()["share"], len(sent)) == ("public", 1)
    assert await shared_posts() == [("Bake bread", "public")]
    [post] = (await client.get("/posts")).json()["posts"]
    assert post["finished"] is True

    await client.patch(url, json={"title": "Baked bread", "description": "Two."})
    assert await shared_posts() == [("Bake bread", "public")]
    await client.patch(url, json={"state": "doing"})
    assert await shared_posts() == []
    await client.patch(url, json={"state": "done"})
    await client.patch(url, json={"state": "todo"})
    await client.patch(url, json={"state": "done"})
    assert await shared_posts() == [("Baked bread", "public")]
    await client.delete(url)
    assert await shared_posts() == []


@pytest.mark.parametrize(
    ("account", "share", "expected"),
    [
        ("off", None, []),
        ("off", "followers", [("Bake bread", "followers")]),
        ("followers", None, [("Bake bread", "followers")]),
        ("public", None, [("Bake bread", "public")]),
        ("public", "off", []),
        ("public", "followers", [("Bake bread", "followers")]),
    ],
)
async def test_sharing_is_decided_by_the_todo_or_by_the_account(
    client, todo, shared_posts, account, share, expected
):
    changed = await client.patch("/users/me", json={"share_todos": account})
    assert changed.json()["share_todos"] == account

    await todo(share=share, state="done")

    assert await shared_posts() == expected


async def test_disabling_sharing_deletes_posts_shared_by_the_account(client, todo, shared_posts):
    await client.patch("/users/me", json={"share_todos": "public"})
    await todo(state="done")
    await todo(title="Build a shelf", state="done", share="public")
    await client.patch("/users/me", json={"share_todos": "off"})
    assert await shared_posts() == [("Build a shelf", "public")]

    await client.patch("/users/me", json={"share_todos": "public"})
    # Todos that were finished before are not posted.
    assert await shared_posts() == [("Build a shelf", "public")]


async def test_changing_share_changes_or_deletes_the_post(client, todo, shared_posts):
    url = await todo(state="done", share="public")
    await client.patch(url, json={"share": "followers"})
    assert await shared_posts() == [("Bake bread", "followers")]
    await client.patch(url, json={"share": None})
    assert await shared_posts() == []
    await client.patch(url, json={"share": "public"})
    assert await shared_posts() == [("Bake bread", "public")]
    await client.patch(url, json={"share": "off"})
    assert await shared_posts() == []


async def test_todos_of_a_batch_are_shared(client, shared_posts):
    items = [{"op": "create", "title": str(n), "state": "done", "share": "public"} for n in "12"]
    await client.post("/todos/batch", json={"items": items})
    assert await shared_posts() == [("2", "public"), ("1", "public")]
    todos = (await client.get("/todos")).json()["todos"]
    items = [
        {"op": "update", "id": todos[0]["id"], "share": None},
        {"op": "delete", "id": todos[1]["id"]},
    ]
    await client.post("/todos/batch", json={"items": items})
    assert await shared_posts() == []


@pytest.mark.parametrize("share", ["private", "", 1, True])
async def test_an_invalid_share_is_refused(client, todo, share):
    url = await todo()
    assert invalid_fields(await client.post("/todos", json={"title": "a", "share": share})) == [
        "body.share"
    ]
    assert invalid_fields(await client.patch(url, json={"share": share})) == ["body.share"]
    response = await client.patch("/users/me", json={"share_todos": share})
    assert invalid_fields(response) == ["body.share_todos"]


async def test_replies_to_a_deleted_shared_post_stay(client, todo, stranger, bearer):
    url = await todo(state="done", share="public")
    [post] = (await client.get("/posts")).json()["posts"]
    reply = await client.post(
        "/posts", json={"text": "Well done", "reply_to": post["id"]}, headers=bearer(stranger)
    )
    await client.patch(url, json={"state": "todo"})

    shown = (await client.get(f"/posts/{reply.json()['id']}")).json()
    assert shown["parent_gone"] is True


async def test_a_followers_only_share_is_visible_to_followers_only(
    client, todo, user, save, bearer, shared_posts
):
    fan, other = await save(UserFactory(), UserFactory())
    await save(follow(fan, user))
    await todo(state="done", share="followers")

    assert await shared_posts(bearer(fan)) == [("Bake bread", "followers")]
    assert await shared_posts(bearer(other)) == []


async def test_a_shared_post_deleted_by_its_author_is_not_created_again(client, todo, shared_posts):
    url = await todo(state="done", share="public")
    [post] = (await client.get("/posts")).json()["posts"]
    await client.delete(f"/posts/{post['id']}")
    await client.patch(url, json={"state": "done", "title": "Again"})
    assert await shared_posts() == []


async def test_concurrent_completions_create_one_post(live, commit, log_in):
    [user] = await commit(UserFactory())
    [todo] = await commit(TodoFactory(owner_id=user.id, state="todo"))
    headers = await log_in(user)
    async with live() as client:
        for state in ("done", "todo", "done"):
            change = {"state": state, "share": "public"}
            await asyncio.gather(
                *(client.patch(f"/todos/{todo.id}", json=change, headers=headers) for _ in "12345")
            )
        page = await client.get(f"/users/{user.id}/posts", headers=headers)

    assert len(page.json()["posts"]) == 1
