"""Posts of todos that are moved into the trash, restored, or deleted for good."""

import asyncio
from email.utils import parsedate_to_datetime

import pytest
from alembic import command
from sqlalchemy import text

from fast_zero.core.database import migrations
from fast_zero.models import Deletion, Project
from fast_zero.profiles import tallies
from tests.core.expect import problem
from tests.factories import PostFactory, TodoFactory, UserFactory, follow
from tests.migrating import alembic, upgrade

NO_POST = (404, "Post not found")
EMPTY_TRASH = text("DELETE FROM deletions")
COMPLETIONS = text("SELECT todo_id FROM completions ORDER BY id")


@pytest.fixture
async def fan(save, user):
    [fan] = await save(UserFactory())
    await save(follow(fan, user))
    return fan


@pytest.fixture
def finish(client):
    """Create a finished todo that is shared; return its URL and the id of its post."""

    async def finish(**given) -> tuple[str, int]:
        new = {"title": "Bake bread", "state": "done", "share": "public", **given}
        response = await client.post("/todos", json=new)
        [post, *_] = (await client.get("/timeline")).json()["posts"]
        return f"/todos/{response.json()['id']}", post["id"]

    return finish


@pytest.fixture
async def finished(client, finish, fan, bearer):
    """Return the URL of a finished todo and the id of its post, which a fan likes and answers."""
    url, post_id = await finish()
    headers = bearer(fan)
    reply = {"text": "Well done", "reply_to": post_id}
    await client.post("/posts", json=reply, headers=headers)
    for headers_of_one in (headers, None):
        await client.put(f"/posts/{post_id}/like", headers=headers_of_one)
    return url, post_id


@pytest.fixture
def shown(client, user, fan, bearer):
    """Return what the routes show to the author and to the fan."""

    async def shown(post_id) -> dict:
        found = {}
        for reader, headers in (("author", bearer(user)), ("fan", bearer(fan))):
            for path in (
                *("/posts?replies=true", "/timeline", "/users/me/likes", "/notifications"),
                *(f"/users/{user.id}/posts", f"/users/{user.id}", f"/users/{user.id}/stats"),
                *(f"/posts/{post_id}", f"/posts/{post_id}/likes", f"/posts/{post_id}/edits"),
            ):
                response = await client.get(path, headers=headers)
                found[reader, path] = response.status_code, response.json()
        return found

    return shown


def mentions(post_id: int, found: dict) -> set[str]:
    """Return the paths of the lists whose posts or notifications include a post."""
    listed = set()
    for (_, path), (_, body) in found.items():
        about = [news["post"] for news in body.get("notifications", []) if news["post"]]
        if post_id in {post["id"] for post in (*body.get("posts", []), *about)}:
            listed.add(path)
    return listed


async def test_a_post_in_the_trash_is_hidden_and_comes_back_as_it_was(
    client, user, finished, shown
):
    url, post_id = finished
    before = await shown(post_id)
    assert mentions(post_id, before) == {
        *("/posts?replies=true", "/timeline", "/users/me/likes", "/notifications"),
        f"/users/{user.id}/posts",
    }

    assert (await client.delete(url)).status_code == 200
    hidden = await shown(post_id)
    assert mentions(post_id, hidden) == set()
    for reader in ("author", "fan"):
        for below in ("", "/likes", "/edits"):
            assert hidden[reader, f"/posts/{post_id}{below}"][0] == 404
        [reply] = hidden[reader, "/posts?replies=true"][1]["posts"]
        assert (reply["text"], reply["parent_gone"]) == ("Well done", True)
        assert hidden[reader, f"/users/{user.id}"][1]["counts"]["posts"] == 0
    assert hidden["author", "/notifications"][1]["unread"] == 1  # the new follower
    # The todo was finished all the same; others count the posts that they see.
    assert (
        hidden["author", f"/users/{user.id}/stats"] == before["author", f"/users/{user.id}/stats"]
    )
    assert hidden["fan", f"/users/{user.id}/stats"][1]["days"] == []

    assert (await client.post(f"{url}/restore")).status_code == 200
    assert await shown(post_id) == before


