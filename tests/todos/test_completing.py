"""`POST /todos/{id}/complete`, and `PATCH` to `done`."""

import pytest
from sqlalchemy import select

from fast_zero.models import Post, Relation, Todo
from tests.core.expect import problem
from tests.factories import TodoFactory

NOT_FOUND = (404, "Task not found.")
STALE = (412, "It has changed since you read it. Read it again, then send your change.")
BLOCKED = (409, "An open todo blocks it, or one of its subtasks. Complete that one first.")
WAYS = ("complete", "patch")


@pytest.fixture
def add(save, user):
    async def add(title: str, parent: Todo | None = None, **values) -> Todo:
        place = {} if parent is None else {"parent_id": parent.id}
        new = {"owner_id": user.id, "title": title, "state": "todo"} | place | values
        [todo] = await save(TodoFactory(**new))
        return todo

    return add


@pytest.fixture
def block(save, user):
    async def block(blocker: Todo, blocked: Todo) -> None:
        await save(
            Relation(owner_id=user.id, todo_id=blocker.id, other_id=blocked.id, kind="blocks")
        )

    return block


async def complete(client, way: str, todo_id: int, **headers: str):
    if way == "complete":
        return await client.post(f"/todos/{todo_id}/complete", headers=headers)
    return await client.patch(f"/todos/{todo_id}", json={"state": "done"}, headers=headers)


async def states(client, *todos: Todo) -> list[str]:
    return [(await client.get(f"/todos/{todo.id}")).json()["state"] for todo in todos]


@pytest.mark.parametrize("way", WAYS)
async def test_a_todo_is_completed_in_one_statement(client, add, statements, way):
    todo = await add("Buy bread")

    with statements() as sent:
        response = await complete(client, way, todo.id)

    body = response.json()
    assert (response.status_code, body["state"]) == (200, "done")
    assert body["completed_at"] is not None
    assert body["version"] == 2
    assert response.headers["etag"].startswith('"2.')
    assert (len(sent), sent.transactions) == (1, 0)
    read = await client.get(f"/todos/{todo.id}")
    assert body.pop("completed_occurrence", None) is None
    assert (read.json(), read.headers["etag"]) == (body, response.headers["etag"])


@pytest.mark.parametrize("way", WAYS)
async def test_open_subtasks_are_completed_with_their_parent(
    client, add, save, user, statements, way
):
    root = await add("root")
    below = await add("draft", root, state="draft")
    deep = await add("doing", below, state="doing")
    done = await add("done", root, state="done")
    under_done = await add("under done", done)
    thrown = await add("thrown away", root, state="trash")
    deleted = await add("deleted", root)
    beside = await add("beside")
    await client.delete(f"/todos/{deleted.id}")

    with statements() as sent:
        response = await complete(client, way, root.id)

    body = response.json()
    assert (body["state"], body["version"], body["open_subtasks"]) == ("done", 2, 0)
    assert len([text for text in sent if text.startswith("UPDATE")]) == 2  # one finds no row
    assert (len(sent), sent.transactions) == (6, 1)
    shown = await states(client, root, below, deep, done, under_done, thrown, beside)
    assert shown == ["done", "done", "done", "done", "done", "trash", "todo"]
    read = (await client.get(f"/todos/{deep.id}")).json()
    assert (read["version"], read["completed_at"]) == (2, body["completed_at"])
    await client.post(f"/todos/{deleted.id}/restore")
    assert await states(client, deleted, done) == ["todo", "done"]
    assert (await client.get(f"/todos/{done.id}")).json()["version"] == 1


@pytest.mark.parametrize("way", WAYS)
async def test_an_open_subtask_of_a_completed_one_is_completed_too(client, add, block, way):
    root, blocker = await add("root"), await add("blocker")
    deep = await add("deep", await add("done", root, state="done"))
    await block(blocker, deep)

    assert problem(await complete(client, way, root.id)) == BLOCKED
    await complete(client, way, blocker.id)
    assert (await complete(client, way, root.id)).status_code == 200

    assert await states(client, root, deep) == ["done", "done"]


@pytest.mark.parametrize("way", WAYS)
async def test_reopening_reopens_that_todo_alone(client, add, way):
    root = await add("root")
    below = await add("below", root)
    await complete(client, way, root.id)

    reopened = await client.patch(f"/todos/{root.id}", json={"state": "todo"})

    assert (reopened.json()["state"], reopened.json()["completed_at"]) == ("todo", None)
    assert await states(client, root, below) == ["todo", "done"]


