"""POST /todos/{id}/move."""

import pytest
from sqlalchemy import text

from fast_zero.core.positions import LONGEST, WIDTH
from tests.core.expect import invalid_fields, problem
from tests.factories import ProjectFactory, SectionFactory, TodoFactory

FAR = 2**63 - 1
NO_TODO = (404, "Task not found.")
NO_PROJECT = (404, "Project not found.")
NO_SECTION = (404, "Section not found.")
NO_PARENT = (404, "Parent not found.")
NOT_A_SIBLING = (409, "It is not in the list that the todo is moved to.")


@pytest.fixture
async def todos(save, user) -> list[int]:
    """Return the ids of five todos in the inbox, in their order."""
    return [todo.id for todo in await save(*TodoFactory.build_batch(5, owner_id=user.id))]


@pytest.fixture
async def project(save, user) -> int:
    [project] = await save(ProjectFactory(owner_id=user.id))
    return project.id


@pytest.fixture
async def section(save, user, project) -> int:
    [section] = await save(SectionFactory(owner_id=user.id, project_id=project))
    return section.id


@pytest.fixture
async def theirs(save, stranger) -> dict[str, int]:
    """Return the ids of a todo, a project and a section of another user."""
    [project] = await save(ProjectFactory(owner_id=stranger.id))
    [section] = await save(SectionFactory(owner_id=stranger.id, project_id=project.id))
    [todo] = await save(TodoFactory(owner_id=stranger.id))
    return {"todo": todo.id, "project_id": project.id, "section_id": section.id}


def place(todo) -> tuple:
    return todo["project_id"], todo["section_id"], todo["parent_id"]


async def below(client, parent_id: int, title: str = "Subtask") -> int:
    response = await client.post("/todos", json={"title": title, "parent_id": parent_id})
    assert response.status_code == 201, response.text
    return response.json()["id"]


async def test_a_todo_moves_before_and_after_its_siblings(client, move, order, todos):
    one, two, three, four, five = todos

    response = await move(five, before=two)
    assert response.status_code == 200, response.text
    assert await order() == [one, five, two, three, four]
    await move(one, after=three)
    assert await order() == [five, two, three, one, four]
    await move(four, before=five)
    assert await order() == [four, five, two, three, one]
    await move(four, after=one)
    assert await order() == [five, two, three, one, four]


async def test_a_move_returns_the_todo_with_its_new_version_and_tag(client, move, todos):
    response = await move(todos[4], before=todos[0])
    moved = response.json()

    assert (moved["id"], moved["version"]) == (todos[4], 2)
    assert len(moved["position"]) > WIDTH
    read = await client.get(f"/todos/{todos[4]}")
    assert (read.json(), read.headers["etag"]) == (moved, response.headers["etag"])
    others = [(await client.get(f"/todos/{todo}")).json()["version"] for todo in todos[:4]]
    assert others == [1, 1, 1, 1]


async def test_a_place_without_a_sibling_is_the_end_of_the_list(
    move, order, save, user, todos, project, section
):
    [first] = await save(TodoFactory(owner_id=user.id, project_id=project))
    for todo in todos[:3]:
        assert place((await move(todo, project_id=project)).json()) == (project, None, None)
    assert await order(project_id=project) == [first.id, *todos[:3]]

    assert place((await move(todos[0], section_id=section)).json()) == (project, section, None)
    assert await order(section_id=section) == [todos[0]]
    await move(todos[1], project_id=None)
    assert await order(project_id="none") == [*todos[3:], todos[1]]
    [created] = await save(TodoFactory(owner_id=user.id))
    assert await order(project_id="none") == [*todos[3:], todos[1], created.id]


async def test_each_way_to_name_a_place(client, move, todos, project, section):
    one, two, three, *_ = todos
    await move(two, section_id=section)

    for where, expected in (
        ({"project_id": project}, (project, None, None)),
        ({"section_id": section}, (project, section, None)),
        ({"section_id": None}, (project, None, None)),
        ({"project_id": project, "section_id": section}, (project, section, None)),
        ({"parent_id": three}, (None, None, three)),
        ({"parent_id": three, "project_id": None, "section_id": None}, (None, None, three)),
        ({"parent_id": two}, (project, section, two)),
        ({"parent_id": two, "project_id": project}, (project, section, two)),
        ({"parent_id": None}, (project, section, None)),
        ({"before": three}, (None, None, None)),
        ({"after": two}, (project, section, None)),
        ({"section_id": section, "before": two}, (project, section, None)),
        ({"project_id": None}, (None, None, None)),
        ({"section_id": None, "parent_id": None}, (None, None, None)),
        ({"project_id": None, "section_id": None, "parent_id": None}, (None, None, None)),
    ):
        response = await move(one, **where)
        assert (response.status_code, place(response.json())) == (200, expected), where


