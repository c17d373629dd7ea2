from datetime import date, datetime, timedelta

import pytest
from icalendar import Calendar

from fast_zero.exports import service
from fast_zero.interchange.csv_files import read_csv
from fast_zero.interchange.icalendar_files import read_icalendar
from fast_zero.interchange.keys import OwnKey, parse_key
from fast_zero.interchange.portable import PortableTodo
from fast_zero.todos.reminders import Reminder
from tests.core.expect import problem
from tests.factories import ProjectFactory, SectionFactory, TodoFactory

CSV, ICALENDAR = "/users/me/export/todos.csv", "/users/me/export/todos.ics"


async def read_files(client) -> list[PortableTodo]:
    """Return what both files say; it is the same."""
    written, calendar = await client.get(CSV), await client.get(ICALENDAR)
    documents = read_csv(written.text), read_icalendar(calendar.content)
    for document in documents:
        assert document.errors == document.losses == []
    ours, same = ([PortableTodo(**vars(todo) | {"line": 0}) for todo in d.todos] for d in documents)
    assert ours == same
    return ours


async def create_todo(client, **fields) -> dict:
    response = await client.post("/todos", json={"title": "Buy bread"} | fields)
    assert response.status_code == 201, response.text
    return response.json()


async def test_all_of_a_todo_goes_out(client, user, save):
    [outer] = await save(ProjectFactory(owner_id=user.id, name="House/Garden"))
    [inner] = await save(ProjectFactory(owner_id=user.id, name="Kitchen", parent_id=outer.id))
    [section] = await save(SectionFactory(owner_id=user.id, project_id=inner.id, name="This week"))
    parent = await create_todo(
        client,
        title="=Bread; and, so \\n on",
        description="One.\r\nTwo.",
        labels=["errands", "ho,me"],
        priority="urgent",
        project_id=inner.id,
        section_id=section.id,
        due_at="2026-12-04T09:00:00.5-03:00",
        time_zone="America/Sao_Paulo",
        starts_on="2026-12-01",
        deadline_on="2026-12-05",
        duration_minutes=90,
        recurrence={"rule": "FREQ=WEEKLY;UNTIL=20271231", "from": "completion"},
        reminders=[{"minutes_before": 30}, {"at": "2026-12-03T18:00:00-03:00"}],
    )
    child = await create_todo(client, title="Flour", parent_id=parent["id"], state="draft")

    one, two = await read_files(client)

    assert one == PortableTodo(
        key=str(OwnKey(parent["id"], datetime.fromisoformat(parent["created_at"]))),
        line=0,
        title="=Bread; and, so \\n on",
        description="One.\r\nTwo.",
        priority="urgent",
        project=("House/Garden", "Kitchen"),
        section="This week",
        labels=("errands", "ho,me"),
        due_at=datetime.fromisoformat("2026-12-04T12:00:00.5Z"),
        time_zone="America/Sao_Paulo",
        starts_on=date(2026, 12, 1),
        deadline_on=date(2026, 12, 5),
        duration_minutes=90,
        recurrence_rule="FREQ=WEEKLY;UNTIL=20271231",
        recurrence_from="completion",
        reminders=(
            Reminder(minutes_before=30),
            Reminder(at=datetime.fromisoformat("2026-12-03T21:00:00Z")),
        ),
        created_at=datetime.fromisoformat(parent["created_at"]),
    )
    assert (two.title, two.state, two.parent_key) == ("Flour", "draft", one.key)
    assert two.project == one.project
    assert parse_key(two.key) == (child["id"], datetime.fromisoformat(child["created_at"]))


async def test_a_done_todo_goes_out(client):
    todo = await create_todo(client, due_on="2026-12-04")
    await client.patch(f"/todos/{todo['id']}", json={"state": "done"})

    [read] = await read_files(client)

    assert (read.state, read.due_on) == ("done", date(2026, 12, 4))
    assert read.completed_at is not None


async def test_count_is_without_the_occurrences_that_are_over(client):
    day = date.today() + timedelta(days=30)  # noqa: DTZ011  # far enough in any time zone
    todo = await create_todo(
        client, due_on=day.isoformat(), recurrence={"rule": "FREQ=DAILY;COUNT=5"}
    )
    await client.post(f"/todos/{todo['id']}/complete")

    [read] = await read_files(client)

    assert read.recurrence_rule == "FREQ=DAILY;COUNT=4"


async def test_only_own_todos_that_are_not_in_the_trash_go_out(client, user, stranger, save):
    [mine, deleted, _] = await save(
        TodoFactory(owner_id=user.id, title="Mine"),
        TodoFactory(owner_id=user.id),
        TodoFactory(owner_id=stranger.id),
    )
    await client.delete(f"/todos/{deleted.id}")

    assert [todo.title for todo in await read_files(client)] == [mine.title]


@pytest.mark.parametrize(("path", "media_type"), [(CSV, "text/csv"), (ICALENDAR, "text/calendar")])
async def test_a_file_is_a_download(client, path, media_type):
    response = await client.get(path)

    assert response.headers["content-type"] == f"{media_type}; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    name = path.rpartition("/todos")[2]
    assert response.headers["content-disposition"].startswith("attachment; filename=")
    assert response.headers["content-disposition"].endswith(f'{name}"')
    assert await read_files(client) == []


@pytest.mark.parametrize(("path", "more"), [(CSV, 0), (ICALENDAR, 1)])
@pytest.mark.parametrize("rows", [0, 1, 2, 3, 5])
async def test_files_of_several_pages_are_complete(
    client, user, save, statements, monkeypatch, rows, path, more
):
    monkeypatch.setattr(service, "PAGE", 2)
    await save(*TodoFactory.build_batch(rows, owner_id=user.id))

    with statements() as sent:
        await client.get(path)

    assert len(await read_files(client)) == rows
    assert len(sent) == max(-(-rows // 2), 1) + more


async def test_another_program_knows_the_time_zones(client):
    for zone in ("America/Sao_Paulo", "Europe/Berlin"):
        await create_todo(client, due_at="2026-12-04T12:00:00Z", time_zone=zone)

    calendar = Calendar.from_ical((await client.get(ICALENDAR)).content)

    assert calendar.get_missing_tzids() == set()
    assert {zone.tz_name for zone in calendar.timezones} == {"America/Sao_Paulo", "Europe/Berlin"}
    assert len(calendar.todos) == 2


async def test_todos_that_cannot_be_read_do_not_go_out(anonymous, open_log_in, user):
    headers = await open_log_in(user, {"account:read", "feed:read"})

    for path in (CSV, ICALENDAR):
        assert (await anonymous.get(path, headers=headers)).status_code == 403


async def test_the_calendar_of_a_deleted_account_is_refused(client, user):
    await client.delete(f"/users/{user.id}")

    assert problem(await client.get(ICALENDAR)) == (401, "Could not validate credentials")