async def test_a_hidden_post_takes_no_likes_replies_or_changes(client, finished, fan, bearer):
    url, post_id = finished
    tag = (await client.get(f"/posts/{post_id}")).headers["etag"]
    await client.delete(url)
    for headers in (None, bearer(fan)):
        for method, path, body in (
            ("PUT", f"/posts/{post_id}/like", None),
            ("DELETE", f"/posts/{post_id}/like", None),
            ("POST", "/posts", {"text": "Well done", "reply_to": post_id}),
            ("PATCH", f"/posts/{post_id}", {"text": "Baked"}),
            ("PATCH", f"/posts/{post_id}", {}),
            ("DELETE", f"/posts/{post_id}", None),
        ):
            response = await client.request(method, path, json=body, headers=headers)
            assert problem(response) == NO_POST, (method, path)
    stale = await client.delete(f"/posts/{post_id}", headers={"If-Match": tag})
    assert problem(stale) == NO_POST

    await client.post(f"{url}/restore")
    [post] = (await client.get("/posts")).json()["posts"]
    assert (post["likes"], post["replies"], post["text"]) == (2, 1, "Bake bread")
    # It has not changed, so that what was read before is still valid.
    assert (await client.get(f"/posts/{post_id}")).headers["etag"] == tag
    changed = await client.patch(
        f"/posts/{post_id}", json={"text": "Baked"}, headers={"If-Match": tag}
    )
    assert changed.status_code == 200


async def test_deleting_for_good_withdraws_a_hidden_post(
    client, finished, shown, session, user, save
):
    url, post_id = finished
    [owns] = await save(PostFactory(author_id=user.id))
    await client.delete(url)
    before = await shown(owns.id)
    completions = (await session.execute(COMPLETIONS)).all()

    await session.execute(EMPTY_TRASH)

    assert await shown(owns.id) == before
    assert problem(await client.get(f"/posts/{post_id}")) == NO_POST
    assert len((await session.execute(COMPLETIONS)).all()) == len(completions) == 1
    left = text("SELECT author_id, text, hidden FROM posts WHERE id = :id")
    assert (await session.execute(left, {"id": post_id})).one() == (None, "", True)
    assert (await session.execute(text("SELECT * FROM likes"))).all() == []
    # Its place is there for its reply alone.
    [reply] = [
        post for post in before["fan", "/posts?replies=true"][1]["posts"] if post["reply_to"]
    ]
    await client.delete(f"/posts/{reply['id']}")
    await session.execute(text("UPDATE posts SET author_id = NULL WHERE id = :id"), reply)
    assert (await session.execute(left, {"id": post_id})).one_or_none() is None


@pytest.mark.parametrize("aggregate", [True, False])
async def test_a_profile_counts_only_the_posts_that_are_shown(
    client, user, finish, session, bearer, fan, aggregate
):
    async def counts():
        if aggregate:
            await tallies.add_up(session)
        found = [
            await client.get(f"/users/{user.id}", headers=headers)
            for headers in (None, bearer(fan), {"Authorization": ""})
        ]
        return [profile.json()["counts"]["posts"] for profile in found]

    url, _ = await finish()
    other, _ = await finish(share="followers")
    assert await counts() == [2, 2, 1]
    for _ in range(2):
        for one, hidden in ((url, [1, 1, 0]), (other, [1, 1, 1])):
            await client.delete(one)
            assert await counts() == hidden
            await client.post(f"{one}/restore")
            assert await counts() == [2, 2, 1]
    await client.delete(url)
    await session.execute(EMPTY_TRASH)
    assert await counts() == [1, 1, 0]
    await client.patch(other, json={"state": "todo"})
    assert await counts() == [0, 0, 0]


@pytest.mark.parametrize("kind", ["atom", "json"])
async def test_hiding_and_restoring_change_the_feed_and_its_date(
    client, user, finish, session, kind
):
    """Each change happens an hour after the previous one."""
    url, post_id = await finish()
    path, link = f"/users/{user.username}/feed.{kind}", f"/posts/{post_id}"
    for method, changed in (("DELETE", url), ("POST", f"{url}/restore")):
        for column in ("posts.created_at", "retractions.at", "users.profile_updated_at"):
            table, name = column.split(".")
            earlier = f"UPDATE {table} SET {name} = {name} - interval '1 hour'"
            await session.execute(text(earlier))
        before = await client.get(path)
        await client.request(method, changed)
        for condition in (
            {"If-Modified-Since": before.headers["last-modified"]},
            {"If-None-Match": before.headers["etag"]},
        ):
            after = await client.get(path, headers=condition)
            assert after.status_code == 200, condition
        dates = [
            parsedate_to_datetime(response.headers["last-modified"]) for response in (before, after)
        ]
        assert dates[0] < dates[1]
        assert (link in before.text, link in after.text) == (method == "DELETE", method == "POST")

    await client.delete(url)
    await session.execute(text("UPDATE retractions SET at = at - interval '1 hour'"))
    before = await client.get(path)
    await session.execute(EMPTY_TRASH)
    after = await client.get(path)
    for name in ("etag", "last-modified"):  # what was hidden already goes unseen
        assert after.headers[name] == before.headers[name]


