import pytest

from fast_zero.core.pagination import encode_cursor
from fast_zero.todos.models import TodoState
from tests.core.expect import invalid_fields
from tests.factories import TodoFactory

WORDS = [
    ("Buy bread", "from the baker", "todo"),
    ("buy 100% rye", "a_b", "doing"),
    ("Sell_bike", "AÇÃO \\o/", "done"),
    ("Ação!", "", "todo"),
    ("c:\\temp", "Ελλάδα", "trash"),
]


@pytest.fixture
async def todos(save, user, stranger):
    """Five todos of `user`, and as many of a stranger that no list may show."""
    mine, theirs = (
        [TodoFactory(owner_id=owner.id, title=t, description=d, state=s) for t, d, s in WORDS]
        for owner in (user, stranger)
    )
    await save(*theirs)
    return await save(*mine)


async def listed(client, **params) -> list[int]:
    response = await client.get("/todos", params=params)
    assert response.status_code == 200
    return [todo["id"] for todo in response.json()["todos"]]


async def test_a_list_holds_ones_own_todos_in_the_order_of_their_ids(client, todos, statements):
    with statements() as sent:
        response = await client.get("/todos/")

    body = response.json()
    assert response.status_code == 200
    assert [todo["id"] for todo in body["todos"]] == sorted(todo.id for todo in todos)
    assert body["next"] is None
    assert (len(sent), sent.transactions) == (1, 0)


async def test_a_list_entry_is_the_todo_itself(client, todos):
    [first, *_] = (await client.get("/todos")).json()["todos"]

    assert first == (await client.get(f"/todos/{first['id']}")).json()


async def test_a_list_of_nothing_is_empty(client):
    assert (await client.get("/todos")).json() == {"todos": [], "next": None}


async def test_a_list_has_a_hundred_todos_by_default(client, save, user):
    await save(*TodoFactory.build_batch(101, owner_id=user.id))

    body = (await client.get("/todos")).json()

    assert len(body["todos"]) == 100
    assert body["next"] == encode_cursor(body["todos"][-1]["id"])
    assert len(await listed(client, limit=1000)) == 101


async def test_a_list_keeps_its_order_when_a_todo_changes(client, todos):
    before = await listed(client)

    await client.patch(f"/todos/{todos[0].id}", json={"title": "Changed"})

    assert await listed(client) == before


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6])
async def test_pages_follow_one_another_until_null(client, todos, limit):
    seen, params = [], {"limit": limit}
    while params.get("after", "") is not None:
        body = (await client.get("/todos", params=params)).json()
        assert 0 < len(body["todos"]) <= limit
        seen += [todo["id"] for todo in body["todos"]]
        params["after"] = body["next"]

    assert seen == [todo.id for todo in todos]


async def test_a_page_neither_repeats_nor_skips_when_rows_go(client, todos):
    page = (await client.get("/todos", params={"limit": 2})).json()
    await client.delete(f"/todos/{page['todos'][1]['id']}")

    assert await listed(client, after=page["next"]) == [todo.id for todo in todos[2:]]


async def test_offset_and_limit_cut_the_list(client, todos):
    assert await listed(client, offset=1, limit=2) == [todos[1].id, todos[2].id]
    assert await listed(client, offset=5) == []
    assert await listed(client, offset=2**63 - 1, limit=1000) == []


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"title": "BUY"}, [0, 1]),
        ({"title": "%"}, [1]),
        ({"title": "_"}, [2]),
        ({"title": "\\"}, [4]),
        ({"title": "/"}, []),
        ({"title": "AÇÃO"}, [3]),
        ({"title": " "}, [0, 1]),
        ({"description": "ação"}, [2]),
        ({"description": "ΕΛΛΆΔΑ"}, [4]),
        ({"description": "a_B"}, [1]),
        ({"description": "\\o/"}, [2]),
        ({"state": "todo"}, [0, 3]),
        ({"state": "draft"}, []),
        ({"title": "a", "state": "todo"}, [0, 3]),
        ({"title": "b", "description": "a", "state": "doing"}, [1]),
        ({"title": "buy", "limit": 1, "offset": 1}, [1]),
        ({"title": "é" * 200}, []),
        ({"title": "acao"}, [3]),
        ({"description": "AÇAO"}, [2]),
        ({"description": "ελλαδα"}, [4]),
        ({"state": ["todo", "doing"]}, [0, 1, 3]),
        ({"state": ["done", "done"]}, [2]),
        ({"state": list(TodoState)}, [0, 1, 2, 3, 4]),
        ({"state": ["todo", "draft", "done"], "title": "b"}, [0, 2]),
    ],
    ids=str,
)
async def test_filters_are_combined_without_wildcards(client, todos, params, expected):
    assert await listed(client, **params) == [todos[index].id for index in expected]


async def test_a_filtered_list_stays_in_its_budget(client, todos, statements):
    with statements() as sent:
        await listed(client, title="a", description="a", state=TodoState.TODO, limit=1)

    assert (len(sent), sent.transactions) == (1, 0)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("limit", [0, -1, 1001, 2**64, "ten", "1.5", ""]),
        ("offset", [-1, 2**63, "ten", ""]),
        ("after", ["", "1", "AAAAAAAAAAA=", "__________8", "AAAAAAAAAAB", "AAAA", "é", "!" * 11]),
        ("title", ["", "a" * 201, "a\0b", "\u0301", "\u0344\u0308"]),
        ("description", ["", "a" * 201, "\0", "\u0303"]),
    ],
)
async def test_a_list_names_the_parameter_that_is_wrong(client, name, values):
    for value in values:
        response = await client.get("/todos", params={name: value})
        assert set(invalid_fields(response)) == {f"query.{name}"}, value


@pytest.mark.parametrize("state", ["", "TODO", "later"])
async def test_a_list_names_the_state_that_is_wrong(client, state):
    assert invalid_fields(await client.get("/todos", params={"state": state})) == ["query.state"]
    both = {"state": ["todo", state]}
    assert invalid_fields(await client.get("/todos", params=both)) == ["query.state"]


async def test_accents_are_ignored_in_every_unicode_form(client, save, user):
    spellings = ["Pão", "PÃO", "pa\u0303o", "pao", "Paõ"]
    await save(*(TodoFactory(owner_id=user.id, title=title) for title in spellings))
    await save(TodoFactory(owner_id=user.id, title="pa"))

    for title in spellings:
        assert len(await listed(client, title=title)) == len(spellings)
    assert await listed(client, title="paço") == []


@pytest.mark.parametrize(("name", "value"), [("limit", 1001), ("offset", -1), ("after", "1")])
async def test_the_list_of_users_has_the_same_bounds(anonymous, name, value):
    assert invalid_fields(await anonymous.get("/users", params={name: value})) == [f"query.{name}"]
