"""Atom and JSON feeds, parsed by feedparser as by a feed reader."""

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from xml.etree import ElementTree as ET

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from fast_zero.syndication import documents
from tests.core.expect import problem
from tests.factories import PostFactory, UserFactory

KINDS = {"atom": "application/atom+xml", "json": "application/feed+json"}
kinds = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
async def author(save):
    [author] = await save(UserFactory(username="Ana & José", display_name="Ana <3", bio="Bakes."))
    return author


@pytest.fixture
def address(author):
    return lambda kind: f"/users/ANA%20%26%20jos%C3%A9/feed.{kind}"


def parsed(response) -> tuple[dict, list[tuple]]:
    """Parse a feed of either kind into the terms of Atom."""
    if response.headers["content-type"] == KINDS["json"]:
        body = response.json()
        entries = [
            (item["id"], item["content_text"], item["date_published"][:19])
            for item in body["items"]
        ]
        return {"title": body["title"], "subtitle": body["description"]}, entries
    found = feedparser.parse(response.content)
    assert not found.bozo, found
    entries = [(entry.id, entry.content[0].value, entry.published[:19]) for entry in found.entries]
    return {"title": found.feed.title, "subtitle": found.feed.subtitle}, entries


@kinds
async def test_a_feed_has_the_public_posts_newest_first(
    anonymous, author, address, save, statements, kind
):
    posts = await save(*PostFactory.build_batch(3, author_id=author.id))
    await save(
        PostFactory(author_id=author.id, visibility="followers"),
        PostFactory(author_id=author.id, visibility="private"),
        PostFactory(author_id=author.id, reply_to=posts[0].id),
    )
    with statements() as sent:
        response = await anonymous.get(address(kind))

    assert (response.status_code, response.headers["content-type"]) == (200, KINDS[kind])
    assert len(sent) == 1
    about, entries = parsed(response)
    assert about == {"title": "Ana <3", "subtitle": "Bakes."}
    server = "http://127.0.0.1:8000"
    assert entries == [
        (f"{server}/posts/{post.id}", post.text, post.created_at.isoformat()[:19])
        for post in reversed(posts)
    ]
    feed_url = f"{server}/users/Ana%20%26%20Jos%C3%A9/feed.{kind}"
    assert feed_url in response.text.replace("&amp;", "&")


@kinds
async def test_a_feed_without_posts_is_valid(anonymous, save, kind):
    await save(UserFactory(username="nobody"))
    response = await anonymous.get(f"/users/nobody/feed.{kind}")

    if kind == "json":
        assert (response.json()["items"], response.json()["title"]) == ([], "nobody")
        assert "description" not in response.json()
    else:
        assert feedparser.parse(response.content).entries == []
    assert problem(await anonymous.get(f"/users/missing/feed.{kind}")) == (404, "User not found")


@kinds
async def test_a_matching_if_none_match_gets_304(anonymous, author, address, save, kind):
    await save(PostFactory(author_id=author.id))
    first = await anonymous.get(address(kind))
    etag, date = first.headers["etag"], first.headers["last-modified"]

    for condition, status in (
        ({"If-None-Match": etag}, 304),
        ({"If-None-Match": f"W/{etag}"}, 304),
        ({"If-None-Match": '"another"'}, 200),
        ({"If-Modified-Since": date}, 304),
        ({"If-Modified-Since": "Thu, 01 Jan 2099 00:00:00 GMT"}, 304),
        ({"If-Modified-Since": "Thu, 01 Jan 2015 00:00:00 GMT"}, 200),
        ({"If-Modified-Since": "yesterday"}, 200),
        ({"If-Modified-Since": "Wed, 25 Nov 99999999999999999999 08:00:00 GMT"}, 200),
        ({"If-Modified-Since": "Wed, 25 Nov 2026 08:00:00 +99999999999999999999"}, 200),
        ({"If-Modified-Since": "Thu, 01 Jan 2099 00:00:00"}, 304),
        ({"If-None-Match": '"another"', "If-Modified-Since": date}, 200),
        ({}, 200),
    ):
        response = await anonymous.get(address(kind), headers=condition)
        assert response.status_code == status, condition
        assert (response.content == b"") == (status == 304)
        assert (response.headers["etag"], response.headers["last-modified"]) == (etag, date)
        assert response.headers["cache-control"] == "no-cache"


@kinds
async def test_every_change_of_a_feed_changes_its_date(client, session, user, kind):
    """Each change happens an hour after the previous one."""
    post_ids = [(await client.post("/posts", json={"text": str(n)})).json()["id"] for n in range(3)]
    path = f"/users/{user.username}/feed.{kind}"
    changes = [
        ("PATCH", f"/posts/{post_ids[0]}", {"text": "changed"}),
        ("DELETE", f"/posts/{post_ids[1]}", None),
        ("PATCH", "/users/me", {"display_name": "Ana"}),
        ("DELETE", f"/posts/{post_ids[2]}", None),
        ("POST", "/todos", {"title": "Bake", "state": "done", "share": "public"}),
    ]
    for method, url, body in changes:
        dated = ("posts.created_at", "posts.edited_at", "retractions.at")
        for column in (*dated, "users.profile_updated_at"):
            table, name = column.split(".")
            earlier = f"UPDATE {table} SET {name} = {name} - interval '1 hour'"
            await session.execute(text(earlier))
        before = await client.get(path)
        await client.request(method, url, json=body)
        since = {"If-Modified-Since": before.headers["last-modified"]}
        after = await client.get(path, headers=since)
        assert after.status_code == 200, url
        dates = [
            parsedate_to_datetime(response.headers["last-modified"]) for response in (before, after)
        ]
        assert dates[0] < dates[1]
        assert before.headers["etag"] != after.headers["etag"]


@kinds
async def test_a_private_change_does_not_change_the_feed(client, user, session, kind):
    path = f"/users/{user.username}/feed.{kind}"
    await session.execute(
        text("UPDATE users SET profile_updated_at = profile_updated_at - interval '1 hour'")
    )
    before = await client.get(path)

    changed = await client.patch("/users/me", json={"time_zone": "Europe/Lisbon"})
    after = await client.get(path)

    assert changed.status_code == 200
    for name in ("etag", "last-modified"):
        assert after.headers[name] == before.headers[name]


class Author:
    username, bio = "ana", ""
    updated_at = datetime(2026, 11, 25, tzinfo=UTC)

    def __init__(self, text: str) -> None:
        self.display_name = text
        post = {"id": 1, "text": text, "created_at": "2026-11-25T00:00:00Z", "edited_at": None}
        self.posts = [post]


@given(text=st.text(min_size=1, alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_text_produces_well_formed_xml(text):
    document = ET.fromstring(documents.as_atom(Author(text), "http://test"))
    body = json.loads(documents.as_json_feed(Author(text), "http://test").model_dump_json())

    content = document.find(".//{*}entry/{*}content").text
    # XML reads each end of a line as one line feed.
    assert len(content) <= len(text)
    if text.isprintable():
        assert content == text
    assert body["items"][0]["content_text"] == text
    assert document.find(".//{*}entry/{*}title").text
