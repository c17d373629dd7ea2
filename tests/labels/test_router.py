"""Labels: their routes, and the labels of todos."""

import pytest

from fast_zero.models import Label
from tests.core.expect import invalid_fields, problem
from tests.factories import LabelFactory, TodoFactory

NOT_FOUND = (404, "Label not found.")
EXISTS = (409, "You already have a label with this name.")
STALE = (412, "It has changed since you read it. Read it again, then send your change.")
FIELDS = {"id", "name", "color", "created_at", "updated_at", "version"}


@pytest.fixture
async def label(save, user) -> Label:
    [label] = await save(LabelFactory(owner_id=user.id, name="errands", color="green"))
    return label


@pytest.fixture
async def hidden(save, stranger) -> Label:
    [label] = await save(LabelFactory(owner_id=stranger.id, name="private"))
    return label


async def names(client, todo_id: int) -> list[str]:
    return (await client.get(f"/todos/{todo_id}")).json()["labels"]


async def create_todo(client, *labels: str) -> dict:
    response = await client.post("/todos", json={"title": "Buy bread", "labels": labels})
    assert response.status_code == 201, response.text
    return response.json()


async def test_a_label_is_created(client, statements):
    with statements() as sent:
        response = await client.post("/labels/", json={"name": " Errands "})

    label = response.json()
    assert response.status_code == 201
    assert label.keys() == FIELDS
    assert (label["name"], label["color"], label["version"]) == ("Errands", "grey", 1)
    assert response.headers["location"] == f"/labels/{label['id']}"
    assert response.headers["etag"] == '"1"'
    assert len(sent) == 1
    read = await client.get(response.headers["location"])
    assert (read.json(), read.headers["etag"]) == (label, '"1"')


@pytest.mark.parametrize("name", ["errands", "ERRANDS", " Errands", "\uff45rrands"])
async def test_a_name_that_exists_in_another_case_is_refused(client, label, name):
    response = await client.post("/labels", json={"name": name})

    assert problem(response) == EXISTS
    assert response.json()["code"] == "label_exists"


async def test_two_users_can_have_labels_of_the_same_name(client, hidden):
    assert (await client.post("/labels", json={"name": hidden.name})).status_code == 201


@pytest.mark.parametrize(
    ("new", "places"),
    [
        ({}, ["body.name"]),
        ({"name": ""}, ["body.name"]),
        ({"name": " \n"}, ["body.name"]),
        ({"name": "a" * 51}, ["body.name"]),
        ({"name": "a\0"}, ["body.name"]),
        ({"name": None}, ["body.name"]),
        ({"name": "a", "color": "#ff0000"}, ["body.color"]),
        ({"name": "a", "color": None}, ["body.color"]),
    ],
)
async def test_creating_names_the_fields_that_are_wrong(client, new, places):
    assert invalid_fields(await client.post("/labels", json=new)) == places


async def test_the_same_key_creates_one_label(client):
    key = {"Idempotency-Key": "one"}
    first = await client.post("/labels", json={"name": "a"}, headers=key)
    second = await client.post("/labels", json={"name": "a"}, headers=key)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"


async def test_labels_are_listed_in_pages(client, label, hidden, save, user, statements):
    others = await save(*LabelFactory.build_batch(2, owner_id=user.id))

    with statements() as sent:
        first = (await client.get("/labels?limit=2")).json()
    second = (await client.get("/labels", params={"after": first["next"]})).json()

    assert [shown["id"] for shown in first["labels"]] == [label.id, others[0].id]
    assert [shown["id"] for shown in second["labels"]] == [others[1].id]
    assert second["next"] is None
    assert len(sent) == 1


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("PATCH", "", {"name": "mine"}),
        ("PATCH", "", {}),
        ("DELETE", "", None),
        ("POST", "/merge", {"into": 1}),
    ],
)
@pytest.mark.parametrize("condition", [{}, {"If-Match": '"1"'}, {"If-Match": '"9"'}])
async def test_the_label_of_another_does_not_exist(
    client, hidden, session, method, path, body, condition
):
    for label_id in (hidden.id, 2**63 - 1):
        response = await client.request(
            method, f"/labels/{label_id}{path}", json=body, headers=condition
        )
        assert problem(response) == NOT_FOUND
        assert response.json()["code"] == "label_not_found"
        assert "etag" not in response.headers

    assert (await session.get(Label, hidden.id)).name == "private"


