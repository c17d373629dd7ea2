"""Notifications of actions of other users."""

import pytest
from sqlalchemy import text

from tests.factories import PostFactory, UserFactory


@pytest.fixture
async def post(save, user):
    [post] = await save(PostFactory(author_id=user.id, text="Bread"))
    return post


@pytest.fixture
def stranger_headers(bearer, stranger):
    return bearer(stranger)


@pytest.fixture
def list_notifications(client):
    async def list_notifications(**params):
        response = await client.get("/notifications", params=params)
        assert response.status_code == 200, response.text
        return response.json()

    return list_notifications


@pytest.fixture
def reply(client, post):
    async def reply(headers, **given):
        new = {"text": "Mine too", "reply_to": post.id, **given}
        response = await client.post("/posts", json=new, headers=headers)
        assert response.status_code == 201, response.text
        return response.json()["id"]

    return reply


async def test_follows_replies_and_likes_create_notifications(
    client, post, list_notifications, reply, user, stranger, stranger_headers, statements
):
    await client.put(f"/users/{user.id}/follow", headers=stranger_headers)
    await client.put(f"/posts/{post.id}/like", headers=stranger_headers)
    await reply(stranger_headers)
    with statements() as sent:
        page = await list_notifications()
    assert (len(sent), page["unread"], page["next"]) == (1, 3, None)
    post_shown = {"id": post.id, "text": "Bread"}
    listed = [(one["kind"], one["post"], one["people_count"]) for one in page["notifications"]]
    assert listed == [("reply", post_shown, 1), ("like", post_shown, 1), ("follow", None, 1)]
    [person] = page["notifications"][0]["people"]
    assert person == {"id": stranger.id, "username": stranger.username, "display_name": ""}


async def test_likes_of_one_post_are_one_notification(
    client, post, list_notifications, save, bearer
):
    people = await save(*(UserFactory() for _ in range(5)))
    for person in people:
        with_token = bearer(person)
        await client.put(f"/posts/{post.id}/like", headers=with_token)
        await client.put(f"/posts/{post.id}/like", headers=with_token)

    [notification] = (await list_notifications())["notifications"]

    assert notification["people_count"] == 5
    assert [person["id"] for person in notification["people"]] == [one.id for one in people[:1:-1]]


async def test_two_replies_of_one_user_count_as_one_person(
    post, list_notifications, reply, stranger_headers
):
    await reply(stranger_headers)
    await reply(stranger_headers)
    [notification] = (await list_notifications())["notifications"]
    assert (notification["people_count"], len(notification["people"])) == (1, 1)


async def test_own_actions_show_no_notification(client, post, list_notifications, reply):
    await client.put(f"/posts/{post.id}/like")
    await reply(None)
    assert await list_notifications() == {"notifications": [], "unread": 0, "next": None}


async def test_an_undone_action_shows_no_notification(
    client, post, list_notifications, reply, user, stranger_headers
):
    await client.put(f"/users/{user.id}/follow", headers=stranger_headers)
    await client.put(f"/posts/{post.id}/like", headers=stranger_headers)
    reply_id = await reply(stranger_headers)
    await client.delete(f"/users/{user.id}/follow", headers=stranger_headers)
    await client.delete(f"/posts/{post.id}/like", headers=stranger_headers)
    await client.delete(f"/posts/{reply_id}", headers=stranger_headers)
    assert await list_notifications() == {"notifications": [], "unread": 0, "next": None}


async def test_notifications_of_blocked_users_are_hidden(
    client, post, list_notifications, reply, user, stranger, stranger_headers
):
    await client.put(f"/posts/{post.id}/like", headers=stranger_headers)
    await reply(stranger_headers)
    await client.put(f"/users/{stranger.id}/block")
    assert (await list_notifications())["unread"] == 0
    await client.delete(f"/users/{stranger.id}/block")
    assert (await list_notifications())["unread"] == 2


async def test_a_private_reply_shows_no_notification(list_notifications, reply, stranger_headers):
    await reply(stranger_headers, visibility="private")
    assert (await list_notifications())["notifications"] == []


