"""What an import writes: all of a file or nothing, once, and as one change set."""

import json

import pytest
from sqlalchemy import text

from fast_zero.change_sets import service as change_sets
from fast_zero.core.errors import Unavailable
from fast_zero.imports import formats, plans, queries, service
from tests.factories import LabelFactory, ProjectFactory, SectionFactory, TodoFactory
from tests.imports.conftest import JSON

HEADER = (
    "key,title,description,state,priority,parent_key,project,section,labels,due_on,completed_at"
)


def own(*rows: str) -> str:
    return "\n".join((HEADER, *rows)) + "\n"


def backup(*items: dict, **lists) -> str:
    numbered = [{"content": "a", **item, "id": item.get("id", "1")} for item in items]
    return json.dumps({"items": numbered, **lists})


def template(*rows: str) -> str:
    return "\n".join(("TYPE,CONTENT,PRIORITY,INDENT,DATE", *rows)) + "\n"


@pytest.fixture
def titles(listed):
    """Return the titles of the todos that are not in the trash, oldest first."""

    async def titles():
        return [todo["title"] for todo in await listed("/todos", "todos")]

    return titles


async def test_a_dry_run_writes_nothing(client, import_file, titles, listed):
    file = template("task,a @new,1,1,soon", "task,b,1,2,")

    done = await import_file(file, dry_run="true")

    assert (done["status"], done["dry_run"], done["created"], done["found"]) == ("done", True, 2, 0)
    assert [(entry["line"], entry["column"]) for entry in done["report"]] == [(2, "DATE")]
    assert await titles() == []
    assert await listed("/projects", "projects") == []
    assert await listed("/labels", "labels") == []
    assert (await client.get("/activity")).json()["activity"] == []

    again = await import_file(file)
    assert again["report"] == done["report"]
    assert await titles() == ["a", "b"]


async def test_a_dry_run_counts_what_is_found(import_file):
    await import_file(template("task,a,,,"))

    done = await import_file(template("task,a,,,", "task,b,,,"), dry_run="true")

    assert (done["total"], done["created"], done["found"]) == (2, 1, 1)


async def test_with_a_mistake_nothing_is_written(import_file, titles):
    done = await import_file(
        backup({}, {"id": "2", "content": " "}, {"id": "3", "content": "x\0"}), JSON
    )

    assert (done["status"], done["created"], done["errors"]) == ("failed", 0, 2)
    assert done["error"] == "Nothing was imported: the file has mistakes. The report says which."
    assert [(entry["kind"], entry["line"], entry["column"]) for entry in done["report"]] == [
        ("error", 2, "title"),
        ("error", 3, "title"),
    ]
    assert await titles() == []


async def test_a_circle_of_parents_is_a_mistake(import_file):
    done = await import_file(
        backup(
            {"id": "1", "parent_id": "2"},
            {"id": "2", "parent_id": "1"},
            {"id": "3", "parent_id": "1"},
            {"id": "4"},
        ),
        JSON,
    )

    assert [(entry["line"], entry["message"]) for entry in done["report"]] == [
        (line, "No todo without a parent is above it.") for line in (1, 2, 3)
    ]


async def test_parents_may_be_further_down(import_file, listed):
    await import_file(
        backup({"id": "1", "content": "c", "parent_id": "2"}, {"id": "2", "content": "p"}), JSON
    )

    [parent, child] = await listed("/todos", "todos")
    assert (parent["title"], child["title"], child["parent_id"]) == ("p", "c", parent["id"])


async def test_what_is_too_deep_is_put_beside_its_parent(import_file, listed):
    items = [
        {
            "id": str(number),
            "content": str(number),
            "parent_id": str(number - 1) if number else None,
        }
        for number in range(8)
    ]

    done = await import_file(backup(*items), JSON)

    todos = {todo["title"]: todo for todo in await listed("/todos", "todos")}
    parents = {todo["id"]: todo["title"] for todo in todos.values()}
    assert [parents.get(todos[str(number)]["parent_id"]) for number in range(8)] == [
        *(None, "0", "1", "2", "3", "4"),
        *("4", "4"),
    ]
    assert [(entry["line"], entry["column"]) for entry in done["report"]] == [
        (7, "parent"),
        (8, "parent"),
    ]


