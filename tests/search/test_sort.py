"""With any sort, all pages together are the whole list, in the order of plain Python."""

import base64
import json
import unicodedata
from datetime import UTC, datetime, time, timedelta
from functools import cmp_to_key
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from fast_zero.core.positions import between
from fast_zero.models import Todo
from fast_zero.search.filters import SORT_TYPES
from fast_zero.todos.models import Priority, TodoState
from tests.core.expect import invalid_fields
from tests.factories import TodoFactory, UserFactory

NOON = datetime(2026, 12, 4, 12, tzinfo=UTC)
PRIORITIES = list(Priority)
ZONES = ["UTC", "America/Sao_Paulo", "Pacific/Kiritimati"]

rows = st.fixed_dictionaries(
    {
        # No other signs, which the collations of databases order differently.
        "title": st.sampled_from(["a", "A", "á", "a\u0301b", "ab", "Ç", "c", "z", "Zé"]),
        "priority": st.sampled_from(PRIORITIES),
        "state": st.sampled_from([TodoState.TODO, TodoState.DONE]),
        "moved": st.booleans(),
    },
    optional={
        "due_on": st.integers(-1, 1).map(lambda days: (NOON + timedelta(days)).date()),
        # Some of them are midnight on the clock of an owner.
        "due_at": st.integers(-4, 4).map(lambda step: NOON + timedelta(hours=step * 3)),
    },
)
sorts = st.lists(st.sampled_from(list(SORT_TYPES)), min_size=1, max_size=4, unique=True).flatmap(
    lambda names: st.tuples(*(st.sampled_from([name, f"-{name}"]) for name in names))
)


def folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.lower())
    return "".join(letter for letter in decomposed if not "\u0300" <= letter <= "\u036f")


def value_of(todo: dict, name: str, zone: ZoneInfo) -> object:
    if name == "due":
        if todo["due_at"]:
            return datetime.fromisoformat(todo["due_at"]).astimezone(zone).replace(tzinfo=None)
        day = todo["due_on"]
        return datetime.combine(datetime.fromisoformat(day), time()) if day else None
    if name == "priority":
        return PRIORITIES.index(Priority(todo["priority"]))
    return folded(todo["title"]) if name == "title" else todo[name]


def expected(todos: list[dict], sort: tuple[str, ...], zone: ZoneInfo) -> list[int]:
    """Compute in plain Python the ids on the pages, in order."""

    def compare(one: dict, other: dict) -> int:
        for key in sort:
            name = key.removeprefix("-")
            left, right = value_of(one, name, zone), value_of(other, name, zone)
            if left == right:
                continue
            if left is None or right is None:
                return 1 if left is None else -1
            return -1 if (left < right) != key.startswith("-") else 1
        return one["id"] - other["id"]

    return [todo["id"] for todo in sorted(todos, key=cmp_to_key(compare))]


async def walk(client, **params) -> list[int]:
    seen: list[int] = []
    while True:
        response = await client.get("/todos", params=params)
        assert response.status_code == 200, response.text
        body = response.json()
        seen += [todo["id"] for todo in body["todos"]]
        assert len(body["todos"]) == params["limit"] or body["next"] is None
        if body["next"] is None:
            return seen
        params["after"] = body["next"]


def todo_of(user, number: int, drawn: dict):
    fields = {name: value for name, value in drawn.items() if name != "moved"}
    if "due_at" in fields:
        fields |= {"due_on": None, "time_zone": "UTC"}
    if drawn["moved"]:
        fields["position"] = between(None, f"{number + 1:016x}")
    return TodoFactory(owner_id=user.id, **fields)


# Each example has a user of its own, so that it does not matter that all share a transaction.
@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(contents=st.lists(rows, min_size=4, max_size=10), sort=sorts, name=st.sampled_from(ZONES))
async def test_all_pages_together_are_the_sorted_list(
    anonymous, save, bearer, contents, sort, name
):
    [user] = await save(UserFactory(time_zone=name))
    for number, drawn in enumerate(contents):
        await save(todo_of(user, number, drawn))
    anonymous.headers.update(bearer(user))
    todos = (await anonymous.get("/todos")).json()["todos"]

    walked = await walk(anonymous, sort=",".join(sort), limit=3)

    assert walked == expected(todos, sort, ZoneInfo(name))


