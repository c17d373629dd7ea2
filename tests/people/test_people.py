"""Profiles, follows and blocks, over HTTP."""

import pytest
from sqlalchemy import delete

from fast_zero.core import security
from fast_zero.core.types import MAX_BIGINT
from fast_zero.identity.scopes import ALL_SCOPES, Scope
from fast_zero.models import User
from tests.core.expect import problem
from tests.factories import LoginSessionFactory, PostFactory, UserFactory, block, follow

NO_USER = (404, "User not found")


async def test_a_follow_is_shown_to_both_users(client, user, stranger, bearer, statements):
    for _ in range(2):
        with statements() as sent:
            response = await client.put(f"/users/{stranger.id}/follow")
        assert (response.status_code, response.content, len(sent)) == (204, b"", 1)

    with statements() as sent:
        theirs = (await client.get(f"/users/{stranger.id}")).json()
    assert len(sent) == 1
    assert theirs["counts"] == {"posts": 0, "followers": 1, "following": 0}
    assert (theirs["following"], theirs["followed_by"]) == (True, False)
    headers = bearer(stranger)
    mine = (await client.get(f"/users/by-name/{user.username}", headers=headers)).json()
    assert mine["counts"] == {"posts": 0, "followers": 0, "following": 1}
    assert (mine["following"], mine["followed_by"]) == (False, True)
    for path, found in (
        (f"/users/{stranger.id}/followers", user),
        (f"/users/{user.id}/following", stranger),
    ):
        [shown] = (await client.get(path)).json()["users"]
        assert shown["id"] == found.id
        assert "email" not in shown
    for _ in range(2):
        assert (await client.delete(f"/users/{stranger.id}/follow")).status_code == 204
    assert (await client.get(f"/users/{stranger.id}/followers")).json()["users"] == []


@pytest.mark.parametrize("action", ["follow", "block"])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_users_cannot_follow_or_block_themselves_or_missing_users(
    client, user, method, action
):
    [fault] = (await client.request(method, f"/users/{user.id}/{action}")).json()["detail"]

    assert fault["loc"] == ["path", "user_id"]
    assert fault["msg"].endswith(f"{action} yourself.")
    assert problem(await client.request(method, f"/users/{MAX_BIGINT}/{action}")) == NO_USER


async def test_profiles_show_no_relation_without_a_valid_token(anonymous, user, settings, save):
    [other] = await save(UserFactory())
    await save(follow(user, other), PostFactory(author_id=other.id))
    await save(PostFactory(author_id=other.id, visibility="followers"))
    todos_alone = security.create_access_token(settings, user.id, MAX_BIGINT, [Scope.TODOS_READ])

    for headers in (
        {},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Basic YTpi"},
        {"Authorization": f"Bearer {todos_alone}"},
    ):
        shown = (await anonymous.get(f"/users/{other.id}", headers=headers)).json()
        assert (shown["following"], shown["followed_by"]) == (None, None)
        assert shown["counts"] == {"posts": 1, "followers": 1, "following": 0}


async def test_a_block_hides_both_users_from_each_other_and_ends_follows(
    client, user, stranger, bearer, save
):
    theirs, mine = await save(PostFactory(author_id=stranger.id), PostFactory(author_id=user.id))
    await save(follow(user, stranger), follow(stranger, user))
    for _ in range(2):
        assert (await client.put(f"/users/{stranger.id}/block")).status_code == 204

    for headers, other, post in ((None, stranger, theirs), (bearer(stranger), user, mine)):
        for path in ("", "/posts", "/followers", "/following"):
            response = await client.get(f"/users/{other.id}{path}", headers=headers)
            assert problem(response) == NO_USER
        by_name = await client.get(f"/users/by-name/{other.username}", headers=headers)
        assert problem(by_name) == NO_USER
        listed = (await client.get("/users", headers=headers)).json()["users"]
        assert other.id not in {shown["id"] for shown in listed}
        assert (await client.get(f"/posts/{post.id}", headers=headers)).status_code == 404
        assert problem(await client.put(f"/users/{other.id}/follow", headers=headers)) == NO_USER
    # A blocked user gets the same response, and learns nothing about the block.
    for method in ("PUT", "DELETE"):
        response = await client.request(method, f"/users/{user.id}/block", headers=bearer(stranger))
        assert problem(response) == NO_USER
    assert [shown["id"] for shown in (await client.get("/users/me/blocks")).json()["users"]] == [
        stranger.id
    ]
    assert (await client.get("/users/me/blocks", headers=bearer(stranger))).json()["users"] == []

    for _ in range(2):
        assert (await client.delete(f"/users/{stranger.id}/block")).status_code == 204
    shown = (await client.get(f"/users/{stranger.id}")).json()
    assert (shown["following"], shown["followed_by"]) == (False, False)


async def test_followers_are_paged_newest_first(client, user, save):
    followers = await save(*UserFactory.build_batch(5))
    await save(*(follow(follower, user) for follower in followers))
    seen, after = [], {}
    while after is not None:
        page = await client.get(f"/users/{user.id}/followers", params={"limit": 2, **after})
        seen += [shown["id"] for shown in page.json()["users"]]
        after = page.json()["next"] and {"after": page.json()["next"]}

    assert seen == [follower.id for follower in reversed(followers)]


async def test_a_deleted_account_is_not_counted(client, user, stranger, bearer, save, session):
    [post] = await save(PostFactory(author_id=user.id))
    await save(follow(stranger, user), follow(user, stranger))
    await client.put(f"/posts/{post.id}/like", headers=bearer(stranger))
    [blocker] = await save(UserFactory())
    await save(block(blocker, stranger))
    await session.execute(delete(User).where(User.id.in_([stranger.id, blocker.id])))

    assert (await client.get(f"/posts/{post.id}")).json()["likes"] == 0
    counts = (await client.get(f"/users/{user.id}")).json()["counts"]
    assert counts == {"posts": 1, "followers": 0, "following": 0}


async def test_profiles_that_are_not_public_require_a_valid_token(live, commit, settings):
    ana, eva = await commit(UserFactory(username="ana"), UserFactory())
    [opened] = await commit(LoginSessionFactory(owner_id=eva.id))
    paths = ("/users", f"/users/{ana.id}", "/users/by-name/ana", "/users/ana/feed.atom")

    async with live(public_profiles=False) as client:
        for scopes in (ALL_SCOPES, {"todos:read"}):
            token = security.create_access_token(settings, eva.id, opened.id, scopes)
            for path in paths:
                shown = await client.get(path, headers={"Authorization": f"Bearer {token}"})
                assert shown.status_code == 200
                assert "no-cache" in shown.headers["cache-control"]
                assert "Authorization" in shown.headers["vary"]
        forged = {"Authorization": "Bearer forged"}
        for path in paths:
            refused = await client.get(path, headers=forged)
            assert problem(refused) == (401, "Could not validate credentials")
            assert refused.headers["www-authenticate"] == "Bearer"