async def test_a_label_is_read_with_its_etag(client, label, statements):
    with statements() as sent:
        read = await client.get(f"/labels/{label.id}")
    again = await client.get(f"/labels/{label.id}", headers={"If-None-Match": '"1"'})

    assert (read.status_code, again.status_code) == (200, 304)
    assert len(sent) == 1


async def test_a_change_touches_only_what_was_sent(client, label, statements):
    with statements() as sent:
        response = await client.patch(f"/labels/{label.id}/", json={"color": "blue"})

    changed = response.json()
    assert (changed["name"], changed["color"], changed["version"]) == ("errands", "blue", 2)
    assert response.headers["etag"] == '"2"'
    assert len(sent) == 1
    assert (await client.patch(f"/labels/{label.id}", json={})).json() == changed


async def test_a_label_can_be_renamed_to_another_case(client, label):
    renamed = await client.patch(f"/labels/{label.id}", json={"name": "ERRANDS"})

    assert renamed.json()["name"] == "ERRANDS"


async def test_a_name_that_exists_cannot_be_taken(client, label):
    await client.post("/labels", json={"name": "home"})

    assert problem(await client.patch(f"/labels/{label.id}", json={"name": "Home"})) == EXISTS


@pytest.mark.parametrize("change", [{"name": None}, {"name": ""}, {"color": "pinkish"}])
async def test_an_invalid_change_is_refused(client, label, change):
    response = await client.patch(f"/labels/{label.id}", json=change)

    assert invalid_fields(response) == [f"body.{field}" for field in change]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "", {"name": "a"}),
        ("PATCH", "", {}),
        ("DELETE", "", None),
        ("POST", "/merge", {"into": None}),
    ],
)
async def test_a_write_whose_condition_fails_changes_nothing(
    client, label, save, user, method, path, body
):
    [other] = await save(LabelFactory(owner_id=user.id))
    body = {"into": other.id} if path else body
    response = await client.request(
        method, f"/labels/{label.id}{path}", json=body, headers={"If-Match": '"2"'}
    )

    assert problem(response) == STALE
    assert response.headers["etag"] == '"1"'
    assert (await client.get(f"/labels/{label.id}")).json()["name"] == "errands"


async def test_a_rename_shows_on_todos_and_in_their_etags(client, label):
    url = f"/todos/{(await create_todo(client, 'errands'))['id']}"
    before = await client.get(url)
    await client.patch(f"/labels/{label.id}", json={"name": "shopping"})
    after = await client.get(url, headers={"If-None-Match": before.headers["etag"]})

    assert (after.status_code, after.json()["labels"]) == (200, ["shopping"])
    assert after.json()["version"] == before.json()["version"]
    assert (await client.patch(url, json={}, headers={"If-Match": '"1"'})).status_code == 200


async def test_todos_stay_when_their_label_is_deleted(client, label, statements):
    todo = await create_todo(client, "errands", "home")

    with statements() as sent:
        response = await client.delete(f"/labels/{label.id}")

    assert (response.status_code, response.content) == (204, b"")
    assert (len(sent), sent.transactions) == (2, 1)
    assert await names(client, todo["id"]) == ["home"]
    assert problem(await client.get(f"/labels/{label.id}")) == NOT_FOUND


