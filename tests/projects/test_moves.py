"""Moves of projects and sections, and what the database refuses."""

import asyncio
from collections import Counter

import pytest

from fast_zero.core import positions
from tests.core.expect import invalid_fields, problem
from tests.factories import ProjectFactory, SectionFactory, UserFactory


@pytest.fixture
async def names(save, user) -> dict[str, int]:
    """Return the ids of three projects."""
    projects = await save(*(ProjectFactory(owner_id=user.id, name=name) for name in "abc"))
    return {project.name: project.id for project in projects}


async def order(client, parent_id=None, **options) -> str:
    projects = (await client.get("/projects", **options)).json()["projects"]
    children = [project for project in projects if project["parent_id"] == parent_id]
    return "".join(
        project["name"] for project in sorted(children, key=lambda each: each["position"])
    )


@pytest.mark.parametrize(
    ("moved", "side", "sibling", "expected"),
    [
        ("c", "before", "a", "cab"),
        ("c", "before", "b", "acb"),
        ("c", "after", "a", "acb"),
        ("c", "after", "b", "abc"),
        ("a", "after", "c", "bca"),
        ("a", "after", "b", "bac"),
        ("a", "before", "c", "bac"),
        ("b", "before", "c", "abc"),
    ],
)
async def test_a_move_next_to_a_sibling(client, names, statements, moved, side, sibling, expected):
    with statements() as sent:
        response = await client.post(f"/projects/{names[moved]}/move", json={side: names[sibling]})

    assert response.status_code == 200
    assert response.headers["etag"] == '"2"'
    assert response.json() == (await client.get(f"/projects/{names[moved]}")).json()
    assert len(sent) == 4
    assert await order(client) == expected
    await client.post("/projects", json={"name": "d"})
    assert await order(client) == expected + "d"


async def test_a_move_to_a_parent_puts_it_last_there(client, names):
    for name in "ab":
        response = await client.post(
            f"/projects/{names[name]}/move", json={"parent_id": names["c"]}
        )
        assert response.json()["parent_id"] == names["c"]
    assert await order(client, names["c"]) == "ab"

    await client.post(f"/projects/{names['a']}/move", json={"parent_id": names["c"]})
    assert await order(client, names["c"]) == "ba"

    response = await client.post(f"/projects/{names['b']}/move", json={"parent_id": None})
    assert response.json()["parent_id"] is None
    assert await order(client) == "cb"


async def test_a_move_next_to_a_sibling_alone_takes_its_parent(client, names):
    await client.post(f"/projects/{names['a']}/move", json={"parent_id": names["c"]})

    response = await client.post(f"/projects/{names['b']}/move", json={"before": names["a"]})

    assert response.json()["parent_id"] == names["c"]
    assert await order(client, names["c"]) == "ba"


async def test_a_move_to_a_parent_next_to_a_sibling_there(client, names):
    await client.post(f"/projects/{names['a']}/move", json={"parent_id": names["c"]})
    url, there = f"/projects/{names['b']}/move", {"parent_id": names["c"]}

    elsewhere = await client.post(url, json={"parent_id": None, "after": names["a"]})
    response = await client.post(url, json=there | {"before": names["a"]})

    assert problem(elsewhere) == (404, "Project not found.")
    assert response.status_code == 200
    assert await order(client, names["c"]) == "ba"


@pytest.mark.parametrize(
    ("move", "places"),
    [
        ({}, ["body"]),
        ({"name": "a"}, ["body"]),
        ({"before": 1, "after": 2}, ["body"]),
        ({"before": None}, ["body.before"]),
        ({"after": 0}, ["body.after"]),
        ({"after": "1"}, ["body.after"]),
        ({"parent_id": 0}, ["body.parent_id"]),
        ({"parent_id": 1.5}, ["body.parent_id"]),
    ],
)
async def test_an_invalid_move_is_refused(client, names, move, places):
    for path in (f"/projects/{names['a']}/move", "/projects/1/sections/1/move"):
        if "parent_id" not in move or "sections" not in path:
            assert invalid_fields(await client.post(path, json=move)) == places


@pytest.mark.parametrize("side", ["before", "after"])
async def test_a_move_next_to_itself_is_refused(client, names, side):
    response = await client.post(f"/projects/{names['a']}/move", json={side: names["a"]})

    assert invalid_fields(response) == [f"body.{side}"]


@pytest.mark.parametrize("field", ["parent_id", "before", "after"])
async def test_projects_of_another_are_no_place(client, names, save, stranger, field):
    [theirs] = await save(ProjectFactory(owner_id=stranger.id))
    for wanted in (theirs.id, 2**63 - 1):
        response = await client.post(f"/projects/{names['a']}/move", json={field: wanted})
        assert problem(response) == (404, "Project not found.")
    assert await order(client) == "abc"


async def test_a_project_in_the_trash_is_no_place(client, names):
    await client.delete(f"/projects/{names['c']}")

    for field in ("parent_id", "before", "after"):
        response = await client.post(f"/projects/{names['a']}/move", json={field: names["c"]})
        assert problem(response) == (404, "Project not found.")
    new = {"name": "d", "parent_id": names["c"]}
    assert problem(await client.post("/projects", json=new)) == (404, "Project not found.")


async def test_a_project_cannot_be_inside_itself(client, names):
    await client.post(f"/projects/{names['b']}/move", json={"parent_id": names["a"]})
    for parent in "ab":
        response = await client.post(
            f"/projects/{names['a']}/move", json={"parent_id": names[parent]}
        )
        assert problem(response) == (409, "A project cannot be inside itself.")
        assert response.json()["code"] == "project_cycle"


