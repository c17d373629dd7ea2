"""Query plans, with 100,000 todos of 3,000 other users and their posts."""

import re

import pytest
from sqlalchemy import text

from fast_zero.notifications import queries as notification_queries
from fast_zero.people import queries as people_queries
from fast_zero.posts import queries as post_queries
from fast_zero.search import queries as search_queries
from fast_zero.timelines import queries as timeline_queries
from fast_zero.todos import queries as todo_queries
from tests.factories import (
    PASSWORD,
    LabelFactory,
    PostFactory,
    ProjectFactory,
    SavedFilterFactory,
    SectionFactory,
    TodoFactory,
    relate,
)

OTHER_USERS = """
SET LOCAL statement_timeout = 0;
INSERT INTO users (username, email, password_hash)
SELECT 'other ' || number, 'other' || number || '@example.com', 'none'
FROM generate_series(1, 3000) AS number;
INSERT INTO todos (owner_id, title, description, state)
SELECT id, 'Todo ' || number, 'Of another user', 'todo'
FROM users, generate_series(1, 35) AS number WHERE username LIKE 'other %';
INSERT INTO projects (owner_id, name) SELECT id, 'Project ' || number
FROM users, generate_series(1, 5) AS number WHERE username LIKE 'other %';
INSERT INTO sections (owner_id, project_id, name) SELECT owner_id, id, 'Section' FROM projects;
INSERT INTO deletions (owner_id, kind, item_id, title)
SELECT id, 'todo', number, 'Of another user'
FROM users, generate_series(1, 5) AS number WHERE username LIKE 'other %';
SET LOCAL session_replication_role = replica;
INSERT INTO follows (follower_id, followed_id)
SELECT one.id, other.id FROM users AS one JOIN users AS other
ON other.id > one.id AND other.id <= one.id + 20 AND one.username LIKE 'other %';
INSERT INTO labels (owner_id, name)
SELECT id, 'label ' || number FROM users, generate_series(1, 5) AS number;
INSERT INTO todo_labels (owner_id, todo_id, label_id)
SELECT owner_id, todos.id, labels.id FROM todos JOIN labels USING (owner_id)
WHERE labels.id % 5 < 2;
INSERT INTO todo_relations (owner_id, todo_id, other_id, kind)
SELECT owner_id, id, id + 1, 'blocks' FROM todos WHERE id % 7 = 0;
INSERT INTO posts (author_id, text, visibility, above)
SELECT id, 'Of another user', 'public', '{}'
FROM users, generate_series(1, 20) AS number WHERE username LIKE 'other %';
INSERT INTO likes (post_id, user_id) SELECT id, author_id FROM posts;
INSERT INTO notifications (user_id, kind, post_id, since)
SELECT author_id, 'like', id, 1 FROM posts;
SET LOCAL session_replication_role = origin;
ANALYZE users, todos, follows, posts, likes, notifications;
ANALYZE projects, sections, labels, todo_labels, todo_relations, deletions;
"""

FILTER = (
    "due<=friday or created>monday and label:a,none not (project:x,none or section:y) and bread"
    " or priority>=high is:blocked,recurring,subtask,overdue or state:todo,doing completed<7d"
)
# Other tables have few rows here, so a sequential scan of them is cheap.
SCANS = re.compile(
    r"Seq Scan on (users|todos|follows|posts|likes|notifications"
    r"|projects|sections|labels|todo_labels|todo_relations|deletions)\b"
)


