"""The feed, posts, profiles, notifications, blocked people."""

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from urllib.parse import quote

import pytest
from sqlalchemy import select, text

from fast_zero.models import Block, Follow, Like, Notification, Post
from fast_zero.web.presentation import heat_map
from fast_zero.web.presentation.people import initials
from tests.factories import PostFactory, TodoFactory, UserFactory, follow
from tests.web.conftest import errors, fault, heading, send, toast


@pytest.fixture
def post(save, user):
    async def post(words="Bread", author=user, **values):
        [row] = await save(PostFactory(author_id=author.id, text=words, **values))
        return row

    return post


@pytest.fixture
def rows(sessions):
    async def rows(model, *conditions):
        async with sessions() as session:
            return (await session.scalars(select(model).where(*conditions))).all()

    return rows


def profile(user) -> str:
    return f"/app/people/{quote(user.username, safe='')}"


def words(response) -> list[str]:
    """Return the texts of the posts on a page, in their order."""
    found = re.findall(r'<p class="words" dir="auto">(.*?)</p>', response.text, re.DOTALL)
    return [unescape(re.sub(r"<[^>]+>", "", each)) for each in found]


def names(response) -> list[str]:
    """Return the names of a list of people."""
    found = re.findall(r'<p class="what">.*?<bdi>(.*?)</bdi>', response.text)
    return [unescape(each) for each in found]


async def test_the_feed_has_the_posts_of_those_whom_one_follows(reader, user, stranger, post, save):
    [friend] = await save(UserFactory(username="ana", display_name="Ana Lúcia"))
    await save(follow(user, friend))
    await post("Mine")
    await post("Hers", friend, visibility="followers")
    await post("Theirs", stranger)
    await post("Private", stranger, visibility="private")

    page = await reader.get("/app/feed")
    assert heading(page) == "Posts"
    assert words(page) == ["Hers", "Mine"]
    assert "Ana Lúcia" in page.text
    assert ">AL</span>" in page.text
    assert "just now</time>" in page.text
    assert words(await reader.get("/app/feed?of=all")) == ["Theirs", "Mine"]
    assert words(await reader.get("/app/feed?of=liked")) == []


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("/app/feed", 4),
        ("/app/feed?of=all", 4),
        ("/app/feed?of=liked", 4),
        ("{post}", 3),
        ("{profile}", 5),
        ("{profile}?show=followers", 5),
        ("/app/notifications", 3),
        ("/app/settings/blocked", 3),
        ("/app/people", 3),
    ],
)
async def test_a_page_takes_few_statements(
    reader, user, stranger, post, save, statements, path, number
):
    for each in range(5):
        row = await post(f"Post {each}", stranger)
        await save(Like(post_id=row.id, user_id=user.id))
    await save(follow(user, stranger))
    path = path.format(post=f"/app/posts/{row.id}", profile=profile(stranger))
    with statements() as sent:
        assert (await reader.get(path)).status_code == 200

    assert len(sent) == number


async def test_post_and_say_who_can_see_it(reader, user, rows):
    page = await send(reader, "/app/feed", text=" The bread\r\nis in ", visibility="followers")

    assert toast(page) == "Posted: “The bread is in”"
    assert words(page) == ["The bread\nis in"]
    assert "Followers</span>" in page.text
    [row] = await rows(Post)
    assert (row.author_id, row.text, row.visibility) == (user.id, "The bread\nis in", "followers")


@pytest.mark.parametrize("words_", ["", "  ", "a" * 501, "a\x00b", "a\r\nb" * 200])
async def test_a_post_that_is_refused_stays_in_its_field(reader, post, rows, words_):
    await post("Before")
    response = await reader.post("/app/feed?of=all", data={"text": words_, "visibility": "private"})

    assert response.status_code == 422
    assert list(errors(response)) == ["text"]
    assert '<option value="private" selected>' in response.text
    assert words(response) == ["Before"]
    assert 'aria-invalid="true" autofocus' in response.text
    if "\x00" not in words_:
        field = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", response.text, re.DOTALL)
        assert field[1] == words_.replace("\r\n", "\n")
    assert len(await rows(Post)) == 1


