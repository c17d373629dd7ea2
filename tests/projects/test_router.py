"""Projects: create, list, read, change."""

from datetime import datetime

import pytest

from fast_zero.core.colors import Color
from fast_zero.models import Project
from tests.core.expect import invalid_fields, problem
from tests.factories import ProjectFactory, TodoFactory

NOT_FOUND = (404, "Project not found.")
FIELDS = {
    *("id", "name", "description", "color", "parent_id", "position", "archived"),
    *("created_at", "updated_at", "version"),
}
WRITES = [
    ("GET", "", None),
    ("PATCH", "", {"name": "Mine now"}),
    ("PATCH", "", {}),
    ("DELETE", "", None),
    ("POST", "/move", {"parent_id": None}),
    ("GET", "/sections", None),
    ("POST", "/sections", {"name": "Mine now"}),
]


@pytest.fixture
async def project(save, user) -> Project:
    [project] = await save(ProjectFactory(owner_id=user.id, name="House"))
    return project


@pytest.fixture
async def hidden(save, stranger) -> Project:
    [project] = await save(ProjectFactory(owner_id=stranger.id, name="Private"))
    return project


async def test_creating_with_a_name_alone_fills_in_the_rest(client, statements):
    with statements() as sent:
        response = await client.post("/projects/", json={"name": " House "})

    assert response.status_code == 201
    body = response.json()
    assert body == {
        "id": body["id"],
        "name": "House",
        "description": "",
        "color": "grey",
        "parent_id": None,
        "position": f"{body['id']:016x}",
        "archived": False,
        "created_at": body["created_at"],
        "updated_at": body["created_at"],
        "version": 1,
    }
    assert len(sent) == 1
    assert response.headers["location"] == f"/projects/{body['id']}"
    assert response.headers["etag"] == '"1"'
    assert (await client.get(response.headers["location"])).json() == body


async def test_creating_stores_what_was_sent(client, project):
    new = {
        "name": "Casa e jardim 🌱",
        "description": "Antes\ndo inverno.",
        "color": "green",
        "parent_id": project.id,
    }

    created = (await client.post("/projects", json=new)).json()

    assert created.keys() == FIELDS
    assert {name: created[name] for name in new} == new


@pytest.mark.parametrize("color", Color.__args__)
async def test_each_color_can_be_stored(client, color):
    created = await client.post("/projects", json={"name": "House", "color": color})

    assert (created.status_code, created.json()["color"]) == (201, color)


@pytest.mark.parametrize(
    ("new", "places"),
    [
        ({}, ["body.name"]),
        ({"name": " "}, ["body.name"]),
        ({"name": "a" * 101}, ["body.name"]),
        ({"name": "a\0"}, ["body.name"]),
        ({"name": "a", "description": "a" * 5001}, ["body.description"]),
        ({"name": "a", "color": "#ff0000"}, ["body.color"]),
        ({"name": "a", "color": None}, ["body.color"]),
        ({"name": "a", "parent_id": 0}, ["body.parent_id"]),
        ({"name": "a", "parent_id": 2**63}, ["body.parent_id"]),
        ({"name": "a", "parent_id": "1"}, ["body.parent_id"]),
    ],
)
async def test_creating_names_the_fields_that_are_wrong(client, new, places):
    assert invalid_fields(await client.post("/projects", json=new)) == places


async def test_a_project_is_not_created_inside_of_that_of_another(client, hidden):
    for parent_id in (hidden.id, 2**63 - 1):
        new = {"name": "House", "parent_id": parent_id}
        assert problem(await client.post("/projects", json=new)) == NOT_FOUND


async def test_projects_have_three_levels(client, project):
    parent_id = project.id
    for _ in range(2):
        created = await client.post("/projects", json={"name": "a", "parent_id": parent_id})
        parent_id = created.json()["id"]

    response = await client.post("/projects", json={"name": "a", "parent_id": parent_id})

    assert problem(response) == (409, "Projects can be nested three levels deep.")
    assert response.json()["code"] == "project_too_deep"


async def test_a_retry_with_the_same_key_creates_one_project(client):
    headers = {"Idempotency-Key": "one"}

    first, second = [
        await client.post("/projects", json={"name": "House"}, headers=headers) for _ in range(2)
    ]

    assert first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"
    assert len((await client.get("/projects")).json()["projects"]) == 1


async def test_a_list_has_pages_oldest_first(client, user, save, stranger, statements):
    projects = await save(*ProjectFactory.build_batch(5, owner_id=user.id))
    await save(*ProjectFactory.build_batch(2, owner_id=stranger.id))

    found, after = [], {}
    for _ in range(3):
        with statements() as sent:
            page = (await client.get("/projects", params={"limit": 2, **after})).json()
        assert len(sent) == 1
        found += page["projects"]
        after = {"after": page["next"]}

    assert [project["id"] for project in found] == [project.id for project in projects]
    assert page["next"] is None
    assert found[0].keys() == FIELDS


