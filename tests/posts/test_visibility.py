"""After any sequence of actions, what a user sees matches a model in plain Python."""

from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from fast_zero.core.types import MAX_BIGINT
from fast_zero.models import Deletion, User
from fast_zero.profiles import tallies
from fast_zero.timelines import queries as timeline_queries
from tests.factories import UserFactory

PEOPLE = 4
LEVELS = ["public", "followers", "private"]
SHARES = [None, "off", "followers", "public"]
STATES = ["todo", "done"]
people = st.integers(0, PEOPLE - 1)
pairs = st.tuples(people, people).filter(lambda pair: pair[0] != pair[1])
which = st.integers(0, 5)  # of the posts so far, or the todos
shares = st.sampled_from(SHARES)
any_action = st.one_of(
    st.tuples(st.just("follow"), pairs),
    st.tuples(st.just("follow"), pairs),
    st.tuples(st.just("unfollow"), pairs),
    st.tuples(st.just("block"), pairs),
    st.tuples(st.just("unblock"), pairs),
    st.tuples(st.just("post"), st.tuples(people, st.sampled_from(LEVELS))),
    st.tuples(st.just("post"), st.tuples(people, st.sampled_from(LEVELS))),
    st.tuples(st.just("reply"), st.tuples(people, which, st.sampled_from([None, *LEVELS]))),
    st.tuples(st.just("reply"), st.tuples(people, which, st.none())),
    st.tuples(st.just("like"), st.tuples(people, which)),
    st.tuples(st.just("like"), st.tuples(people, which)),
    st.tuples(st.just("unlike"), st.tuples(people, which)),
    st.tuples(st.just("delete"), st.tuples(people, which)),
    st.tuples(st.just("todo"), st.tuples(people, st.sampled_from(STATES), shares)),
    st.tuples(st.just("change"), st.tuples(which, st.sampled_from(STATES), shares)),
    st.tuples(st.just("trash"), st.tuples(which)),
    st.tuples(st.just("trash"), st.tuples(which)),
    st.tuples(st.just("restore"), st.tuples(which)),
    st.tuples(st.just("forget"), st.tuples(which)),
    st.tuples(st.just("default"), st.tuples(people, shares.filter(bool))),
)


@dataclass
class ModelPost:
    """A post of the model."""

    id: int
    author: int
    level: str
    parent: "ModelPost | None"
    gone: bool = False
    hidden: bool = False
    likers: set[int] = field(default_factory=set)


@dataclass
class ModelTodo:
    """A todo of the model, and the post that announces it, if any."""

    id: int
    owner: int
    state: str
    share: str | None
    post: ModelPost | None = None
    deleted: bool = False

    def retract(self) -> None:
        if self.post:
            self.post.gone, self.post.likers = True, set()
        self.post = None


class Model:
    """The rules with sets and lists, regardless of speed."""

    def __init__(self) -> None:
        self.follows: list[tuple[int, int]] = []
        self.blocks: set[tuple[int, int]] = set()
        self.posts: list[ModelPost] = []
        self.todos: list[ModelTodo] = []
        self.defaults = ["off"] * PEOPLE

    def level(self, todo: ModelTodo) -> str:
        """Return with whom a todo is shared now."""
        return (todo.share or self.defaults[todo.owner]) if todo.state == "done" else "off"

    def strangers(self, one: int, other: int) -> bool:
        return bool({(one, other), (other, one)} & self.blocks)

    def relate(self, action: str, pair: tuple[int, int]) -> None:
        match action:
            case "follow" if pair not in self.follows:
                self.follows.append(pair)
            case "unfollow" if pair in self.follows:
                self.follows.remove(pair)
            case "block":
                self.blocks.add(pair)
                self.follows = [found for found in self.follows if {*found} != {*pair}]
            case "unblock":
                self.blocks.discard(pair)

    def audience(self, post: ModelPost) -> int | None:
        """Return whose followers can see a followers-only post."""
        if post.parent and self.audience(post.parent) is not None:
            return self.audience(post.parent)
        return post.author if post.level == "followers" else None

    def sees(self, reader: int, post: ModelPost) -> bool:
        if post.gone or post.hidden:
            return False
        if post.author == reader:
            return True
        audience = self.audience(post)
        return (
            post.level != "private"
            and audience in (None, reader, *(b for a, b in self.follows if a == reader))
            and not any(self.strangers(reader, author) for author in authors(post))
        )

    def shown(self, reader: int, post: ModelPost) -> dict:
        likers = [liker for liker in post.likers if not self.strangers(reader, liker)]
        return {
            "id": post.id,
            "parent_gone": post.parent is not None and not self.sees(reader, post.parent),
            "likes": len(likers),
            "liked": reader in post.likers,
            "replies": len([reply for reply in self.replies(post) if self.sees(reader, reply)]),
        }

    def replies(self, post: ModelPost) -> list[ModelPost]:
        return [reply for reply in self.posts if reply.parent is post]

    def thread(self, reader: int, post: ModelPost, levels: int = 3) -> list:
        nested = []
        for reply in self.replies(post) if levels else []:
            below = self.thread(reader, reply, levels - 1)
            if self.sees(reader, reply) or (
                reply.gone and (below or self.shown(reader, reply)["replies"])
            ):
                nested.append((reply.id, below))
        return nested


