"""POST /projects/{id}/duplicate."""

import pytest
from sqlalchemy import text

from tests.core.expect import problem
from tests.factories import ProjectFactory, SectionFactory, TodoFactory

NO_PROJECT = (404, "Project not found.")


@pytest.fixture
async def project(save, user) -> int:
    [project] = await save(
        ProjectFactory(owner_id=user.id, name="House", description="Old", color="green")
    )
    return project.id


async def duplicate(client, project_id: int, headers=None):
    return await client.post(f"/projects/{project_id}/duplicate", headers=headers)


async def todos_of(client, **wanted) -> list:
    """Return titles, states and labels of a list with their subtasks, nested, in their order."""
    params = {"sort": "position", "limit": 1000, **wanted}
    page = (await client.get("/todos", params=params)).json()
    return [
        (
            todo["title"],
            todo["state"],
            todo["labels"],
            await todos_of(client, parent_id=todo["id"]),
        )
        for todo in page["todos"]
    ]


async def content(client, project_id: int) -> dict:
    """Return what is in a project: sections, todos and projects, nested, in their order."""
    sections = (await client.get(f"/projects/{project_id}/sections")).json()["sections"]
    projects = (await client.get("/projects")).json()["projects"]

    def in_order(rows):
        return sorted(rows, key=lambda row: row["position"])

    inside = in_order(row for row in projects if row["parent_id"] == project_id)
    here = {"project_id": project_id, "parent_id": "none"}
    return {
        "sections": [
            (row["name"], await todos_of(client, section_id=row["id"], parent_id="none"))
            for row in in_order(sections)
        ],
        "todos": await todos_of(client, section_id="none", **here),
        "projects": [
            (row["name"], row["color"], row["archived"], await content(client, row["id"]))
            for row in inside
        ],
    }


async def add(client, title: str, **fields) -> int:
    response = await client.post("/todos", json={"title": title, **fields})
    assert response.status_code == 201, response.text
    return response.json()["id"]


async def test_a_project_is_copied_with_all_that_is_in_it(client, save, move, user, project):
    own = {"owner_id": user.id}
    inside = await save(*ProjectFactory.build_batch(2, **own, parent_id=project, archived=True))
    [deepest] = await save(ProjectFactory(**own, parent_id=inside[1].id, color="red"))
    sections = await save(*SectionFactory.build_batch(3, **own, project_id=project))
    swapped = f"/projects/{project}/sections/{sections[2].id}/move"
    assert (await client.post(swapped, json={"before": sections[0].id})).is_success
    swapped = f"/projects/{inside[1].id}/move"
    assert (await client.post(swapped, json={"before": inside[0].id})).is_success
    for number, where in enumerate(
        (
            {"project_id": project},
            {"section_id": sections[0].id},
            {"section_id": sections[2].id},
            {"project_id": inside[1].id},
            {"project_id": deepest.id},
        )
    ):
        first = await add(client, f"first {number}", **where, labels=["a", f"l{number}"])
        second = await add(client, f"second {number}", **where, state="done")
        await move(second, before=first)
        below = await add(client, f"below {number}", parent_id=first, labels=["b"], state="draft")
        await add(client, f"deep {number}", parent_id=below)
        await client.delete(f"/todos/{await add(client, 'gone', **where)}")
    before = await content(client, project)

    response = await duplicate(client, project)
    copy = response.json()

    assert response.status_code == 201, response.text
    assert response.headers["location"] == f"/projects/{copy['id']}"
    assert (await client.get(f"/projects/{copy['id']}")).json() == copy
    assert response.headers["etag"] == '"1"'
    expected = ("House (copy)", "Old", "green", None, False)
    names = ("name", "description", "color", "parent_id", "archived")
    assert tuple(copy[name] for name in names) == expected
    assert str(await content(client, copy["id"])) == str(before).replace("'done'", "'todo'")
    assert await content(client, project) == before
    assert len(before["sections"]) == 3
    assert len(before["projects"]) == 2