@pytest.mark.parametrize("way", WAYS)
async def test_completing_again_keeps_when_it_was_completed(client, add, way):
    todo = await add("Buy bread")
    first = (await complete(client, way, todo.id)).json()
    again = (await complete(client, way, todo.id)).json()

    assert again == first | {"version": 3, "updated_at": again["updated_at"]}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("condition", [{}, {"If-Match": '"1"'}, {"If-Match": "*"}])
async def test_a_blocked_todo_is_not_completed(client, add, block, way, condition):
    blocker, todo = await add("blocker"), await add("todo")
    await block(blocker, todo)
    response = await complete(client, way, todo.id, **condition)

    assert problem(response) == BLOCKED
    assert response.json()["code"] == "todo_blocked"
    read = (await client.get(f"/todos/{todo.id}")).json()
    assert (read["state"], read["version"], read["blocked"]) == ("todo", 1, True)
    await complete(client, way, blocker.id)
    assert (await complete(client, way, todo.id, **condition)).status_code == 200


@pytest.mark.parametrize("way", WAYS)
async def test_a_condition_is_checked_before_blockers(client, add, block, way):
    blocker, todo = await add("blocker"), await add("todo")
    await block(blocker, todo)
    response = await complete(client, way, todo.id, **{"If-Match": '"2"'})

    assert problem(response) == STALE
    assert response.headers["etag"] == '"1"'


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("condition", [{}, {"If-Match": '"1"'}, {"If-Match": '"9"'}])
async def test_what_is_not_there_cannot_be_completed(client, save, stranger, add, way, condition):
    [hidden] = await save(TodoFactory(owner_id=stranger.id, state="todo"))
    deleted = await add("deleted")
    await client.delete(f"/todos/{deleted.id}")
    for todo_id in (hidden.id, deleted.id, 2**63 - 1):
        response = await complete(client, way, todo_id, **condition)
        assert problem(response) == NOT_FOUND
        assert "etag" not in response.headers


@pytest.mark.parametrize("way", WAYS)
async def test_a_blocked_subtask_blocks_its_parent(client, add, block, way):
    root = await add("root")
    below = await add("below", root)
    deep, blocker = await add("deep", below), await add("blocker")
    await block(blocker, deep)

    assert problem(await complete(client, way, root.id)) == BLOCKED
    assert await states(client, root, below, deep) == ["todo"] * 3
    await client.patch(f"/todos/{deep.id}", json={"state": "trash"})
    assert (await complete(client, way, root.id)).status_code == 200


@pytest.mark.parametrize("way", WAYS)
async def test_a_blocker_that_is_completed_as_well_does_not_count(client, add, block, way):
    root = await add("root")
    first, second = await add("first", root), await add("second", root)
    await block(first, second)
    await block(second, root)

    assert (await complete(client, way, root.id)).status_code == 200
    assert await states(client, root, first, second) == ["done"] * 3


async def test_a_subtask_that_its_parent_blocks_is_completed_with_it(client, add, block):
    root = await add("root")
    below = await add("below", root)
    await block(root, below)

    assert problem(await complete(client, "complete", below.id)) == BLOCKED
    assert (await complete(client, "complete", root.id)).status_code == 200
    assert await states(client, root, below) == ["done", "done"]


@pytest.mark.parametrize("way", WAYS)
async def test_a_done_todo_that_is_blocked_later_stays_done(client, add, block, way):
    todo, blocker = await add("todo", state="done"), await add("blocker")
    await block(blocker, todo)

    assert (await complete(client, way, todo.id)).status_code == 200
    reopened = await client.patch(f"/todos/{todo.id}", json={"state": "doing"})
    assert reopened.status_code == 200
    assert problem(await complete(client, way, todo.id)) == BLOCKED


async def test_force_completes_a_blocked_todo(client, add, block):
    root = await add("root")
    below, blocker = await add("below", root), await add("blocker")
    await block(blocker, root)
    await block(blocker, below)
    path = f"/todos/{root.id}/complete"

    assert problem(await client.post(f"{path}?force=false")) == BLOCKED
    stale = await client.post(f"{path}?force=true", headers={"If-Match": '"2"'})
    assert problem(stale) == STALE
    forced = await client.post(f"{path}?force=true", headers={"If-Match": '"1"'})
    assert (forced.status_code, forced.json()["state"]) == (200, "done")
    assert forced.json()["blocked"] is True
    assert await states(client, root, below, blocker) == ["done", "done", "todo"]