async def test_subtasks_move_with_their_parent_and_keep_their_order(
    client, move, order, todos, section, project
):
    parent, other = todos[:2]
    subtasks = [await below(client, parent) for _ in range(3)]
    deeper = await below(client, subtasks[0])
    await move(subtasks[2], before=subtasks[0])

    await move(parent, section_id=section)

    assert await order(parent_id=parent) == [subtasks[2], *subtasks[:2]]
    for todo in (*subtasks, deeper):
        assert place((await client.get(f"/todos/{todo}")).json())[:2] == (project, section)
    response = await move(deeper, after=other)
    assert place(response.json()) == (None, None, None)
    assert await order(project_id="none") == [other, deeper, *todos[2:]]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["body"]),
        ({"title": "new"}, ["body"]),
        ({"before": 1, "after": 2}, ["body"]),
        ({"before": None}, ["body.before"]),
        ({"after": 0}, ["body.after"]),
        ({"before": FAR + 1}, ["body.before"]),
        ({"before": "1"}, ["body.before"]),
        ({"project_id": True}, ["body.project_id"]),
        ({"section_id": 1.5}, ["body.section_id"]),
        ({"parent_id": -1}, ["body.parent_id"]),
        ({"project_id": None, "section_id": 1}, ["body"]),
    ],
)
async def test_a_move_that_makes_no_sense_is_refused(move, order, todos, body, fields):
    response = await move(todos[0], **body)

    assert {
        field.rsplit(".", 1)[0] if field.count(".") > 1 else field
        for field in invalid_fields(response)
    } == set(fields)
    assert response.json()["code"] == "validation_error"
    assert await order() == todos


@pytest.mark.parametrize("name", ["project_id", "section_id"])
async def test_a_subtask_cannot_be_moved_away_from_its_parent(move, todos, project, section, name):
    given = {"project_id": project, "section_id": section}[name]

    response = await move(todos[0], parent_id=todos[1], **{name: given})

    assert invalid_fields(response) == [f"body.{name}"]


async def test_a_stranger_cannot_move_a_todo(move, theirs, todos):
    assert problem(await move(theirs["todo"], before=todos[0])) == NO_TODO
    assert problem(await move(FAR, project_id=None)) == NO_TODO


async def test_places_of_others_do_not_exist(move, order, theirs, todos, project, section):
    for where, expected in (
        ({"project_id": theirs["project_id"]}, NO_PROJECT),
        ({"project_id": FAR}, NO_PROJECT),
        ({"section_id": theirs["section_id"]}, NO_SECTION),
        ({"section_id": FAR}, NO_SECTION),
        ({"project_id": project, "section_id": theirs["section_id"]}, NO_SECTION),
        ({"project_id": theirs["project_id"], "section_id": section}, NO_PROJECT),
        (dict(list(theirs.items())[1:]), NO_PROJECT),
        ({"parent_id": theirs["todo"]}, NO_PARENT),
        ({"parent_id": FAR}, NO_PARENT),
        ({"before": theirs["todo"]}, NO_TODO),
        ({"after": theirs["todo"]}, NO_TODO),
        ({"before": FAR}, NO_TODO),
        ({"parent_id": FAR, "after": FAR}, NO_TODO),
    ):
        response = await move(todos[0], **where)
        assert problem(response) == expected, where
        codes = {NO_TODO: "todo", NO_PROJECT: "project", NO_SECTION: "section", NO_PARENT: "parent"}
        assert response.json()["code"] == f"{codes[expected]}_not_found"
    assert await order() == todos


async def test_what_is_in_the_trash_does_not_exist(
    client, move, save, connection, user, todos, project, section
):
    await client.delete(f"/todos/{todos[4]}")
    trash = text(
        "WITH made AS (INSERT INTO deletions (owner_id, kind, item_id, title)"
        " VALUES (:owner, 'project', :id, 'gone') RETURNING id)"
        " UPDATE projects SET deletion_id = made.id FROM made WHERE projects.id = :id"
    )
    await connection.execute(trash, {"owner": user.id, "id": project})

    for todo, where, expected in (
        (todos[4], {"project_id": None}, NO_TODO),
        (todos[0], {"before": todos[4]}, NO_TODO),
        (todos[0], {"parent_id": todos[4]}, NO_PARENT),
        (todos[0], {"project_id": project}, NO_PROJECT),
        (todos[0], {"section_id": section}, NO_SECTION),
    ):
        assert problem(await move(todo, **where)) == expected, where


async def test_a_sibling_has_to_be_in_the_list_that_the_todo_is_moved_to(
    client, move, order, todos, project
):
    one, two, *_ = todos
    subtask = await below(client, two)

    for where in (
        {"project_id": project, "before": two},
        {"parent_id": two, "after": two},
        {"project_id": None, "before": subtask},
        {"before": one},
        {"after": one},
    ):
        response = await move(one, **where)
        assert problem(response) == NOT_A_SIBLING, where
        assert response.json()["code"] == "not_a_sibling"
    assert await order(parent_id="none") == todos