async def test_the_copy_is_the_last_of_its_siblings(client, save, user, project):
    [first, second] = await save(
        *ProjectFactory.build_batch(2, owner_id=user.id, parent_id=project)
    )

    copy = (await duplicate(client, first.id)).json()

    assert copy["parent_id"] == project
    rows = (await client.get("/projects")).json()["projects"]
    siblings = sorted(
        (row for row in rows if row["parent_id"] == project), key=lambda row: row["position"]
    )
    assert [row["id"] for row in siblings] == [first.id, second.id, copy["id"]]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("House (copy)", "House (copy) (copy)"),
        ("é" * 93, "é" * 93 + " (copy)"),
        ("é" * 100, "é" * 93 + " (copy)"),
        ("a" * 92 + " bcdefg", "a" * 92 + " (copy)"),
    ],
)
async def test_the_name_of_a_copy_is_cut_to_a_hundred_characters(
    client, save, user, name, expected
):
    [project] = await save(ProjectFactory(owner_id=user.id, name=name))

    assert (await duplicate(client, project.id)).json()["name"] == expected


async def test_a_copy_of_an_archived_project_is_not_archived(client, save, user):
    [project] = await save(ProjectFactory(owner_id=user.id, archived=True))

    assert (await duplicate(client, project.id)).json()["archived"] is False


async def test_a_stranger_cannot_copy_a_project(client, save, stranger, project):
    [theirs] = await save(ProjectFactory(owner_id=stranger.id))
    await client.delete(f"/projects/{project}")

    for project_id in (theirs.id, project, 2**63 - 1):
        response = await duplicate(client, project_id)
        assert problem(response) == NO_PROJECT
        assert response.json()["code"] == "project_not_found"


async def test_more_than_a_thousand_todos_are_not_copied(client, connection, user, save, project):
    [inside] = await save(ProjectFactory(owner_id=user.id, parent_id=project))
    fill = (
        "INSERT INTO todos (owner_id, title, description, state, project_id)"
        " SELECT {}, 'Todo', '', 'todo', {} FROM generate_series(1, {})"
    )
    await connection.execute(text(fill.format(user.id, project, 500)))
    await connection.execute(text(fill.format(user.id, inside.id, 500)))
    assert (await duplicate(client, project)).status_code == 201

    await connection.execute(text(fill.format(user.id, inside.id, 1)))
    response = await duplicate(client, project)
    assert response.status_code == 409
    assert response.json()["code"] == "too_many_to_duplicate"


async def test_more_than_a_thousand_sections_are_not_copied(client, connection, user, project):
    await connection.execute(
        text(
            f"INSERT INTO sections (owner_id, project_id, name) SELECT {user.id}, {project}, 'S'"
            " FROM generate_series(1, 1001)"
        )
    )

    assert (await duplicate(client, project)).status_code == 409


async def test_the_number_of_statements_depends_on_levels_alone(client, save, user, statements):
    counts = []
    for size in (1, 30):
        [project] = await save(ProjectFactory(owner_id=user.id))
        here = {"owner_id": user.id, "project_id": project.id}
        await save(*SectionFactory.build_batch(size, **here))
        roots = await save(*TodoFactory.build_batch(size, **here))
        await save(*(TodoFactory(owner_id=user.id, parent_id=root.id) for root in roots))
        with statements() as sent:
            assert (await duplicate(client, project.id)).status_code == 201
        counts.append(len(sent))

    assert counts == [10, 10]


async def test_a_copy_with_an_idempotency_key_is_made_once(client, project):
    headers = {"Idempotency-Key": "a"}
    first = await duplicate(client, project, headers)
    again = await duplicate(client, project, headers)

    assert (again.status_code, again.json()) == (201, first.json())
    assert len((await client.get("/projects")).json()["projects"]) == 2