async def test_a_patch_takes_no_force(client, add):
    todo = await add("todo")
    response = await client.patch(f"/todos/{todo.id}?force=true", json={"state": "done"})

    assert response.status_code == 422


@pytest.mark.parametrize("subtasks", [0, 2])
async def test_the_same_key_completes_once(client, add, subtasks):
    todo = await add("todo")
    for number in range(subtasks):
        await add(f"subtask {number}", todo)
    key = {"Idempotency-Key": "complete"}
    first = await client.post(f"/todos/{todo.id}/complete", headers=key)
    reopened = await client.patch(f"/todos/{todo.id}", json={"state": "todo"})
    second = await client.post(f"/todos/{todo.id}/complete", headers=key)

    assert (first.status_code, second.status_code) == (200, 200)
    assert second.json() == first.json()
    assert second.headers["etag"] == first.headers["etag"]
    assert second.headers["idempotency-replayed"] == "true"
    assert (await client.get(f"/todos/{todo.id}")).json() == reopened.json()


async def test_a_refused_key_can_be_used_again(client, add, block):
    todo, blocker = await add("todo"), await add("blocker")
    await block(blocker, todo)
    key = {"Idempotency-Key": "complete"}

    assert problem(await client.post(f"/todos/{todo.id}/complete", headers=key)) == BLOCKED
    await client.post(f"/todos/{blocker.id}/complete")
    done = await client.post(f"/todos/{todo.id}/complete", headers=key)
    assert (done.status_code, "idempotency-replayed" in done.headers) == (200, False)


async def test_other_fields_change_with_the_completion(client, add):
    root = await add("root")
    below = await add("below", root)
    change = {
        "state": "done",
        "title": "Renamed",
        "priority": "high",
        "due_at": "2026-12-04T10:00:00Z",
        "duration_minutes": 5,
        "labels": ["home"],
    }
    changed = (await client.patch(f"/todos/{root.id}", json=change)).json()
    zone = (await client.get("/users/me")).json()["time_zone"]

    assert changed | change == changed
    assert (changed["version"], changed["time_zone"]) == (2, zone)
    read = (await client.get(f"/todos/{below.id}")).json()
    assert (read["state"], read["title"], read["labels"]) == ("done", "below", [])
    assert (read["priority"], read["due_at"], read["version"]) == ("none", None, 2)


@pytest.mark.parametrize("share", ["off", "public"])
async def test_a_todo_is_announced_as_it_is_after_the_change(client, add, session, share):
    """With its new title, and to whom the same change shares it."""
    await client.patch("/users/me", json={"share_todos": "followers"})
    root = await add("before")
    await add("below", root, share="off")
    change = {"state": "done", "title": "after", "share": share}
    await client.patch(f"/todos/{root.id}", json=change)

    posts = (await session.execute(select(Post.text, Post.visibility, Post.author_id))).all()
    expected = [] if share == "off" else [("after", "public", root.owner_id)]
    assert [tuple(post) for post in posts] == expected


async def test_a_refused_completion_keeps_labels_and_fields(client, add, block):
    todo, blocker = await add("todo"), await add("blocker")
    await block(blocker, todo)
    change = {"state": "done", "title": "Renamed", "labels": ["home"]}

    assert problem(await client.patch(f"/todos/{todo.id}", json=change)) == BLOCKED
    read = (await client.get(f"/todos/{todo.id}")).json()
    assert (read["title"], read["labels"], read["version"]) == ("todo", [], 1)
    assert (await client.get("/labels")).json()["labels"] == []


async def test_completed_todos_are_listed_latest_first(client, add):
    first, second = await add("first"), await add("second")
    await complete(client, "complete", first.id)
    await complete(client, "complete", second.id)
    listed = await client.get("/todos?state=done&sort=-completed_at")

    assert {todo["id"] for todo in listed.json()["todos"]} == {first.id, second.id}


@pytest.mark.parametrize("state", ["draft", "doing", "trash"])
async def test_a_todo_of_any_state_can_be_completed(client, add, state):
    todo = await add("todo", state=state)

    assert (await complete(client, "complete", todo.id)).json()["state"] == "done"


async def test_a_todo_that_is_created_done_is_completed(client):
    done = (await client.post("/todos", json={"title": "a", "state": "done"})).json()
    todo = (await client.post("/todos", json={"title": "a"})).json()

    assert done["completed_at"] == done["created_at"]
    assert todo["completed_at"] is None
    trashed = await client.patch(f"/todos/{done['id']}", json={"state": "trash"})
    assert trashed.json()["completed_at"] is None