@pytest.mark.parametrize("form", [{"visibility": "all"}, {"visibility": "x" * 1000}])
async def test_a_visibility_that_does_not_exist_is_refused(reader, rows, form):
    response = await reader.post("/app/feed", data={"text": "Bread", **form})

    assert (response.status_code, list(errors(response))) == (422, ["visibility"])
    assert await rows(Post) == []


async def test_500_characters_with_new_lines_are_a_post(reader, rows):
    await send(reader, "/app/feed", text="a\r\n" * 249 + "bb")

    [row] = await rows(Post)
    assert len(row.text) == 500


async def test_reply_three_levels_deep(reader, user, stranger, post):
    row = await post("One", stranger)
    above = row.id
    for text_ in ("Two", "Three", "Four"):
        page = await send(reader, f"/app/posts/{above}", text=text_)
        assert toast(page) == f"Replied: “{text_}”"
        above = max(map(int, re.findall(r'id="p(\d+)"', page.text)))

    page = await reader.get(f"/app/posts/{row.id}")
    assert words(page) == ["One", "Two", "Three", "Four"]
    assert page.text.count("<ol>") == 3
    assert "Reply to a post" not in page.text
    deep = await send(reader, f"/app/posts/{above}", text="Five")
    assert words(deep) == ["Four", "Five"]
    assert "Reply to a post</a>" in deep.text
    assert "Show 1 reply" in (await reader.get(f"/app/posts/{row.id}")).text
    refused = await reader.post(f"/app/posts/{row.id}", data={"text": ""})
    assert (refused.status_code, errors(refused)) == (422, {"text": "Fill this in."})


async def test_the_place_of_a_deleted_reply_stays(reader, stranger, post, save):
    row = await post("One")
    gone = await post("Gone", stranger, reply_to=row.id, above=[row.author_id])
    await post("Below", reply_to=gone.id, above=[row.author_id, stranger.id])
    await reader.get("/app/feed")
    await reader.post(f"/app/posts/{row.id}/delete")

    page = await reader.get(f"/app/posts/{gone.id}")
    assert "Reply to a post that is gone" in page.text
    assert words(page) == ["Gone", "Below"]


async def test_like_and_take_it_back(reader, stranger, post, rows, save):
    row = await post("Bread", stranger)
    here = "/app/feed?of=all"
    page = await send(reader, f"/app/posts/{row.id}/like", like="yes", next=here)

    assert toast(page) is None
    assert re.search(r'aria-pressed="true" aria-label="1 like: like the post', page.text)
    assert len(await rows(Like)) == 1
    assert words(await reader.get("/app/feed?of=liked")) == ["Bread"]
    [person] = names(await reader.get(f"/app/posts/{row.id}/likes"))
    assert person.startswith("user")
    page = await send(reader, f"/app/posts/{row.id}/like", like="no", next=here)
    assert 'aria-pressed="false"' in page.text
    assert await rows(Like) == []


async def test_edit_a_post(reader, post, rows):
    row = await post("The bread is in teh oven.")
    path = f"/app/posts/{row.id}/edit"
    page = await reader.get(f"{path}?next=/app/feed")
    [version] = re.findall(r'name="version" value="(\d+)"', page.text)
    form = {"text": "In the oven.", "version": version, "next": "/app/feed"}
    page = await send(reader, path, **form)

    assert toast(page) == "Changed: “In the oven.”"
    assert "edited</span>" in page.text
    assert words(await reader.get(path)) == ["The bread is in teh oven."]  # the earlier text
    stale = await reader.post(path, data=form | {"text": "Over it"})
    assert stale.status_code == 412
    assert errors(stale)[""].startswith("This was changed elsewhere meanwhile.")
    assert ">\nOver it</textarea>" in stale.text
    assert words(stale)[0] == "In the oven."
    [version] = re.findall(r'name="version" value="(\d+)"', stale.text)
    await send(reader, path, text="Over it", version=version)
    assert (await rows(Post))[0].text == "Over it"


