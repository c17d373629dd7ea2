"""Saved filters: their routes, and the todos that they find."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from fast_zero.filter_language.parsing import LONGEST
from fast_zero.models import SavedFilter
from tests.core.expect import invalid_fields, problem
from tests.factories import SavedFilterFactory, TodoFactory

NOT_FOUND = (404, "Saved filter not found.")
EXISTS = (409, "You already have a saved filter with this name.")
STALE = (412, "It has changed since you read it. Read it again, then send your change.")
FIELDS = {"id", "name", "filter", "color", "sort", "position", "created_at", "updated_at"}
FIELDS |= {"version"}


@pytest.fixture
async def saved(save, user) -> SavedFilter:
    [saved] = await save(SavedFilterFactory(owner_id=user.id, name="Late", filter="overdue"))
    return saved


@pytest.fixture
async def hidden(save, stranger) -> SavedFilter:
    [saved] = await save(SavedFilterFactory(owner_id=stranger.id, name="Private"))
    return saved


async def titles(client, **params) -> list[str]:
    response = await client.get("/todos", params=params)
    assert response.status_code == 200, response.text
    return [todo["title"] for todo in response.json()["todos"]]


async def test_a_filter_is_saved_in_english(client, statements):
    new = {"name": " Hoje ", "filter": "vence:hoje  e é:aberta", "sort": "-priority,title"}
    with statements() as sent:
        response = await client.post("/filters/", json=new)

    saved = response.json()
    assert response.status_code == 201
    assert saved.keys() == FIELDS
    assert (saved["name"], saved["filter"]) == ("Hoje", "due:today and is:open")
    assert (saved["color"], saved["sort"], saved["version"]) == ("grey", "-priority,title", 1)
    assert response.headers["location"] == f"/filters/{saved['id']}"
    assert response.headers["etag"] == '"1"'
    assert len(sent) == 1
    read = await client.get(response.headers["location"])
    assert (read.json(), read.headers["etag"]) == (saved, '"1"')


@pytest.mark.parametrize("name", ["late", "LATE", " Late", "\uff2cate"])
async def test_a_name_that_exists_in_another_case_is_refused(client, saved, name):
    response = await client.post("/filters", json={"name": name, "filter": "a"})

    assert problem(response) == EXISTS
    assert response.json()["code"] == "filter_exists"


async def test_two_users_can_have_filters_of_the_same_name(client, hidden):
    new = {"name": hidden.name, "filter": "a"}
    assert (await client.post("/filters", json=new)).status_code == 201


@pytest.mark.parametrize(
    ("new", "places"),
    [
        ({}, ["body.name", "body.filter"]),
        ({"name": "", "filter": "a"}, ["body.name"]),
        ({"name": "a" * 101, "filter": "a"}, ["body.name"]),
        ({"name": "a", "filter": None}, ["body.filter"]),
        ({"name": "a", "filter": "a\0"}, ["body.filter"]),
        ({"name": "a", "filter": "a" * (LONGEST + 1)}, ["body.filter"]),
        ({"name": "a", "filter": "a", "color": "#ff0000"}, ["body.color"]),
        ({"name": "a", "filter": "a", "sort": "size"}, ["body.sort"]),
        ({"name": "a", "filter": "a", "sort": "due,due"}, ["body.sort"]),
        ({"name": "a", "filter": "a", "sort": ""}, ["body.sort"]),
    ],
)
async def test_saving_names_the_fields_that_are_wrong(client, new, places):
    assert invalid_fields(await client.post("/filters", json=new)) == places


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_a_mistake_in_the_filter_is_named_with_its_column(client, saved, method):
    path = "/filters" if method == "POST" else f"/filters/{saved.id}"
    response = await client.request(method, path, json={"name": "a", "filter": "due:tody"})

    body = response.json()
    assert response.status_code == 422
    assert (body["code"], body["column"]) == ("filter_invalid", 5)
    assert body["detail"][0]["loc"] == ["body", "filter"]
    assert (await client.get(f"/filters/{saved.id}")).json()["filter"] == "overdue"


async def test_a_filter_that_is_too_long_in_english_is_refused(client):
    long = "a e " * 40 + "b" * (LONGEST - 161)  # `e` becomes `and`
    response = await client.post("/filters", json={"name": "a", "filter": long})

    assert response.status_code == 422
    assert response.json()["column"] == LONGEST + 1
    short = long[: LONGEST - 80]
    stored = (await client.post("/filters", json={"name": "a", "filter": short})).json()
    assert len(stored["filter"]) == LONGEST
    again = await client.patch(f"/filters/{stored['id']}", json={"filter": stored["filter"]})
    assert again.json()["filter"] == stored["filter"]


async def test_the_same_key_saves_one_filter(client):
    key, new = {"Idempotency-Key": "one"}, {"name": "a", "filter": "a"}
    first = await client.post("/filters", json=new, headers=key)
    second = await client.post("/filters", json=new, headers=key)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"


async def test_saved_filters_are_listed_in_pages(client, saved, hidden, save, user, statements):
    others = await save(*SavedFilterFactory.build_batch(2, owner_id=user.id))

    with statements() as sent:
        first = (await client.get("/filters?limit=2")).json()
    second = (await client.get("/filters", params={"after": first["next"]})).json()

    assert [shown["id"] for shown in first["filters"]] == [saved.id, others[0].id]
    assert [shown["id"] for shown in second["filters"]] == [others[1].id]
    assert second["next"] is None
    assert len(sent) == 1


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("PATCH", "", {"name": "mine"}),
        ("PATCH", "", {}),
        ("DELETE", "", None),
        ("POST", "/move", {"before": "own"}),
    ],
)
@pytest.mark.parametrize("condition", [{}, {"If-Match": '"1"'}, {"If-Match": '"9"'}])
async def test_the_filter_of_another_does_not_exist(
    client, saved, hidden, session, method, path, body, condition
):
    body = {"before": saved.id} if path else body
    for filter_id in (hidden.id, 2**63 - 1):
        response = await client.request(
            method, f"/filters/{filter_id}{path}", json=body, headers=condition
        )
        assert problem(response) == NOT_FOUND
        assert response.json()["code"] == "filter_not_found"

    assert (await session.get(SavedFilter, hidden.id)).name == "Private"


async def test_a_filter_is_read_with_its_etag(client, saved, statements):
    with statements() as sent:
        read = await client.get(f"/filters/{saved.id}")
    again = await client.get(f"/filters/{saved.id}", headers={"If-None-Match": '"1"'})

    assert (read.status_code, again.status_code) == (200, 304)
    assert len(sent) == 1


async def test_a_change_touches_only_what_was_sent(client, saved, statements):
    with statements() as sent:
        response = await client.patch(f"/filters/{saved.id}/", json={"sort": "due"})

    changed = response.json()
    assert (changed["name"], changed["filter"]) == ("Late", "overdue")
    assert (changed["sort"], changed["version"]) == ("due", 2)
    assert len(sent) == 1
    assert (await client.patch(f"/filters/{saved.id}", json={})).json() == changed
    cleared = await client.patch(f"/filters/{saved.id}", json={"sort": None})
    assert cleared.json()["sort"] is None


async def test_a_name_that_exists_cannot_be_taken(client, saved):
    await client.post("/filters", json={"name": "home", "filter": "a"})

    assert problem(await client.patch(f"/filters/{saved.id}", json={"name": "Home"})) == EXISTS


@pytest.mark.parametrize(
    "change", [{"name": None}, {"filter": None}, {"color": None}, {"sort": "b"}, {"filter": 1}]
)
async def test_an_invalid_change_is_refused(client, saved, change):
    response = await client.patch(f"/filters/{saved.id}", json=change)

    assert invalid_fields(response) == [f"body.{field}" for field in change]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("PATCH", "", {"name": "a"}), ("PATCH", "", {}), ("DELETE", "", None), ("POST", "/move", {})],
)
async def test_a_write_whose_condition_fails_changes_nothing(
    client, saved, save, user, method, path, body
):
    [other] = await save(SavedFilterFactory(owner_id=user.id))
    body = {"after": other.id} if path else body
    response = await client.request(
        method, f"/filters/{saved.id}{path}", json=body, headers={"If-Match": '"2"'}
    )

    assert problem(response) == STALE
    assert response.headers["etag"] == '"1"'
    assert (await client.get(f"/filters/{saved.id}")).json()["name"] == "Late"


async def test_a_deleted_filter_is_gone(client, saved, statements):
    with statements() as sent:
        response = await client.delete(f"/filters/{saved.id}", headers={"If-Match": '"1"'})

    assert (response.status_code, len(sent)) == (204, 1)
    assert problem(await client.get(f"/filters/{saved.id}")) == NOT_FOUND


async def test_filters_are_moved_next_to_another_one(client, save, user, hidden):
    rows = await save(*(SavedFilterFactory(owner_id=user.id, name=name) for name in "abc"))
    ids = {row.name: row.id for row in rows}

    async def order() -> str:
        shown = (await client.get("/filters")).json()["filters"]
        return "".join(row["name"] for row in sorted(shown, key=lambda row: row["position"]))

    for moved, side, sibling, expected in (
        ("c", "before", "a", "cab"),
        ("c", "after", "a", "acb"),
        ("a", "after", "b", "cba"),
    ):
        response = await client.post(f"/filters/{ids[moved]}/move", json={side: ids[sibling]})
        assert response.status_code == 200
        assert await order() == expected

    path = f"/filters/{ids['a']}/move"
    assert problem(await client.post(path, json={"before": hidden.id})) == NOT_FOUND
    assert invalid_fields(await client.post(path, json={"after": ids["a"]})) == ["body.after"]
    assert invalid_fields(await client.post(path, json={})) == ["body"]


@pytest.fixture
async def todos(save, user):
    today = datetime.now(UTC).date()
    late, later = today - timedelta(2), today - timedelta(1)
    await save(
        TodoFactory(owner_id=user.id, title="b", state="todo", due_on=later),
        TodoFactory(owner_id=user.id, title="a", state="todo", due_on=late, priority="high"),
        TodoFactory(owner_id=user.id, title="c", state="todo", due_on=late),
        TodoFactory(owner_id=user.id, title="done", state="done", due_on=late),
    )


async def test_a_saved_filter_lists_its_todos_in_two_statements(client, saved, todos, statements):
    with statements() as sent:
        found = await titles(client, saved_filter=saved.id)

    assert found == ["b", "a", "c"]
    assert (len(sent), sent.transactions) == (2, 0)


async def test_its_sort_is_the_default_and_its_pages_go_on(client, saved, todos):
    await client.patch(f"/filters/{saved.id}", json={"sort": "due,-title"})

    assert await titles(client, saved_filter=saved.id) == ["c", "a", "b"]
    assert await titles(client, saved_filter=saved.id, sort="title") == ["a", "b", "c"]
    for sort in ({}, {"sort": "title"}):
        seen, after = [], {}
        while after is not None:
            params = {"saved_filter": saved.id, "limit": 1, **sort, **after}
            page = (await client.get("/todos", params=params)).json()
            seen += [todo["title"] for todo in page["todos"]]
            after = {"after": page["next"]} if page["next"] else None
        assert seen == (["a", "b", "c"] if sort else ["c", "a", "b"])

    params = {"saved_filter": saved.id, "sort": "title", "limit": 1}
    cursor = (await client.get("/todos", params=params)).json()["next"]
    response = await client.get("/todos", params={"saved_filter": saved.id, "after": cursor})
    assert invalid_fields(response) == ["query.after"]


async def test_a_saved_filter_combines_with_a_filter_and_other_parameters(client, saved, todos):
    wanted = {"saved_filter": saved.id, "filter": "priority:none or a"}
    assert await titles(client, **wanted) == ["b", "a", "c"]
    assert await titles(client, **wanted, priority="none") == ["b", "c"]
    assert await titles(client, **wanted, title="c") == ["c"]


async def test_only_an_own_saved_filter_lists_todos(client, hidden, todos):
    for filter_id in (hidden.id, 2**63 - 1):
        response = await client.get("/todos", params={"saved_filter": filter_id})
        assert problem(response) == NOT_FOUND
    assert invalid_fields(await client.get("/todos?saved_filter=0")) == ["query.saved_filter"]


async def test_a_filter_that_cannot_be_read_any_more_is_a_422_and_not_counted(
    client, saved, session
):
    """As after a step back to an older release."""
    await session.execute(text("UPDATE saved_filters SET filter = 'newer:word'"))
    await session.commit()

    response = await client.get("/todos", params={"saved_filter": saved.id})

    assert (response.status_code, response.json()["code"]) == (422, "filter_invalid")
    assert (await client.get("/todos/summary")).json()["filters"] == []