def authors(post: ModelPost) -> set[int]:
    """Return the authors of a post and of all posts that it replies to."""
    own = {post.author}
    return own | authors(post.parent) if post.parent else own


def newest(posts: list[ModelPost]) -> list[int]:
    return [post.id for post in reversed(posts)]


class Harness:
    """The application and the model. Every action is applied to both."""

    def __init__(self, client, users, bearer, sessions) -> None:
        self.client, self.sessions = client, sessions
        self.ids = [user.id for user in users]
        self.number = {user.id: person for person, user in enumerate(users)}
        self.headers = [bearer(user) for user in users]
        self.model = Model()

    async def request(self, person: int, method: str, path: str, body=None):
        return await self.client.request(method, path, json=body, headers=self.headers[person])

    async def listed(self, person: int, path: str, **params) -> list[dict]:
        """Walk all pages of a list."""
        found, after = [], {}
        while after is not None:
            query = {"limit": 3, **params, **after}
            response = await self.client.get(path, params=query, headers=self.headers[person])
            assert response.status_code == 200, response.text
            body = response.json()
            found += body.get("posts", body.get("users"))
            after = body["next"] and {"after": body["next"]}
        return found

    async def people(self, person: int, path: str) -> list[int]:
        return [self.number[shown["id"]] for shown in await self.listed(person, path)]

    def post(self, place: int) -> ModelPost | None:
        return self.model.posts[place] if place < len(self.model.posts) else None

    # Actions of users, with the expected responses.

    async def relate(self, action: str, person: int, other: int) -> None:
        model, pair = self.model, (person, other)
        allowed = not model.strangers(person, other)
        if action.endswith("block"):
            allowed = allowed or pair in model.blocks
        method = "DELETE" if action.startswith("un") else "PUT"
        path = f"/users/{self.ids[other]}/{action.removeprefix('un')}"
        response = await self.request(person, method, path)
        assert response.status_code == (204 if allowed else 404), response.text
        if allowed:
            model.relate(action, pair)

    async def create_post(self, _action: str, person: int, level: str) -> None:
        response = await self.request(
            person, "POST", "/posts", {"text": "post", "visibility": level}
        )
        self.model.posts.append(ModelPost(response.json()["id"], person, level, None))

    async def reply(self, _action: str, person: int, place: int, level: str | None) -> None:
        parent = self.post(place)
        body = {"text": "reply", "reply_to": parent.id if parent else MAX_BIGINT}
        body |= {"visibility": level} if level else {}
        response = await self.request(person, "POST", "/posts", body)
        if parent is None or not self.model.sees(person, parent):
            assert response.status_code == 404
        elif level and LEVELS.index(level) < LEVELS.index(parent.level):
            assert response.status_code == 422
        else:
            created = ModelPost(response.json()["id"], person, level or parent.level, parent)
            self.model.posts.append(created)

    async def like(self, action: str, person: int, place: int) -> None:
        post = self.post(place)
        method = "PUT" if action == "like" else "DELETE"
        response = await self.request(
            person, method, f"/posts/{post.id if post else MAX_BIGINT}/like"
        )
        seen = post is not None and self.model.sees(person, post)
        assert response.status_code == (204 if seen else 404)
        if seen:
            (post.likers.add if action == "like" else post.likers.discard)(person)

    async def delete(self, _action: str, person: int, place: int) -> None:
        post = self.post(place)
        response = await self.request(person, "DELETE", f"/posts/{post.id if post else MAX_BIGINT}")
        own = post is not None and self.model.sees(person, post) and post.author == person
        assert response.status_code == (204 if own else 404)
        if own:
            post.gone, post.likers = True, set()

    async def update_shared_post(self, todo: ModelTodo) -> None:
        """Delete the outdated post of a todo from the model, and add the post that replaces it."""
        level = self.model.level(todo)
        if todo.post and (todo.post.gone or todo.post.level != level):
            todo.retract()
        if level != "off" and not todo.post:
            response = await self.request(todo.owner, "GET", f"/users/{self.ids[todo.owner]}/posts")
            [newest, *_] = response.json()["posts"]
            assert (newest["finished"], newest["visibility"]) == (True, level)
            assert newest["id"] not in {post.id for post in self.model.posts}
            todo.post = ModelPost(newest["id"], todo.owner, level, None)
            self.model.posts.append(todo.post)

    async def create_todo(self, _action: str, person: int, state: str, share: str | None) -> None:
        body = {"title": "todo", "state": state, "share": share}
        response = await self.request(person, "POST", "/todos", body)
        created = ModelTodo(response.json()["id"], person, state, share)
        self.model.todos.append(created)
        await self.update_shared_post(created)

    async def update_todo(self, _action: str, place: int, state: str, share: str | None) -> None:
        if place >= len(self.model.todos):
            return
        todo = self.model.todos[place]
        response = await self.request(
            todo.owner, "PATCH", f"/todos/{todo.id}", {"state": state, "share": share}
        )
        assert response.status_code == (404 if todo.deleted else 200)
        if todo.deleted:
            return
        same = (todo.state, todo.share) == (state, share)
        todo.state, todo.share = state, share
        if not same:
            await self.update_shared_post(todo)

    async def move_todo(self, action: str, place: int) -> None:
        """Move a todo into the trash, or out of it."""
        if place >= len(self.model.todos):
            return
        todo, trash = self.model.todos[place], action == "trash"
        method, path = ("DELETE", "") if trash else ("POST", "/restore")
        response = await self.request(todo.owner, method, f"/todos/{todo.id}{path}")
        assert response.status_code == (404 if todo.deleted == trash else 200)
        todo.deleted = trash
        if todo.post:
            todo.post.hidden = trash

    async def delete_todo(self, _action: str, place: int) -> None:
        """Delete a todo for good, from the trash."""
        if place < len(self.model.todos):
            await self.move_todo("trash", place)
            todo = self.model.todos.pop(place)
            async with self.sessions.begin() as session:
                await session.execute(delete(Deletion).where(Deletion.item_id == todo.id))
            todo.retract()

    async def update_default(self, _action: str, person: int, share: str) -> None:
        await self.request(person, "PATCH", "/users/me", {"share_todos": share})
        self.model.defaults[person] = share
        for todo in self.model.todos:
            if share == "off" and todo.owner == person and todo.share is None:
                todo.retract()

    # Responses to a reader, compared with the model.

    async def check_lists(self, reader: int, visible: list[ModelPost]) -> None:
        model = self.model
        by_id = {post.id: post for post in model.posts}
        near = {reader, *(b for a, b in model.follows if a == reader)}
        for replies in (False, True):
            wanted = [post for post in visible if replies or post.parent is None]
            home = await self.listed(reader, "/posts", replies=replies)
            public = [post for post in wanted if post.level == "public"]
            assert [shown["id"] for shown in home] == newest(public)
            timeline = await self.listed(reader, "/timeline", replies=replies)
            expected = newest([post for post in wanted if post.author in near])
            assert [shown["id"] for shown in timeline] == expected
            for shown in home + timeline:
                assert shown.items() >= model.shown(reader, by_id[shown["id"]]).items()
        liked = [shown["id"] for shown in await self.listed(reader, "/users/me/likes")]
        assert sorted(liked) == [post.id for post in visible if reader in post.likers]
        blocked = await self.people(reader, "/users/me/blocks")
        assert sorted(blocked) == sorted(b for a, b in model.blocks if a == reader)

    async def check_posts(self, reader: int, visible: list[ModelPost]) -> None:
        for post in self.model.posts:
            response = await self.request(reader, "GET", f"/posts/{post.id}")
            likes = await self.request(reader, "GET", f"/posts/{post.id}/likes")
            assert response.status_code == likes.status_code == (200 if post in visible else 404)
            if post in visible:
                body, expected = response.json(), self.model.shown(reader, post)
                assert body.items() >= expected.items()
                assert nested(body["thread"]) == self.model.thread(reader, post)
                assert len(likes.json()["users"]) == expected["likes"]

    async def check_people(self, reader: int, visible: list[ModelPost]) -> None:
        model = self.model
        known = [person for person in range(PEOPLE) if not model.strangers(reader, person)]
        assert await self.people(reader, "/users") == known
        for person in range(PEOPLE):
            path = f"/users/{self.ids[person]}"
            for below in ("", "/posts", "/stats", "/followers", "/following"):
                response = await self.request(reader, "GET", path + below)
                assert response.status_code == (200 if person in known else 404)
        for person in known:
            path = f"/users/{self.ids[person]}"
            theirs = [post for post in visible if post.author == person]
            followers = [a for a, b in model.follows if b == person and a in known]
            following = [b for a, b in model.follows if a == person and b in known]
            profile = (await self.request(reader, "GET", path)).json()
            stats = (await self.request(reader, "GET", f"{path}/stats")).json()
            shared = [todo.post for todo in model.todos if todo.owner == person and todo.post]
            done = [todo for todo in model.todos if todo.owner == person and todo.state == "done"]
            finished = sum(day["finished"] for day in stats["days"])
            if person == reader:  # deleted todos count in one's own statistics
                assert finished >= len(done)
            else:
                assert finished == len([post for post in shared if model.sees(reader, post)])
            counts = {
                "posts": len(theirs),
                "followers": len(followers),
                "following": len(following),
            }
            assert profile["counts"] == counts
            assert profile["following"] == ((reader, person) in model.follows)
            assert profile["followed_by"] == ((person, reader) in model.follows)
            posts = await self.listed(reader, f"{path}/posts", replies=True)
            assert [shown["id"] for shown in posts] == newest(theirs)
            assert await self.people(reader, f"{path}/followers") == followers[::-1]
            assert await self.people(reader, f"{path}/following") == following[::-1]

    async def check_notifications(self, reader: int, visible: list[ModelPost]) -> None:
        """Check that all events of others are notified. The reader never marks any as read."""
        model = self.model
        visible_people = [person for person in range(PEOPLE) if not model.strangers(reader, person)]
        followers = {a for a, b in model.follows if b == reader}
        own = [post for post in visible if post.author == reader]
        replies = [(p, {r.author for r in model.replies(p) if r in visible}) for p in own]
        events = [
            ("follow", None, followers),
            *(("reply", post.id, people) for post, people in replies),
        ]
        events += [("like", post.id, post.likers.intersection(visible_people)) for post in own]
        expected = {
            (kind, post, len(who - {reader})) for kind, post, who in events if who - {reader}
        }

        page = (await self.request(reader, "GET", "/notifications")).json()

        found = [
            (notification["kind"], notification["post"], notification["people_count"])
            for notification in page["notifications"]
        ]
        assert {(kind, post and post["id"], count) for kind, post, count in found} == expected
        assert page["unread"] == len(found) == len(expected)


