import asyncio

import pytest

from fast_zero.models import Project, Section
from tests.core.expect import invalid_fields, problem
from tests.factories import ProjectFactory, SectionFactory, TodoFactory, UserFactory

NOT_FOUND = (404, "Section not found.")


@pytest.fixture
async def project(save, user) -> Project:
    [project] = await save(ProjectFactory(owner_id=user.id))
    return project


@pytest.fixture
async def section(save, user, project) -> Section:
    [section] = await save(
        SectionFactory(owner_id=user.id, project_id=project.id, name="This week")
    )
    return section


@pytest.fixture
def url(project, section) -> str:
    return f"/projects/{project.id}/sections/{section.id}"


async def test_a_section_is_created(client, project, statements):
    with statements() as sent:
        response = await client.post(
            f"/projects/{project.id}/sections", json={"name": " This week "}
        )

    body = response.json()
    assert response.status_code == 201
    assert body == {
        "id": body["id"],
        "project_id": project.id,
        "name": "This week",
        "position": f"{body['id']:016x}",
        "created_at": body["created_at"],
        "updated_at": body["created_at"],
        "version": 1,
    }
    assert len(sent) == 1
    assert response.headers["etag"] == '"1"'
    assert response.headers["location"] == f"/projects/{project.id}/sections/{body['id']}"
    assert (await client.get(response.headers["location"])).json() == body


@pytest.mark.parametrize("new", [{}, {"name": ""}, {"name": "a" * 101}, {"name": None}])
async def test_a_section_needs_a_name(client, project, url, new):
    path = f"/projects/{project.id}/sections"
    assert set(invalid_fields(await client.post(path, json=new))) == {"body.name"}
    if new:
        assert set(invalid_fields(await client.patch(url, json=new))) == {"body.name"}


async def test_a_retry_with_the_same_key_creates_one_section(client, project):
    path, headers = f"/projects/{project.id}/sections", {"Idempotency-Key": "one"}
    first, second = [await client.post(path, json={"name": "a"}, headers=headers) for _ in range(2)]

    assert first.json() == second.json()
    assert len((await client.get(path)).json()["sections"]) == 1


async def test_a_list_has_pages(client, user, project, save, statements):
    sections = await save(*SectionFactory.build_batch(3, owner_id=user.id, project_id=project.id))
    path = f"/projects/{project.id}/sections"
    with statements() as sent:
        first = (await client.get(path, params={"limit": 2})).json()
    second = (await client.get(path, params={"limit": 2, "after": first["next"]})).json()

    found = first["sections"] + second["sections"]
    assert [section["id"] for section in found] == [section.id for section in sections]
    assert second["next"] is None
    assert len(sent) == 1


async def test_the_list_of_a_project_without_sections_is_empty(client, project):
    response = await client.get(f"/projects/{project.id}/sections")

    assert (response.status_code, response.json()) == (200, {"sections": [], "next": None})


async def test_a_section_is_renamed(client, url, statements):
    with statements() as sent:
        response = await client.patch(url, json={"name": "Next week"})

    assert (response.status_code, len(sent)) == (200, 1)
    assert (response.json()["name"], response.json()["version"]) == ("Next week", 2)
    assert response.headers["etag"] == '"2"'
    assert (await client.patch(url, json={})).json() == response.json()
    assert (await client.get(url, headers={"If-None-Match": '"2"'})).status_code == 304


@pytest.mark.parametrize(("method", "body"), [("PATCH", {"name": "a"}), ("DELETE", None)])
async def test_a_write_whose_condition_fails_changes_nothing(client, url, method, body):
    response = await client.request(method, url, json=body, headers={"If-Match": '"2"'})

    assert problem(response)[0] == 412
    assert response.headers["etag"] == '"1"'
    assert (await client.get(url)).json()["name"] == "This week"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("PATCH", "", {"name": "a"}),
        ("DELETE", "", None),
        ("POST", "/move", {"before": 2**62}),
    ],
)
async def test_the_section_of_another_does_not_exist(
    client, project, section, save, user, stranger, method, path, body
):
    [theirs] = await save(ProjectFactory(owner_id=stranger.id))
    [hidden] = await save(SectionFactory(owner_id=stranger.id, project_id=theirs.id))
    [other] = await save(ProjectFactory(owner_id=user.id))
    pairs = [(theirs.id, hidden.id), (project.id, hidden.id), (other.id, section.id)]
    for project_id, section_id in [*pairs, (project.id, 2**63 - 1)]:
        for headers in ({}, {"If-Match": '"1"'}):
            response = await client.request(
                method,
                f"/projects/{project_id}/sections/{section_id}{path}",
                json=body,
                headers=headers,
            )
            assert problem(response) == NOT_FOUND


async def test_the_sections_of_a_project_in_the_trash_are_hidden(client, project, url):
    await client.delete(f"/projects/{project.id}")

    assert problem(await client.get(url)) == NOT_FOUND
    path = f"/projects/{project.id}/sections"
    assert problem(await client.get(path))[0] == 404
    assert problem(await client.post(path, json={"name": "a"}))[0] == 404
    await client.post(f"/projects/{project.id}/restore")
    assert (await client.get(url)).status_code == 200


async def test_a_deleted_section_leaves_its_todos_in_the_project(
    client, user, project, section, url, save, statements
):
    places = {"owner_id": user.id, "project_id": project.id, "state": "todo"}
    await save(TodoFactory(**places, section_id=section.id, title="first"))
    [parent] = await save(TodoFactory(**places, section_id=section.id, title="second"))
    await save(TodoFactory(**places, title="outside"))
    [subtask] = await save(TodoFactory(owner_id=user.id, parent_id=parent.id, title="below"))
    [gone] = await save(TodoFactory(**places, section_id=section.id, title="gone"))
    await client.delete(f"/todos/{gone.id}")

    with statements() as sent:
        response = await client.delete(url)

    assert (response.status_code, response.content, len(sent)) == (204, b"", 2)
    assert problem(await client.get(url)) == NOT_FOUND
    params = {"project_id": project.id, "sort": "position", "parent_id": "none"}
    found = (await client.get("/todos", params=params)).json()["todos"]
    assert [todo["title"] for todo in found] == ["outside", "first", "second"]
    assert {todo["section_id"] for todo in found} == {None}
    below = (await client.get(f"/todos/{subtask.id}")).json()
    assert (below["project_id"], below["section_id"]) == (project.id, None)
    restored = (await client.post(f"/todos/{gone.id}/restore")).json()
    assert (restored["project_id"], restored["section_id"]) == (project.id, None)


async def test_a_todo_created_while_its_section_is_deleted_stays_in_the_project(
    live, commit, log_in
):
    [user] = await commit(UserFactory())
    [project] = await commit(ProjectFactory(owner_id=user.id))
    headers = await log_in(user)
    async with live() as client:
        for _ in range(10):
            [section] = await commit(SectionFactory(owner_id=user.id, project_id=project.id))
            new = {"title": "a", "project_id": project.id, "section_id": section.id}
            *created, deleted = await asyncio.gather(
                *(client.post("/todos", json=new, headers=headers) for _ in range(3)),
                client.delete(f"/projects/{project.id}/sections/{section.id}", headers=headers),
            )
            assert deleted.status_code == 204
            assert {response.status_code for response in created} <= {201, 404}
            for response in created:
                if response.status_code == 201:
                    url = f"/todos/{response.json()['id']}"
                    todo = (await client.get(url, headers=headers)).json()
                    assert (todo["project_id"], todo["section_id"]) == (project.id, None)
