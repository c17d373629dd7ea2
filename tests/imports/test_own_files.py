"""Exported files come in again: as the same todos where they came from, elsewhere as equal ones."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.factories import ProjectFactory, SectionFactory

FILES = [
    ("/users/me/export/todos.csv", "text/csv"),
    ("/users/me/export/todos.ics", "text/calendar"),
]
OWN = {"id", "version", "updated_at", "position", "share", "recurrence_text"}
TEMPLATE = "TYPE,CONTENT,INDENT,DATE\ntask,a @new,1,every day\ntask,b,2,2031-03-27\n"


@pytest.fixture
def create(client):
    async def create(**fields):
        response = await client.post("/todos", json={"title": "Buy bread"} | fields)
        assert response.status_code == 201, response.text
        return response.json()

    return create


@pytest.fixture
async def account(client, create, save, user, import_file):
    """Fill an account with todos of all kinds."""
    [outer] = await save(ProjectFactory(owner_id=user.id, name="House/Garden"))
    [inner] = await save(ProjectFactory(owner_id=user.id, name="Küche, \\n", parent_id=outer.id))
    [section] = await save(SectionFactory(owner_id=user.id, project_id=inner.id, name="=Later"))
    place = {"project_id": inner.id, "section_id": section.id}
    soon = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    zone = {"due_at": f"{soon}T09:00:00.25-03:00", "time_zone": "America/Sao_Paulo"}
    parent = await create(
        title="=Bread; and, so \\n on",
        description="One.\r\nTwo.",
        labels=["errands", "ho,me"],
        priority="urgent",
        starts_on="2026-12-01",
        deadline_on="2031-12-05",
        duration_minutes=90,
        recurrence={"rule": "FREQ=WEEKLY;UNTIL=20331231", "from": "completion"},
        reminders=[{"minutes_before": 30}, {"at": "2026-12-03T18:00:00-03:00"}],
        **zone,
        **place,
    )
    child = await create(title="Flour", parent_id=parent["id"], state="draft", labels=["errands"])
    await create(title="Rye", parent_id=child["id"], state="doing", due_on="2020-01-01")
    series = await create(title="Series", due_on=soon, recurrence={"rule": "FREQ=DAILY;COUNT=5"})
    await client.post(f"/todos/{series['id']}/complete")
    done = await create(title="Done", due_on="2026-12-04", project_id=outer.id)
    await client.patch(f"/todos/{done['id']}", json={"state": "done"})
    await create(title="Trash", state="trash", reminders=[{"minutes_before": 0}], due_on=soon)
    deleted = await create(title="Deleted")
    await client.delete(f"/todos/{deleted['id']}")
    assert (await import_file(TEMPLATE))["created"] == 2


@pytest.fixture
def shown(listed):
    """Return what the API says of the todos of an account, without what is of the account alone."""

    async def shown():
        todos = await listed("/todos", "todos")
        projects = {each["id"]: each for each in await listed("/projects", "projects")}
        titles = {todo["id"]: todo["title"] for todo in todos}
        sections = {}
        for id_ in projects:
            for each in await listed(f"/projects/{id_}/sections", "sections"):
                sections[each["id"]] = each["name"]

        def path(id_):
            if id_ is None:
                return ()
            return (*path(projects[id_]["parent_id"]), projects[id_]["name"])

        return [
            {name: todo[name] for name in todo if name not in OWN}
            | {
                "project_id": path(todo["project_id"]),
                "section_id": sections.get(todo["section_id"]),
                "parent_id": titles.get(todo["parent_id"]),
            }
            for todo in sorted(todos, key=lambda todo: todo["title"])
        ]

    return shown


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize(("path", "media_type"), FILES)
async def test_where_a_file_came_from_all_of_it_is_found(
    client, import_file, listed, path, media_type
):
    before = await listed("/todos", "todos")
    file = (await client.get(path)).content

    done = await import_file(file, media_type)

    counts = (done["total"], done["found"], done["created"], done["losses"])
    assert counts == (len(before), len(before), 0, 0), done
    assert await listed("/todos", "todos") == before


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize(("path", "media_type"), FILES)
async def test_in_another_account_all_of_it_is_equal(
    client, import_file, shown, bearer, stranger, path, media_type
):
    before = await shown()
    [series] = [todo for todo in before if todo["title"] == "Series"]
    series["recurrence"]["rule"] = "FREQ=DAILY;COUNT=4"  # without the one that is done
    file = (await client.get(path)).content
    client.headers.update(bearer(stranger))

    done = await import_file(file, media_type)

    assert (done["created"], done["losses"], done["errors"]) == (len(before), 0, 0), done
    assert await shown() == before
    again = await import_file((await client.get(path)).content, media_type)
    assert (again["created"], again["found"]) == (0, len(before))


async def test_a_file_of_another_account_comes_back_to_the_same_todos(
    client, import_file, create, bearer, stranger
):
    await create()
    home = client.headers["authorization"]
    file = (await client.get(FILES[0][0])).content
    client.headers.update(bearer(stranger))
    await import_file(file)
    file = (await client.get(FILES[0][0])).content
    client.headers["authorization"] = home

    done = await import_file(file)

    assert (done["created"], done["found"]) == (0, 1)


async def test_todos_of_somebody_else_are_not_found(client, import_file, create, bearer, stranger):
    todo = await create()
    file = (await client.get(FILES[0][0])).text
    client.headers.update(bearer(stranger))

    done = await import_file(file)

    assert (done["created"], done["found"]) == (1, 0)
    assert (await client.get("/todos")).json()["todos"][0]["id"] != todo["id"]


async def test_a_todo_that_returns_beside_its_import_has_its_key(
    client, import_file, create, listed
):
    todo = await create()
    file = (await client.get(FILES[0][0])).content
    await client.delete(f"/todos/{todo['id']}")
    assert (await import_file(file))["created"] == 1
    await client.post(f"/todos/{todo['id']}/restore")

    both = await import_file((await client.get(FILES[0][0])).content)

    assert (both["status"], both["found"], both["created"]) == ("done", 2, 0), both
    assert (await import_file(file))["found"] == 1
    assert len(await listed("/todos", "todos")) == 2


async def test_new_subtasks_of_a_file_go_below_todos_that_were_not_imported(
    client, import_file, create, listed
):
    parent = await create()
    [_, row] = (await client.get(FILES[0][0])).text.splitlines()
    key = row.partition(",")[0]

    await import_file(f"key,title,parent_key\n{key},Buy bread,\n,Flour,{key}\n")

    [_, child] = await listed("/todos", "todos")
    assert child["parent_id"] == parent["id"]