@pytest.mark.parametrize("version", ["", "x", "0", "-1", str(2**70), "1.5"])
async def test_an_edit_of_no_version_overwrites_nothing(reader, post, rows, version):
    row = await post("Bread")
    form = {"text": "Cake", "version": version}

    assert (await reader.post(f"/app/posts/{row.id}/edit", data=form)).status_code == 412
    assert (await rows(Post))[0].text == "Bread"


async def test_an_edit_to_nothing_is_refused(reader, post):
    row = await post("Bread")
    response = await reader.post(f"/app/posts/{row.id}/edit", data={"text": " ", "version": "1"})

    assert (response.status_code, errors(response)) == (
        422,
        {"text": "Write up to 500 characters."},
    )


async def test_deleting_a_post_asks_first(reader, post, rows):
    row = await post("Bread")
    path = f"/app/posts/{row.id}/delete"
    page = await reader.get(f"{path}?next=/app/posts/{row.id}")
    assert heading(page) == "Delete this post?"
    assert words(page) == ["Bread"]
    assert len(await rows(Post)) == 1

    page = await send(reader, path, next=f"/app/posts/{row.id}")
    assert (heading(page), toast(page)) == ("Posts", "Post deleted: “Bread”")
    assert await rows(Post) == []


async def test_a_stranger_cannot_change_a_post(reader, stranger, post, rows):
    row = await post("Bread", stranger)
    for path in ("edit", "delete"):
        assert (await reader.get(f"/app/posts/{row.id}/{path}")).status_code == 404
        form = {"text": "Mine", "version": "1"}
        assert (await reader.post(f"/app/posts/{row.id}/{path}", data=form)).status_code == 404
    assert [each.text for each in await rows(Post)] == ["Bread"]
    assert f"/app/posts/{row.id}/edit" not in (await reader.get(f"/app/posts/{row.id}")).text


@pytest.fixture
def hide(user, stranger, post, save):
    """Return a post that the reader cannot see, and one of the reader's own."""

    async def hide(case):
        own = await post("Own")
        row = await post(
            "A secret", stranger, visibility="public" if case.startswith("block") else case
        )
        if case.startswith("block"):
            await post("A secret", stranger, reply_to=own.id, above=[user.id])
            await save(Like(post_id=own.id, user_id=stranger.id))
            pair = (user, stranger) if case == "blocks" else (stranger, user)
            await save(Block(blocker_id=pair[0].id, blocked_id=pair[1].id))
        return row, own

    return hide


@pytest.mark.parametrize("case", ["private", "followers", "blocked", "blocks"])
async def test_what_is_hidden_from_somebody_is_on_no_page(reader, user, stranger, hide, case):
    row, own = await hide(case)
    theirs = [f"{profile(stranger)}?show={show}" for show in ("posts", "replies", "followers")]
    gone = [f"/app/posts/{row.id}{rest}" for rest in ("", "/likes", "/edit", "/delete")]
    shown = [
        "/app/feed",
        "/app/feed?of=all",
        "/app/feed?of=liked",
        f"/app/posts/{own.id}",
        f"/app/posts/{own.id}/likes",
        "/app/people",
        "/app/notifications",
        profile(user),
        f"{profile(user)}?show=followers",
    ]
    is_blocked = case.startswith("block")
    for path in gone + (theirs if is_blocked else []):
        assert (await reader.get(path)).status_code == 404, path
    for path in shown + ([] if is_blocked else theirs):
        page = await reader.get(path)
        assert page.status_code == 200
        assert "A secret" not in page.text, path
        if is_blocked:
            assert stranger.username not in page.text, path
    found = await reader.get("/app/people", params={"username": stranger.username})
    assert found.status_code == (200 if is_blocked else 303)


@pytest.mark.parametrize("case", ["private", "followers", "blocked", "blocks"])
async def test_no_form_reaches_what_is_hidden(reader, user, hide, rows, case):
    row, _ = await hide(case)
    assert (await reader.post(f"/app/posts/{row.id}", data={"text": "Hello"})).status_code == 404
    liked = await send(reader, f"/app/posts/{row.id}/like", like="yes", next="/app/feed")
    assert fault(liked) == "This post does not exist any more."
    assert await rows(Like, Like.user_id == user.id) == []
    assert await rows(Post, Post.text == "Hello") == []


