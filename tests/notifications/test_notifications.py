"""Notifications of visible actions of others."""

import pytest
from sqlalchemy import text

from tests.factories import PostFactory, UserFactory


@pytest.fixture
async def post(save, user):
    [post] = await save(PostFactory(author_id=user.id, text="Bread"))
    return post


@pytest.fixture
def others(bearer, stranger):
    return bearer(stranger)


@pytest.fixture
def news(client):
    async def news(**params):
        response = await client.get("/notifications", params=params)
        assert response.status_code == 200, response.text
        return response.json()

    return news


@pytest.fixture
def reply(client, post):
    async def reply(headers, **given):
        new = {"text": "Mine too", "reply_to": post.id, **given}
        response = await client.post("/posts", json=new, headers=headers)
        assert response.status_code == 201, response.text
        return response.json()["id"]

    return reply


async def test_a_follow_a_reply_and_a_like_are_notified(
    client, post, news, reply, user, stranger, others, statements
):
    await client.put(f"/users/{user.id}/follow", headers=others)
    await client.put(f"/posts/{post.id}/like", headers=others)
    await reply(others)
    with statements() as sent:
        page = await news()
    assert (len(sent), page["unread"], page["next"]) == (1, 3, None)
    about = {"id": post.id, "text": "Bread"}
    told = [(one["kind"], one["post"], one["people_count"]) for one in page["notifications"]]
    assert told == [("reply", about, 1), ("like", about, 1), ("follow", None, 1)]
    [person] = page["notifications"][0]["people"]
    assert person == {"id": stranger.id, "username": stranger.username, "display_name": ""}


async def test_many_who_like_a_post_are_one_notification(client, post, news, save, bearer):
    people = await save(*(UserFactory() for _ in range(5)))
    for person in people:
        with_token = bearer(person)
        await client.put(f"/posts/{post.id}/like", headers=with_token)
        await client.put(f"/posts/{post.id}/like", headers=with_token)

    [told] = (await news())["notifications"]

    assert told["people_count"] == 5
    assert [person["id"] for person in told["people"]] == [one.id for one in people[:1:-1]]


async def test_somebody_who_replies_twice_is_one(post, news, reply, others):
    await reply(others)
    await reply(others)
    [told] = (await news())["notifications"]
    assert (told["people_count"], len(told["people"])) == (1, 1)


async def test_own_actions_are_not_notified(client, post, news, reply):
    await client.put(f"/posts/{post.id}/like")
    await reply(None)
    assert await news() == {"notifications": [], "unread": 0, "next": None}


async def test_an_undone_event_is_not_notified(client, post, news, reply, user, others):
    await client.put(f"/users/{user.id}/follow", headers=others)
    await client.put(f"/posts/{post.id}/like", headers=others)
    answer = await reply(others)
    await client.delete(f"/users/{user.id}/follow", headers=others)
    await client.delete(f"/posts/{post.id}/like", headers=others)
    await client.delete(f"/posts/{answer}", headers=others)
    assert await news() == {"notifications": [], "unread": 0, "next": None}


async def test_actions_of_blocked_users_are_not_notified(
    client, post, news, reply, user, stranger, others
):
    await client.put(f"/posts/{post.id}/like", headers=others)
    await reply(others)
    await client.put(f"/users/{stranger.id}/block")
    assert (await news())["unread"] == 0
    await client.delete(f"/users/{stranger.id}/block")
    assert (await news())["unread"] == 2


async def test_a_private_reply_is_not_notified(news, reply, others):
    await reply(others, visibility="private")
    assert (await news())["notifications"] == []


async def test_a_deleted_post_is_not_notified(client, post, news, reply, others):
    await reply(others)
    await client.put(f"/posts/{post.id}/like", headers=others)
    await client.delete(f"/posts/{post.id}")
    assert await news() == {"notifications": [], "unread": 0, "next": None}


async def test_all_up_to_one_are_marked_as_read(client, post, news, reply, user, others):
    await client.put(f"/users/{user.id}/follow", headers=others)
    await client.put(f"/posts/{post.id}/like", headers=others)
    seen = (await news())["notifications"][0]["id"]
    await reply(others)

    assert (await client.put("/notifications/read", json={"up_to": seen})).status_code == 204

    page = await news()
    assert page["unread"] == 1
    assert [one["read"] for one in page["notifications"]] == [False, True, True]
    assert [one["kind"] for one in (await news(unread=True))["notifications"]] == ["reply"]


async def test_one_is_marked_as_read(client, post, news, others, statements):
    await client.put(f"/posts/{post.id}/like", headers=others)
    [told] = (await news())["notifications"]
    for _ in range(2):
        with statements() as sent:
            response = await client.put(f"/notifications/{told['id']}/read")
        assert (response.status_code, len(sent)) == (204, 1)
    assert (await news())["unread"] == 0


async def test_others_notifications_cannot_be_marked(client, post, news, others):
    await client.put(f"/posts/{post.id}/like", headers=others)
    [told] = (await news())["notifications"]
    response = await client.put(f"/notifications/{told['id']}/read", headers=others)
    assert (response.status_code, response.json()["detail"]) == (404, "Notification not found")
    await client.put("/notifications/read", json={"up_to": told["id"]}, headers=others)
    assert (await news())["unread"] == 1


async def test_an_invisible_reply_cannot_be_detected(client, news, reply, others, session):
    """A notification of an invisible reply gets the response of a missing one."""
    await reply(others, visibility="followers")  # and the reader does not follow its author
    hidden = await session.scalar(text("SELECT max(id) FROM notifications"))

    there = await client.put(f"/notifications/{hidden}/read")
    nowhere = await client.put(f"/notifications/{hidden + 1}/read")

    assert (there.status_code, there.json()["detail"]) == (404, "Notification not found")
    assert nowhere.json() | {"instance": ""} == there.json() | {"instance": ""}


async def test_events_after_reading_are_notified_separately(client, post, news, save, bearer):
    first, second = await save(UserFactory(), UserFactory())
    await client.put(f"/posts/{post.id}/like", headers=bearer(first))
    [before] = (await news())["notifications"]
    await client.put("/notifications/read", json={"up_to": before["id"]})
    await client.put(f"/posts/{post.id}/like", headers=bearer(second))
    [after] = (await news())["notifications"]
    assert after["id"] > before["id"]
    assert (after["read"], after["people_count"], after["people"][0]["id"]) == (False, 1, second.id)


async def test_pages_follow_one_another(client, user, news, save, others):
    posts = await save(*(PostFactory(author_id=user.id) for _ in range(5)))
    for post in posts:
        await client.put(f"/posts/{post.id}/like", headers=others)
    found, place = [], {}
    while place is not None:
        page = await news(limit=2, **place)
        assert page["unread"] == 5
        found += [one["post"]["id"] for one in page["notifications"]]
        place = {"after": page["next"]} if page["next"] else None
    assert found == [post.id for post in posts[::-1]]