async def test_todos_are_in_the_order_of_the_file(client, import_file, listed, monkeypatch):
    monkeypatch.setattr(service, "BATCH", 3)
    names = [f"todo {number:02}" for number in range(20)]

    done = await import_file(template(*(f"task,{name},,," for name in names)))

    assert done["processed"] == 20
    todos = await listed("/todos", "todos")
    assert [todo["title"] for todo in sorted(todos, key=lambda todo: todo["position"])] == names


async def test_projects_sections_and_labels_that_there_are_are_used(
    import_file, listed, save, user
):
    [archived, old] = await save(
        ProjectFactory(owner_id=user.id, name="House", archived=True),
        ProjectFactory(owner_id=user.id, name="House"),
    )
    [section] = await save(SectionFactory(owner_id=user.id, project_id=old.id, name="Later"))
    await save(LabelFactory(owner_id=user.id, name="Errands"))

    await import_file(template("section,Later,,,", "task,a @errands,,,"), project="House")

    [todo] = await listed("/todos", "todos")
    assert (todo["project_id"], todo["section_id"]) == (old.id, section.id)
    assert todo["labels"] == ["Errands"]
    assert len(await listed("/projects", "projects")) == 2
    assert archived.id != old.id


async def test_what_is_found_is_left_as_it_is(client, import_file, listed):
    await import_file(template("task,a,,,"))
    [todo] = await listed("/todos", "todos")
    await client.patch(f"/todos/{todo['id']}", json={"title": "b", "state": "done"})

    done = await import_file(template("task,a,1,,"))

    assert (done["created"], done["found"]) == (0, 1)
    assert [(todo["title"], todo["state"]) for todo in await listed("/todos", "todos")] == [
        ("b", "done")
    ]


async def test_new_subtasks_go_below_the_todo_that_is_found(
    client, import_file, listed, save, user
):
    await import_file(template("task,a,,1,"))
    [parent] = await listed("/todos", "todos")
    [home] = await save(ProjectFactory(owner_id=user.id))
    await client.post(f"/todos/{parent['id']}/move", json={"project_id": home.id})

    done = await import_file(template("task,a,,1,", "task,b,,2,", "task,c,,3,"))

    assert (done["created"], done["found"]) == (2, 1)
    todos = {todo["title"]: todo for todo in await listed("/todos", "todos")}
    assert todos["b"]["parent_id"] == parent["id"]
    assert todos["c"]["parent_id"] == todos["b"]["id"]
    assert todos["c"]["project_id"] == home.id


async def test_new_subtasks_of_a_todo_that_is_deep_by_now_are_beside_it(
    client, import_file, listed, save, user
):
    await import_file(template("task,a,,1,"))
    [found] = await listed("/todos", "todos")
    above = None
    for _ in range(5):
        [row] = await save(TodoFactory(owner_id=user.id, parent_id=above, title="above"))
        above = row.id
    await client.post(f"/todos/{found['id']}/move", json={"parent_id": above})

    done = await import_file(template("task,a,,1,", "task,b,,2,", "task,c,,3,"))

    assert (done["status"], done["created"], done["losses"]) == ("done", 2, 2)
    todos = {todo["title"]: todo for todo in await listed("/todos", "todos")}
    assert todos["b"]["parent_id"] == todos["c"]["parent_id"] == above


async def test_an_import_is_one_change_set_that_can_be_undone(client, import_file, titles, listed):
    done = await import_file(template("section,s,,,", "task,a @new,,1,", "task,b,,2,"))
    assert await titles() == ["a", "b"]

    undone = (await client.post(f"/change-sets/{done['change_set_id']}/undo")).json()

    assert undone["conflicts"] == []
    assert await titles() == []
    assert await listed("/projects", "projects") == []
    assert await listed("/labels", "labels") == []