async def test_a_followers_only_post_does_not_date_the_feed(client, finish, session):
    url, _ = await finish(share="followers")
    await client.delete(url)
    await client.post(f"{url}/restore")
    assert (await session.execute(text("SELECT * FROM retractions"))).all() == []


async def test_a_project_takes_its_posts_into_the_trash_and_back(
    client, save, user, finish, session
):
    [project] = await save(Project(owner_id=user.id, name="Bakery"))
    in_project = [await finish(title=title, project_id=project.id) for title in "abc"]
    url, _ = await finish(title="elsewhere")
    earlier, _ = in_project[0]
    await client.delete(earlier)
    [deletion] = await save(
        Deletion(owner_id=user.id, kind="project", item_id=project.id, title="Bakery")
    )

    async def move(deletion_id):
        moved = text("UPDATE projects SET deletion_id = :deletion_id")
        await session.execute(moved, {"deletion_id": deletion_id})
        return [post["text"] for post in (await client.get("/posts")).json()["posts"]]

    assert await move(deletion.id) == ["elsewhere"]
    assert await move(None) == ["elsewhere", "c", "b"]
    await client.delete(url)
    assert await move(deletion.id) == []
    await session.execute(EMPTY_TRASH)
    assert (await session.execute(text("SELECT * FROM posts"))).all() == []
    assert len((await session.execute(COMPLETIONS)).all()) == 4


async def test_a_hidden_post_is_exported(client, finished):
    url, post_id = finished
    await client.delete(url)
    export = (await client.get("/users/me/export")).json()
    assert [(post["id"], post["text"]) for post in export["posts"]] == [(post_id, "Bake bread")]
    assert post_id in [like["post_id"] for like in export["likes"]]


async def test_restoring_does_not_bring_back_a_post_that_was_deleted(client, finish, session):
    deleted, post_id = await finish()
    await client.delete(f"/posts/{post_id}")
    await client.patch("/users/me", json={"share_todos": "public"})
    by_account, _ = await finish(share=None)
    removed, removed_id = await finish()
    for url in (deleted, by_account, removed):
        await client.delete(url)
    await client.patch("/users/me", json={"share_todos": "off"})
    await client.patch("/users/me", json={"share_todos": "public"})
    withdrawn = text("UPDATE posts SET author_id = NULL WHERE id = :id")  # by an administrator
    await session.execute(withdrawn, {"id": removed_id})

    for url in (deleted, by_account, removed):
        assert (await client.post(f"{url}/restore")).status_code == 200
    assert (await client.get("/timeline")).json()["posts"] == []
    assert (await client.get("/users/me/export")).json()["posts"] == []


async def test_moving_to_the_trash_stays_in_its_budget(client, finish, statements):
    url, _ = await finish()
    with statements() as sent:
        await client.delete(url)
    assert len(sent) == 2
    todo_url = (await client.post("/todos", json={"title": "not done"})).headers["location"]
    with statements() as sent:
        await client.delete(todo_url)
    assert len(sent) == 2


@pytest.fixture
def tree(client):
    """Create a todo with a subtask and one below it; return their URLs."""

    async def tree(**given) -> list[str]:
        urls, parent_id = [], None
        for title in ("root", "middle", "leaf"):
            new = {"title": title, "share": "public", "parent_id": parent_id, **given}
            parent_id = (await client.post("/todos", json=new)).json()["id"]
            urls.append(f"/todos/{parent_id}")
        return urls

    return tree


