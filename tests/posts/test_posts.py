"""Posts, replies, edits, likes and pages of them, over HTTP."""

import re

import pytest
from sqlalchemy import delete, func, select

from fast_zero.models import Post, User
from fast_zero.posts.schemas import PostPublic
from tests.core.expect import invalid_fields, problem
from tests.factories import PostFactory, UserFactory, follow

NO_POST = (404, "Post not found")
MORE_VISIBLE = "A reply cannot be seen by more people than what it replies to."


@pytest.fixture
def post(client):
    async def post(text="Hello", **given) -> dict:
        headers = given.pop("headers", None)
        response = await client.post("/posts", json={"text": text, **given}, headers=headers)
        assert response.status_code == 201, response.text
        return response.json()

    return post


async def test_a_post_is_created_in_one_statement(client, user, statements):
    with statements() as sent:
        response = await client.post("/posts/", json={"text": "  The bread is done. 🥖 "})

    body = response.json()
    assert response.status_code == 201
    assert response.headers["location"] == f"/posts/{body['id']}"
    assert response.headers["etag"] == '"1"'
    assert body == {
        "id": body["id"],
        "author": {"id": user.id, "username": user.username, "display_name": ""},
        "text": "The bread is done. 🥖",
        "finished": False,
        "visibility": "public",
        "reply_to": None,
        "parent_gone": False,
        "likes": 0,
        "replies": 0,
        "liked": False,
        "created_at": body["created_at"],
        "edited_at": None,
        "version": 1,
    }
    assert len(sent) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": "  "}, "text"),
        ({"text": "a" * 501}, "text"),
        ({"text": "\0"}, "text"),
        ({"text": None}, "text"),
        ({"text": "a", "visibility": "friends"}, "visibility"),
        ({"text": "a", "visibility": None}, "visibility"),
        ({"text": "a", "reply_to": 0}, "reply_to"),
        ({"text": "a", "reply_to": "1"}, "reply_to"),
    ],
)
async def test_an_invalid_post_is_refused(client, body, field):
    response = await client.post("/posts", json=body)

    assert invalid_fields(response) == [f"body.{field}"]


async def test_a_post_may_have_500_characters(post):
    assert len((await post("🥖" * 500))["text"]) == 500


async def test_a_retried_post_is_created_once(client):
    key = {"Idempotency-Key": "abc"}
    first = await client.post("/posts", json={"text": "Once"}, headers=key)
    second = await client.post("/posts", json={"text": "Once"}, headers=key)
    other = await client.post("/posts", json={"text": "Twice"}, headers=key)

    assert (second.status_code, second.json()) == (201, first.json())
    assert second.headers["idempotency-replayed"] == "true"
    assert other.status_code == 422
    assert len((await client.get("/timeline")).json()["posts"]) == 1


async def test_an_edit_is_shown_and_only_its_author_sees_earlier_texts(
    client, post, stranger, bearer, statements
):
    created = await post("teh bread")
    url = f"/posts/{created['id']}"
    with statements() as sent:
        changed = await client.patch(url, json={"text": "the bread"})
    await client.patch(url, json={"text": "The bread."})

    assert len(sent) == 1
    assert changed.headers["etag"] == '"2"'
    assert changed.json()["edited_at"] is not None
    shown = (await client.get(url)).json()
    assert (shown["text"], shown["version"]) == ("The bread.", 3)
    texts = (await client.get(f"{url}/edits")).json()["texts"]
    assert [entry["text"] for entry in texts] == ["teh bread", "the bread"]
    assert texts[0]["written_at"] == created["created_at"]
    first = (await client.get(f"{url}/edits", params={"limit": 1})).json()
    second = await client.get(f"{url}/edits", params={"limit": 1, "after": first["next"]})
    assert first["texts"] + second.json()["texts"] == texts
    theirs = bearer(stranger)
    assert problem(await client.get(f"{url}/edits", headers=theirs)) == NO_POST
    assert problem(await client.patch(url, json={"text": "a"}, headers=theirs)) == NO_POST
    assert problem(await client.delete(url, headers=theirs)) == NO_POST


@pytest.mark.parametrize("body", [{}, {"text": "Hello"}])
async def test_an_edit_to_the_same_text_stores_no_earlier_text(client, post, body):
    url = f"/posts/{(await post('Hello'))['id']}"
    changed = await client.patch(url, json=body)

    assert changed.json()["edited_at"] is None
    assert (await client.get(f"{url}/edits")).json() == {"texts": [], "next": None}


@pytest.mark.parametrize("body", [{"text": ""}, {"text": None}, {"visibility": "public"}])
async def test_an_invalid_edit_is_refused(client, post, body):
    url = f"/posts/{(await post(visibility='private'))['id']}"

    assert invalid_fields(await client.patch(url, json=body)) == [f"body.{next(iter(body))}"]