async def test_whoever_is_blocked_does_nothing_to_the_other(reader, stranger, hide, rows):
    await hide("blocked")
    for name in ("follow", "unfollow", "block", "unblock"):
        page = await send(reader, "/app/people", **{name: stranger.id}, next="/app/feed")
        assert fault(page) == "This account does not exist any more."
    assert await rows(Follow) == []
    assert len(await rows(Block)) == 1


async def test_whoever_blocks_follows_only_after_unblocking(reader, stranger, hide, rows):
    await hide("blocks")
    page = await send(reader, "/app/people", follow=stranger.id, next="/app/feed")

    assert fault(page) == "This account does not exist any more."
    assert await rows(Follow) == []


async def test_a_profile(reader, user, stranger, post, save, sessions):
    async with sessions.begin() as session:
        await session.execute(
            text("UPDATE users SET display_name = 'Rui Sá', bio = 'Bakes.' WHERE id = :id"),
            {"id": stranger.id},
        )
    await save(follow(stranger, user))
    row = await post("Bread", stranger)
    await post("Reply", stranger, reply_to=row.id, above=[stranger.id])

    page = await reader.get(profile(stranger))
    assert "<bdi>Rui Sá</bdi>" in page.text
    assert words(page) == ["Bakes.", "Bread"]
    assert "Follows you" in page.text
    assert 'name="follow"' in page.text
    assert words(await reader.get(f"{profile(stranger)}?show=replies")) == [
        "Bakes.",
        "Reply",
        "Bread",
    ]
    assert len(names(await reader.get(f"{profile(stranger)}?show=following"))) == 1
    own = await reader.get(profile(user))
    assert 'href="/app/settings/profile"' in own.text
    assert 'name="block"' not in own.text


async def test_follow_and_unfollow(reader, user, stranger, rows):
    here = profile(stranger)
    page = await send(reader, "/app/people", follow=stranger.id, next=here)

    assert toast(page) == f"You follow {stranger.username}."
    assert page.url.raw_path.decode() == here
    assert len(await rows(Follow)) == 1
    page = await send(reader, "/app/people", unfollow=stranger.id, next=here)
    assert toast(page) == f"You do not follow {stranger.username} any more."
    assert await rows(Follow) == []


async def test_block_and_unblock(reader, user, stranger, save, rows):
    await save(follow(user, stranger))
    settings = "/app/settings/blocked"
    page = await send(reader, "/app/people", block=stranger.id, next=settings)

    assert toast(page) == f"Blocked: {stranger.username}"
    assert names(page) == [stranger.username]
    assert profile(stranger) not in page.text
    assert await rows(Follow) == []
    assert (await reader.get(profile(stranger))).status_code == 404
    page = await send(reader, "/app/people", unblock=stranger.id, next=settings)
    assert toast(page) == f"Unblocked: {stranger.username}"
    assert "You block nobody" in page.text
    assert (await reader.get(profile(stranger))).status_code == 200


@pytest.mark.parametrize("name", ["follow", "unfollow", "block", "unblock"])
@pytest.mark.parametrize("value", ["", "0", "x", str(2**70), "999999999", "oneself"])
async def test_nobody_is_followed_who_is_not_there(reader, user, rows, name, value):
    own = value == "oneself"
    page = await send(reader, "/app/people", **{name: user.id if own else value})

    unknown, own_account = "This account does not exist any more.", "This was not understood."
    assert fault(page).startswith(own_account if own else unknown)
    assert await rows(Follow) == []
    assert await rows(Block) == []


async def test_people_are_found_by_username(reader, save):
    await save(UserFactory(username="Ana Sá"))
    for typed in ("ana sá", "@Ana Sá", " ANA SÁ "):
        response = await reader.get("/app/people", params={"username": typed})
        assert response.headers["location"] == "/app/people/Ana%20S%C3%A1"

    page = await reader.get("/app/people?username=nobody")
    assert list(errors(page)) == ["username"]
    assert 'value="nobody"' in page.text
    assert "Ana Sá" in names(page)