@pytest.mark.parametrize("by", ["complete", "patch"])
async def test_a_subtask_completed_with_its_parent_is_not_posted(client, tree, session, by):
    root, middle, leaf = await tree()
    if by == "complete":
        response = await client.post(f"{root}/complete")
    else:
        response = await client.patch(root, json={"state": "done"})
    assert response.status_code == 200, response.text

    assert [post["text"] for post in (await client.get("/posts")).json()["posts"]] == ["root"]
    assert len((await session.execute(COMPLETIONS)).all()) == 3
    # Neither is it posted later: not when it is shared otherwise, nor when it is restored.
    for url in (middle, leaf):
        for share in ("followers", None, "public"):
            assert (await client.patch(url, json={"share": share})).status_code == 200
    await client.delete(root)
    assert (await client.get("/timeline")).json()["posts"] == []
    await client.post(f"{root}/restore")
    assert [post["text"] for post in (await client.get("/timeline")).json()["posts"]] == ["root"]


async def test_subtasks_finished_before_their_parent_are_posted(client, tree):
    root, middle, leaf = await tree()
    for url in (leaf, middle, root):
        await client.patch(url, json={"state": "done"})

    texts = [post["text"] for post in (await client.get("/posts")).json()["posts"]]
    assert texts == ["root", "middle", "leaf"]
    await client.delete(middle)
    texts = [post["text"] for post in (await client.get("/posts")).json()["posts"]]
    assert texts == ["root"]
    await client.post(f"{middle}/restore")
    texts = [post["text"] for post in (await client.get("/posts")).json()["posts"]]
    assert texts == ["root", "middle", "leaf"]


async def rows(engine, statement: str) -> list[tuple]:
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(statement))]


async def test_a_subtask_that_is_finished_again_is_posted(live, commit, log_in):
    """Each request has its own transaction, and so its own moment of completion."""
    [user] = await commit(UserFactory())
    headers = await log_in(user)
    [root] = await commit(TodoFactory(owner_id=user.id, state="todo", share="public"))
    [subtask] = await commit(
        TodoFactory(owner_id=user.id, state="todo", share="public", parent_id=root.id)
    )
    async with live() as client:
        await client.post(f"/todos/{root.id}/complete", headers=headers)
        for state in ("todo", "done"):
            await client.patch(f"/todos/{subtask.id}", json={"state": state}, headers=headers)
        posts = (await client.get("/posts", headers=headers)).json()["posts"]

    assert [post["text"] for post in posts] == [subtask.title, root.title]


@pytest.fixture
async def shelf(commit, log_in, live):
    """Return a client, the headers of a user, and a tree of shared, finished todos."""
    [user] = await commit(UserFactory())
    new = {"owner_id": user.id, "state": "done", "share": "public"}
    [root] = await commit(TodoFactory(**new))
    await commit(*TodoFactory.build_batch(5, parent_id=root.id, **new))
    async with live() as client:
        yield client, await log_in(user), f"/todos/{root.id}", user.id


async def test_posts_can_be_deleted_while_their_todos_go_into_the_trash(shelf, engine):
    client, headers, url, user_id = shelf
    posts = (await client.get("/timeline", headers=headers)).json()["posts"]
    for post in posts:
        deleted, trashed = await asyncio.gather(
            client.delete(f"/posts/{post['id']}", headers=headers),
            client.delete(url, headers=headers),
        )
        assert deleted.status_code in {204, 404}
        assert trashed.status_code == 200
        restored = await client.post(f"{url}/restore", headers=headers)
        assert restored.status_code == 200
        if deleted.status_code == 404:
            again = await client.delete(f"/posts/{post['id']}", headers=headers)
            assert again.status_code == 204

    profile = await client.get(f"/users/{user_id}", headers=headers)
    assert profile.json()["counts"]["posts"] == 0
    assert await rows(engine, "SELECT * FROM posts") == []


async def test_likes_replies_and_the_trash_do_not_miss_each_other(shelf, commit, log_in, engine):
    client, headers, url, user_id = shelf
    [fan] = await commit(UserFactory())
    theirs = await log_in(fan)
    posts = (await client.get("/timeline", headers=headers)).json()["posts"]
    likes = 0
    for post in posts:
        reply = {"text": "Well done", "reply_to": post["id"]}
        liked, replied, trashed = await asyncio.gather(
            client.put(f"/posts/{post['id']}/like", headers=theirs),
            client.post("/posts", json=reply, headers=theirs),
            client.delete(url, headers=headers),
        )
        likes += liked.status_code == 204
        assert liked.status_code in {204, 404}
        assert replied.status_code in {201, 404}
        assert trashed.status_code == 200
        hidden = await client.put(f"/posts/{post['id']}/like", headers=theirs)
        assert hidden.status_code == 404
        assert (await client.post(f"{url}/restore", headers=headers)).status_code == 200
        shown = (await client.get(f"/posts/{post['id']}", headers=theirs)).json()
        assert (shown["likes"], shown["replies"]) == (
            int(liked.status_code == 204),
            int(replied.status_code == 201),
        )
    assert await rows(engine, "SELECT count(*) FROM likes") == [(likes,)]
    profile = await client.get(f"/users/{user_id}", headers=headers)
    assert profile.json()["counts"]["posts"] == len(posts)


