"""Activity, on a server that commits: each request is a transaction of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from fast_zero.core import database
from fast_zero.core.database import Writer
from fast_zero.core.jobs import Context
from fast_zero.trash import jobs
from tests.changes.test_log import DAY, WRITES, filled
from tests.core.expect import problem
from tests.factories import LabelFactory, PersonalTokenFactory, UserFactory, new_token
from tests.mirrored import send

CODES = {
    ("POST", "/todos"): ["label_created", "todo_created", "todo_labelled"],
    ("POST", "/todos/quick"): ["todo_created", "todo_labelled"],
    ("PATCH", "/todos/{todo_id}"): ["todo_updated"],
    ("POST", "/todos/{todo_id}/snooze"): ["todo_updated"],
    ("POST", "/todos/{todo_id}/complete"): ["todo_completed"],
    ("POST", "/todos/{todo_id}/skip"): ["occurrence_skipped", "todo_updated"],
    ("DELETE", "/todos/{todo_id}/occurrences/{day}"): ["occurrence_taken_back", "todo_updated"],
    ("POST", "/todos/{todo_id}/move"): ["todo_moved"],
    ("POST", "/todos/{todo_id}/duplicate"): ["todo_created"],
    ("PUT", "/todos/{todo_id}/relations/{kind}/{other_id}"): ["relation_created"],
    ("DELETE", "/todos/{todo_id}/relations/{kind}/{other_id}"): ["relation_deleted"],
    ("DELETE", "/todos/{todo_id}"): ["todo_deleted"],
    ("POST", "/todos/{todo_id}/restore"): ["todo_restored"],
    ("POST", "/todos/batch"): ["todo_created"],
    ("POST", "/labels"): ["label_created"],
    ("PATCH", "/labels/{label_id}"): ["label_updated"],
    ("POST", "/labels/{label_id}/merge"): ["label_deleted", "todo_labelled", "todo_unlabelled"],
    ("DELETE", "/labels/{label_id}"): ["label_deleted"],
    ("POST", "/filters"): ["filter_created"],
    ("PATCH", "/filters/{filter_id}"): ["filter_updated"],
    ("POST", "/filters/{filter_id}/move"): ["filter_moved"],
    ("DELETE", "/filters/{filter_id}"): ["filter_deleted"],
    ("POST", "/projects"): ["project_created"],
    ("PATCH", "/projects/{project_id}"): ["project_updated"],
    ("POST", "/projects/{project_id}/move"): ["project_moved"],
    ("POST", "/projects/{project_id}/duplicate"): [
        "project_created",
        "section_created",
        "section_created",
        "todo_created",
        "todo_created",
        "todo_labelled",
    ],
    ("POST", "/projects/{project_id}/sections"): ["section_created"],
    ("PATCH", "/projects/{project_id}/sections/{section_id}"): ["section_updated"],
    ("POST", "/projects/{project_id}/sections/{section_id}/move"): ["section_moved"],
    ("DELETE", "/projects/{project_id}/sections/{section_id}"): ["section_deleted", "todo_moved"],
    ("DELETE", "/projects/{project_id}"): ["project_deleted", "todo_deleted", "todo_deleted"],
    ("POST", "/projects/{project_id}/restore"): [
        "project_restored",
        "todo_restored",
        "todo_restored",
    ],
    ("DELETE", "/trash/{deletion_id}"): ["todo_purged"],
    ("DELETE", "/trash"): ["todo_purged"],
}
"""What each request of `WRITES` is shown as."""


@pytest.fixture
async def here(live, commit, log_in):
    """Return a client of a new user, on a server that commits."""
    [user] = await commit(UserFactory())
    async with live() as client:
        client.user = user
        client.headers.update(await log_in(user))
        yield client


async def create(client, path="/todos", **body) -> dict:
    return await send(client, "POST", path, json=body or {"title": "Bread"})


async def read(client, path="/activity", **params) -> list[dict]:
    return (await send(client, "GET", path, params=params))["activity"]


def codes(entries) -> list[list[str]]:
    return [[change["code"] for change in entry["changes"]] for entry in entries]


@pytest.fixture
async def world(here) -> dict[str, int | str]:
    """Store what `WRITES` need; return its ids."""
    project, parent = [await create(here, "/projects", name=name) for name in ("Home", "Area")]
    path = f"/projects/{project['id']}/sections"
    section, sibling = [await create(here, path, name=name) for name in ("Later", "Now")]
    todo = await create(here, title="Bread", project_id=project["id"])
    await create(here, title="Rye", section_id=section["id"])
    other, *trashed = [await create(here, title=title) for title in ("Salt", "One", "Two")]
    label, into = [await create(here, "/labels", name=name) for name in ("a", "b")]
    following, saved = [
        await create(here, "/filters", name=name, filter="is:open") for name in ("a", "b")
    ]
    await send(here, "PATCH", f"/todos/{other['id']}", json={"labels": ["a"]})
    for gone in trashed:
        await send(here, "DELETE", f"/todos/{gone['id']}")
    [_, deletion] = (await send(here, "GET", "/trash"))["deletions"]
    made = {"project": project, "parent": parent, "section": section, "sibling": sibling}
    made |= {"todo": todo, "other": other, "label": label, "into": into, "deletion": deletion}
    made |= {"filter": saved, "next": following}
    return {f"{name}_id": row["id"] for name, row in made.items()} | {"kind": "blocks", "day": DAY}


async def test_each_write_is_an_entry_with_its_codes(here, world):
    found = {}
    for method, path, body in WRITES:
        if (method, path) == ("DELETE", "/labels/{label_id}"):
            world["label_id"] = (await create(here, "/labels", name="c"))["id"]
        response = await here.request(method, path.format(**world), json=filled(body, world))
        assert response.status_code < 300, (method, path, response.text)
        [entry] = await read(here, limit=1)
        assert entry["change_set_id"] == response.headers["x-change-set"], (method, path)
        assert entry["actor_id"] == here.user.id
        assert entry["client"]["kind"] == "session"
        assert entry["count"] == len(entry["changes"])
        [found[method, path]] = codes([entry])

    assert {write: sorted(shown) for write, shown in found.items()} == CODES


async def test_an_update_has_the_values_before_and_after(here):
    todo = await create(here, title="Bread", due_on="2026-12-24")
    await send(here, "PATCH", f"/todos/{todo['id']}", json={"title": "Rye", "due_on": None})

    updated, created = await read(here)

    assert updated["changes"] == [
        {
            "code": "todo_updated",
            "entity": "todo",
            "id": todo["id"],
            "title": "Rye",
            "other": None,
            "values": {
                "title": {"before": "Bread", "after": "Rye"},
                "due_on": {"before": "2026-12-24", "after": None},
            },
        }
    ]
    assert (created["changes"][0]["title"], created["changes"][0]["values"]) == ("Bread", {})
    assert updated["at"] > created["at"]


async def test_a_long_description_is_shortened(here):
    todo = await create(here, title="Bread", description="short")
    await send(here, "PATCH", f"/todos/{todo['id']}", json={"description": "é" * 600})

    [entry, _] = await read(here)

    [change] = entry["changes"]
    assert change["values"]["description"] == {"before": "short", "after": "é" * 500}


async def test_a_title_is_that_of_now_if_the_change_has_none(here):
    todo = await create(here)
    path = f"/todos/{todo['id']}"
    await send(here, "PATCH", path, json={"priority": "high"})
    await send(here, "PATCH", path, json={"title": "Rye"})
    await send(here, "DELETE", path)

    titles = [entry["changes"][0]["title"] for entry in await read(here)]

    assert titles == ["Rye", "Rye", "Rye", "Bread"]


async def test_a_change_of_a_label_or_relation_names_both_things(here):
    bread = await create(here, title="Bread", labels=["red"])
    salt = await create(here, title="Salt")
    [label] = (await send(here, "GET", "/labels"))["labels"]
    await send(here, "PUT", f"/todos/{bread['id']}/relations/blocked_by/{salt['id']}")
    await send(here, "DELETE", f"/labels/{label['id']}")

    deletion, relation, _, _ = await read(here)

    [gone, unlabelled] = deletion["changes"]
    assert (gone["code"], gone["title"]) == ("label_deleted", "red")
    assert (unlabelled["entity"], unlabelled["id"]) == ("todo", bread["id"])
    assert unlabelled["other"] == {"entity": "label", "id": label["id"], "title": "red"}
    [related] = relation["changes"]
    assert related["id"] == f"{salt['id']}-blocks-{bread['id']}"
    assert (related["entity"], related["title"]) == ("relation", "Salt")
    assert related["other"] == {"entity": "todo", "id": bread["id"], "title": "Bread"}


async def test_the_activity_of_a_todo_has_its_labels_and_its_relations_of_both_sides(here):
    bread, salt = [await create(here, title=title) for title in ("Bread", "Salt")]
    await create(here, "/projects", name="Home")
    label = await create(here, "/labels", name="red")
    path = f"/todos/{bread['id']}"
    for method, under, body in (
        ("PATCH", "", {"labels": ["red"]}),
        ("PUT", f"/relations/blocked_by/{salt['id']}", None),
        ("DELETE", f"/relations/blocked_by/{salt['id']}", None),
        ("PUT", f"/relations/blocks/{salt['id']}", None),
        ("DELETE", "", None),
    ):
        await send(here, method, path + under, json=body)
    await send(here, "PATCH", f"/labels/{label['id']}", json={"color": "red"})

    assert codes(await read(here, f"{path}/activity")) == [
        ["todo_deleted"],
        ["relation_created"],
        ["relation_deleted"],
        ["relation_created"],
        ["todo_labelled"],
        ["todo_created"],
    ]
    assert codes(await read(here, f"/todos/{salt['id']}/activity")) == [
        ["relation_created"],
        ["relation_deleted"],
        ["relation_created"],
        ["todo_created"],
    ]


async def test_the_activity_of_a_project_has_its_sections_and_todos(here):
    project, other = [await create(here, "/projects", name=name) for name in ("Home", "Area")]
    path = f"/projects/{project['id']}"
    section = await create(here, f"{path}/sections", name="Later")
    await create(here, title="Bread", section_id=section["id"])
    await create(here, title="Elsewhere", project_id=other["id"])
    await send(here, "DELETE", path)

    assert codes(await read(here, f"{path}/activity")) == [
        ["project_deleted", "todo_deleted"],
        ["todo_created"],
        ["section_created"],
        ["project_created"],
    ]


async def test_nothing_is_shown_of_what_is_deleted_for_good(here):
    project = await create(here, "/projects", name="Secret project")
    section = await create(here, f"/projects/{project['id']}/sections", name="Secret section")
    todo = await create(here, title="Secret todo", section_id=section["id"])
    subtask = await create(here, title="Secret subtask", parent_id=todo["id"], labels=["red"])
    path = f"/projects/{project['id']}"
    await send(here, "PATCH", f"/todos/{todo['id']}", json={"description": "Secret text"})
    for under, expected in (("", True), ("/restore", True), ("", False)):
        await send(here, "POST" if under else "DELETE", path + under)
        if not expected:
            await send(here, "DELETE", "/trash")
        for of in ("", path, f"/todos/{todo['id']}"):
            response = await here.get(f"{of}/activity")
            assert response.status_code == 200
            assert ("Secret" in response.text) is expected, of

    assert codes(await read(here, f"/todos/{todo['id']}/activity")) == [
        ["todo_purged"],
        ["todo_deleted"],
        ["todo_restored"],
        ["todo_deleted"],
        ["todo_updated"],
        ["todo_created"],
    ]
    [purged, deleted, *_] = codes(await read(here, f"{path}/activity"))
    assert purged == ["project_purged", "section_deleted", "todo_purged", "todo_purged"]
    assert deleted == ["project_deleted", "todo_deleted", "todo_deleted"]
    [purged, *_] = codes(await read(here, f"/todos/{subtask['id']}/activity"))
    assert sorted(purged) == ["todo_purged", "todo_unlabelled"]


async def test_the_changes_of_one_entry_are_counted_and_the_first_are_shown(here):
    project = await create(here, "/projects", name="Home")
    items = [
        {"op": "create", "title": f"Todo {number}", "project_id": project["id"]}
        for number in range(150)
    ]
    await send(here, "POST", "/todos/batch", json={"items": items})
    await send(here, "POST", "/todos/batch", json={"items": items})
    await send(here, "DELETE", f"/projects/{project['id']}")

    for path in ("/activity", f"/projects/{project['id']}/activity"):
        deletion, _, batch, _ = await read(here, path)
        assert (batch["count"], deletion["count"]) == (150, 200)
        assert [change["title"] for change in batch["changes"]] == [
            f"Todo {number}" for number in range(20)
        ]
        assert deletion["changes"][0]["code"] == "project_deleted"
        assert len(deletion["changes"]) == 20


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_the_pages_have_every_entry_once(here, limit):
    todo = await create(here)
    for title in ("1", "2", "3", "4"):
        await send(here, "PATCH", f"/todos/{todo['id']}", json={"title": title})

    for path in ("/activity", f"/todos/{todo['id']}/activity"):
        titles, params = [], {"limit": limit}
        while True:
            page = await send(here, "GET", path, params=params)
            assert len(page["activity"]) <= limit
            titles += [entry["changes"][0]["title"] for entry in page["activity"]]
            if page["next"] is None:
                break
            params["after"] = page["next"]
        assert titles == ["4", "3", "2", "1", "Bread"]


@pytest.mark.parametrize(
    "params", [{"after": "x"}, {"after": "_" * 11}, {"limit": 0}, {"limit": 101}, {"offset": 1}]
)
async def test_malformed_parameters_are_refused(client, params):
    for path in ("/activity", "/projects/1/activity", "/todos/1/activity"):
        response = await client.get(path, params=params)
        assert response.status_code == 422
        assert response.json()["detail"][0]["loc"] == ["query", *params]


async def test_a_stranger_sees_nothing(here, world, commit, log_in):
    [stranger] = await commit(UserFactory())
    here.headers.update(await log_in(stranger))

    assert await send(here, "GET", "/activity") == {"activity": [], "next": None}
    response = await here.get(f"/projects/{world['project_id']}/activity")
    assert problem(response) == (404, "Project not found.")
    assert response.json()["code"] == "project_not_found"
    response = await here.get(f"/todos/{world['todo_id']}/activity")
    assert problem(response) == (404, "Task not found.")
    assert response.json()["code"] == "todo_not_found"


async def test_what_exists_without_activity_has_an_empty_list(here, committing):
    todo = await create(here)
    await send(here, "DELETE", f"/todos/{todo['id']}")
    async with committing.begin() as session:
        await session.execute(text("DELETE FROM changes"))

    assert await read(here, f"/todos/{todo['id']}/activity") == []


async def test_a_personal_token_is_a_client(here, commit):
    token = new_token()
    [stored] = await commit(PersonalTokenFactory(owner_id=here.user.id, token=token))

    here.headers["Authorization"] = f"Bearer {token}"
    await create(here)

    [entry] = await read(here)
    assert (entry["client"], entry["actor_id"]) == (
        {"kind": "token", "id": stored.id},
        here.user.id,
    )


async def test_a_job_is_a_client_of_nobody(here, committing, settings):
    todo = await create(here)
    await send(here, "DELETE", f"/todos/{todo['id']}")

    with writing_as("job"):
        await jobs.purge(Context(settings.model_copy(update={"trash_days": 0}), committing))

    [entry, *_] = await read(here)
    assert codes([entry]) == [["todo_purged"]]
    assert (entry["client"], entry["actor_id"]) == ({"kind": "job", "id": None}, None)
    assert entry["change_set_id"] is not None


@pytest.mark.parametrize(
    ("written", "shown"),
    [("command", {"kind": "command", "id": None}), ("unheard_of", None), (None, None)],
)
async def test_a_client_that_is_unknown_is_null(here, committing, written, shown):
    with writing_as(written):
        async with committing.begin() as session:
            await database.set_writer(session)
            session.add(LabelFactory(owner_id=here.user.id, name="red"))

    [entry] = await read(here)
    assert codes([entry]) == [["label_created"]]
    assert (entry["client"], entry["actor_id"]) == (shown, None)
    assert (entry["change_set_id"] is None) is (written is None)


@contextmanager
def writing_as(client: str | None) -> Iterator[None]:
    """Let what is written meanwhile be written through a client."""
    before = database.current_writer.set(client and Writer(client))
    try:
        yield
    finally:
        database.current_writer.reset(before)


async def test_a_page_takes_one_statement_and_a_missing_thing_two(client, statements):
    project = await create(client, "/projects", name="Home")
    todo = await create(client, title="Bread", project_id=project["id"], labels=["red"])
    for path in ("", f"/projects/{project['id']}", f"/todos/{todo['id']}"):
        with statements() as sent:
            assert await read(client, f"{path}/activity") != []
        assert len(sent) == 1, path
    with statements() as sent:
        assert (await client.get(f"/todos/{todo['id'] + 1}/activity")).status_code == 404
    assert len(sent) == 2