async def test_an_import_is_undone_by_a_job(client, import_file, titles, do_jobs):
    done = await import_file(template("task,a,,1,", "task,b,,2,"))
    path = f"/imports/{done['id']}/undo"

    asked = await client.post(path)
    assert asked.status_code == 202
    assert asked.headers["x-change-set"] != done["change_set_id"]
    assert (await client.post(path)).status_code == 409
    await do_jobs()

    assert await titles() == []
    shown = (await client.get(f"/imports/{done['id']}")).json()
    assert shown["undone_at"] is not None
    assert shown["kept"] == 0
    assert (await client.post(path)).status_code == 409
    redone = await client.post(f"/change-sets/{asked.headers['x-change-set']}/undo")
    assert redone.status_code == 200
    assert await titles() == ["a", "b"]


async def test_what_is_too_large_for_a_request_is_undone_by_a_job(
    client, import_file, titles, do_jobs, monkeypatch
):
    monkeypatch.setattr(change_sets, "MOST_ROWS", 2)
    done = await import_file(template("task,a,,1,", "task,b,,2,"))

    refused = await client.post(f"/change-sets/{done['change_set_id']}/undo")
    assert (refused.status_code, refused.json()["code"]) == (409, "change_set_too_large")
    assert await titles() == ["a", "b"]

    await client.post(f"/imports/{done['id']}/undo")
    await do_jobs()
    assert await titles() == []


async def test_what_was_changed_since_is_not_undone(client, import_file, listed, do_jobs):
    done = await import_file(template("task,a,,1,", "task,b,,1,"))
    [todo, _] = await listed("/todos", "todos")
    await client.patch(f"/todos/{todo['id']}", json={"title": "c"})

    await client.post(f"/imports/{done['id']}/undo")
    await do_jobs()

    assert [todo["title"] for todo in await listed("/todos", "todos")] == ["c"]
    assert (await client.get(f"/imports/{done['id']}")).json()["kept"] == 2  # with its project


async def test_an_import_of_nothing_can_be_undone(client, import_file, do_jobs):
    done = await import_file(backup(), JSON)
    assert (done["status"], done["total"]) == ("done", 0)

    await client.post(f"/imports/{done['id']}/undo")
    await do_jobs()

    shown = (await client.get(f"/imports/{done['id']}")).json()
    assert (shown["kept"], shown["undone_at"] is None) == (0, False)


async def test_what_is_in_the_trash_is_imported_again(client, import_file, titles, listed):
    file = template("task,a,,1,", "task,b,,1,")
    await import_file(file)
    [a, _] = await listed("/todos", "todos")
    await client.delete(f"/todos/{a['id']}")

    done = await import_file(file)

    assert (done["created"], done["found"]) == (1, 1)
    assert sorted(await titles()) == ["a", "b"]
    # The first one comes back without its key, which the second one has.
    assert (await client.post(f"/todos/{a['id']}/restore")).status_code == 200
    assert sorted(await titles()) == ["a", "a", "b"]
    assert (await import_file(file))["found"] == 2


async def test_the_return_of_a_todo_whose_key_is_taken_can_be_undone(client, import_file, titles):
    file = template("task,a,,1,")
    first = await import_file(file)
    [a] = (await client.get("/todos")).json()["todos"]
    await client.delete(f"/todos/{a['id']}")
    await import_file(file)
    restored = await client.post(f"/todos/{a['id']}/restore")
    assert await titles() == ["a", "a"]

    undone = await client.post(f"/change-sets/{restored.headers['x-change-set']}/undo")
    assert (undone.status_code, undone.json()["conflicts"]) == (200, []), undone.text
    assert await titles() == ["a"]

    redone = await client.post(f"/change-sets/{undone.headers['x-change-set']}/undo")
    assert (redone.status_code, redone.json()["conflicts"]) == (200, []), redone.text
    assert await titles() == ["a", "a"]
    undone = (await client.post(f"/change-sets/{first['change_set_id']}/undo")).json()
    assert "external_key" not in str(undone)
    assert len(await titles()) == 1


async def test_what_comes_back_from_the_trash_is_found(client, import_file, listed):
    file = template("task,a,,1,")
    await import_file(file)
    [todo] = await listed("/todos", "todos")
    await client.delete(f"/todos/{todo['id']}")
    await client.post(f"/todos/{todo['id']}/restore")

    assert (await import_file(file))["found"] == 1


