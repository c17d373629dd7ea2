"""The routes of imports: what they accept, who sees what, and what they refuse."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import update

from fast_zero.core.jobs import Context
from fast_zero.imports import jobs
from fast_zero.imports.models import KEPT, Import
from tests.core.expect import invalid_fields, problem
from tests.factories import TodoFactory, UserFactory

CSV, CALENDAR, JSON = "text/csv", "text/calendar", "application/json"
TEMPLATE = "TYPE,CONTENT,PRIORITY,INDENT,DATE\ntask,Buy bread @errands,1,1,2031-03-27\n"
OWN = "title,due_on\nBuy bread,2031-03-27\n"
UNFINISHED = (409, "An import of yours has not ended yet. Try again when it has.")
NOT_FOUND = (404, "Import not found.")


@pytest.fixture
def send(client):
    async def send(content=TEMPLATE, media_type=CSV, headers=(), **params):
        return await client.post(
            "/imports",
            content=content,
            headers={"Content-Type": media_type, **dict(headers)},
            params=params,
        )

    return send


@pytest.fixture
def store(save, user):
    """Store imports as they are at some point."""

    async def store(owner=user, number=1, **values):
        content = None if values.get("status") in {"done", "failed"} else b"x"
        given = {"format": "csv", "dry_run": False, "project": None, "content": content}
        given |= {"client": "session:1", "change_set_id": uuid4(), "owner_id": owner.id} | values
        return await save(*(Import(**given) for _ in range(number)))

    return store


async def test_a_file_is_accepted(send, user):
    response = await send()

    body = response.json()
    assert response.status_code == 202
    assert response.headers["location"] == f"/imports/{body['id']}"
    assert response.headers["x-change-set"] == body["change_set_id"]
    assert (body["format"], body["status"], body["total"]) == ("todoist_csv", "queued", None)
    assert (body["report"], body["finished_at"], body["undone_at"]) == ([], None, None)


async def test_it_takes_three_statements(send, statements):
    with statements() as sent:
        response = await send()

    assert response.status_code == 202
    assert len(sent) == 3  # the import, the oldest ones, the job


@pytest.mark.parametrize(
    ("content", "media_type", "form"),
    [
        (OWN, CSV, "csv"),
        (OWN, "Text/CSV; charset=utf-8", "csv"),
        (TEMPLATE, CSV, "todoist_csv"),
        ("\ufeff" + TEMPLATE, CSV, "todoist_csv"),
        (TEMPLATE.encode("utf-16"), CSV, "todoist_csv"),
        (TEMPLATE.replace(",", ";"), CSV, "todoist_csv"),
        ("BEGIN:VCALENDAR", CALENDAR, "icalendar"),
        ("{}", JSON, "todoist_json"),
        (b"\xff", CSV, "csv"),
    ],
)
async def test_the_format_is_recognized(send, content, media_type, form):
    assert (await send(content, media_type)).json()["format"] == form


async def test_the_format_can_be_given(send):
    assert (await send(TEMPLATE, format="csv")).json()["format"] == "csv"


@pytest.mark.parametrize("media_type", ["text/plain", "multipart/form-data", ""])
async def test_other_media_types_are_refused(send, media_type):
    response = await send(media_type=media_type)

    assert problem(response) == (
        415,
        "Content-Type must be text/csv, text/calendar, application/json",
    )
    assert response.headers["accept"] == "text/csv, text/calendar, application/json"


async def test_an_empty_file_is_refused(send):
    assert problem(await send("")) == (422, "The file is empty.")


async def test_a_format_of_another_media_type_is_refused(send):
    assert invalid_fields(await send(format="icalendar")) == ["query.format"]


async def test_a_project_is_only_for_templates(send):
    assert invalid_fields(await send(OWN, project="House")) == ["query.project"]
    assert invalid_fields(await send(project="")) == ["query.project"]


async def test_the_limit_of_a_body_is_that_of_imports(live, log_in, commit):
    limits = {"max_body_bytes": 1024, "max_import_bytes": 4096}
    big, too_big = {"content": b"x" * 4096}, {"content": b"x" * 4097}
    [stranger] = await commit(UserFactory())
    async with live(**limits) as client:
        client.headers.update(await log_in(stranger))
        csv = {"Content-Type": CSV}
        assert (await client.post("/imports", headers=csv, **big)).status_code == 202
        refused = await client.post("/imports", headers=csv, **too_big)
        assert problem(refused) == (413, "The body is larger than 4096 bytes.")

        async def chunks():
            for _ in range(5):
                yield b"x" * 1000

        chunked = await client.post("/imports/", headers=csv, content=chunks())
        assert problem(chunked) == (413, "The body is larger than 4096 bytes.")
        other = await client.post("/todos", headers={"Content-Type": JSON}, **big)
        assert problem(other) == (413, "The body is larger than 1024 bytes.")


async def test_one_import_at_a_time(send, store):
    assert (await send()).status_code == 202

    assert problem(await send()) == UNFINISHED


async def test_an_import_of_somebody_else_does_not_count(send, store, stranger):
    await store(stranger)

    assert (await send()).status_code == 202


async def test_a_key_makes_it_safe_to_send_again(send):
    key = {"Idempotency-Key": "a"}
    first = await send(headers=key)
    again = await send(headers=key)

    assert (again.status_code, again.json()) == (202, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["x-change-set"] == first.headers["x-change-set"]
    assert (await send(OWN, headers=key)).status_code == 422


async def test_an_import_is_shown_with_its_report(client, store):
    entry = {"kind": "loss", "line": 2, "column": "COLOR", "message": "There is none."}
    [done] = await store(status="done", report=[entry], total=7, losses=1)

    shown = (await client.get(f"/imports/{done.id}")).json()

    assert (shown["report"], shown["total"], shown["losses"]) == ([entry], 7, 1)
    assert not {"content", "client", "owner_id", "undo_requested_at"} & shown.keys()


async def test_imports_are_listed_without_reports(client, store, stranger):
    mine = await store(number=3, status="done")
    await store(stranger, status="done")

    first = (await client.get("/imports", params={"limit": 2})).json()
    rest = (await client.get("/imports", params={"limit": 2, "after": first["next"]})).json()

    assert [each["id"] for each in first["imports"] + rest["imports"]] == [row.id for row in mine]
    assert rest["next"] is None
    assert "report" not in first["imports"][0]


async def test_imports_are_exported(client, store):
    [done] = await store(status="done", report=[], total=7)

    [exported] = (await client.get("/users/me/export")).json()["imports"]

    assert exported == (await client.get(f"/imports/{done.id}")).json()


async def test_only_the_last_ones_are_kept(client, send, store):
    old = await store(number=KEPT, status="done")

    assert (await send()).status_code == 202

    ids = [each["id"] for each in (await client.get("/imports")).json()["imports"]]
    assert len(ids) == KEPT
    assert old[0].id not in ids


async def test_a_stranger_finds_nothing(client, store, stranger):
    [theirs] = await store(stranger, status="done")

    assert problem(await client.get(f"/imports/{theirs.id}")) == NOT_FOUND
    assert problem(await client.delete(f"/imports/{theirs.id}")) == NOT_FOUND
    assert problem(await client.post(f"/imports/{theirs.id}/undo")) == NOT_FOUND


@pytest.mark.parametrize("status", ["queued", "done", "failed"])
async def test_an_import_is_forgotten(client, store, status):
    [found] = await store(status=status)

    assert (await client.delete(f"/imports/{found.id}")).status_code == 204
    assert problem(await client.get(f"/imports/{found.id}")) == NOT_FOUND


async def test_a_running_import_is_not_forgotten(client, store):
    [running] = await store(status="running")

    assert problem(await client.delete(f"/imports/{running.id}")) == (
        409,
        "It is running. It can be deleted when it has ended.",
    )


async def test_what_is_forgotten_before_it_begins_is_not_imported(client, send, do_jobs):
    location = (await send()).headers["location"]
    await client.delete(location)

    await do_jobs()

    assert (await client.get("/todos")).json()["todos"] == []


@pytest.mark.parametrize(
    "values", [{"status": "queued"}, {"status": "failed"}, {"status": "done", "dry_run": True}]
)
async def test_what_is_not_done_cannot_be_undone(client, store, values):
    [found] = await store(**values)

    assert problem(await client.post(f"/imports/{found.id}/undo")) == (
        409,
        "Only an import that is done can be undone, and it is undone only once.",
    )


async def test_an_import_that_does_not_end_is_given_up(client, store, sessions, settings):
    [stuck] = await store(status="running")
    await jobs.give_up(Context(settings, sessions))
    assert (await client.get(f"/imports/{stuck.id}")).json()["status"] == "running"
    async with sessions.begin() as session:
        before = datetime.now(UTC) - timedelta(hours=7)
        await session.execute(update(Import.__table__).values(created_at=before))

    await jobs.give_up(Context(settings, sessions))

    shown = (await client.get(f"/imports/{stuck.id}")).json()
    assert (shown["status"], shown["error"]) == ("failed", jobs.LATE)


async def test_todos_of_an_account_do_not_show_keys(client, save, user):
    [todo] = await save(TodoFactory(owner_id=user.id, external_key="todoist:1"))

    assert "external_key" not in (await client.get(f"/todos/{todo.id}")).json()
