"""Relations between todos: `/todos/{todo_id}/relations`."""

import pytest
from sqlalchemy import insert

from fast_zero.models import Relation
from tests.core.expect import invalid_fields, problem
from tests.factories import TodoFactory

NO_TODO = (404, "Task not found.")
NO_RELATION = (404, "There is no such relation.")
CYCLE = (409, "These todos would wait for one another.")
KINDS = ("blocks", "blocked_by", "relates_to")
REVERSED = {"blocks": "blocked_by", "blocked_by": "blocks", "relates_to": "relates_to"}


@pytest.fixture
async def todos(save, user) -> list[int]:
    saved = await save(*TodoFactory.build_batch(4, owner_id=user.id, title="A", state="todo"))
    return [todo.id for todo in saved]


@pytest.fixture
async def hidden(save, stranger) -> int:
    [todo] = await save(TodoFactory(owner_id=stranger.id, state="todo"))
    return todo.id


async def relate(client, todo_id: int, kind: str, other_id: int) -> None:
    response = await client.put(f"/todos/{todo_id}/relations/{kind}/{other_id}")
    assert (response.status_code, response.content) == (204, b""), response.text


async def relations(client, todo_id: int) -> list[tuple[str, int]]:
    response = await client.get(f"/todos/{todo_id}/relations")
    assert response.status_code == 200
    return [(shown["kind"], shown["todo_id"]) for shown in response.json()["relations"]]