async def test_a_copy_is_not_found(client, import_file, listed):
    file = template("task,a,,1,")
    await import_file(file)
    [todo] = await listed("/todos", "todos")
    await client.post(f"/todos/{todo['id']}/duplicate")
    await client.delete(f"/todos/{todo['id']}")

    assert (await import_file(file))["created"] == 1


async def test_an_import_of_somebody_else_is_not_found(client, import_file, bearer, stranger):
    file = template("task,a,,1,")
    await import_file(file)
    client.headers.update(bearer(stranger))

    assert (await import_file(file))["created"] == 1


async def test_what_was_done_before_counts_on_its_day_and_is_not_announced(
    client, import_file, listed, sessions
):
    await client.patch("/users/me", json={"share_todos": "public"})

    await import_file(
        backup({"checked": True, "completed_at": "2026-10-01T17:30:00Z", "content": "a"}), JSON
    )

    [todo] = await listed("/todos", "todos")
    assert (todo["state"], todo["completed_at"]) == ("done", "2026-10-01T17:30:00Z")
    assert todo["share"] == "off"
    async with sessions() as session:
        assert await session.scalar(text("SELECT count(*) FROM posts")) == 0
        days = (await session.scalars(text("SELECT finished_at FROM completions"))).all()
    assert [day.isoformat() for day in days] == ["2026-10-01T17:30:00+00:00"]


async def test_moments_to_come_are_now(import_file, listed):
    done = await import_file(
        backup(
            {
                "checked": True,
                "completed_at": "2126-10-01T00:00:00Z",
                "added_at": "2126-01-01T00:00:00Z",
            }
        ),
        JSON,
    )

    assert [entry["column"] for entry in done["report"]] == ["completed_at", "created_at"]
    [todo] = await listed("/todos", "todos")
    assert todo["completed_at"] < "2126"
    assert todo["created_at"] < "2126"


async def test_reminders_in_the_past_do_not_go_out(import_file, sessions):
    await import_file(
        backup(
            {"due": {"date": "2026-01-01"}},
            reminders=[{"id": "1", "item_id": "1", "type": "relative", "minute_offset": 30}],
        ),
        JSON,
    )

    async with sessions() as session:
        fires = (await session.scalars(text("SELECT fires_at FROM scheduled_reminders"))).all()
        assert fires == [None]
        assert await session.scalar(text("SELECT count(*) FROM notifications")) == 0


async def test_a_recurrence_begins_with_its_due(import_file, listed):
    await import_file(template("task,a,,,every month", "task,b,,,every day at 9am"))

    [a, b] = await listed("/todos", "todos")
    assert (a["recurrence"]["rule"], a["occurrence_on"]) == ("FREQ=MONTHLY", a["due_on"])
    assert (b["recurrence"]["rule"], b["due_on"]) == ("FREQ=DAILY", None)
    assert b["due_at"][:10] == b["occurrence_on"]


async def test_a_file_of_its_own_format_comes_in(import_file, listed):
    done = await import_file(
        own(
            "1,Buy bread,,todo,high,,Home,,errands,2031-03-27,",
            "2,Flour,,done,none,1,,,,,2026-10-01T17:30:00Z",
        )
    )

    assert (done["format"], done["created"], done["losses"]) == ("csv", 2, 0)
    [bread, flour] = await listed("/todos", "todos")
    assert (bread["priority"], bread["labels"], bread["due_on"]) == (
        "high",
        ["errands"],
        "2031-03-27",
    )
    assert (flour["state"], flour["parent_id"]) == ("done", bread["id"])
    assert flour["project_id"] == bread["project_id"] is not None


async def test_a_calendar_comes_in(import_file, listed):
    lines = (
        *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example//EN", "BEGIN:VTODO"),
        *("UID:1@example.com", "SUMMARY:Buy bread", "DUE;VALUE=DATE:20310327", "PRIORITY:1"),
        *("CATEGORIES:errands", "RRULE:FREQ=WEEKLY", "END:VTODO", "END:VCALENDAR", ""),
    )
    content = "\r\n".join(lines)

    done = await import_file(content, "text/calendar")
    again = await import_file(content, "text/calendar")

    assert (done["format"], done["status"], done["created"]) == ("icalendar", "done", 1)
    assert (again["created"], again["found"]) == (0, 1)
    [todo] = await listed("/todos", "todos")
    assert (todo["title"], todo["due_on"], todo["labels"]) == (
        "Buy bread",
        "2031-03-27",
        ["errands"],
    )
    assert todo["recurrence"]["rule"] == "FREQ=WEEKLY"