async def test_a_move_counts_the_levels_on_both_sides(client, names, save, user):
    [child] = await save(ProjectFactory(owner_id=user.id, parent_id=names["a"]))
    await save(ProjectFactory(owner_id=user.id, parent_id=child.id))

    response = await client.post(f"/projects/{names['a']}/move", json={"parent_id": names["b"]})

    assert problem(response) == (409, "Projects can be nested three levels deep.")
    response = await client.post(f"/projects/{child.id}/move", json={"parent_id": names["b"]})
    assert response.status_code == 200


async def test_a_retried_move_is_done_once(client, names):
    headers = {"Idempotency-Key": "one"}
    url, move = f"/projects/{names['c']}/move", {"before": names["a"]}

    first, second = [await client.post(url, json=move, headers=headers) for _ in range(2)]

    assert (first.status_code, first.json()["version"]) == (200, 2)
    assert second.json() == first.json()


async def test_positions_are_rebalanced_before_they_grow_long(client, names, monkeypatch):
    monkeypatch.setattr(positions, "LONGEST", 18)
    for number in range(20):
        moved, sibling = ("c", "b") if number % 2 else ("b", "c")
        response = await client.post(
            f"/projects/{names[moved]}/move", json={"before": names[sibling]}
        )
        assert response.json() == (await client.get(f"/projects/{names[moved]}")).json()
        assert len(response.json()["position"]) <= 18
        assert await order(client) == f"a{moved}{sibling}"
    await client.post("/projects", json={"name": "d"})
    assert await order(client) == "acbd"


async def test_of_two_moves_into_one_another_one_is_refused(live, commit, log_in):
    [user] = await commit(UserFactory())
    one, other = await commit(*ProjectFactory.build_batch(2, owner_id=user.id))
    headers = await log_in(user)
    async with live() as client:
        for _ in range(10):
            responses = await asyncio.gather(
                client.post(
                    f"/projects/{one.id}/move", json={"parent_id": other.id}, headers=headers
                ),
                client.post(
                    f"/projects/{other.id}/move", json={"parent_id": one.id}, headers=headers
                ),
            )

            codes = Counter(response.json().get("code") for response in responses)
            assert codes == {None: 1, "project_cycle": 1}
            for project in (one, other):
                url = f"/projects/{project.id}/move"
                await client.post(url, json={"parent_id": None}, headers=headers)


async def test_many_moves_at_once_end_in_one_order(live, commit, log_in):
    [user] = await commit(UserFactory())
    projects = await commit(*ProjectFactory.build_batch(8, owner_id=user.id))
    headers = await log_in(user)
    async with live() as client:
        responses = await asyncio.gather(
            *(
                client.post(
                    f"/projects/{project.id}/move",
                    json={side: projects[0].id},
                    headers=headers,
                )
                for project in projects[1:]
                for side in ("before", "after")
            )
        )
        found = (await client.get("/projects", headers=headers)).json()["projects"]

    assert {response.status_code for response in responses} == {200}
    assert len({project["position"] for project in found}) == len(projects)


@pytest.fixture
async def sections(save, user, names) -> dict[str, int]:
    made = await save(
        *(SectionFactory(owner_id=user.id, project_id=names["a"], name=name) for name in "xyz")
    )
    return {section.name: section.id for section in made}


async def order_of_sections(client, project_id) -> str:
    found = (await client.get(f"/projects/{project_id}/sections")).json()["sections"]
    return "".join(each["name"] for each in sorted(found, key=lambda each: each["position"]))


@pytest.mark.parametrize(
    ("moved", "side", "sibling", "expected"),
    [("z", "before", "x", "zxy"), ("x", "after", "z", "yzx"), ("x", "after", "y", "yxz")],
)
async def test_a_section_moves_next_to_another(
    client, names, sections, statements, moved, side, sibling, expected
):
    url = f"/projects/{names['a']}/sections/{sections[moved]}"
    with statements() as sent:
        response = await client.post(f"{url}/move", json={side: sections[sibling]})

    assert response.status_code == 200
    assert response.headers["etag"] == '"2"'
    assert response.json() == (await client.get(url)).json()
    assert len(sent) == 4
    assert await order_of_sections(client, names["a"]) == expected


async def test_positions_of_sections_are_rebalanced(client, names, sections, monkeypatch):
    monkeypatch.setattr(positions, "LONGEST", 18)
    for number in range(12):
        moved, sibling = ("z", "y") if number % 2 else ("y", "z")
        url = f"/projects/{names['a']}/sections/{sections[moved]}/move"
        response = await client.post(url, json={"before": sections[sibling]})
        assert len(response.json()["position"]) <= 18
        assert await order_of_sections(client, names["a"]) == f"x{moved}{sibling}"


async def test_a_section_moves_only_within_its_project(client, names, sections, save, user):
    [other] = await save(SectionFactory(owner_id=user.id, project_id=names["b"]))
    url = f"/projects/{names['a']}/sections/{sections['x']}/move"

    for sibling in (other.id, 2**63 - 1):
        response = await client.post(url, json={"after": sibling})
        assert problem(response) == (404, "Section not found.")
    assert invalid_fields(await client.post(url, json={"after": sections["x"]})) == ["body.after"]
    response = await client.post(url, json={"after": sections["y"]}, headers={"If-Match": '"7"'})
    assert problem(response)[0] == 412
    wrong = f"/projects/{names['b']}/sections/{sections['x']}/move"
    assert problem(await client.post(wrong, json={"after": other.id}))[0] == 404