@pytest.mark.parametrize(
    "name", ["a/b/c", "a?b#c", "100% & more", "../..", "user 😀", "<b>", "%2f"]
)
async def test_any_username_has_a_profile(reader, save, post, name):
    [person] = await save(UserFactory(username=name))
    await post("Bread", person)
    page = await reader.get("/app/feed?of=all")
    [address] = set(re.findall(r'id="a\d+" href="([^"]+)"', page.text))

    page = await reader.get(unescape(address))
    assert unescape(heading(page)) == f"<bdi>{name}</bdi>"
    page = await send(reader, "/app/people", follow=person.id, next=unescape(address))
    assert toast(page) == f"You follow {name}."


async def test_notifications_say_what_happened(reader, user, stranger, post, save, rows):
    row = await post("The bread")
    people = await save(*(UserFactory(display_name=f"Person {i}") for i in range(5)))
    await save(*(Like(post_id=row.id, user_id=each.id) for each in people))
    await save(follow(people[0], user))
    await post("It smells", people[1], reply_to=row.id, above=[user.id])
    [todo] = await save(TodoFactory(owner_id=user.id, title="Call", state="todo"))
    reminder = Notification(user_id=user.id, kind="reminder", post_id=None, since=0)
    reminder.todo_id, reminder.minutes_late = todo.id, 5
    await save(reminder)
    page = await reader.get("/app/notifications")
    said = [
        re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", each))).strip()
        for each in re.findall(
            r'<p><span class="sr">Unread: </span>(.*?)<time', page.text, re.DOTALL
        )
    ]

    assert said == [
        "Reminder · 5 minutes late",
        "Person 1 replied to your post",
        "Person 0 follows you",
        "Person 4, Person 3, Person 2 and 2 others like your post",
    ]
    assert '<span class="count">4' in page.text
    assert f'<a href="/app/today?todo={todo.id}" dir="auto">Call</a>' in page.text
    assert f'<a href="/app/posts/{row.id}" dir="auto">The bread</a>' in page.text


async def test_mark_as_read_one_and_all(reader, user, stranger, post, save, rows):
    row = await post("The bread")
    await save(Like(post_id=row.id, user_id=stranger.id), follow(stranger, user))
    page = await reader.get("/app/notifications?unread=true")
    first, second = re.findall(r'name="read" value="(\d+)"', page.text)
    [newest] = re.findall(r'name="up_to" value="(\d+)"', page.text)
    assert first == newest
    here = "/app/notifications?unread=true"

    page = await send(reader, "/app/notifications", read=first, next=here)
    assert toast(page) is None
    assert re.findall(r'name="read" value="(\d+)"', page.text) == [second]
    assert '<span class="count">1' in page.text
    page = await send(reader, "/app/notifications", up_to=newest, next=here)
    assert toast(page) == "All notifications are marked as read."
    assert "Nothing unread" in page.text
    assert 'class="count"' not in page.text
    assert (await reader.get("/app/notifications")).text.count('<li class="" id="n') == 2


@pytest.mark.parametrize("form", [{}, {"read": "x"}, {"read": "0"}, {"up_to": str(2**70)}])
async def test_no_notification_is_marked_that_is_not_there(reader, form):
    page = await send(reader, "/app/notifications", **form, next="/app/notifications")

    assert fault(page) == "There is no such notification any more."


async def test_notifications_of_others_are_not_marked(reader, user, stranger, save, rows):
    await save(follow(user, stranger))
    [row] = await rows(Notification)
    page = await send(reader, "/app/notifications", read=row.id)
    assert fault(page) == "There is no such notification any more."
    await send(reader, "/app/notifications", up_to=row.id)
    [row] = await rows(Notification)
    assert row.read_at is None


async def test_a_finished_todo_is_a_strip(reader, user, bearer):
    new = {"title": "Bake bread", "state": "done", "share": "public"}
    await reader.post("/todos", json=new, headers=bearer(user))
    page = await reader.get("/app/feed")

    assert 'Completed <strong dir="auto">Bake bread</strong>' in page.text
    assert "1 completed in 18 weeks." in page.text
    assert "1 day</dd>" in page.text
    assert re.search(r'<rect class="l1"[^>]*><title>today: 1</title>', page.text)