async def test_more_todos_than_the_limit_are_refused(import_file, monkeypatch):
    monkeypatch.setattr(plans, "MOST_TODOS", 2)

    done = await import_file(template(*(f"task,{name},,," for name in "abc")))

    assert [(entry["line"], entry["message"]) for entry in done["report"]] == [
        (4, "A file has at most 2 todos.")
    ]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
async def test_more_lines_than_the_limit_are_not_read(import_file, monkeypatch, end):
    monkeypatch.setattr(formats, "LINES", 3)

    done = await import_file(template("task,a,,,", "task,b,,,", "task,c,,,").replace("\n", end))

    assert [(entry["line"], entry["message"]) for entry in done["report"]] == [
        (4, "A file has at most 3 lines.")
    ]


async def test_a_file_that_is_no_text_is_refused(import_file):
    done = await import_file(b"TYPE,CONTENT\ntask,\xff\n")

    assert done["status"] == "failed"
    assert done["report"][0]["message"] == (
        "The file is not UTF-8, nor UTF-16 with a byte order mark."
    )


async def test_a_file_that_breaks_a_reader_ends_its_import(import_file, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("with a secret")

    monkeypatch.setattr(formats, "read", broken)

    done = await import_file(template("task,a,,,"))

    assert (done["status"], done["report"]) == ("failed", [])
    assert "our mistake" in done["error"]
    assert "secret" not in caplog.text


async def test_the_report_is_limited_and_counts_the_rest(import_file, monkeypatch):
    monkeypatch.setattr(plans, "REPORTED", 3)

    done = await import_file(template(*(f"task,{name},9,," for name in "abcde")))

    assert (done["losses"], len(done["report"])) == (5, 3)


async def test_the_number_of_statements_does_not_depend_on_the_file(
    client, import_file, statements, do_jobs
):
    async def count(number: int) -> int:
        rows = (f"task,{number} {each} @l{each % 7},,{1 + each % 3}," for each in range(number))
        await client.post("/imports", content=template(*rows), headers={"Content-Type": "text/csv"})
        with statements() as sent:
            await do_jobs()
        return len(sent)

    await count(30)  # creates the project and the labels

    assert await count(31) == await count(300)


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (template("task,a,,,"), "text/csv"),
        (own("1,a,,,,,,,,,"), "text/csv"),
        (backup({}, {"id": "2"}), JSON),
        ("BEGIN:VCALENDAR\nX;A=1,2,3,4,5:6,7\nEND:VCALENDAR", "text/calendar"),
    ],
)
async def test_more_values_than_the_limit_are_not_read(
    import_file, monkeypatch, content, media_type
):
    monkeypatch.setattr(formats, "VALUES", 5)

    done = await import_file(content, media_type)

    assert [(entry["line"], entry["message"]) for entry in done["report"]] == [
        (1, "A file has at most 5 values.")
    ]


@pytest.mark.parametrize("header", ["title", "TYPE,CONTENT"])
async def test_more_columns_than_the_limit_are_not_read(import_file, header):
    done = await import_file(header + "," * 1000 + "x\na\n")

    assert [(entry["line"], entry["message"]) for entry in done["report"]] == [
        (1, "A file has at most 1,000 columns.")
    ]


async def test_after_many_errors_the_rest_is_not_checked(import_file, monkeypatch):
    monkeypatch.setattr(plans, "MOST_ERRORS", 2)

    done = await import_file(backup(*({"id": str(n), "content": " "} for n in range(5))), JSON)

    assert (done["status"], done["errors"]) == ("failed", 2)


async def test_progress_that_cannot_be_noted_does_not_end_an_import(import_file, monkeypatch):
    async def refuse(*_):
        raise Unavailable("All connections are in use.")

    monkeypatch.setattr(queries, "note_progress", refuse)

    done = await import_file(template("task,a,,,"))

    assert (done["status"], done["created"], done["processed"]) == ("done", 1, 1)
