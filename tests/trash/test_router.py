"""The trash: what is in it, and deleting it for good."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError
from sqlalchemy import text

from fast_zero.core.jobs import Context
from fast_zero.core.settings import Settings
from fast_zero.trash import jobs, queries
from tests.core.expect import invalid_fields, problem
from tests.factories import ProjectFactory, SectionFactory, TodoFactory

NOT_FOUND = (404, "This is not in your trash.")
MOVED = {"message": "Project has been moved to the trash."}


@pytest.fixture
def rows(connection):
    """Count the rows of tables."""

    async def rows(*tables: str) -> list[int]:
        counts = [
            await connection.scalar(text(f"SELECT count(*) FROM {table}")) for table in tables
        ]
        return list(map(int, counts))

    return rows


@pytest.fixture
async def project(save, user):
    """Return a project with a subproject, a section, and a todo with a subtask in each place."""
    [project] = await save(ProjectFactory(owner_id=user.id, name="House"))
    [inside] = await save(ProjectFactory(owner_id=user.id, parent_id=project.id))
    [section] = await save(SectionFactory(owner_id=user.id, project_id=project.id))
    for place in (
        {"project_id": project.id},
        {"project_id": project.id, "section_id": section.id},
        {"project_id": inside.id},
    ):
        [todo] = await save(TodoFactory(owner_id=user.id, state="todo", **place))
        await save(TodoFactory(owner_id=user.id, state="todo", parent_id=todo.id))
    return project


async def trash(client) -> list[dict]:
    return (await client.get("/trash")).json()["deletions"]


async def test_a_deleted_project_is_one_item_of_the_trash(client, project, statements):
    with statements() as sent:
        response = await client.delete(f"/projects/{project.id}")

    assert (response.status_code, response.json()) == (200, MOVED)
    assert (len(sent), sent.transactions) == (2, 1)
    assert (await client.get("/projects")).json()["projects"] == []
    assert (await client.get("/todos")).json()["todos"] == []
    with statements() as sent:
        [item] = await trash(client)
    assert len(sent) == 1
    deleted_at = datetime.fromisoformat(item["deleted_at"])
    assert item == {
        "id": item["id"],
        "kind": "project",
        "item_id": project.id,
        "title": "House",
        "deleted_at": item["deleted_at"],
        "purge_at": (deleted_at + timedelta(days=30)).isoformat().replace("+00:00", "Z"),
    }
    assert datetime.now(UTC) - deleted_at < timedelta(minutes=5)


async def test_a_deleted_project_does_not_exist(client, project):
    await client.delete(f"/projects/{project.id}")

    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {"name": "a"}),
        ("DELETE", "", None),
        ("POST", "/move", {"parent_id": None}),
    ):
        response = await client.request(method, f"/projects/{project.id}{path}", json=body)
        assert problem(response) == (404, "Project not found.")
    new = {"title": "a", "project_id": project.id}
    assert problem(await client.post("/todos", json=new)) == (404, "Project not found.")


async def test_the_trash_has_pages_newest_first(client, user, save):
    todos = await save(*TodoFactory.build_batch(3, owner_id=user.id))
    for todo in todos:
        await client.delete(f"/todos/{todo.id}")

    first = (await client.get("/trash?limit=2")).json()
    second = (await client.get("/trash", params={"after": first["next"]})).json()

    found = first["deletions"] + second["deletions"]
    assert [item["item_id"] for item in found] == [todo.id for todo in reversed(todos)]
    assert {item["kind"] for item in found} == {"todo"}
    assert second["next"] is None


async def test_deleting_for_good_deletes_all_of_it(client, project, rows, statements):
    await client.delete(f"/projects/{project.id}")
    [item] = await trash(client)

    with statements() as sent:
        response = await client.delete(f"/trash/{item['id']}")

    assert response.json() == {"message": "It has been deleted for good."}
    assert (response.status_code, len(sent)) == (200, 2)
    assert await rows("projects", "sections", "todos", "deletions") == [0, 0, 0, 0]
    assert problem(await client.delete(f"/trash/{item['id']}")) == NOT_FOUND
    response = await client.post(f"/projects/{project.id}/restore")
    assert problem(response) == (404, "There is no such project in the trash.")
    assert response.json()["code"] == "project_not_in_trash"


async def test_emptying_the_trash_deletes_all_of_it(client, project, user, save, rows, statements):
    [kept, gone] = await save(*TodoFactory.build_batch(2, owner_id=user.id))
    await client.delete(f"/todos/{gone.id}")
    await client.delete(f"/projects/{project.id}")

    with statements() as sent:
        response = await client.delete("/trash")

    assert response.json() == {"message": "The trash has been emptied."}
    assert (response.status_code, len(sent)) == (200, 2)
    assert await trash(client) == []
    assert await rows("projects", "sections", "todos", "deletions") == [0, 0, 1, 0]
    assert (await client.get(f"/todos/{kept.id}")).status_code == 200
    assert (await client.delete("/trash")).status_code == 200


async def test_the_trash_of_another_does_not_exist(client, stranger, save, bearer):
    [todo] = await save(TodoFactory(owner_id=stranger.id))
    [project] = await save(ProjectFactory(owner_id=stranger.id))
    theirs = {"headers": bearer(stranger)}
    await client.delete(f"/todos/{todo.id}", **theirs)
    await client.delete(f"/projects/{project.id}", **theirs)
    items = (await client.get("/trash", **theirs)).json()["deletions"]
    assert len(items) == 2

    assert await trash(client) == []
    for deletion_id in (*(item["id"] for item in items), 2**63 - 1):
        response = await client.delete(f"/trash/{deletion_id}")
        assert problem(response) == NOT_FOUND
        assert response.json()["code"] == "deletion_not_found"
    for path in (f"/todos/{todo.id}", f"/projects/{project.id}"):
        assert problem(await client.post(f"{path}/restore"))[0] == 404
    await client.delete("/trash")
    assert (await client.get("/trash", **theirs)).json()["deletions"] == items


@pytest.mark.parametrize("deletion_id", ["0", "one", str(2**63)])
async def test_an_impossible_id_is_refused(client, deletion_id):
    assert invalid_fields(await client.delete(f"/trash/{deletion_id}")) == ["path.deletion_id"]


async def test_an_account_is_deleted_with_its_trash(client, user, project, save, rows):
    [todo] = await save(TodoFactory(owner_id=user.id))
    await client.delete(f"/todos/{todo.id}")
    await client.delete(f"/projects/{project.id}")
    await save(ProjectFactory(owner_id=user.id))

    response = await client.delete(f"/users/{user.id}")

    assert response.status_code == 200
    assert await rows("projects", "sections", "todos", "deletions") == [0, 0, 0, 0]


async def age(connection, days: float) -> None:
    moment = datetime.now(UTC) - timedelta(days=days)
    await connection.execute(text("UPDATE deletions SET deleted_at = :moment"), {"moment": moment})


async def test_the_job_deletes_what_is_too_old(
    client, project, user, save, stranger, bearer, rows, connection, sessions, settings
):
    [old, other, new] = await save(
        TodoFactory(owner_id=user.id),
        TodoFactory(owner_id=stranger.id),
        TodoFactory(owner_id=user.id),
    )
    await client.delete(f"/todos/{old.id}")
    await client.delete(f"/todos/{other.id}", headers=bearer(stranger))
    await client.delete(f"/projects/{project.id}")
    await age(connection, 7.1)
    await client.delete(f"/todos/{new.id}")

    await jobs.purge(Context(settings, sessions))
    assert await rows("deletions", "projects") == [4, 2]
    await jobs.purge(Context(settings.model_copy(update={"trash_days": 7}), sessions))

    assert [item["item_id"] for item in await trash(client)] == [new.id]
    assert await rows("projects", "sections", "todos", "deletions") == [0, 0, 1, 1]


async def test_the_job_deletes_in_batches(
    client, user, save, rows, connection, sessions, settings, monkeypatch
):
    monkeypatch.setattr(queries, "DELETIONS_AT_ONCE", 2)
    for todo in await save(*TodoFactory.build_batch(5, owner_id=user.id)):
        await client.delete(f"/todos/{todo.id}")
    await age(connection, 31)
    context = Context(settings, sessions)

    more = [await jobs.purge_some(context, user.id, timedelta(30)) for _ in range(3)]

    assert more == [True, True, False]
    assert await rows("todos", "deletions") == [0, 0]


@pytest.mark.parametrize("days", [0, 3651, "many"])
def test_the_setting_has_limits(days):
    with pytest.raises(ValidationError, match="trash_days"):
        Settings(_env_file=None, trash_days=days)


async def test_the_date_of_the_purge_follows_the_setting(client, user, save, settings):
    [todo] = await save(TodoFactory(owner_id=user.id))
    await client.delete(f"/todos/{todo.id}")
    client.state["settings"] = settings.model_copy(update={"trash_days": 3650})

    [item] = await trash(client)

    kept = datetime.fromisoformat(item["purge_at"]) - datetime.fromisoformat(item["deleted_at"])
    assert kept == timedelta(days=3650)