@pytest.mark.parametrize(
    ("archived", "names"), [({}, ["a", "b"]), ("true", ["b"]), ("false", ["a"])]
)
async def test_a_list_is_filtered_by_archived(client, user, save, archived, names):
    await save(
        ProjectFactory(owner_id=user.id, name="a"),
        ProjectFactory(owner_id=user.id, name="b", archived=True),
    )

    response = await client.get("/projects", params=archived and {"archived": archived})

    assert [project["name"] for project in response.json()["projects"]] == names


async def test_a_list_refuses_unknown_values(client):
    assert invalid_fields(await client.get("/projects?archived=maybe")) == ["query.archived"]
    assert invalid_fields(await client.get("/projects?after=x")) == ["query.after"]


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
async def test_the_project_of_another_does_not_exist(client, hidden, method, path, body):
    for project_id in (hidden.id, 2**63 - 1):
        for headers in ({}, {"If-Match": '"1"'}):
            url = f"/projects/{project_id}{path}"
            response = await client.request(method, url, json=body, headers=headers)

            assert problem(response) == NOT_FOUND
            assert response.json()["code"] == "project_not_found"
            assert "etag" not in response.headers


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Garden"},
        {"description": "Roses."},
        {"color": "red"},
        {"archived": True},
        {"name": "Garden", "description": "Roses.", "color": "red", "archived": True},
        {"name": "Garden", "id": 1, "owner_id": 1, "parent_id": 1, "position": "a"},
    ],
)
async def test_a_change_touches_only_what_was_sent(client, project, change, statements):
    url = f"/projects/{project.id}"
    before = (await client.get(url)).json()

    with statements() as sent:
        response = await client.patch(url, json=change)

    assert (response.status_code, len(sent)) == (200, 1)
    after = response.json()
    sent_fields = ("name", "description", "color", "archived")
    known = {name: change[name] for name in sent_fields if name in change}
    assert after == before | known | {"version": 2, "updated_at": after["updated_at"]}
    assert datetime.fromisoformat(after["updated_at"]) >= project.created_at
    assert response.headers["etag"] == '"2"'
    assert (await client.get(url)).json() == after


async def test_an_empty_change_gives_the_project_as_it_is(client, project):
    response = await client.patch(f"/projects/{project.id}", json={})

    assert (response.status_code, response.json()["version"]) == (200, 1)


@pytest.mark.parametrize("field", ["name", "description", "color", "archived"])
@pytest.mark.parametrize("value", [None, 1, [], "\0"])
async def test_a_change_to_an_invalid_value_is_refused(client, project, field, value):
    response = await client.patch(f"/projects/{project.id}", json={field: value})

    assert set(invalid_fields(response)) == {f"body.{field}"}


async def test_an_archived_project_still_takes_todos(client, project):
    await client.patch(f"/projects/{project.id}", json={"archived": True})

    created = await client.post("/todos", json={"title": "Rake", "project_id": project.id})

    assert (created.status_code, created.json()["project_id"]) == (201, project.id)


async def test_a_read_with_a_known_tag_gets_304(client, project):
    url = f"/projects/{project.id}"
    response = await client.get(url, headers={"If-None-Match": '"1"'})

    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["etag"] == '"1"'


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "", {"name": "Garden"}),
        ("PATCH", "", {}),
        ("DELETE", "", None),
        ("POST", "/move", {"parent_id": None}),
    ],
)
async def test_a_write_whose_condition_fails_changes_nothing(client, project, method, path, body):
    url = f"/projects/{project.id}"
    response = await client.request(method, url + path, json=body, headers={"If-Match": '"2"'})

    assert problem(response)[0] == 412
    assert response.headers["etag"] == '"1"'
    kept = (await client.get(url)).json()
    assert (kept["name"], kept["version"]) == ("House", 1)
    response = await client.request(method, url + path, json=body, headers={"If-Match": '"1"'})
    assert response.status_code == 200


async def test_todos_of_a_project_are_listed_by_it(client, user, project, save):
    [inside, _] = await save(
        TodoFactory(owner_id=user.id, project_id=project.id), TodoFactory(owner_id=user.id)
    )

    found = (await client.get("/todos", params={"project_id": project.id})).json()["todos"]

    assert [todo["id"] for todo in found] == [inside.id]


@pytest.mark.parametrize("project_id", ["0", "-1", "one", str(2**63)])
async def test_an_impossible_id_is_refused(client, project_id):
    for path in ("", "/sections", "/sections/1"):
        response = await client.get(f"/projects/{project_id}{path}")
        assert invalid_fields(response) == ["path.project_id"]