async def test_a_todo_cannot_be_moved_below_itself(client, move, todos):
    child = await below(client, todos[0])
    deeper = await below(client, child)

    for where in (
        {"parent_id": todos[0]},
        {"parent_id": child},
        {"parent_id": deeper},
        {"before": deeper},
        {"after": child},
    ):
        response = await move(todos[0], **where)
        assert problem(response) == (409, "A todo cannot be below itself."), where
        assert response.json()["code"] == "todo_cycle"


async def test_a_todo_cannot_be_moved_more_than_six_levels_deep(client, move, todos):
    parents = [todos[0]]
    for _ in range(5):
        parents.append(await below(client, parents[-1]))
    await below(client, todos[1])

    response = await move(todos[2], parent_id=parents[5])
    assert problem(response) == (409, "Todos can be nested six levels deep.")
    assert response.json()["code"] == "todo_too_deep"
    assert (await move(todos[1], parent_id=parents[4])).status_code == 409
    assert (await move(todos[1], parent_id=parents[3])).status_code == 200
    assert (await move(todos[2], parent_id=parents[4])).status_code == 200


async def test_a_condition_is_checked_after_what_is_missing_and_before_conflicts(
    move, order, todos, theirs
):
    one, two, *_ = todos
    stale = {"If-Match": '"7"'}

    assert (await move(one, stale, before=FAR)).status_code == 404
    assert (await move(one, stale, project_id=theirs["project_id"])).status_code == 404
    response = await move(one, stale, before=one)
    assert (response.status_code, response.headers["etag"]) == (412, '"1"')
    assert (await move(one, stale, parent_id=one)).status_code == 412
    assert await order() == todos
    moved = await move(one, {"If-Match": '"1"'}, after=two)
    assert moved.status_code == 200
    again = await move(one, {"If-Match": moved.headers["etag"]}, before=two)
    assert (again.status_code, again.json()["version"]) == (200, 3)
    assert (await move(one, {"If-Match": moved.headers["etag"]}, before=two)).status_code == 412


async def test_a_move_with_an_idempotency_key_is_done_once(move, order, todos):
    one, two, *_ = todos
    headers = {"Idempotency-Key": "a"}
    first = await move(one, headers, after=two)
    await move(one, before=two)

    again = await move(one, headers, after=two)

    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["etag"] == first.headers["etag"]
    assert await order() == todos
    assert (await move(one, headers, before=two)).status_code == 422


async def test_three_hundred_moves_into_one_gap_keep_order_and_positions_short(
    client, order, move, save, user
):
    rows = [todo.id for todo in await save(*TodoFactory.build_batch(304, owner_id=user.id))]
    first, last, *others = rows
    await move(last, after=first)
    expected = [first]
    for number, todo in enumerate(others):
        where = {"before": last} if number % 2 else {"after": expected[-1]}
        response = await move(todo, **where)
        assert response.status_code == 200
        assert len(response.json()["position"]) <= LONGEST
        expected.append(todo)

    assert await order() == [*expected, last]
    page = (await client.get("/todos?limit=1000")).json()["todos"]
    assert max(len(todo["position"]) for todo in page) <= LONGEST


@pytest.mark.parametrize("direction", ["after the first", "between the last two"])
async def test_nested_moves_into_one_gap_are_rebalanced(client, order, move, save, user, direction):
    rows = [todo.id for todo in await save(*TodoFactory.build_batch(202, owner_id=user.id))]
    expected, others = rows[:2], rows[2:]
    for todo in others[:1]:
        await move(todo, after=expected[0])
        expected.insert(1, todo)
    for todo in others[1:]:
        before = expected.index(others[others.index(todo) - 1])
        place = 1 if direction == "after the first" else before + (todo % 2)
        response = await move(todo, after=expected[place - 1])
        assert response.status_code == 200
        assert len(response.json()["position"]) <= LONGEST
        expected.insert(place, todo)

    assert await order() == expected
    page = (await client.get("/todos?limit=1000")).json()["todos"]
    assert max(len(todo["position"]) for todo in page) <= LONGEST
    assert max(todo["version"] for todo in page) <= 8


async def test_a_move_is_one_statement_for_each_thing_that_it_needs(
    move, statements, todos, project, section
):
    for where, expected in (
        ({"before": todos[1]}, 4),
        ({"project_id": None}, 4),
        ({"parent_id": todos[1]}, 4),
        ({"project_id": project, "section_id": section}, 5),
    ):
        with statements() as sent:
            response = await move(todos[0], **where)
        assert response.status_code == 200
        assert (len(sent), sent.transactions) == (expected, 1), (where, sent)