async def test_writes_with_if_match_check_the_version(client, post):
    url = f"/posts/{(await post())['id']}"
    etag = (await client.get(url)).headers["etag"]
    assert re.fullmatch(r'"1\.[0-9a-f]{16}"', etag)
    assert (await client.get(url, headers={"If-None-Match": etag})).status_code == 304

    await client.put(f"{url}/like")
    liked = await client.get(url, headers={"If-None-Match": etag})
    assert liked.status_code == 200  # the number of likes has changed, the text has not
    condition = {"If-Match": etag}
    changed = await client.patch(url, json={"text": "New"}, headers=condition)
    stale = await client.patch(url, json={"text": "Newer"}, headers=condition)
    not_deleted = await client.delete(url, headers=condition)
    deleted = await client.delete(url, headers={"If-Match": changed.headers["etag"]})

    assert changed.status_code == 200
    assert (stale.status_code, stale.headers["etag"]) == (412, '"2"')
    assert not_deleted.status_code == 412
    assert deleted.status_code == 204
    assert problem(await client.delete(url)) == NO_POST


async def test_replies_stay_when_their_parent_is_deleted(client, post):
    root = await post("root")
    middle = await post("middle", reply_to=root["id"])
    leaf = await post("leaf", reply_to=middle["id"])
    alone = await post("alone", reply_to=root["id"])
    for gone in (middle, alone):
        await client.put(f"/posts/{gone['id']}/like")
        assert (await client.delete(f"/posts/{gone['id']}")).status_code == 204

    shown = (await client.get(f"/posts/{leaf['id']}")).json()
    assert (shown["reply_to"], shown["parent_gone"]) == (middle["id"], True)
    thread = (await client.get(f"/posts/{root['id']}")).json()
    assert thread["replies"] == 0
    [placeholder] = thread["thread"]
    assert (placeholder["id"], placeholder["gone"]) == (middle["id"], True)
    assert [reply["text"] for reply in placeholder["thread"]] == ["leaf"]
    assert problem(await client.get(f"/posts/{middle['id']}")) == NO_POST
    assert (await client.get("/users/me/likes")).json()["posts"] == []


async def test_the_placeholder_of_a_deleted_post_is_deleted_with_its_last_reply(
    client, post, session
):
    chain = [await post("0")]
    for number in range(1, 4):
        chain.append(await post(str(number), reply_to=chain[-1]["id"]))
    for created in chain[:3]:
        await client.delete(f"/posts/{created['id']}")

    assert await session.scalar(select(func.count(Post.id))) == 4
    await client.delete(f"/posts/{chain[3]['id']}")
    assert await session.scalar(select(func.count(Post.id))) == 0


async def test_posts_of_a_deleted_account_are_deleted_and_replies_stay(
    client, post, user, stranger, bearer, session
):
    theirs = bearer(stranger)
    mine, other = await post("mine"), await post("other")
    reply = await post("reply", reply_to=mine["id"], headers=theirs)
    await client.put(f"/posts/{reply['id']}/like")
    await client.patch(f"/posts/{mine['id']}", json={"text": "secret no more"})
    await session.execute(delete(User).where(User.id == user.id))

    shown = (await client.get(f"/posts/{reply['id']}", headers=theirs)).json()
    assert (shown["text"], shown["parent_gone"], shown["likes"]) == ("reply", True, 0)
    for gone in (mine, other):
        assert problem(await client.get(f"/posts/{gone['id']}", headers=theirs)) == NO_POST


async def test_a_thread_is_nested_to_three_levels_and_then_paged(client, post, statements):
    root = await post("0")
    ids = {"0": root["id"]}
    for name in ("1", "2", "1.1", "1.2", "1.1.1", "1.1.1.1", "1.1.2", "1.3", "1.4", "3"):
        parent = name.rpartition(".")[0] or "0"
        ids[name] = (await post(name, reply_to=ids[parent]))["id"]

    def names(replies) -> list:
        return [(reply["text"], names(reply["thread"])) for reply in replies]

    with statements() as sent:
        first = (await client.get(f"/posts/{root['id']}", params={"limit": 2})).json()
    assert len(sent) == 1
    assert first["replies"] == 3
    assert names(first["thread"]) == [
        ("1", [("1.1", [("1.1.1", []), ("1.1.2", [])]), ("1.2", []), ("1.3", [])]),
        ("2", []),
    ]
    assert first["thread"][0]["replies"] == 4
    second = await client.get(f"/posts/{root['id']}", params={"limit": 2, "after": first["next"]})
    assert names(second.json()["thread"]) == [("3", [])]
    assert second.json()["next"] is None
    deeper = (await client.get(f"/posts/{ids['1.1.1']}")).json()
    assert names(deeper["thread"]) == [("1.1.1.1", [])]