@pytest.fixture
async def explain(connection, sent):
    """Return the plans of the statements that were sent since the setup."""
    for statement in OTHER_USERS.strip().split(";\n"):
        await connection.execute(text(statement))
    sent.clear()

    async def plans() -> dict[str, str]:
        explainable = ("SELECT", "UPDATE", "DELETE", "WITH")
        explained = {}
        # Each statement once: psycopg would prepare one that is sent often.
        different = {item[0]: item[1] for item in sent if item[0].startswith(explainable)}
        for statement, parameters in different.items():
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
    [project] = await save(ProjectFactory(owner_id=user.id))
    [section] = await save(SectionFactory(owner_id=user.id, project_id=project.id))
    [done, moved] = await save(*TodoFactory.build_batch(2, owner_id=user.id))
    await save(relate(todo, other))
    [saved] = await save(SavedFilterFactory(owner_id=user.id, filter=FILTER))
    place = f"project_id={project.id}&section_id={section.id}&parent_id={todo.id}"
    by_due = (await client.get("/todos?sort=due,-priority,title&limit=1")).json()["next"]
    await save(*TodoFactory.build_batch(2, owner_id=user.id, title="a"))
    relevant = await client.get("/todos?q=a&sort=relevance&limit=1")
    by_relevance = relevant.json()["next"]
    batch = [
        {"op": "create", "title": "a", "section_id": section.id, "labels": ["a"]},
        {"op": "create", "title": "b", "parent_id": todo.id},
        {"op": "update", "id": todo.id, "title": "newer", "labels": ["a", "b"]},
        {"op": "delete", "id": gone.id},
        {"op": "complete", "id": done.id, "force": True},
        {"op": "move", "id": moved.id, "before": todo.id},
    ]
    restoring = [{"op": "restore", "id": gone.id}]
    form = {"username": user.email, "password": PASSWORD}
    [post] = await save(PostFactory(author_id=user.id))
    for response in (
        await client.get("/todos?limit=20"),
        await client.get("/todos?limit=20&after=AAAAAAAAAAE"),
        await client.get("/todos?state=doing"),
        await client.get("/todos?state=doing&state=done"),
        await client.get("/todos?title=bread&description=dark"),
        await client.get("/todos?label=a&label=b"),
        await client.get(f"/todos?{place}"),
        await client.get("/todos?project_id=none&section_id=none&parent_id=none"),
        await client.get("/todos?priority=high&priority=urgent"),
        await client.get("/todos?due_before=2026-12-04&due_after=2026-12-01"),
        await client.get("/todos?overdue=true&sort=due"),
        await client.get("/todos?overdue=false&sort=-priority,title"),
        await client.get("/todos?sort=position&limit=20"),
        await client.get("/todos?state=done&sort=-completed_at&limit=20"),
        await client.get("/todos?sort=-created_at,position&limit=20"),
        await client.get(f"/todos?sort=due,-priority,title&after={by_due}"),
        await client.get("/todos", params={"filter": FILTER, "limit": 20}),
        await client.get("/todos", params={"saved_filter": saved.id, "sort": "-title"}),
        await client.get("/todos?q=buy%20bread&limit=20"),
        await client.get("/todos?q=todo&state=todo&label=a&limit=20&offset=1"),
        await client.get("/todos?q=a&sort=relevance&limit=1"),
        await client.get(f"/todos?q=a&sort=relevance&after={by_relevance}"),
        await client.get("/todos/summary"),
        await client.get(f"/todos/{todo.id}"),
        await client.patch(f"/todos/{todo.id}", json={"title": "new"}),
        await client.patch(f"/todos/{todo.id}", json={"title": "a"}, headers={"If-Match": '"2"'}),
        await client.post("/todos/batch", json={"items": batch}),
        await client.post("/todos/quick", json={"text": "Buy salt #Home/Kitchen @a"}),
        await client.post("/todos/batch", json={"items": restoring}),
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

    assert len(plans) >= 100
    assert [plan for plan in plans.values() if SCANS.search(plan)] == []


async def test_no_statement_about_projects_or_the_trash_scans_a_whole_table(
    client, user, save, explain
):
    one, other, gone = await save(*ProjectFactory.build_batch(3, owner_id=user.id))
    sections = await save(*SectionFactory.build_batch(3, owner_id=user.id, project_id=one.id))
    first, second, last = [f"/projects/{one.id}/sections/{section.id}" for section in sections]
    for method, path, body in (
        ("GET", "/projects?limit=20", None),
        ("GET", "/projects?limit=20&after=AAAAAAAAAAE&archived=true", None),
        ("GET", f"/projects/{one.id}", None),
        ("PATCH", f"/projects/{one.id}", {"name": "new"}),
        ("POST", f"/projects/{one.id}/move", {"after": other.id}),
        ("POST", f"/projects/{one.id}/move", {"before": other.id}),
        ("POST", f"/projects/{one.id}/move", {"parent_id": None}),
        ("GET", f"/projects/{one.id}/sections?limit=20", None),
        ("POST", f"/projects/{one.id}/sections", {"name": "new"}),
        ("GET", first, None),
        ("PATCH", first, {"name": "new"}),
        ("POST", f"{first}/move", {"after": sections[1].id}),
        ("POST", f"{second}/move", {"before": sections[0].id}),
        ("DELETE", last, None),
        ("DELETE", f"/projects/{other.id}", None),
        ("POST", f"/projects/{other.id}/restore", None),
        ("DELETE", f"/projects/{gone.id}", None),
        ("GET", "/trash?limit=20", None),
        ("DELETE", "/trash", None),
    ):
        response = await client.request(method, path, json=body)
        assert response.is_success, response.text

    plans = await explain()

    assert len(plans) >= 40
    assert [plan for plan in plans.values() if SCANS.search(plan)] == []


CURSORS = ("AAAAAAAAAAE", "AAAAAAAAAAI")


@pytest.mark.parametrize(
    ("built", "paths"),
    [
        (search_queries.list_statement, ("/todos?limit=1", "/todos?limit=2&offset=3")),
        (search_queries.list_statement, [f"/todos?after={cursor}" for cursor in CURSORS]),
        (
            search_queries.list_statement,
            ("/todos?state=todo&title=bread", "/todos?title=rye&state=done&limit=3"),
        ),
        (
            search_queries.list_statement,
            (
                "/todos?description=dark&state=todo&state=done",
                "/todos?state=trash&state=doing&state=draft&description=rye",
            ),
        ),
        (
            search_queries.list_statement,
            ("/todos?q=bread", "/todos?q=dark%20rye%20bread&limit=3", '/todos?q="a%20b"'),
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
    changes = [dict.fromkeys(names, state) for state in ("todo", "doing")]
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


async def test_no_statement_about_labels_or_relations_scans_a_whole_table(
    client, user, save, explain
):
    todo, parent = await save(*TodoFactory.build_batch(2, owner_id=user.id, state="todo"))
    await save(TodoFactory(owner_id=user.id, state="todo", parent_id=parent.id))
    names = ("errands", "shopping")
    label, into = await save(*(LabelFactory(owner_id=user.id, name=name) for name in names))
    relation = f"/todos/{parent.id}/relations/blocked_by/{todo.id}"
    for method, path, body in (
        ("POST", "/todos", {"title": "a", "labels": [label.name, "home"]}),
        ("PATCH", f"/todos/{todo.id}", {"labels": [label.name, "work"]}),
        ("PUT", relation, None),
        ("GET", f"/todos/{parent.id}/relations", None),
        ("POST", f"/todos/{parent.id}/complete?force=true", None),
        ("DELETE", relation, None),
        ("GET", "/labels?limit=20", None),
        ("GET", "/labels?limit=20&after=AAAAAAAAAAE", None),
        ("GET", f"/labels/{label.id}", None),
        ("PATCH", f"/labels/{label.id}", {"color": "red"}),
        ("POST", f"/labels/{label.id}/merge", {"into": into.id}),
        ("DELETE", f"/labels/{into.id}", None),
    ):
        response = await client.request(method, path, json=body)
        assert response.is_success, response.text

    plans = await explain()

    assert len(plans) >= 24
    assert [plan for plan in plans.values() if SCANS.search(plan)] == []