ACTIONS = {
    "follow": Harness.relate,
    "unfollow": Harness.relate,
    "block": Harness.relate,
    "unblock": Harness.relate,
    "post": Harness.create_post,
    "reply": Harness.reply,
    "like": Harness.like,
    "unlike": Harness.like,
    "delete": Harness.delete,
    "todo": Harness.create_todo,
    "change": Harness.update_todo,
    "trash": Harness.move_todo,
    "restore": Harness.move_todo,
    "forget": Harness.delete_todo,
    "default": Harness.update_default,
}


@pytest.fixture
def small_search(monkeypatch):
    """Make the search of recent posts so small that it is often not enough."""
    monkeypatch.setattr(timeline_queries, "SEARCHED_PER_POST", 1)
    monkeypatch.setattr(timeline_queries, "FEW", 1)
    timeline_queries.timeline_statement.cache_clear()
    yield
    timeline_queries.timeline_statement.cache_clear()


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    actions=st.lists(any_action, min_size=5, max_size=30), reader=people, aggregate=st.booleans()
)
async def test_visibility_matches_the_model(
    anonymous, sessions, save, bearer, small_search, actions, reader, aggregate
):
    async with sessions.begin() as session:  # rows of the previous example
        await session.execute(delete(User))
    users = await save(*(UserFactory() for _ in range(PEOPLE)))
    harness = Harness(anonymous, users, bearer, sessions)

    for action, details in actions:
        await ACTIONS[action](harness, action, *details)

    if aggregate:
        async with sessions.begin() as session:
            await tallies.add_up(session)
    visible = [post for post in harness.model.posts if harness.model.sees(reader, post)]
    await harness.check_lists(reader, visible)
    await harness.check_posts(reader, visible)
    await harness.check_people(reader, visible)
    await harness.check_notifications(reader, visible)


def nested(thread: list[dict]) -> list:
    return [(reply["id"], nested(reply["thread"])) for reply in thread]
