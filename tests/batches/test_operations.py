"""The operations of a batch, each as in a request of its own."""

import asyncio
from collections import Counter
from datetime import date

import pytest
from sqlalchemy import select

from fast_zero.models import Todo
from fast_zero.todos.models import TodoState
from tests.factories import ProjectFactory, SectionFactory, TodoFactory, UserFactory, relate

FAR = 2**63 - 1


@pytest.fixture
async def open_todos(save, user) -> list[Todo]:
    return await save(*build_todos(user, 6))


def build_todos(user, count, **fields) -> list[Todo]:
    fields = {"state": TodoState.TODO, **fields}
    return TodoFactory.build_batch(count, owner_id=user.id, **fields)


@pytest.fixture
async def chain(save, user) -> list[Todo]:
    """Return six todos, each the parent of the next one."""
    todos: list[Todo] = []
    for _ in range(6):
        parent_id = todos[-1].id if todos else None
        todos += await save(*build_todos(user, 1, parent_id=parent_id))
    return todos


async def send(client, *items, **options):
    return await client.post("/todos/batch", json={"items": items, **options})


async def results(client, *items, **options) -> list[dict]:
    response = await send(client, *items, **options)
    assert response.status_code == 200, response.text
    return response.json()["results"]


async def read(client, todo) -> dict:
    return (await client.get(f"/todos/{todo.id}")).json()


def codes(found: list[dict]) -> list[str | int]:
    """Return the code of each problem, and the status of what was done."""
    return [
        result["problem"]["code"] if result["problem"] else result["status"] for result in found
    ]


async def refused(client, *items) -> list[str | int]:
    response = await send(client, *items)
    assert (response.status_code, response.json()["code"]) == (409, "batch_refused")
    return codes(response.json()["results"])


async def test_a_todo_is_created_with_all_its_fields(client, save, user):
    [project] = await save(ProjectFactory(owner_id=user.id))
    [section] = await save(SectionFactory(owner_id=user.id, project_id=project.id))
    await client.patch("/users/me", json={"time_zone": "America/Sao_Paulo"})
    fields = {
        "title": "All",
        "description": "of it",
        "share": "off",
        "labels": ["b", "A", "a"],
        "priority": "urgent",
        "starts_on": "2026-12-01",
        "deadline_on": "2026-12-09",
        "duration_minutes": 30,
    }
    items = [
        {**fields, "project_id": project.id, "due_at": "2026-12-04T12:00:00-03:00"},
        {**fields, "section_id": section.id, "due_on": "2026-12-04"},
        {"title": "Plain"},
        {"title": "Abroad", "due_at": "2026-12-04T12:00:00Z", "time_zone": "Asia/Tokyo"},
    ]

    found = await results(client, *({"op": "create", **item} for item in items))

    alone = [(await client.post("/todos", json=item)).json() for item in items]
    own = {"id", "position", "created_at", "updated_at"}
    for result, todo in zip(found, alone, strict=True):
        assert {**result["todo"], **dict.fromkeys(own)} == {**todo, **dict.fromkeys(own)}
        assert result["todo"] == (await client.get(f"/todos/{result['todo']['id']}")).json()
    zones = [result["todo"]["time_zone"] for result in found]
    assert zones == ["America/Sao_Paulo", None, None, "Asia/Tokyo"]


async def test_an_update_changes_all_fields_and_only_those_that_were_sent(client, open_todos):
    first, second, third, fourth, *_ = open_todos
    await results(
        client,
        {"op": "update", "id": first.id, "due_on": "2026-12-04", "labels": ["a", "b"]},
        {"op": "update", "id": second.id, "due_at": "2026-12-04T12:00:00Z"},
        {"op": "update", "id": third.id, "priority": "high", "duration_minutes": 5},
    )

    found = await results(
        client,
        {"op": "update", "id": first.id, "due_at": "2026-12-05T12:00:00+02:00"},
        {"op": "update", "id": second.id, "due_on": "2026-12-05", "labels": ["B"]},
        {"op": "update", "id": third.id, "duration_minutes": None, "starts_on": "2026-01-01"},
        {"op": "update", "id": fourth.id, "labels": []},
    )

    one, two, three, four = (result["todo"] for result in found)
    assert (one["due_on"], one["due_at"]) == (None, "2026-12-05T10:00:00Z")
    assert (one["time_zone"], one["labels"]) == ("UTC", ["a", "b"])
    assert (two["due_on"], two["due_at"], two["time_zone"]) == ("2026-12-05", None, None)
    assert two["labels"] == ["b"]
    assert (three["priority"], three["duration_minutes"]) == ("high", None)
    assert three["starts_on"] == "2026-01-01"
    assert four["labels"] == []
    assert [todo["version"] for todo in (one, two, three, four)] == [3, 3, 3, 2]


