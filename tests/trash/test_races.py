"""What happens at the same moment, each on its own connection."""

import asyncio

import pytest
from sqlalchemy import text

from tests.core.expect import PATIENCE
from tests.factories import ProjectFactory, TodoFactory, UserFactory

ROUNDS = 10
ORPHANS = """
SELECT count(*) FROM todos JOIN projects ON projects.id = todos.project_id
WHERE todos.deletion_id IS NULL AND projects.deletion_id IS NOT NULL
"""
ORPHANED_SUBTASKS = """
SELECT count(*) FROM todos JOIN todos AS parent ON parent.id = todos.parent_id
WHERE todos.deletion_id IS NULL AND parent.deletion_id IS NOT NULL
"""
ORPHANED_PROJECTS = """
SELECT count(*) FROM projects JOIN projects AS parent ON parent.id = projects.parent_id
WHERE projects.deletion_id IS NULL AND parent.deletion_id IS NOT NULL
"""


@pytest.fixture
async def client(live, commit, log_in):
    [user] = await commit(UserFactory())
    async with live() as client:
        client.headers.update(await log_in(user))
        client.owner_id = user.id
        yield client


@pytest.fixture
def orphans(engine):
    """Count what is visible in a place that is in the trash."""

    async def orphans() -> int:
        async with engine.connect() as connection:
            counts = [
                await connection.scalar(text(statement))
                for statement in (ORPHANS, ORPHANED_SUBTASKS, ORPHANED_PROJECTS)
            ]
        return sum(counts)

    return orphans


async def test_no_todo_is_left_in_a_project_that_is_deleted(client, commit, orphans):
    for number in range(ROUNDS):
        project, other = await commit(*ProjectFactory.build_batch(2, owner_id=client.owner_id))
        place = {"owner_id": client.owner_id, "project_id": project.id}
        [parent, elsewhere, _] = await commit(
            TodoFactory(**place), TodoFactory(owner_id=client.owner_id), TodoFactory(**place)
        )
        new = {"title": "a", "project_id": project.id}
        requests = [
            client.post("/todos", json=new),
            client.post("/todos", json={"title": "a", "parent_id": parent.id}),
            client.post("/projects", json={"name": "a", "parent_id": project.id}),
            client.post(f"/projects/{other.id}/move", json={"parent_id": project.id}),
            client.post("/todos", json=new),
        ]
        requests.insert(number % 5, client.delete(f"/projects/{project.id}"))

        responses = await asyncio.gather(*requests)

        assert {response.status_code for response in responses} <= {200, 201, 404}
        assert (await client.get(f"/projects/{project.id}")).status_code == 404
        assert await orphans() == 0
        assert (await client.post(f"/projects/{project.id}/restore")).status_code == 200
        for response in responses:
            if response.status_code == 201:
                kind = "projects" if "archived" in response.json() else "todos"
                url = f"/{kind}/{response.json()['id']}"
                assert (await client.get(url)).status_code == 200
        assert (await client.get(f"/todos/{elsewhere.id}")).status_code == 200


async def wait_for_a_lock(engine) -> None:
    """Wait until a connection to the database of this test waits for a lock."""
    waiting = text("""
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
    """)
    async with asyncio.timeout(PATIENCE), engine.connect() as connection:
        while await connection.scalar(waiting) == 0:
            await connection.rollback()  # or the statistics stay as they are
            await asyncio.sleep(0.01)


async def test_a_todo_that_waits_for_the_deletion_of_its_project_is_refused(
    client, commit, engine, orphans
):
    [project] = await commit(ProjectFactory(owner_id=client.owner_id))
    async with engine.begin() as connection:
        values = {"owner_id": client.owner_id, "project_id": project.id}
        await connection.execute(
            text("""
            WITH made AS (
                INSERT INTO deletions (owner_id, kind, item_id, title)
                VALUES (:owner_id, 'project', :project_id, 'House') RETURNING id
            )
            UPDATE projects SET deletion_id = (SELECT id FROM made) WHERE id = :project_id
            """),
            values,
        )
        new = {"title": "a", "project_id": project.id}
        creating = asyncio.create_task(client.post("/todos", json=new))
        await wait_for_a_lock(engine)
        assert not creating.done()

    assert (await creating).json()["code"] == "project_not_found"
    assert await orphans() == 0


async def test_a_deletion_that_waits_for_a_todo_takes_it_along(client, commit, engine, orphans):
    [project] = await commit(ProjectFactory(owner_id=client.owner_id))
    async with engine.begin() as connection:
        await connection.execute(
            text("""
            INSERT INTO todos (owner_id, title, description, state, project_id)
            VALUES (:owner_id, 'a', '', 'todo', :project_id)
            """),
            {"owner_id": client.owner_id, "project_id": project.id},
        )
        deleting = asyncio.create_task(client.delete(f"/projects/{project.id}"))
        await wait_for_a_lock(engine)
        assert not deleting.done()

    assert (await deleting).status_code == 200
    assert (await client.get("/todos")).json()["todos"] == []
    assert await orphans() == 0
    await client.post(f"/projects/{project.id}/restore")
    assert len((await client.get("/todos")).json()["todos"]) == 1


async def test_a_deletion_that_waits_for_a_change_of_the_project_is_refused(client, commit, engine):
    [project] = await commit(ProjectFactory(owner_id=client.owner_id))
    url = f"/projects/{project.id}"
    async with engine.begin() as connection:
        await connection.execute(
            text(f"UPDATE projects SET name = 'renamed' WHERE id = {project.id}")
        )
        deleting = asyncio.create_task(client.delete(url, headers={"If-Match": '"1"'}))
        await wait_for_a_lock(engine)

    assert (await deleting).status_code == 412
    assert (await client.get(url)).json()["name"] == "renamed"


async def test_a_project_is_deleted_while_its_todos_are_completed(client, commit):
    for _ in range(ROUNDS):
        [project] = await commit(ProjectFactory(owner_id=client.owner_id))
        [todo] = await commit(
            TodoFactory(owner_id=client.owner_id, project_id=project.id, state="todo")
        )
        place = {"owner_id": client.owner_id, "parent_id": todo.id, "state": "todo"}
        await commit(*(TodoFactory(**place) for _ in range(5)))

        responses = await asyncio.gather(
            client.post(f"/todos/{todo.id}/complete"),
            client.delete(f"/projects/{project.id}"),
            client.patch(f"/todos/{todo.id}", json={"title": "a"}),
        )

        assert {response.status_code for response in responses} <= {200, 404}
        assert responses[1].status_code == 200


async def test_restoring_and_deleting_for_good_at_once_do_one_of_them(client, commit, orphans):
    for _ in range(ROUNDS):
        [project] = await commit(ProjectFactory(owner_id=client.owner_id))
        place = {"owner_id": client.owner_id, "project_id": project.id}
        [todo, early] = await commit(TodoFactory(**place), TodoFactory(**place))
        await client.delete(f"/todos/{early.id}")
        await client.delete(f"/projects/{project.id}")

        responses = await asyncio.gather(
            client.post(f"/projects/{project.id}/restore"),
            client.post(f"/todos/{todo.id}/restore"),
            client.delete("/trash"),
            client.post(f"/todos/{early.id}/restore"),
            client.delete("/trash"),
        )

        assert {response.status_code for response in responses} <= {200, 404}
        assert await orphans() == 0
        assert (await client.get("/trash")).json()["deletions"] == []
        for response, path in zip(responses, ("projects", "todos", "", "todos"), strict=False):
            if path and response.status_code == 200:
                url = f"/{path}/{response.json()['id']}"
                assert (await client.get(url)).status_code == 200