async def test_merging_gives_all_todos_the_other_label(client, label, save, user, statements):
    [into] = await save(LabelFactory(owner_id=user.id, name="shopping"))
    todos = [
        await create_todo(client, *given)
        for given in (["errands"], ["errands", "shopping"], ["shopping"], ["home"], [])
    ]
    deleted = await create_todo(client, "errands")
    await client.delete(f"/todos/{deleted['id']}")

    with statements() as sent:
        response = await client.post(f"/labels/{label.id}/merge", json={"into": into.id})

    assert (response.status_code, response.json()["name"]) == (200, "shopping")
    assert response.headers["etag"] == '"1"'
    assert response.json() == (await client.get(f"/labels/{into.id}")).json()
    assert (len(sent), sent.transactions) == (4, 1)
    assert [await names(client, todo["id"]) for todo in todos] == [
        ["shopping"],
        ["shopping"],
        ["shopping"],
        ["home"],
        [],
    ]
    assert problem(await client.get(f"/labels/{label.id}")) == NOT_FOUND
    await client.post(f"/todos/{deleted['id']}/restore")
    assert await names(client, deleted["id"]) == ["shopping"]


async def test_a_merge_costs_the_same_number_of_statements_for_many_todos(
    client, label, save, user, statements
):
    [into] = await save(LabelFactory(owner_id=user.id))
    for _ in range(20):
        await create_todo(client, "errands")

    with statements() as sent:
        await client.post(f"/labels/{label.id}/merge", json={"into": into.id})

    assert (len(sent), sent.transactions) == (4, 1)


async def test_a_label_cannot_be_merged_into_that_of_another(client, label, hidden):
    for into in (hidden.id, 2**63 - 1):
        response = await client.post(f"/labels/{label.id}/merge", json={"into": into})
        assert problem(response) == NOT_FOUND
    assert (await client.get(f"/labels/{label.id}")).status_code == 200


async def test_a_label_cannot_be_merged_into_itself(client, label):
    response = await client.post(f"/labels/{label.id}/merge", json={"into": label.id})

    assert invalid_fields(response) == ["body.into"]
    assert (await client.get(f"/labels/{label.id}")).status_code == 200


@pytest.mark.parametrize("body", [{}, {"into": "1"}, {"into": 0}, {"into": None}, {"into": 2**63}])
async def test_a_merge_needs_an_id(client, label, body):
    response = await client.post(f"/labels/{label.id}/merge", json=body)

    assert invalid_fields(response) == ["body.into"]


async def test_a_merge_is_repeated_by_its_key(client, label, save, user):
    [into] = await save(LabelFactory(owner_id=user.id))
    first, second = [
        await client.post(
            f"/labels/{label.id}/merge",
            json={"into": into.id},
            headers={"Idempotency-Key": "merge"},
        )
        for _ in range(2)
    ]

    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"
    assert first.headers["etag"] == second.headers["etag"]


@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "labelled"}])
async def test_a_todo_with_labels_is_created_in_one_statement(client, label, statements, key):
    new = {"title": "Buy bread", "labels": ["Errands", "home", "bakery"], "due_on": "2026-12-04"}
    with statements() as sent:
        response = await client.post("/todos", json=new, headers=key)

    todo = response.json()
    assert response.status_code == 201
    assert (todo["labels"], todo["version"]) == (["bakery", "errands", "home"], 1)
    assert len(sent) == (3 if key else 1)
    assert key or sent.transactions == 0
    read = await client.get(f"/todos/{todo['id']}")
    assert read.json() == todo
    assert read.headers["etag"] == response.headers["etag"]


@pytest.mark.parametrize("given", [["Home", "home", "HOME"], ["home"]])
async def test_names_that_differ_only_in_case_are_one_label(client, given):
    todo = await create_todo(client, *given)
    url = f"/todos/{todo['id']}"

    assert todo["labels"] == given[:1]
    assert len((await client.get("/labels")).json()["labels"]) == 1
    changed = await client.patch(url, json={"labels": ["Bread", "BREAD", "hOME"]})
    assert changed.json()["labels"] == ["Bread", given[0]]
    assert (await client.get(url)).json() == changed.json()


