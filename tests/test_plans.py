"""Query plans, with 100,000 todos of 3,000 other users and their posts."""

import re

import pytest
from sqlalchemy import text

from fast_zero.notifications import queries as notification_queries
from fast_zero.people import queries as people_queries
from fast_zero.posts import queries as post_queries
from fast_zero.timelines import queries as timeline_queries
from fast_zero.todos import queries as todo_queries
from tests.factories import PASSWORD, PostFactory, TodoFactory

OTHER_USERS = """
SET LOCAL statement_timeout = 0;
INSERT INTO users (username, email, password_hash)
SELECT 'other ' || number, 'other' || number || '@example.com', 'none'
FROM generate_series(1, 3000) AS number;
INSERT INTO todos (owner_id, title, description, state)
SELECT id, 'Todo ' || number, 'Of another user', 'todo'
FROM users, generate_series(1, 35) AS number WHERE username LIKE 'other %';
SET LOCAL session_replication_role = replica;
INSERT INTO follows (follower_id, followed_id)
SELECT one.id, other.id FROM users AS one JOIN users AS other
ON other.id > one.id AND other.id <= one.id + 20 AND one.username LIKE 'other %';
INSERT INTO posts (author_id, text, visibility, above)
SELECT id, 'Of another user', 'public', '{}'
FROM users, generate_series(1, 20) AS number WHERE username LIKE 'other %';
INSERT INTO likes (post_id, user_id) SELECT id, author_id FROM posts;
INSERT INTO notifications (user_id, kind, post_id, since)
SELECT author_id, 'like', id, 1 FROM posts;
SET LOCAL session_replication_role = origin;
ANALYZE users, todos, follows, posts, likes, notifications;
"""

# Other tables have few rows here, so a sequential scan of them is cheap.
SCANS = re.compile(r"Seq Scan on (users|todos|follows|posts|likes|notifications)\b")


@pytest.fixture
async def explain(connection, sent):
    """Return the plans of the statements that were sent since the setup."""
    for statement in OTHER_USERS.strip().split(";\n"):
        await connection.execute(text(statement))
    sent.clear()

    async def plans() -> dict[str, str]:
        explainable = ("SELECT", "UPDATE", "DELETE", "WITH")
        explained = {}
        for statement, parameters in [item for item in sent if item[0].startswith(explainable)]:
            lines = await connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
            explained[statement] = "\n".join(line for (line,) in lines)
            generic = f"EXPLAIN (GENERIC_PLAN) {numbered(statement)}"
            lines = await connection.exec_driver_sql(generic)
            explained[generic] = "\n".join(line for (line,) in lines)
        return explained

    return plans


def numbered(statement: str) -> str:
    """Write a statement as it is prepared: with numbers for its values."""
    names: dict[str, int] = {}
    placeholder = re.compile(r"%\((\w+)\)s")
    return placeholder.sub(
        lambda match: f"${names.setdefault(match[1], len(names) + 1)}", statement
    )


async def test_no_hot_statement_scans_a_whole_table(client, user, save, explain):
    [todo, other, gone] = await save(*TodoFactory.build_batch(3, owner_id=user.id))
    batch = [
        {"op": "update", "id": todo.id, "title": "newer"},
        {"op": "delete", "id": gone.id},
    ]
    form = {"username": user.email, "password": PASSWORD}
    [post] = await save(PostFactory(author_id=user.id))
    for response in (
        await client.get("/todos?limit=20"),
        await client.get("/todos?limit=20&after=AAAAAAAAAAE"),
        await client.get("/todos?state=doing"),
        await client.get("/todos?state=doing&state=done"),
        await client.get("/todos?title=bread&description=dark"),
        await client.get(f"/todos/{todo.id}"),
        await client.patch(f"/todos/{todo.id}", json={"title": "new"}),
        await client.patch(f"/todos/{todo.id}", json={"title": "a"}, headers={"If-Match": '"2"'}),
        await client.post("/todos/batch", json={"items": batch}),
        await client.delete(f"/todos/{other.id}", headers={"If-Match": "*"}),
        await client.get("/users?limit=20"),
        await client.get("/users?limit=20&after=AAAAAAAAAAE"),
        await client.get(f"/users/{user.id}"),
        await client.get(f"/users/{user.id}/posts?limit=20"),
        await client.get(f"/users/{user.id}/followers?limit=20"),
        await client.get(f"/users/{user.id}/following?limit=20"),
        await client.get("/posts?limit=20"),
        await client.get("/timeline?limit=20"),
        await client.get("/notifications?limit=20"),
        await client.get(f"/posts/{post.id}"),
        await client.put(f"/posts/{post.id}/like"),
        await client.put("/notifications/read", json={"up_to": 1}),
        await client.post("/auth/token", data=form),
    ):
        assert response.is_success, response.text

    plans = await explain()

    assert len(plans) >= 50
    assert [plan for plan in plans.values() if SCANS.search(plan)] == []


CURSORS = ("AAAAAAAAAAE", "AAAAAAAAAAI")


@pytest.mark.parametrize(
    ("built", "paths"),
    [
        (todo_queries.list_statement, ("/todos?limit=1", "/todos?limit=2&offset=3")),
        (todo_queries.list_statement, [f"/todos?after={cursor}" for cursor in CURSORS]),
        (
            todo_queries.list_statement,
            ("/todos?state=todo&title=bread", "/todos?title=rye&state=done&limit=3"),
        ),
        (
            todo_queries.list_statement,
            (
                "/todos?description=dark&state=todo&state=done",
                "/todos?state=trash&state=doing&state=draft&description=rye",
            ),
        ),
        (timeline_queries.timeline_statement, ("/timeline", "/timeline?limit=2&offset=3")),
        (
            timeline_queries.timeline_statement,
            [f"/timeline?replies=1&after={cursor}" for cursor in CURSORS],
        ),
        (post_queries.list_statement, ("/posts?limit=1", "/posts?limit=2&offset=3")),
        (people_queries.list_statement, [f"/users?after={cursor}" for cursor in CURSORS]),
        (
            notification_queries.list_statement,
            [f"/notifications?unread=1&after={cursor}" for cursor in CURSORS],
        ),
    ],
)
async def test_a_list_statement_is_built_once_for_all_values(client, built, paths):
    await check_built_once(client, built, [("GET", path, {}) for path in paths])


@pytest.mark.parametrize("headers", [{}, {"If-Match": "*"}, {"If-Match": '"1", "2"'}])
@pytest.mark.parametrize("names", [(), ("title",), ("state",), ("description", "title")])
async def test_an_update_statement_is_built_once_for_all_values(client, user, save, headers, names):
    saved = await save(*TodoFactory.build_batch(2, owner_id=user.id))
    changes = [dict.fromkeys(names, state) for state in ("todo", "done")]
    requests = [
        ("PATCH", f"/todos/{todo.id}", {"json": change, "headers": headers})
        for todo, change in zip(saved, changes, strict=True)
    ]

    await check_built_once(client, todo_queries.update_statement, requests)


async def check_built_once(client, built, requests) -> None:
    built.cache_clear()
    for method, path, options in requests:
        response = await client.request(method, path, **options)
        assert response.is_success, response.text
    assert (built.cache_info().misses, built.cache_info().hits) == (1, len(requests) - 1)