@pytest.mark.parametrize(
    ("parent", "wanted", "given"),
    [
        ("public", {}, "public"),
        ("public", {"visibility": "followers"}, "followers"),
        ("public", {"visibility": "private"}, "private"),
        ("followers", {}, "followers"),
        ("followers", {"visibility": "public"}, None),
        ("followers", {"visibility": "private"}, "private"),
        ("private", {}, "private"),
        ("private", {"visibility": "followers"}, None),
        ("private", {"visibility": "public"}, None),
    ],
)
async def test_a_reply_is_never_more_visible_than_its_parent(client, post, parent, wanted, given):
    above = await post(visibility=parent)
    response = await client.post("/posts", json={"text": "re", "reply_to": above["id"], **wanted})

    if given:
        assert (response.status_code, response.json()["visibility"]) == (201, given)
    else:
        [fault] = response.json()["detail"]
        assert (response.status_code, fault["msg"]) == (422, MORE_VISIBLE)
        assert fault["loc"] == ["body", "visibility"]


async def test_an_author_sees_the_replies_of_followers(client, post, user, save, bearer):
    [fan, other] = await save(UserFactory(), UserFactory())
    await save(follow(fan, user), follow(other, fan))
    above = await post("among us", visibility="followers")
    reply = await post("yes", reply_to=above["id"], headers=bearer(fan))

    assert (await client.get(f"/posts/{reply['id']}")).status_code == 200
    hidden = await client.get(f"/posts/{reply['id']}", headers=bearer(other))
    assert problem(hidden) == NO_POST


async def test_a_reply_needs_a_visible_post(client, post, stranger, bearer):
    private = await post(visibility="private")
    for missing in (private["id"], 2**63 - 1):
        body = {"text": "re", "reply_to": missing}
        assert problem(await client.post("/posts", json=body, headers=bearer(stranger))) == NO_POST


async def test_a_like_is_counted_once_and_can_be_removed(client, post, user, stranger, bearer):
    url = f"/posts/{(await post())['id']}"
    for _ in range(2):
        assert (await client.put(f"{url}/like")).status_code == 204
    await client.put(f"{url}/like", headers=bearer(stranger))

    shown = (await client.get(url)).json()
    assert (shown["likes"], shown["liked"]) == (2, True)
    likers = (await client.get(f"{url}/likes", params={"limit": 1})).json()
    assert [liker["id"] for liker in likers["users"]] == [stranger.id]
    rest = await client.get(f"{url}/likes", params={"after": likers["next"]})
    assert [liker["id"] for liker in rest.json()["users"]] == [user.id]
    [liked] = (await client.get("/users/me/likes")).json()["posts"]
    assert liked["id"] == shown["id"]
    for _ in range(2):
        assert (await client.delete(f"{url}/like")).status_code == 204
    assert (await client.get(url)).json()["likes"] == 1


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_a_missing_post_cannot_be_liked(client, method):
    assert problem(await client.request(method, f"/posts/{2**63 - 1}/like")) == NO_POST
    assert problem(await client.get(f"/posts/{2**63 - 1}/likes")) == NO_POST


@pytest.mark.parametrize(
    "path", ["/posts", "/timeline", "/users/{}/posts", "/users/me/likes", "/posts?replies=true"]
)
async def test_a_page_with_its_counts_takes_one_statement(client, user, save, statements, path):
    created = await save(*PostFactory.build_batch(5, author_id=user.id))
    for post in created:
        await client.put(f"/posts/{post.id}/like")
    with statements() as sent:
        first = await client.get(path.format(user.id), params={"limit": 3})
    second = await client.get(path.format(user.id), params={"after": first.json()["next"]})

    assert len(sent) == 1
    shown = first.json()["posts"] + second.json()["posts"]
    assert [post["id"] for post in shown] == [post.id for post in reversed(created)]
    assert {(post["likes"], post["liked"]) for post in shown} == {(1, True)}
    assert second.json()["next"] is None
    assert shown[0].keys() == PostPublic.model_fields.keys()


@pytest.mark.parametrize("params", [{}, {"replies": True}, {"limit": 1, "after": "AAAAAAAAAAE"}])
async def test_a_timeline_takes_one_round_trip(client, post, statements, params):
    await post("one")
    with statements() as sent:
        response = await client.get("/timeline", params=params)

    assert response.status_code == 200
    assert (len(sent), sent.transactions) == (1, 0)


async def test_replies_are_listed_on_request(client, post, user):
    root = await post("root")
    await post("reply", reply_to=root["id"])
    for path in ("/posts", "/timeline", f"/users/{user.id}/posts"):
        without_replies = (await client.get(path)).json()["posts"]
        with_replies = (await client.get(path, params={"replies": True})).json()["posts"]
        assert [entry["text"] for entry in without_replies] == ["root"]
        assert [entry["text"] for entry in with_replies] == ["reply", "root"]