async def test_a_long_feed_has_pages(reader, save, user):
    await save(*(PostFactory(author_id=user.id, text=f"Post {i}") for i in range(40)))
    for path in ("/app/feed", "/app/feed?of=all", profile(user)):
        first = await reader.get(path)
        [more] = re.findall(r'class="more"><a class="btn" href="([^"]+)"', first.text)
        second = await reader.get(unescape(more))
        assert (len(words(first)), len(words(second))) == (30, 10)
        assert not set(words(first)) & set(words(second))
        # A form of the second page leads back to it.
        [number] = re.findall(r'id="p(\d+)"', second.text)[-1:]
        [here] = set(re.findall(r'name="next" value="([^"]+after=[^"]+)"', second.text))
        page = await send(reader, f"/app/posts/{number}/like", like="yes", next=unescape(here))
        assert words(page) == words(second)


@pytest.mark.parametrize(
    "path",
    [
        "/app/feed?of=x",
        "/app/feed?after=x",
        "/app/people?after=x",
        "/app/people?username=" + "a" * 65,
        "/app/notifications?unread=x",
        "/app/settings/blocked?after=x",
        "/app/posts/0",
        "/app/posts/x",
        f"/app/posts/{2**70}",
        "/app/people/a%00b",
        "/app/people/ana?show=x",
    ],
)
async def test_an_address_that_cannot_be_is_a_page(reader, path):
    response = await reader.get(path)

    assert response.status_code == 422
    assert heading(response) == "That did not work"


PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    '"><script>alert(1)</script>',
    "'><b>",
    "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</strong></p><iframe src=javascript:alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "javascript:alert(1)",
    "[a](javascript:alert(1))",
    "[a](https://example.com)",
    "**bold** _text_ `code`",
    "![a](https://example.com/a.png)",
    "data:text/html,<script>alert(1)</script>",
    'https://example.com/"onmouseover=alert(1)',
    "https://example.com/'onmouseover='alert(1)",
    "https://example.com/<script>",
    "https://example.com/?a=1&b=2",
    "http://example.com/\u202egpj.exe",
    "https://example.com/\u200bx",
    "vbscript:msgbox(1)",
    "{{ 1234 * 9999 }}",
    "{% raw %}{% endraw %}",
    "{# x #}",
    "${1234*9999}",
    "%(title)s",
    "%s %d %",
    "%(who)s",
    "{0} {name}",
    "\u202eabc",
    "\u2066abc\u2069\u2067",
    "a\u200b\u200c\u200db",
    "\u200f\u200e",
    "\ufeff",
    "a" * 100,
    "W" * 99 + "\u0301",
    "&lt;b&gt;&amp;&quot;",
    "<!-- -->",
    "]]>\\u003cscript\\u003e",
    "é\u0301" * 40,
    "\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f600",
]