async def test_times_of_creation_and_completion_are_walked_exactly(client, save, user, session):
    """They differ by microseconds, and several are equal."""
    steps = [3, 1, 2, 1, 3, 0, 2]
    todos = await save(*TodoFactory.build_batch(len(steps), owner_id=user.id, state=TodoState.DONE))
    for todo, step in zip(todos, steps, strict=True):
        moment = NOON + timedelta(microseconds=step)
        statement = update(Todo).where(Todo.id == todo.id)
        await session.execute(statement.values(created_at=moment, completed_at=moment))
    await session.commit()
    order = sorted(range(len(steps)), key=lambda index: steps[index])
    latest_first = sorted(order, key=lambda index: (-steps[index], index))

    for sort, expected_order in (("created_at", order), ("-completed_at", latest_first)):
        walked = await walk(client, sort=sort, limit=2)
        assert walked == [todos[index].id for index in expected_order]


@pytest.fixture
async def cursor(client, save, user) -> str:
    """Return the cursor of the first page of `due,-priority`."""
    await save(*TodoFactory.build_batch(3, owner_id=user.id, due_on=NOON.date()))
    return (await client.get("/todos?sort=due,-priority&limit=1")).json()["next"]


@pytest.mark.parametrize(
    "sort", ["due", "-due,-priority", "due,priority", "-priority,due", "due,-priority,title", None]
)
async def test_a_cursor_of_another_sort_is_refused(client, cursor, sort):
    params = {"after": cursor} | ({"sort": sort} if sort else {})

    assert invalid_fields(await client.get("/todos", params=params)) == ["query.after"]


async def test_a_cursor_of_the_unsorted_list_is_refused(client, cursor):
    plain = (await client.get("/todos?limit=1")).json()["next"]

    response = await client.get("/todos", params={"sort": "due", "after": plain})

    assert invalid_fields(response) == ["query.after"]


def written(*content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


DUE = "2026-12-04T00:00:00"


@pytest.mark.parametrize(
    ("sort", "after"),
    [
        ("due", ""),
        ("due", "é"),
        ("due", "!"),
        ("due", "AAAA"),
        ("due", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")),
        ("due", written("due", [], 1)),
        ("due", written("due", [DUE, DUE], 1)),
        ("due", written("due", [DUE], 0)),
        ("due", written("due", [DUE], 2**63)),
        ("due", written("due", [DUE], 10**4000)),
        ("due", written("due", [DUE], "x")),
        ("due", written("due", [DUE])),
        ("due", written("due", ["x"], 1)),
        ("due", written("due", [[DUE]], 1)),
        ("due", written("due", ["2026-12-04T00:00:00Z"], 1)),
        ("due", written("due", [1e300], 1)),
        ("due", written("-due", [DUE], 1)),
        ("priority", written("priority", [None], 1)),
        ("priority", written("priority", ["highest"], 1)),
        ("priority", written("priority", [1], 1)),
        ("position", written("position", [None], 1)),
        ("position", written("position", ["a\0"], 1)),
        ("title", written("title", [None], 1)),
        ("title", written("title", ["a\0"], 1)),
        ("title", written("title", ["\ud800"], 1)),
        ("created_at", written("created_at", [None], 1)),
        ("created_at", written("created_at", [DUE], 1)),
    ],
)
async def test_a_broken_cursor_is_refused(client, sort, after):
    response = await client.get("/todos", params={"sort": sort, "after": after})

    assert invalid_fields(response) == ["query.after"]


@pytest.mark.parametrize(
    ("sort", "value"),
    [
        ("due", "0001-01-01T00:00:00"),
        ("due", "9999-12-31T23:59:59.999999"),
        ("due", None),
        ("created_at", "0001-01-01T00:00:00+14:00"),
        ("created_at", "9999-12-31T23:59:59-14:00"),
        ("completed_at", None),
        ("title", "a" * 3000),
        ("position", ""),
    ],
)
async def test_no_value_in_a_cursor_breaks_a_statement(client, save, user, sort, value):
    await save(TodoFactory(owner_id=user.id))

    response = await client.get("/todos", params={"sort": sort, "after": written(sort, [value], 1)})

    assert response.status_code == 200


@pytest.mark.parametrize(
    "sort",
    ["", ",", "due,", "id", "Due", "due ,title", "--due", "due,due", "due,-due", "+due", "due\0"],
)
async def test_an_unknown_or_repeated_key_is_refused(client, sort):
    response = await client.get("/todos", params={"sort": sort})

    assert invalid_fields(response) == ["query.sort"]


async def test_a_sorted_list_is_one_statement_with_filters_and_offset(
    client, save, user, statements
):
    todos = await save(
        *(
            TodoFactory(owner_id=user.id, title=f"t{number}", state=TodoState.TODO)
            for number in range(5)
        )
    )

    with statements() as sent:
        page = await client.get("/todos?sort=-title&state=todo&title=t&offset=1&limit=2")

    assert (len(sent), sent.transactions) == (1, 0)
    assert [todo["id"] for todo in page.json()["todos"]] == [todos[3].id, todos[2].id]