async def test_a_todo_that_is_finished_and_deleted_at_once_has_no_post(live, commit, log_in):
    [user] = await commit(UserFactory())
    headers = await log_in(user)
    todos = await commit(
        *TodoFactory.build_batch(8, owner_id=user.id, state="todo", share="public")
    )
    async with live() as client:
        for todo in todos:
            finished, trashed = await asyncio.gather(
                client.patch(f"/todos/{todo.id}", json={"state": "done"}, headers=headers),
                client.delete(f"/todos/{todo.id}", headers=headers),
            )
            assert finished.status_code in {200, 404}
            assert trashed.status_code == 200
            assert (await client.get("/timeline", headers=headers)).json()["posts"] == []
            restored = await client.post(f"/todos/{todo.id}/restore", headers=headers)
            is_done = finished.status_code == 200
            assert (restored.json()["state"] == "done") == is_done
            posts = (await client.get("/timeline", headers=headers)).json()["posts"]
            assert len(posts) == is_done
            await client.delete(f"/todos/{todo.id}", headers=headers)


async def test_a_post_is_shown_once_after_many_deletions_and_restores_at_once(shelf, engine):
    client, headers, url, user_id = shelf
    for _ in range(3):
        requests = []
        for _ in range(4):
            requests += [
                client.delete(url, headers=headers),
                client.post(f"{url}/restore", headers=headers),
            ]
        responses = await asyncio.gather(*requests)
        assert {response.status_code for response in responses} <= {200, 404}
    await client.post(f"{url}/restore", headers=headers)

    assert await rows(engine, "SELECT count(*) FROM posts WHERE NOT hidden") == [(6,)]
    profile = await client.get(f"/users/{user_id}", headers=headers)
    assert profile.json()["counts"]["posts"] == 6


TRASHED = """
INSERT INTO users (username, email, password_hash) VALUES ('ana', 'ana@example.com', '');
INSERT INTO todos (owner_id, title, description, state, share)
SELECT id, unnest(ARRAY['shown', 'trashed']), '', 'done', 'public' FROM users;
INSERT INTO deletions (owner_id, kind, item_id, title) SELECT id, 'todo', 2, 'trashed' FROM users;
UPDATE todos SET deletion_id = deletions.id FROM deletions WHERE todos.title = 'trashed'
"""
COUNTED = "SELECT sum(change) FROM tally_changes"


async def test_the_release_before_shows_the_posts_and_an_upgrade_hides_them_again(empty):
    def ask(statement: str):
        with migrations.create_migration_engine(empty).begin() as connection:
            return connection.scalar(text(statement))

    await upgrade(empty)
    with migrations.create_migration_engine(empty).begin() as connection:
        for statement in TRASHED.split(";"):
            connection.execute(text(statement))
    assert ask("SELECT text FROM posts WHERE hidden") == "trashed"
    assert ask(COUNTED) == 1

    await alembic(empty, command.downgrade, "0024")
    assert ask(COUNTED) == 2
    with migrations.create_migration_engine(empty).begin() as connection:
        connection.execute(text("UPDATE todos SET state = 'todo' WHERE title = 'shown'"))
        connection.execute(text("UPDATE todos SET state = 'done' WHERE title = 'shown'"))
    assert ask(COUNTED) == 2

    await upgrade(empty)
    assert ask("SELECT text FROM posts WHERE hidden") == "trashed"
    assert ask(COUNTED) == 1
    assert ask("SELECT count(*) FROM posts") == 2


async def test_a_todo_that_the_release_before_completes_in_the_trash_is_not_posted(empty):
    await upgrade(empty)
    with migrations.create_migration_engine(empty).begin() as connection:
        for statement in TRASHED.replace("'done'", "'todo'").split(";"):
            connection.execute(text(statement))
        connection.execute(text("UPDATE todos SET state = 'done'"))
        posted = connection.scalars(text("SELECT text FROM posts")).all()
        counted = connection.scalar(text(COUNTED))

    assert (posted, counted) == (["shown"], 1)