@pytest.mark.parametrize("payload", PAYLOADS)
async def test_what_people_write_is_text_everywhere(
    reader, user, stranger, save, sessions, bearer, payload
):
    async with sessions.begin() as session:
        await session.execute(
            text("UPDATE users SET display_name = :name, bio = :name"), {"name": payload}
        )
    await save(follow(stranger, user))
    mine = await reader.post("/app/feed", data={"text": payload})
    assert mine.status_code == 303
    theirs = await reader.post("/posts", json={"text": payload}, headers=bearer(stranger))
    number = theirs.json()["id"]
    mine = await reader.post("/posts", json={"text": payload}, headers=bearer(user))
    own = mine.json()["id"]
    await reader.post("/posts", json={"text": payload, "reply_to": own}, headers=bearer(stranger))
    await reader.put(f"/posts/{own}/like", headers=bearer(stranger))
    new = {"title": payload, "state": "done", "share": "public"}
    assert (await reader.post("/todos", json=new, headers=bearer(user))).status_code == 201
    pages = [
        await reader.get(path)
        for path in (
            "/app/feed",
            "/app/feed?of=all",
            f"/app/posts/{own}",
            f"/app/posts/{number}",
            f"/app/posts/{own}/likes",
            f"/app/posts/{own}/edit",
            f"/app/posts/{own}/delete",
            profile(user),
            profile(stranger),
            f"{profile(user)}?show=followers",
            "/app/people",
            "/app/notifications",
        )
    ]
    pages.append(await send(reader, "/app/people", follow=stranger.id, next=profile(stranger)))
    pages.append(await send(reader, f"/app/posts/{number}", text=payload))
    pages.append(await reader.post("/app/feed", data={"text": payload * 501}))
    pages.append(await send(reader, "/app/people", block=stranger.id, next="/app/settings/blocked"))

    for page in pages:
        assert page.status_code in {200, 422}, page.url
        assert "12338766" not in page.text
        tags = re.findall(r"<(\w+)([^>]*)>", page.text)
        assert not {name for name, _ in tags} & {"iframe", "img", "b_", "video"}
        assert all(name != "script" or 'type="module"' in rest for name, rest in tags)
        for _, rest in tags:
            assert not re.search(r"\s(on\w+|style)\s*=", re.sub(r'"[^"]*"', '""', rest))
        for href in re.findall(r'href="([^"]*)"', page.text):
            assert href.startswith(("/", "#", "http://example.com", "https://example.com")), href
        for tag in re.findall(r'<a href="https?:[^>]*>', page.text):
            assert 'rel="noopener nofollow"' in tag
            assert not re.search("[\u200b-\u200f\u202a-\u202e\u2066-\u2069]", tag)
    assert payload.strip() in words(pages[0])


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ana Lúcia", "AL"),
        ("ana", "A"),
        ("Ana Maria de Sá", "AS"),
        ("  (rui)  !", "R"),
        ("😀", ""),
        ("\u202eabc", "A"),
        ("<b> {{x}}", "BX"),
        ("", ""),
    ],
)
def test_initials(name, letters):
    assert initials(name) == letters


async def test_a_name_that_cannot_be_seen_is_the_username(reader, user, sessions):
    async with sessions.begin() as session:
        await session.execute(text("UPDATE users SET display_name = E'\\u200b \\u202e'"))

    assert heading(await reader.get(profile(user))) == f"<bdi>{user.username}</bdi>"


def test_the_heat_map_ends_today_and_weeks_begin_as_the_reader_wants():
    today = date(2026, 11, 26)  # a Thursday
    finished = {today: 1, today - timedelta(days=1): 3, today - timedelta(days=2): 9}
    drawn = heat_map.draw(finished, today, "monday")

    assert drawn.last == today
    assert drawn.first.weekday() == 0
    assert [each.level for each in drawn.squares[-4:]] == [0, 3, 2, 1]
    assert (drawn.total, len(drawn.weeks)) == (13, heat_map.WEEKS)
    assert drawn.weeks[-1] == (date(2026, 11, 23), 13)
    assert max(each.x for each in drawn.squares) == drawn.width - 11
    assert heat_map.draw({}, today, "sunday").first.weekday() == 6
    assert heat_map.draw({}, today, "saturday").first.weekday() == 5
    assert heat_map.draw({}, today, "monday").total == 0


async def test_times_are_said_as_people_do(reader, user, save, sessions):
    now = datetime.now(UTC)
    await save(*(PostFactory(author_id=user.id, text=str(i)) for i in range(4)))
    async with sessions.begin() as session:
        for number, ago in enumerate(
            [timedelta(minutes=40), timedelta(hours=2), timedelta(days=3), timedelta(days=800)]
        ):
            await session.execute(
                text("UPDATE posts SET created_at = :at WHERE text = :text"),
                {"at": now - ago, "text": str(number)},
            )
        await session.execute(text("UPDATE users SET language = 'pt-BR'"))
    page = await reader.get("/app/feed")
    old, days, hours, minutes = re.findall(r"<time[^>]*>(.*?)</time>", page.text)

    assert (days, hours, minutes) == ("há 3 dias", "há 2 horas", "há 40 minutos")
    assert str((now - timedelta(days=800)).year) in old