@pytest.mark.parametrize("op", [{"op": "complete"}, {"op": "update", "state": "done"}], ids=str)
async def test_open_subtasks_are_completed_with_their_parent(client, save, user, op):
    [parent] = await save(*build_todos(user, 1))
    [subtask, other] = await save(*build_todos(user, 2, parent_id=parent.id))
    below, hidden = await save(
        *build_todos(user, 1, parent_id=subtask.id),
        *build_todos(user, 1, parent_id=subtask.id, state=TodoState.TRASH),
    )

    [done, renamed, kept] = await results(
        client,
        {**op, "id": parent.id, "version": 1},
        {"op": "update", "id": other.id, "title": "Other"},
        {"op": "update", "id": hidden.id, "title": "Not open"},
    )

    assert done["todo"]["version"] == 2
    assert done["todo"]["completed_at"]
    assert (done["todo"]["subtasks"], done["todo"]["open_subtasks"]) == (2, 0)
    # A subtask that the batch changes is completed, too, in the same statement.
    assert (renamed["todo"]["title"], renamed["todo"]["version"]) == ("Other", 2)
    assert renamed["todo"]["state"] == "done"
    assert (await read(client, below))["state"] == "done"
    assert kept["todo"]["state"] == "trash"


async def test_a_subtask_that_the_batch_gives_a_state_keeps_it(client, save, user):
    [parent] = await save(*build_todos(user, 1))
    [subtask] = await save(*build_todos(user, 1, parent_id=parent.id))

    [_, kept] = await results(
        client,
        {"op": "complete", "id": parent.id},
        {"op": "update", "id": subtask.id, "state": "doing"},
    )

    assert kept["todo"]["state"] == "doing"


@pytest.mark.parametrize("op", [{"op": "complete"}, {"op": "update", "state": "done"}], ids=str)
async def test_a_blocked_todo_is_completed_by_force_alone(client, save, user, open_todos, op):
    parent, blocker, free, *_ = open_todos
    [subtask] = await save(*build_todos(user, 1, parent_id=parent.id))
    await save(relate(blocker, subtask), relate(free, free_blocked := open_todos[3]))
    item = {**op, "id": parent.id}

    assert await refused(client, item, {**op, "id": free.id}) == [
        "todo_blocked",
        "failed_dependency",
    ]
    # The other one is completed all the same, and with it what it blocked.
    other = [{**op, "id": free_blocked.id}, {**op, "id": free.id}]
    assert codes(await results(client, item, *other, atomic=False)) == ["todo_blocked", 200, 200]
    assert codes(await results(client, {**item, "force": True})) == [200]
    assert (await read(client, subtask))["state"] == "done"


async def test_a_blocker_that_cannot_be_completed_blocks(client, save, open_todos):
    first, second, third, *_ = open_todos
    await save(relate(first, second), relate(second, third))
    items = [{"op": "complete", "id": todo.id} for todo in (third, second, first)]
    items[2]["version"] = 7

    assert codes(await results(client, *items, atomic=False)) == [
        "todo_blocked",
        "todo_blocked",
        "precondition_failed",
    ]
    del items[2]["version"]
    assert codes(await results(client, *items)) == [200, 200, 200]


async def test_a_done_todo_is_completed_again_although_it_is_blocked(client, save, user):
    done, blocker = await save(*build_todos(user, 2, state=TodoState.DONE))
    await save(relate(blocker, done))
    await results(client, {"op": "update", "id": blocker.id, "state": "doing"})

    assert codes(await results(client, {"op": "complete", "id": done.id})) == [200]


async def test_deleting_and_restoring_take_the_subtasks_with_them(client, save, user, chain):
    top, second, *below = chain

    [deleted, changed] = await results(
        client,
        {"op": "delete", "id": second.id},
        {"op": "update", "id": below[0].id, "title": "Went with it"},
    )
    assert (deleted["status"], deleted["todo"]) == (200, None)
    assert (changed["status"], changed["todo"]) == (200, None)
    assert (await client.get("/todos?limit=9")).json()["todos"] == [await read(client, top)]

    [restored] = await results(client, {"op": "restore", "id": second.id})
    assert restored["todo"] == await read(client, second)
    assert (restored["todo"]["parent_id"], restored["todo"]["subtasks"]) == (top.id, 1)
    assert (await read(client, below[0]))["title"] == "Went with it"
    assert len((await client.get("/todos")).json()["todos"]) == 6


async def test_parent_and_subtask_can_be_deleted_in_one_batch(client, chain):
    ids = [todo.id for todo in chain[:2]]

    found = await results(client, *({"op": "delete", "id": todo_id} for todo_id in ids))

    assert codes(found) == [200, 200]
    assert (await client.get("/todos")).json()["todos"] == []
    back = await results(client, *({"op": "restore", "id": todo_id} for todo_id in ids))
    assert codes(back) == [200, 200]
    assert len((await client.get("/todos")).json()["todos"]) == 6