async def is_blocked(client, todo_id: int) -> bool:
    return (await client.get(f"/todos/{todo_id}")).json()["blocked"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_relation_is_seen_from_both_todos(client, todos, statements, kind):
    one, other, *_ = todos
    with statements() as sent:
        await relate(client, one, kind, other)

    assert (len(sent), sent.transactions) == (3, 1)
    assert await relations(client, one) == [(kind, other)]
    assert await relations(client, other) == [(REVERSED[kind], one)]
    assert await is_blocked(client, one) is (kind == "blocked_by")
    assert await is_blocked(client, other) is (kind == "blocks")


@pytest.mark.parametrize("kind", KINDS)
async def test_relating_is_idempotent_from_both_todos(client, todos, kind):
    one, other, *_ = todos
    for _ in range(2):
        await relate(client, one, kind, other)
        await relate(client, other, REVERSED[kind], one)

    assert await relations(client, one) == [(kind, other)]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_relation_is_deleted_from_either_todo(client, todos, statements, kind):
    one, other, *_ = todos
    for path in (
        f"/todos/{one}/relations/{kind}/{other}",
        f"/todos/{other}/relations/{REVERSED[kind]}/{one}",
    ):
        await relate(client, one, kind, other)
        with statements() as sent:
            response = await client.delete(path)
        assert (response.status_code, response.content) == (204, b"")
        assert (len(sent), sent.transactions) == (2, 1)
        assert await relations(client, one) == await relations(client, other) == []
        again = await client.delete(path)
        assert problem(again) == NO_RELATION
        assert again.json()["code"] == "relation_not_found"


async def test_another_kind_of_relation_is_not_deleted(client, todos):
    one, other, *_ = todos
    await relate(client, one, "blocks", other)

    for kind in ("blocked_by", "relates_to"):
        response = await client.delete(f"/todos/{one}/relations/{kind}/{other}")
        assert problem(response) == NO_RELATION
    assert await relations(client, one) == [("blocks", other)]


async def test_relations_are_listed_in_one_statement(client, todos, statements):
    one, *others = todos
    for kind, other in zip(KINDS, others, strict=True):
        await relate(client, one, kind, other)
    await relate(client, one, "relates_to", others[0])

    with statements() as sent:
        response = await client.get(f"/todos/{one}/relations/")

    shown = response.json()["relations"]
    assert len(sent) == 1
    assert len(shown) == 4
    assert shown[0].keys() == {"kind", "todo_id", "title", "state", "created_at"}
    assert (shown[0]["title"], shown[0]["state"]) == ("A", "todo")


async def test_a_todo_without_relations_has_an_empty_list(client, todos):
    assert await relations(client, todos[0]) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_a_strangers_todo_cannot_be_related(client, todos, hidden, method, kind):
    for unknown in (hidden, 2**63 - 1):
        for one, other in ((todos[0], unknown), (unknown, todos[0])):
            response = await client.request(method, f"/todos/{one}/relations/{kind}/{other}")
            assert problem(response) == NO_TODO
            assert response.json()["code"] == "todo_not_found"
        assert problem(await client.get(f"/todos/{unknown}/relations")) == NO_TODO


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_impossible_relations_are_refused(client, todos, hidden, method):
    one, other, *_ = todos
    for path, field in (
        (f"{one}/relations/blocks/{one}", "path.other_id"),
        (f"{hidden}/relations/relates_to/{hidden}", "path.other_id"),
        (f"{one}/relations/likes/{other}", "path.kind"),
        (f"{one}/relations/blocks/0", "path.other_id"),
        (f"{one}/relations/blocks/{2**63}", "path.other_id"),
        (f"x/relations/blocks/{other}", "path.todo_id"),
    ):
        assert invalid_fields(await client.request(method, f"/todos/{path}")) == [field]


async def test_cycles_are_refused(client, todos):
    first, second, third, fourth = todos
    await relate(client, first, "blocks", second)
    await relate(client, third, "blocked_by", second)
    await relate(client, third, "blocks", fourth)
    for one, kind, other in (
        (second, "blocks", first),
        (first, "blocked_by", second),
        (third, "blocks", first),
        (fourth, "blocks", first),
        (second, "blocked_by", fourth),
    ):
        response = await client.put(f"/todos/{one}/relations/{kind}/{other}")
        assert problem(response) == CYCLE
        assert response.json()["code"] == "relation_cycle"
    await relate(client, first, "blocks", fourth)
    await relate(client, fourth, "relates_to", first)


async def test_a_cycle_through_the_trash_is_refused(client, todos):
    first, second, third, _ = todos
    await relate(client, first, "blocks", second)
    await relate(client, second, "blocks", third)
    await client.delete(f"/todos/{second}")

    assert problem(await client.put(f"/todos/{third}/relations/blocks/{first}")) == CYCLE


@pytest.mark.parametrize("kind", KINDS)
async def test_a_todo_in_the_trash_neither_blocks_nor_shows(client, todos, kind):
    one, other, *_ = todos
    await relate(client, one, kind, other)
    await client.delete(f"/todos/{one}")

    assert await relations(client, other) == []
    assert await is_blocked(client, other) is False
    path = f"/todos/{other}/relations/{REVERSED[kind]}/{one}"
    for method in ("PUT", "DELETE"):
        assert problem(await client.request(method, path)) == NO_TODO
    assert problem(await client.get(f"/todos/{one}/relations")) == NO_TODO
    await client.post(f"/todos/{one}/restore")
    assert await relations(client, other) == [(REVERSED[kind], one)]


async def test_a_todo_has_at_most_a_hundred_relations(client, todos, save, user, session):
    one, other, spare, _ = todos
    many = await save(*TodoFactory.build_batch(99, owner_id=user.id))
    async with session.begin():
        await session.execute(
            insert(Relation),
            [
                {"owner_id": user.id, "todo_id": one, "other_id": todo.id, "kind": "relates_to"}
                for todo in many
            ],
        )
    await relate(client, one, "blocked_by", other)
    for path in (f"{one}/relations/blocks/{spare}", f"{spare}/relations/relates_to/{one}"):
        response = await client.put(f"/todos/{path}")
        assert problem(response)[0] == 409
        assert response.json()["code"] == "too_many_relations"

    assert len(await relations(client, one)) == 100
    await relate(client, one, "blocked_by", other)
    await client.delete(f"/todos/{one}/relations/blocked_by/{other}")
    await relate(client, spare, "relates_to", one)


@pytest.mark.parametrize(
    ("state", "blocks"),
    [("draft", True), ("todo", True), ("doing", True), ("done", False), ("trash", False)],
)
async def test_only_open_todos_block(client, todos, state, blocks):
    one, other, *_ = todos
    await relate(client, one, "blocks", other)
    before = (await client.get(f"/todos/{other}")).headers["etag"]
    await client.patch(f"/todos/{one}", json={"state": state})

    assert await is_blocked(client, other) is blocks
    after = (await client.get(f"/todos/{other}")).headers["etag"]
    assert (after == before) is blocks