async def test_a_subtask_can_be_created_with_labels(client):
    parent = await create_todo(client, "home")
    subtask = {"title": "Flour", "labels": ["home", "shop"], "parent_id": parent["id"]}
    response = await client.post("/todos", json=subtask)
    subtask["parent_id"] = 2**63 - 1
    refused = await client.post("/todos", json=subtask | {"labels": ["new"]})

    assert response.json()["labels"] == ["home", "shop"]
    assert problem(refused) == (404, "Parent not found.")
    assert len((await client.get("/labels")).json()["labels"]) == 2


async def test_a_todo_takes_at_most_fifty_labels(client):
    many = [f"label {number}" for number in range(50)]
    todo = await create_todo(client, *many)
    url = f"/todos/{todo['id']}"

    assert set(todo["labels"]) == set(many)
    for request in (
        client.post("/todos", json={"title": "a", "labels": [*many, "more"]}),
        client.patch(url, json={"labels": [*many, "more"]}),
    ):
        assert invalid_fields(await request) == ["body.labels"]
    assert len((await client.get("/labels")).json()["labels"]) == 50


@pytest.mark.parametrize("labels", [[""], ["a" * 51], [None], "home", None, [1], ["a\0"]])
async def test_invalid_labels_of_a_todo_are_refused(client, labels):
    todo = await create_todo(client)
    for request in (
        client.post("/todos", json={"title": "a", "labels": labels}),
        client.patch(f"/todos/{todo['id']}", json={"labels": labels}),
    ):
        assert {place.rpartition(".labels")[0] for place in invalid_fields(await request)} == {
            "body"
        }


async def test_a_change_of_labels_replaces_the_set(client, statements):
    todo = await create_todo(client, "errands", "home")
    url = f"/todos/{todo['id']}"

    with statements() as sent:
        changed = await client.patch(url, json={"labels": ["home", "garden"]})

    assert (len(sent), sent.transactions) == (4, 1)
    assert changed.json()["labels"] == ["garden", "home"]
    assert changed.json()["version"] == 2
    kept = await client.patch(url, json={"title": "Water the plants"})
    assert (kept.json()["labels"], kept.json()["version"]) == (["garden", "home"], 3)
    assert (await client.get(url)).headers["etag"] == kept.headers["etag"]
    emptied = await client.patch(url, json={"labels": []})
    assert (emptied.json()["labels"], emptied.json()["version"]) == ([], 4)
    assert len((await client.get("/labels")).json()["labels"]) == 3


async def test_the_labels_of_a_strangers_todo_cannot_be_changed(client, save, stranger):
    [todo] = await save(TodoFactory(owner_id=stranger.id))
    response = await client.patch(f"/todos/{todo.id}", json={"labels": ["mine"]})

    assert problem(response) == (404, "Task not found.")
    assert (await client.get("/labels")).json()["labels"] == []


async def test_labels_under_a_stale_condition_stay(client):
    todo = await create_todo(client, "home")
    response = await client.patch(
        f"/todos/{todo['id']}", json={"labels": ["work"]}, headers={"If-Match": '"2"'}
    )

    assert problem(response) == STALE
    assert await names(client, todo["id"]) == ["home"]
    assert len((await client.get("/labels")).json()["labels"]) == 1


async def test_the_labels_of_a_stranger_are_not_used(client, hidden):
    todo = await create_todo(client, "Private")

    assert todo["labels"] == ["Private"]
    [own] = (await client.get("/labels")).json()["labels"]
    assert own["id"] != hidden.id


async def test_an_account_with_labelled_todos_can_be_deleted(client, user):
    await create_todo(client, "home", "work")

    assert (await client.delete(f"/users/{user.id}")).status_code == 200