async def test_what_is_not_in_the_trash_cannot_be_restored(client, save, stranger, open_todos):
    first, second, *_ = open_todos
    [theirs] = await save(TodoFactory(owner_id=stranger.id))
    await client.delete(f"/todos/{first.id}")
    ids = [first.id, second.id, theirs.id, FAR]
    items = [{"op": "restore", "id": todo_id} for todo_id in ids]

    missing = "todo_not_in_trash"
    assert await refused(client, *items) == ["failed_dependency", missing, missing, missing]
    assert codes(await results(client, *items, atomic=False)) == [200, missing, missing, missing]


async def test_todos_are_moved_one_after_the_other(client, save, user, open_todos):
    first, second, third, *_ = open_todos
    [project] = await save(ProjectFactory(owner_id=user.id))

    found = await results(
        client,
        {"op": "move", "id": first.id, "project_id": project.id},
        {"op": "move", "id": second.id, "before": first.id, "version": 1},
        {"op": "move", "id": third.id, "parent_id": second.id},
    )

    assert codes(found) == [200, 200, 200]
    one, two, three = (result["todo"] for result in found)
    assert one["project_id"] == two["project_id"] == three["project_id"] == project.id
    assert two["position"] < one["position"]
    assert (three["parent_id"], two["subtasks"]) == (second.id, 1)
    assert [todo["version"] for todo in (one, two, three)] == [2, 2, 2]


async def test_a_move_that_is_refused_leaves_the_other_items_alone(client, save, stranger, chain):
    top, second, *_, last = chain
    [theirs] = await save(TodoFactory(owner_id=stranger.id))
    [project] = await save(ProjectFactory(owner_id=stranger.id))
    items = [
        {"op": "move", "id": top.id, "parent_id": last.id},
        {"op": "move", "id": second.id, "project_id": project.id},
        {"op": "move", "id": last.id, "before": theirs.id},
        {"op": "move", "id": chain[2].id, "parent_id": theirs.id},
        {"op": "move", "id": theirs.id, "parent_id": None},
        {"op": "move", "id": chain[3].id, "after": chain[4].id},
        {"op": "update", "id": chain[4].id, "title": "Changed", "version": 1},
    ]
    expected = [
        "todo_cycle",
        "project_not_found",
        "todo_not_found",
        "parent_not_found",
        "todo_not_found",
    ]

    assert await refused(client, *items[:4], *items[6:]) == [
        *expected[:4],
        "failed_dependency",
    ]
    assert (await read(client, chain[4]))["version"] == 1
    found = codes(await results(client, *items, atomic=False))
    assert found[:5] == expected
    assert found[6] == 200
    assert (await read(client, top))["parent_id"] is None


async def test_a_create_in_a_place_that_does_not_exist_is_refused_alone(
    client, save, user, stranger, chain
):
    gone, mine = await save(*ProjectFactory.build_batch(2, owner_id=user.id))
    [theirs] = await save(ProjectFactory(owner_id=stranger.id))
    section, hidden, foreign = await save(
        SectionFactory(owner_id=user.id, project_id=mine.id),
        SectionFactory(owner_id=user.id, project_id=gone.id),
        SectionFactory(owner_id=stranger.id, project_id=theirs.id),
    )
    [todo] = await save(TodoFactory(owner_id=stranger.id))
    trashed = (await client.post("/todos", json={"title": "a"})).json()
    await client.delete(f"/todos/{trashed['id']}")
    await client.delete(f"/projects/{gone.id}")
    places = {
        "project_not_found": [
            {"project_id": theirs.id},
            {"project_id": gone.id},
            {"project_id": FAR},
            {"section_id": hidden.id},
            {"project_id": theirs.id, "section_id": section.id},
        ],
        "section_not_found": [
            {"section_id": foreign.id},
            {"section_id": FAR},
            {"project_id": mine.id, "section_id": hidden.id},
        ],
        "parent_not_found": [{"parent_id": todo.id}, {"parent_id": trashed["id"]}],
        "todo_too_deep": [{"parent_id": chain[-1].id}],
        201: [
            {},
            {"project_id": mine.id},
            {"section_id": section.id, "project_id": mine.id},
            {"section_id": section.id, "labels": ["new"]},
            {"parent_id": chain[-2].id},
        ],
    }
    expected = [code for code, bodies in places.items() for _ in bodies]
    bodies = [{"title": "a", **place} for bodies in places.values() for place in bodies]
    items = [{"op": "create", **body} for body in bodies]

    alone = [(await client.post("/todos", json=body)).json() for body in bodies]
    assert [answer.get("code", 201) for answer in alone] == expected
    assert await refused(client, *items) == [
        "failed_dependency" if code == 201 else code for code in expected
    ]
    found = await results(client, *items, atomic=False)
    assert codes(found) == expected
    for result, answer in zip(found, alone, strict=True):
        if result["problem"]:
            assert result["problem"] == answer | {"instance": "/todos"}
        else:
            assert result["todo"]["section_id"] == answer["section_id"]
            assert result["todo"]["project_id"] == answer["project_id"]