async def test_a_deleted_post_shows_no_notification(
    client, post, list_notifications, reply, stranger_headers
):
    await reply(stranger_headers)
    await client.put(f"/posts/{post.id}/like", headers=stranger_headers)
    await client.delete(f"/posts/{post.id}")
    assert await list_notifications() == {"notifications": [], "unread": 0, "next": None}


async def test_notifications_up_to_an_id_are_marked_as_read(
    client, post, list_notifications, reply, user, stranger_headers
):
    await client.put(f"/users/{user.id}/follow", headers=stranger_headers)
    await client.put(f"/posts/{post.id}/like", headers=stranger_headers)
    seen = (await list_notifications())["notifications"][0]["id"]
    await reply(stranger_headers)

    assert (await client.put("/notifications/read", json={"up_to": seen})).status_code == 204

    page = await list_notifications()
    assert page["unread"] == 1
    assert [one["read"] for one in page["notifications"]] == [False, True, True]
    assert [one["kind"] for one in (await list_notifications(unread=True))["notifications"]] == [
        "reply"
    ]


async def test_one_notification_is_marked_as_read(
    client, post, list_notifications, stranger_headers, statements
):
    await client.put(f"/posts/{post.id}/like", headers=stranger_headers)
    [notification] = (await list_notifications())["notifications"]
    for _ in range(2):
        with statements() as sent:
            response = await client.put(f"/notifications/{notification['id']}/read")
        assert (response.status_code, len(sent)) == (204, 1)
    assert (await list_notifications())["unread"] == 0


async def test_notifications_of_other_users_cannot_be_marked_as_read(
    client, post, list_notifications, stranger_headers
):
    await client.put(f"/posts/{post.id}/like", headers=stranger_headers)
    [notification] = (await list_notifications())["notifications"]
    response = await client.put(
        f"/notifications/{notification['id']}/read", headers=stranger_headers
    )
    assert (response.status_code, response.json()["detail"]) == (404, "Notification not found")
    await client.put(
        "/notifications/read", json={"up_to": notification["id"]}, headers=stranger_headers
    )
    assert (await list_notifications())["unread"] == 1


async def test_an_invisible_reply_cannot_be_detected(
    client, list_notifications, reply, stranger_headers, session
):
    """A notification of an invisible reply gets the response of a missing one."""
    # The recipient does not follow the author.
    await reply(stranger_headers, visibility="followers")
    hidden = await session.scalar(text("SELECT max(id) FROM notifications"))

    there = await client.put(f"/notifications/{hidden}/read")
    nowhere = await client.put(f"/notifications/{hidden + 1}/read")

    assert (there.status_code, there.json()["detail"]) == (404, "Notification not found")
    assert nowhere.json() | {"instance": ""} == there.json() | {"instance": ""}


async def test_events_after_reading_create_another_notification(
    client, post, list_notifications, save, bearer
):
    first, second = await save(UserFactory(), UserFactory())
    await client.put(f"/posts/{post.id}/like", headers=bearer(first))
    [before] = (await list_notifications())["notifications"]
    await client.put("/notifications/read", json={"up_to": before["id"]})
    await client.put(f"/posts/{post.id}/like", headers=bearer(second))
    [after] = (await list_notifications())["notifications"]
    assert after["id"] > before["id"]
    assert (after["read"], after["people_count"], after["people"][0]["id"]) == (False, 1, second.id)


async def test_notifications_are_paged_newest_first(
    client, user, list_notifications, save, stranger_headers
):
    posts = await save(*(PostFactory(author_id=user.id) for _ in range(5)))
    for post in posts:
        await client.put(f"/posts/{post.id}/like", headers=stranger_headers)
    found, place = [], {}
    while place is not None:
        page = await list_notifications(limit=2, **place)
        assert page["unread"] == 5
        found += [one["post"]["id"] for one in page["notifications"]]
        place = {"after": page["next"]} if page["next"] else None
    assert found == [post.id for post in posts[::-1]]