async def test_the_items_of_a_batch_that_is_refused_show_the_values_from_before(client, open_todos):
    parent, *_ = open_todos
    before = await read(client, parent)

    response = await send(
        client,
        {"op": "create", "title": "Below", "parent_id": parent.id},
        {"op": "update", "id": parent.id, "version": 7},
    )

    assert response.status_code == 409
    assert response.json()["results"][1]["todo"] == before
    assert await read(client, parent) == before


async def test_each_operation_sends_as_many_statements_for_many_items(
    client, save, user, statements
):
    [project] = await save(ProjectFactory(owner_id=user.id))

    async def sent_for(each: int) -> int:
        parents = await save(*build_todos(user, 3 * each))
        await save(*(build_todos(user, 1, parent_id=parent.id)[0] for parent in parents))
        ids = [parent.id for parent in parents]
        place = {"project_id": project.id, "labels": [f"label {each}"]}
        items = [{"op": "create", "title": "new", **place} for _ in range(each)]
        items += [{"op": "complete", "id": todo_id} for todo_id in ids[:each]]
        due = {"due_at": "2026-12-04T12:00:00Z", "labels": ["a", "b"], "state": "done"}
        items += [{"op": "update", "id": todo_id, **due} for todo_id in ids[each : 2 * each]]
        items += [{"op": "delete", "id": todo_id} for todo_id in ids[2 * each :]]
        with statements() as sent:
            found = await results(client, *items)
        assert Counter(codes(found)) == {201: each, 200: 3 * each}
        return len(sent)

    # One each to lock the lists, check the places, insert, find subtasks, lock, update, create
    # labels, set them, delete and read the results.
    assert await sent_for(1) == await sent_for(40) <= 10


async def test_a_key_covers_all_operations(client, open_todos):
    first, second, third, *_ = open_todos
    await client.delete(f"/todos/{second.id}")
    body = {
        "items": [
            {"op": "create", "title": "new", "labels": ["a"]},
            {"op": "complete", "id": first.id},
            {"op": "restore", "id": second.id},
            {"op": "move", "id": third.id, "before": first.id},
        ]
    }
    key = {"Idempotency-Key": "batch"}

    once = await client.post("/todos/batch", json=body, headers=key)
    again = await client.post("/todos/batch", json=body, headers=key)

    assert once.status_code == again.status_code == 200
    assert once.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert len((await client.get("/todos")).json()["todos"]) == 7


async def test_concurrent_batches_of_all_operations_neither_fail_nor_lose_anything(
    live, commit, log_in, committing
):
    [user] = await commit(UserFactory())
    parents = await commit(*build_todos(user, 6))
    subtasks = await commit(*(build_todos(user, 1, parent_id=row.id)[0] for row in parents))
    ids = [row.id for row in parents]
    async with live() as client:
        client.headers.update(await log_in(user))
        requests = []
        for number in range(8):
            order = ids if number % 2 else ids[::-1]
            items = [
                {"op": "create", "title": "new", "labels": ["a", f"b{number}"]},
                {"op": "complete", "id": order[0]},
                {"op": "move", "id": order[1], "before": order[2]},
                {"op": "update", "id": order[2], "labels": [f"b{number}", "a"]},
                {"op": "delete", "id": order[3]},
                {"op": "update", "id": order[4], "state": "done"},
                {"op": "restore", "id": order[5]},
            ]
            requests.append(send(client, *items, atomic=False))
            requests.append(client.post(f"/todos/{order[4]}/complete"))
            requests.append(client.delete(f"/todos/{order[5]}"))
            requests.append(client.patch(f"/todos/{subtasks[number % 6].id}", json={"title": "x"}))
        answers = await asyncio.gather(*requests)

    assert {answer.status_code for answer in answers} <= {200, 404}
    batches = [answer.json()["results"] for answer in answers[::4]]
    assert {result["status"] for found in batches for result in found} <= {200, 201, 404}
    async with committing() as session:
        titles = await session.scalars(select(Todo.title).where(Todo.title == "new"))
        assert len(titles.all()) == 8


async def test_a_day_stays_the_day_that_was_sent(client, open_todos, session):
    [todo, *_] = open_todos
    await results(client, {"op": "update", "id": todo.id, "due_on": "1900-01-01"})

    assert await session.scalar(select(Todo.due_on).where(Todo.id == todo.id)) == date(1900, 1, 1)
